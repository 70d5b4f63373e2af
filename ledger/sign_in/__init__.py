"""The door of sign-in: the ways in, the sessions they open, and how many guesses there are."""

from __future__ import annotations

from ledger.sign_in.guesses import Try
from ledger.sign_in.guesses import give_back
from ledger.sign_in.guesses import reserve
from ledger.sign_in.rules import FURTHER
from ledger.sign_in.rules import OWN_PHONE
from ledger.sign_in.rules import STRONG_ROLES
from ledger.sign_in.rules import STRONG_WAYS
from ledger.sign_in.rules import is_fresh
from ledger.sign_in.sessions import OnceHeld
from ledger.sign_in.sessions import SignedIn
from ledger.sign_in.sessions import act_for
from ledger.sign_in.sessions import end_session
from ledger.sign_in.sessions import held_in
from ledger.sign_in.sessions import issue_bearer
from ledger.sign_in.sessions import issue_link
from ledger.sign_in.sessions import note_proof
from ledger.sign_in.sessions import note_use
from ledger.sign_in.sessions import once_held
from ledger.sign_in.sessions import open_session
from ledger.sign_in.sessions import recognise
from ledger.sign_in.sessions import sessions_of
from ledger.sign_in.sessions import sign_out
from ledger.sign_in.sessions import sign_out_everywhere
from ledger.sign_in.sessions import use_link

__all__ = [
    "FURTHER",
    "OWN_PHONE",
    "STRONG_ROLES",
    "STRONG_WAYS",
    "OnceHeld",
    "SignedIn",
    "Try",
    "act_for",
    "end_session",
    "give_back",
    "held_in",
    "is_fresh",
    "issue_bearer",
    "issue_link",
    "note_proof",
    "note_use",
    "once_held",
    "open_session",
    "recognise",
    "reserve",
    "sessions_of",
    "sign_out",
    "sign_out_everywhere",
    "use_link",
]
