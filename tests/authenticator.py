"""A phone that makes passkeys and answers with them, as a browser hands its answers on: real keys, real signatures."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers import bytes_to_base64url

PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


@dataclass
class Kept:
    """A passkey on the phone."""

    credential_id: bytes
    key: ec.EllipticCurvePrivateKey
    user_handle: bytes
    count: int


@dataclass
class Authenticator:
    """A phone; `origin` is where its browser thinks it is, and `verifies` whether it asked for a finger or a face."""

    origin: str = "http://localhost:8000"
    host: str = "localhost"
    verifies: bool = True
    counts: bool = True
    kept: list[Kept] = field(default_factory=list)

    def make(self, options: str) -> str:
        """Make a passkey for what was asked."""
        asked = json.loads(options)
        made = Kept(secrets.token_bytes(32), ec.generate_private_key(ec.SECP256R1()), base64url_to_bytes(asked["user"]["id"]), 0)
        self.kept.append(made)
        numbers = made.key.public_key().public_numbers()
        public_key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + len(made.credential_id).to_bytes(2, "big") + made.credential_id + public_key
        told = self._told(WITH_KEY, made.count) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": told})
        client_data = self._client_data("webauthn.create", asked["challenge"])
        return _answer(made, {"clientDataJSON": client_data, "attestationObject": attestation})

    def answer(self, options: str, *, which: int = -1) -> str:
        """Answer with one of the passkeys, the last one unless told otherwise."""
        asked, used = json.loads(options), self.kept[which]
        used.count += self.counts
        told, client_data = self._told(0, used.count), self._client_data("webauthn.get", asked["challenge"])
        signature = used.key.sign(told + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return _answer(
            used,
            {"clientDataJSON": client_data, "authenticatorData": told, "signature": signature, "userHandle": used.user_handle},
        )

    def _told(self, flags: int, count: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()


def _answer(kept: Kept, response: dict[str, bytes]) -> str:
    named = bytes_to_base64url(kept.credential_id)
    told: dict[str, Any] = {name: bytes_to_base64url(value) for name, value in response.items()}
    return json.dumps({"id": named, "rawId": named, "type": "public-key", "response": told})
