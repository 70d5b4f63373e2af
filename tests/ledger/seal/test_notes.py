"""Notes, heads, cosignatures, keys and proofs are those of C2SP: another library reads what is written; nothing hostile is taken."""

from __future__ import annotations

import base64
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as some
from tlog_scales import cli
from tlog_scales.signing import Ed25519CosignatureVerifier
from tlog_scales.signing import MLDSA44CosignatureSigner
from tlog_scales.signing import NoteSignature
from tlog_scales.signing import PlainEd25519Signer
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint
from tlog_scales.writer import TilesWriter

from ledger.seal import notes
from ledger.seal.merkle import is_included
from ledger.seal.merkle import leaf_hash
from ledger.seal.notes import NoteError

ORIGIN = "passbook.example.org/log/1"


def private(number: int) -> bytes:
    return bytes(range(number, number + 32))


def signer(number: int, name: str = ORIGIN, kind: int = notes.ED25519) -> notes.Signer:
    return notes.Signer(name, kind, Ed25519PrivateKey.from_private_bytes(private(number)))


LOG, NEXT = signer(0), signer(1)
WITNESS = signer(2, "witness.example.org/东", notes.COSIGNATURE)
HEAD = notes.Head(ORIGIN, 20_852_163, b"\x07" * 32)
BODY = str(HEAD)
NOTE = notes.Note(BODY, (LOG.sign(BODY), WITNESS.sign(BODY, 1_795_000_000)))

# The example of https://c2sp.org/signed-note.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
# And of https://c2sp.org/tlog-cosignature.
EXAMPLE_COSIGNED = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""


def test_the_example_of_the_specification_is_signed_by_its_key() -> None:
    key, note = notes.key_of(EXAMPLE_KEY), notes.note_of(EXAMPLE_NOTE)
    assert (key.name, key.kind, str(key)) == ("example.com/foo", notes.ED25519, EXAMPLE_KEY)
    assert note.body == "This is an example message.\n"
    assert note.signed_by([key]) == [key]
    assert str(note) == EXAMPLE_NOTE
    with pytest.raises(NoteError):
        notes.Note("This is an example massage.\n", note.signatures).signed_by([key])


def test_the_example_of_a_cosigned_head_is_read() -> None:
    note = notes.note_of(EXAMPLE_COSIGNED)
    head = notes.head_of(note.body)
    assert (head.origin, head.size, head.extensions) == ("example.com/behind-the-sofa", 20_852_163, ())
    assert [signature.name for signature in note.signatures] == ["example.com/behind-the-sofa", "witness.example.com/w1"]
    assert int.from_bytes(note.signatures[1].value[:8]) == 1_679_315_147
    assert (str(note), str(head)) == (EXAMPLE_COSIGNED, note.body)


def test_a_text_with_empty_lines_ends_at_the_last_one() -> None:
    body = "Ognuno sta solo\n\ned è subito sera.\n\n"
    note = notes.Note(body, (LOG.sign(body),))
    read = notes.note_of(str(note))
    assert read == note
    assert read.signed_by([LOG.key]) == [LOG.key]


def test_another_library_reads_and_checks_what_we_write() -> None:
    theirs = Checkpoint.from_text(str(NOTE))
    assert (theirs.origin, theirs.size, theirs.root_hash) == (HEAD.origin, HEAD.size, HEAD.root)
    assert theirs.serialize() == str(NOTE)
    theirs.verify(Vkey.from_string(str(LOG.key)))
    key = Vkey.from_string(str(WITNESS.key))
    assert key.serialize() == str(WITNESS.key)
    Ed25519CosignatureVerifier(key).verify_note(theirs.signatures[1], theirs)
    assert Ed25519CosignatureVerifier.get_timestamp(theirs.signatures[1].payload) == 1_795_000_000


def test_we_read_and_check_what_another_library_writes() -> None:
    signed = Checkpoint.make_signed(
        ORIGIN, HEAD.size, HEAD.root, [PlainEd25519Signer(ORIGIN, private(0)), MLDSA44CosignatureSigner("pq.example.org", private(3))]
    )
    note = notes.note_of(signed.serialize())
    assert notes.head_of(note.body) == HEAD
    # A kind of signature that is not known is passed over, and is there when the note is written again.
    assert note.signed_by([LOG.key, WITNESS.key]) == [LOG.key]
    assert str(note) == signed.serialize()
    assert note.signatures[0] == LOG.sign(BODY)


