"""The settings of the service: one frozen object, read once at start; nothing here has a default that would be a secret."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field


class SettingsError(ValueError):
    """A setting is missing or cannot be used; the text says which and what to do."""


@dataclass(frozen=True)
class Settings:
    """What the service is told at start."""

    #: SQLAlchemy address of the database: `sqlite:////path/to/file.db` or `postgresql+psycopg://...`.
    database_url: str
    #: Where people reach the service, for the addresses inside QR codes, for example `https://passbook.example.org`.
    public_url: str
    #: 32 bytes or more: signs form tokens.
    secret_key: bytes = field(repr=False)
    #: 32 bytes: wraps the per-person keys of the vault and the keys behind rotating codes.
    master_key: bytes = field(repr=False)
    #: 32 bytes: peppers the hashes by which a phone or name is found.
    pepper: bytes = field(repr=False)

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> Settings:
        """Read the settings from `values` (the environment); raise SettingsError naming what is missing or too short."""
        return cls(
            database_url=_text(values, "PASSBOOK_DATABASE_URL"),
            public_url=_text(values, "PASSBOOK_PUBLIC_URL").rstrip("/"),
            secret_key=_key(values, "PASSBOOK_SECRET_KEY"),
            master_key=_key(values, "PASSBOOK_MASTER_KEY"),
            pepper=_key(values, "PASSBOOK_PEPPER"),
        )


def _text(values: Mapping[str, str], name: str) -> str:
    if not (value := values.get(name, "").strip()):
        raise SettingsError(f"{name} is not set / 缺少设置 {name}: see docs/operating.md")
    return value


def _key(values: Mapping[str, str], name: str) -> bytes:
    try:
        key = base64.b64decode(_text(values, name), validate=True)
    except ValueError as problem:
        if isinstance(problem, SettingsError):
            raise
        raise SettingsError(f"{name} is not base64 / 不是 base64: make one with `openssl rand -base64 32`") from None
    if len(key) != 32 or len(set(key)) < 8:
        raise SettingsError(f"{name} must be 32 random bytes in base64 / 必须是 32 字节随机数: make one with `openssl rand -base64 32`")
    return key
