"""The door of the seal: a log over each book that its owner cannot rewrite unseen, and proofs of single lines."""

from __future__ import annotations

from ledger.seal.actions import SealError
from ledger.seal.actions import add_witness
from ledger.seal.actions import alarm
from ledger.seal.actions import ask_at
from ledger.seal.actions import begin
from ledger.seal.actions import end_witness
from ledger.seal.actions import hear
from ledger.seal.asker import Asker
from ledger.seal.dumping import dump
from ledger.seal.keeping import KeepingError
from ledger.seal.keeping import Memory
from ledger.seal.leaves import HoursOpening
from ledger.seal.leaves import SideFacts
from ledger.seal.leaves import opening_of
from ledger.seal.merkle import is_consistent
from ledger.seal.merkle import is_included
from ledger.seal.merkle import leaf_hash
from ledger.seal.notes import COSIGNATURE
from ledger.seal.notes import Head
from ledger.seal.notes import Key
from ledger.seal.notes import LogKey
from ledger.seal.notes import Note
from ledger.seal.notes import NoteError
from ledger.seal.notes import Proof
from ledger.seal.notes import head_of
from ledger.seal.notes import key_of
from ledger.seal.notes import log_keys_of
from ledger.seal.notes import note_of
from ledger.seal.notes import origin_at
from ledger.seal.notes import proof_of
from ledger.seal.notes import signature_of
from ledger.seal.packed import MAGIC
from ledger.seal.packed import for_paper
from ledger.seal.packed import proof_of_packed
from ledger.seal.promises import promise
from ledger.seal.promises import promiser
from ledger.seal.queries import Receipt
from ledger.seal.queries import Sealed
from ledger.seal.queries import alarming
from ledger.seal.queries import alarms
from ledger.seal.queries import check_words
from ledger.seal.queries import contradict
from ledger.seal.queries import entries
from ledger.seal.queries import has_watched
from ledger.seal.queries import hours_receipt
from ledger.seal.queries import is_signed
from ledger.seal.queries import is_stalled
from ledger.seal.queries import log_keys
from ledger.seal.queries import newest
from ledger.seal.queries import of_size
from ledger.seal.queries import origin_of
from ledger.seal.queries import receipt
from ledger.seal.queries import seen_by
from ledger.seal.queries import tile
from ledger.seal.queries import tills
from ledger.seal.queries import tree
from ledger.seal.queries import waiting
from ledger.seal.queries import witnessed
from ledger.seal.queries import witnesses
from ledger.seal.sealer import Sealer
from ledger.seal.verify import verify

__all__ = [
    "COSIGNATURE",
    "MAGIC",
    "Asker",
    "Head",
    "HoursOpening",
    "KeepingError",
    "Key",
    "LogKey",
    "Memory",
    "Note",
    "NoteError",
    "Proof",
    "Receipt",
    "SealError",
    "Sealed",
    "Sealer",
    "SideFacts",
    "add_witness",
    "alarm",
    "alarming",
    "alarms",
    "ask_at",
    "begin",
    "check_words",
    "contradict",
    "dump",
    "end_witness",
    "entries",
    "for_paper",
    "has_watched",
    "head_of",
    "hear",
    "hours_receipt",
    "is_consistent",
    "is_included",
    "is_signed",
    "is_stalled",
    "key_of",
    "leaf_hash",
    "log_keys",
    "log_keys_of",
    "newest",
    "note_of",
    "of_size",
    "opening_of",
    "origin_at",
    "origin_of",
    "promise",
    "promiser",
    "proof_of",
    "proof_of_packed",
    "receipt",
    "seen_by",
    "signature_of",
    "tile",
    "tills",
    "tree",
    "verify",
    "waiting",
    "witnessed",
    "witnesses",
]