@given(
    some.integers(0, 2**63 - 1), some.binary(min_size=32, max_size=32), some.binary(min_size=32, max_size=32), some.integers(0, 2**63 - 1)
)
def test_both_write_the_same_heads_keys_and_signatures(size: int, root: bytes, secret: bytes, at_s: int) -> None:
    head = notes.Head(ORIGIN, size, root)
    theirs = PlainEd25519Signer(ORIGIN, secret)
    ours = notes.Signer(ORIGIN, notes.ED25519, Ed25519PrivateKey.from_private_bytes(secret))
    signed = Checkpoint.make_signed(ORIGIN, size, root, [theirs])
    assert signed.serialize() == str(notes.Note(str(head), (ours.sign(str(head)),)))
    assert theirs.vkey.serialize() == str(ours.key)
    assert notes.head_of(str(head)) == head
    witness = replace(ours, kind=notes.COSIGNATURE)
    cosigned = NoteSignature.from_line(str(witness.sign(str(head), at_s)))
    Ed25519CosignatureVerifier(Vkey.from_string(str(witness.key))).verify_note(cosigned, signed)


def test_a_proof_that_another_library_writes_is_read_and_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = TilesWriter.create(tmp_path / "log", ORIGIN)
    for number in range(300):
        writer.add_leaf(b"%d" % number)
    writer.commit([PlainEd25519Signer(ORIGIN, private(0))])
    cli.cmd_gen_proof(Namespace(location=str(tmp_path / "log"), leaf_index=41))
    text = capsys.readouterr().out
    proof = notes.proof_of(text)
    head = notes.head_of(proof.checkpoint.body)
    assert proof.checkpoint.signed_by([LOG.key]) == [LOG.key]
    assert is_included(leaf_hash(b"41"), proof.index, head.size, proof.path, head.root)
    assert str(proof) == text


def test_a_proof_is_read_back_with_what_it_carries() -> None:
    for extra in (None, b"", b"\x00\xff" * 90):
        proof = notes.Proof(7, (b"\x01" * 32, b"\x02" * 32), NOTE, extra)
        assert notes.proof_of(str(proof)) == proof


def test_while_a_key_is_changed_a_head_carries_both_signatures_and_either_key_suffices() -> None:
    before, between, after = (notes.Note(BODY, tuple(one.sign(BODY) for one in signers)) for signers in ([LOG], [NEXT, LOG], [NEXT]))
    assert LOG.key.id != NEXT.key.id
    assert [note.signed_by([LOG.key]) for note in (before, between, after)] == [[LOG.key], [LOG.key], []]
    assert [note.signed_by([NEXT.key]) for note in (before, between, after)] == [[], [NEXT.key], [NEXT.key]]
    assert between.signed_by([LOG.key, NEXT.key]) == [LOG.key, NEXT.key]


def test_a_known_key_whose_signature_does_not_hold_spoils_the_note() -> None:
    forged = replace(LOG.sign(BODY), value=bytes(64))
    for signatures in ((forged,), (LOG.sign(BODY), forged), (NEXT.sign(BODY), forged)):
        with pytest.raises(NoteError, match="does not hold"):
            notes.Note(BODY, signatures).signed_by([LOG.key, NEXT.key])


def test_a_signature_in_the_name_of_a_known_key_with_another_id_is_passed_over() -> None:
    strange = notes.Signature(ORIGIN, b"\x00\x01\x02\x03", bytes(64))
    elsewhere = replace(LOG.sign(BODY), name="somewhere.else/log")
    note = notes.Note(BODY, (strange, elsewhere, LOG.sign(BODY)))
    assert note.signed_by([LOG.key]) == [LOG.key]
    assert notes.Note(BODY, (strange, elsewhere)).signed_by([LOG.key]) == []


def test_a_logs_signature_is_no_cosignature_and_neither_holds_for_another_text() -> None:
    as_witness, as_log = replace(LOG, kind=notes.COSIGNATURE), replace(WITNESS, kind=notes.ED25519)
    assert as_witness.key.id != LOG.key.id
    assert not as_witness.key.holds(bytes(8) + LOG.sign(BODY).value, BODY)
    assert not as_log.key.holds(WITNESS.sign(BODY, 5).value[8:], BODY)
    other = str(replace(HEAD, size=HEAD.size + 1))
    assert LOG.key.holds(LOG.sign(BODY).value, BODY)
    assert not LOG.key.holds(LOG.sign(BODY).value, other)
    assert not WITNESS.key.holds(WITNESS.sign(BODY, 5).value, other)


