"""The settings of the service: one frozen object, read once at start; nothing here has a default that would be a secret."""

from __future__ import annotations

import base64
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from itertools import pairwise
from pathlib import Path

KEY_LENGTH = 32
PROXIES_MAX = 3
#: Of 32 random bytes about 30 are different ones; with fewer than so many they were not drawn by lot.
_DIFFERENT_MIN = 16


class SettingsError(ValueError):
    """A setting is missing or cannot be used; the text says which and what to do."""


@dataclass(frozen=True)
class Settings:
    """What the service is told at start."""

    #: SQLAlchemy address of the database: `sqlite:////path/to/file.db` or `postgresql+psycopg://...`.
    database_url: str
    #: Where people reach the service, for the addresses inside QR codes, for example `https://passbook.example.org`.
    public_url: str
    #: 32 bytes: signs form tokens and challenges.
    secret_key: bytes = field(repr=False)
    #: 32 bytes: wraps the per-person keys of the vault and the keys behind rotating codes.
    master_key: bytes = field(repr=False)
    #: 32 bytes: peppers the hashes by which a phone or name is found.
    pepper: bytes = field(repr=False)
    #: While a key is being changed, the one before it: it opens and recognises what is there, and makes nothing new.
    secret_key_old: bytes | None = field(default=None, repr=False)
    master_key_old: bytes | None = field(default=None, repr=False)
    pepper_old: bytes | None = field(default=None, repr=False)
    #: 32 bytes: the Ed25519 key that signs the heads of the log. Only `flask ledger seal` is told it, so that whoever gets into the service
    #: signs none; and the one before it, while it is being changed: heads carry both signatures.
    log_key: bytes | None = field(default=None, repr=False)
    log_key_old: bytes | None = field(default=None, repr=False)
    #: Where the sealer reaches the database, under a role of its own: `flask ledger seal` alone is told it. SQLite has no roles.
    sealer_database_url: str | None = None
    #: How many proxies of one's own stand before the service: so many of the last addresses in X-Forwarded-For are theirs to tell.
    proxies: int = 0

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> Settings:
        """Read the settings from `values` (the environment) and the files they name; raise SettingsError naming what cannot be used."""
        found = cls(
            database_url=_text(values, "PASSBOOK_DATABASE_URL"),
            public_url=_text(values, "PASSBOOK_PUBLIC_URL").rstrip("/"),
            secret_key=_key(values, "PASSBOOK_SECRET_KEY"),
            master_key=_key(values, "PASSBOOK_MASTER_KEY"),
            pepper=_key(values, "PASSBOOK_PEPPER"),
            secret_key_old=_optional_key(values, "PASSBOOK_SECRET_KEY_OLD"),
            master_key_old=_optional_key(values, "PASSBOOK_MASTER_KEY_OLD"),
            pepper_old=_optional_key(values, "PASSBOOK_PEPPER_OLD"),
            log_key=_optional_key(values, "PASSBOOK_LOG_KEY"),
            log_key_old=_optional_key(values, "PASSBOOK_LOG_KEY_OLD"),
            sealer_database_url=_told(values, "PASSBOOK_SEALER_DATABASE_URL") or None,
            proxies=_count(values, "PASSBOOK_PROXIES", PROXIES_MAX),
        )
        _check_different({f"PASSBOOK_{name.upper()}": key for name, key in vars(found).items() if isinstance(key, bytes)})
        return found

    @property
    def secret_keys(self) -> tuple[bytes, ...]:
        """Return the secret keys under which something may have been signed, today's first."""
        return (self.secret_key, self.secret_key_old) if self.secret_key_old else (self.secret_key,)


def _text(values: Mapping[str, str], name: str) -> str:
    if not (value := _told(values, name)):
        raise SettingsError(f"{name} is not set / 缺少设置 {name}: see docs/operating.md")
    return value


def _count(values: Mapping[str, str], name: str, most: int) -> int:
    told = _told(values, name) or "0"
    if not told.isascii() or not told.isdigit() or int(told) > most:
        raise SettingsError(f"{name} must be a number from 0 to {most} / 必须是 0 到 {most} 的数字: see docs/operating.md")
    return int(told)


def _told(values: Mapping[str, str], name: str) -> str:
    """Return what stands in the environment, or in the file that it names."""
    value, path = values.get(name, "").strip(), values.get(f"{name}_FILE", "").strip()
    if value and path:
        raise SettingsError(f"{name} and {name}_FILE are both set / 两者只能设一个: keep one of them")
    return _read(f"{name}_FILE", Path(path)) if path else value


def _read(name: str, path: Path) -> str:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o007:
            raise SettingsError(f"{name}: {path} can be read or changed by every user / 其他用户可以读写这个文件: chmod 600 {path}")
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{name}: {path} cannot be read / 文件读不出来: {problem}") from None


def _optional_key(values: Mapping[str, str], name: str) -> bytes | None:
    return _key(values, name) if _told(values, name) else None


def _key(values: Mapping[str, str], name: str) -> bytes:
    try:
        key = base64.b64decode(_text(values, name), validate=True)
    except ValueError as problem:
        if isinstance(problem, SettingsError):
            raise
        raise SettingsError(f"{name} is not base64 / 不是 base64: make one with `openssl rand -base64 32`") from None
    if len(key) != KEY_LENGTH:
        raise SettingsError(f"{name} has {len(key)} bytes instead of {KEY_LENGTH} / 应为 32 字节: make one with `openssl rand -base64 32`")
    if _looks_made_up(key):
        raise SettingsError(f"{name} repeats, counts or spells words / 不是随机数: make a random key with `openssl rand -base64 32`")
    return key


def _looks_made_up(key: bytes) -> bool:
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    return len(set(key)) < _DIFFERENT_MIN or len(steps) == 1 or all(32 <= byte < 127 for byte in key)


def _check_different(keys: Mapping[str, bytes]) -> None:
    seen: dict[bytes, str] = {}
    for name, key in keys.items():
        if (other := seen.setdefault(key, name)) != name:
            raise SettingsError(f"{name} is the same key as {other} / 两把钥匙相同: each must be drawn anew")