def test_a_cosignature_holds_only_for_the_time_that_it_says() -> None:
    value = WITNESS.sign(BODY, 5).value
    assert WITNESS.key.holds(value, BODY)
    assert not WITNESS.key.holds((6).to_bytes(8) + value[8:], BODY)
    late = WITNESS.sign(BODY, 2**63)
    assert not WITNESS.key.holds(late.value, BODY)
    with pytest.raises(ValueError, match="says when"):
        WITNESS.sign(BODY)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 63, 65, 71, 73])
def test_a_signature_of_another_length_does_not_hold(length: int) -> None:
    assert not LOG.key.holds(bytes(length), BODY)
    assert not WITNESS.key.holds(bytes(length), BODY)


@pytest.mark.parametrize("public", [bytes(32), b"\xff" * 32, b"\x01" + bytes(31)])
def test_a_key_that_is_no_point_signs_nothing(public: bytes) -> None:
    for kind in (notes.ED25519, notes.COSIGNATURE):
        assert not notes.Key(ORIGIN, kind, public).holds(LOG.sign(BODY).value, BODY)


def test_signatures_are_put_under_a_note_once() -> None:
    again = NOTE.with_signatures([WITNESS.sign(BODY, 1_795_000_000), NEXT.sign(BODY)])
    assert again.signatures == (*NOTE.signatures, NEXT.sign(BODY))


LINE = str(LOG.sign(BODY))
INVISIBLE_SPACE, WIDE_SPACE = "\u200b", "\u3000"


def encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        BODY,
        BODY + "\n",
        BODY + "\n\n",
        BODY + LINE + "\n",
        f"{BODY}\n{LINE}",
        f"{BODY}\n{LINE}\n\n",
        f"{BODY}\n{LINE}\r\n",
        f"{BODY}\r\n{LINE}\n",
        f"{BODY}\t\n{LINE}\n",
        f"{BODY}\0\n{LINE}\n",
        f"{BODY}\n{LINE.replace('—', '-')}\n",
        f"{BODY}\n{LINE.replace('— ', '—')}\n",
        f"{BODY}\n {LINE}\n",
        f"{BODY}\n{LINE} \n",
        f"{BODY}\n{LINE.replace('example', 'exam+ple')}\n",
        f"{BODY}\n{LINE.replace('example', 'exam ple')}\n",
        f"{BODY}\n{LINE.replace('example', WIDE_SPACE)}\n",
        f"{BODY}\n{LINE.replace('example', INVISIBLE_SPACE)}\n",
        f"{BODY}\n—  {encoded(bytes(68))}\n",
        f"{BODY}\n— {ORIGIN}\n",
        f"{BODY}\n— {ORIGIN} \n",
        f"{BODY}\n— {ORIGIN} {encoded(bytes(4))}\n",
        f"{BODY}\n— {ORIGIN} {encoded(bytes(68)).rstrip('=')}\n",
        f"{BODY}\n— {ORIGIN} {encoded(bytes(68))}=\n",
        f"{BODY}\n— {ORIGIN} {encoded(b'?' * 68).replace('/', '_').replace('P', '-')}\n",
        f"{BODY}\n— {ORIGIN} {encoded(bytes(68))[:-2]}B=\n",
        f"{BODY}\n— {ORIGIN} {encoded(bytes(68))[:40]} {encoded(bytes(68))[40:]}\n",
        f"{BODY}\n{LINE}\nwhat is this\n",
        f"{BODY}\n" + f"{LINE}\n" * 65,
    ],
)
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        notes.note_of(text)


def test_sixteen_signatures_and_more_are_read() -> None:
    assert len(notes.note_of(f"{BODY}\n" + f"{LINE}\n" * 64).signatures) == 64


ROOT = encoded(HEAD.root)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n",
        ORIGIN,
        f"{ORIGIN}\n",
        f"{ORIGIN}\n5\n",
        f"{ORIGIN}\n5\n{ROOT}",
        f"\n5\n{ROOT}\n",
        f"{ORIGIN}\n\n{ROOT}\n",
        f"{ORIGIN}\n5\n\n",
        f"{ORIGIN}\n05\n{ROOT}\n",
        f"{ORIGIN}\n00\n{ROOT}\n",
        f"{ORIGIN}\n+5\n{ROOT}\n",
        f"{ORIGIN}\n-5\n{ROOT}\n",
        f"{ORIGIN}\n 5\n{ROOT}\n",
        f"{ORIGIN}\n5 \n{ROOT}\n",
        f"{ORIGIN}\n1_0\n{ROOT}\n",
        f"{ORIGIN}\n0x5\n{ROOT}\n",
        f"{ORIGIN}\n５\n{ROOT}\n",
        f"{ORIGIN}\n²\n{ROOT}\n",
        f"{ORIGIN}\n{2**63}\n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\n",
        f"{ORIGIN}\n5\n{encoded(bytes(31))}\n",
        f"{ORIGIN}\n5\n{encoded(bytes(33))}\n",
        f"{ORIGIN}\n5\n{ROOT[:-2]}d=\n",
        f"{ORIGIN}\n5\n{HEAD.root.hex()}\n",
        f"{ORIGIN}\n5\n{ROOT}\n\n",
        f"{ORIGIN}\n5\n{ROOT}\nmore\n\n",
        f"{ORIGIN}\n5\n{ROOT}\n\nmore\n",
    ],
)
def test_what_is_no_head_is_refused(body: str) -> None:
    with pytest.raises(NoteError):
        notes.head_of(body)


def test_a_head_may_carry_more_lines() -> None:
    head = replace(HEAD, extensions=("one", "two"))
    assert notes.head_of(str(head)) == head
    assert notes.head_of(f"{ORIGIN}\n0\n{ROOT}\n").size == 0


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        EXAMPLE_KEY.replace("530d903a", "530d903b"),
        EXAMPLE_KEY.replace("530d903a", "530D903A"),
        EXAMPLE_KEY.replace("530d903a", ""),
        EXAMPLE_KEY.replace("foo", "bar"),
        EXAMPLE_KEY.replace("foo", "f oo"),
        EXAMPLE_KEY.removeprefix("example.com/foo"),
        EXAMPLE_KEY[:-4],
        EXAMPLE_KEY + "AAAA",
        EXAMPLE_KEY.replace("+Aek", "+Auk"),
        EXAMPLE_KEY.replace("+Aek", "+Bek"),
        EXAMPLE_KEY[:-1] + "l",
        MLDSA44CosignatureSigner("pq.example.org", private(3)).vkey.serialize(),
    ],
)
def test_what_is_no_key_is_refused(vkey: str) -> None:
    with pytest.raises(NoteError):
        notes.key_of(vkey)


PROOF = str(notes.Proof(7, (b"\x01" * 32,), NOTE, b"extra"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        PROOF.replace("@v1", "@v2"),
        PROOF.replace("c2sp.org/", "c2sp.org//"),
        "\n" + PROOF,
        PROOF.replace("index 7\n", ""),
        PROOF.replace("index 7", "index 07"),
        PROOF.replace("index 7", "index -7"),
        PROOF.replace("index 7", "index  7"),
        PROOF.replace("index 7", "index 7\nindex 7"),
        PROOF.replace("extra ", "extra  "),
        PROOF.replace("extra ", "extra ?"),
        PROOF.replace(encoded(b"\x01" * 32), encoded(b"\x01" * 31)),
        PROOF.replace(encoded(b"\x01" * 32), "\n".join([encoded(b"\x01" * 32)] * 64)),
        PROOF.replace("\n\n", "\n"),
        PROOF[:-1],
    ],
)
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        notes.proof_of(text)


@given(some.text(max_size=200))
def test_any_text_is_read_or_refused_and_never_a_mistake(text: str) -> None:
    for read in (notes.note_of, notes.head_of, notes.key_of, notes.proof_of, notes.signature_of, notes.whole):
        for told in (text, f"{BODY}\n{text}", f"— {text}", f"{ORIGIN}\n5\n{text}\n", PROOF + text, PROOF.replace("7", text)):
            try:
                found = read(told)
            except NoteError:
                continue
            # What is read is written again as it was.
            assert str(found) == (told.strip() if read is notes.key_of else told)


def test_a_name_that_cannot_be_signed_under_is_refused() -> None:
    for name in ("", "a+b", "a b", "a\nb", "a\u2028b"):
        with pytest.raises(NoteError):
            signer(0, name).sign(BODY)
