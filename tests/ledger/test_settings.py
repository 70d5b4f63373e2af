from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from ledger.settings import Settings
from ledger.settings import SettingsError
from tests.builders import VAULT

KEYS = ("PASSBOOK_SECRET_KEY", "PASSBOOK_MASTER_KEY", "PASSBOOK_PEPPER")
OLD_KEYS = tuple(f"{name}_OLD" for name in KEYS)


def in_text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def an_environment(**others: str) -> dict[str, str]:
    """All that is needed, with keys drawn by lot."""
    plain = {"PASSBOOK_DATABASE_URL": "sqlite:////srv/book.db", "PASSBOOK_PUBLIC_URL": "https://passbook.example.org/"}
    return plain | {name: in_text(os.urandom(32)) for name in KEYS} | others


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in an_environment().items() if key != name}


def test_the_settings_are_read_from_the_environment() -> None:
    environment = an_environment()
    settings = Settings.from_mapping(environment)
    assert settings.public_url == "https://passbook.example.org"
    assert in_text(settings.master_key) == environment["PASSBOOK_MASTER_KEY"]
    assert (settings.secret_key_old, settings.master_key_old, settings.pepper_old) == (None, None, None)
    assert settings.secret_keys == (settings.secret_key,)


@pytest.mark.parametrize("name", ["PASSBOOK_DATABASE_URL", "PASSBOOK_PUBLIC_URL", *KEYS])
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} is not set"):
        Settings.from_mapping(without(name))
    with pytest.raises(SettingsError, match=f"^{name} is not set"):
        Settings.from_mapping(an_environment() | {name: "  "})


@pytest.mark.parametrize("name", KEYS + OLD_KEYS)
@pytest.mark.parametrize(
    ("key", "says"),
    [
        (os.urandom(31), "has 31 bytes"),
        (os.urandom(33), "has 33 bytes"),
        (bytes(32), "repeats, counts or spells"),
        (b"\xff" * 32, "repeats, counts or spells"),
        (os.urandom(8) * 4, "repeats, counts or spells"),
        (b"change-me-before-you-go-online!!", "repeats, counts or spells"),
        (VAULT.master_key, "repeats, counts or spells"),
        (VAULT.pepper, "repeats, counts or spells"),
        (bytes(range(32)), "repeats, counts or spells"),
    ],
    ids=[
        "short",
        "long",
        "zeros",
        "ones",
        "four times the same",
        "words",
        "the tests' master key",
        "the tests' pepper",
        "the tests' secret",
    ],
)
def test_a_key_that_nobody_drew_by_lot_is_refused_and_named(name: str, key: bytes, says: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} {says}"):
        Settings.from_mapping(an_environment() | {name: in_text(key)})


@pytest.mark.parametrize("name", KEYS)
def test_what_is_no_base64_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} is not base64") as refused:
        Settings.from_mapping(an_environment() | {name: "not-a-key-at-all"})
    assert "not-a-key-at-all" not in str(refused.value)


def test_one_key_is_not_used_for_two_things() -> None:
    environment = an_environment()
    with pytest.raises(SettingsError, match=r"^PASSBOOK_PEPPER is the same key as PASSBOOK_MASTER_KEY"):
        Settings.from_mapping(environment | {"PASSBOOK_PEPPER": environment["PASSBOOK_MASTER_KEY"]})
    with pytest.raises(SettingsError, match=r"^PASSBOOK_MASTER_KEY_OLD is the same key as PASSBOOK_MASTER_KEY"):
        Settings.from_mapping(environment | {"PASSBOOK_MASTER_KEY_OLD": environment["PASSBOOK_MASTER_KEY"]})


def test_one_older_key_of_each_is_known_while_they_change() -> None:
    keys = {name: os.urandom(32) for name in OLD_KEYS}
    settings = Settings.from_mapping(an_environment(**{name: in_text(key) for name, key in keys.items()}))
    assert (settings.secret_key_old, settings.master_key_old, settings.pepper_old) == tuple(keys.values())
    assert settings.secret_keys == (settings.secret_key, settings.secret_key_old)


def test_no_key_is_shown() -> None:
    settings = Settings.from_mapping(an_environment(PASSBOOK_PEPPER_OLD=in_text(os.urandom(32))))
    shown = repr(settings)
    assert "passbook.example.org" in shown
    for key in (settings.secret_key, settings.master_key, settings.pepper, settings.pepper_old):
        assert key is not None
        assert repr(key) not in shown


def a_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "key"
    path.write_text(f"{text}\n")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("name", [*KEYS, *OLD_KEYS, "PASSBOOK_DATABASE_URL"])
def test_a_file_may_hold_what_is_secret(tmp_path: Path, name: str) -> None:
    told = "sqlite:////srv/other.db" if name == "PASSBOOK_DATABASE_URL" else in_text(os.urandom(32))
    settings = Settings.from_mapping(without(name) | {f"{name}_FILE": str(a_file(tmp_path, told, 0o640))})
    found = getattr(settings, name.removeprefix("PASSBOOK_").lower())
    assert (found if isinstance(found, str) else in_text(found)) == told


def test_a_file_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, in_text(os.urandom(32)), 0o604)
    with pytest.raises(SettingsError, match=r"^PASSBOOK_MASTER_KEY_FILE: .* can be read or changed by every user"):
        Settings.from_mapping(without("PASSBOOK_MASTER_KEY") | {"PASSBOOK_MASTER_KEY_FILE": str(path)})


def test_a_file_that_is_not_there_or_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^PASSBOOK_PEPPER_FILE: .* cannot be read"):
        Settings.from_mapping(without("PASSBOOK_PEPPER") | {"PASSBOOK_PEPPER_FILE": str(tmp_path / "none")})
    raw = tmp_path / "raw"
    raw.write_bytes(b"\xff" * 32)
    raw.chmod(0o600)
    with pytest.raises(SettingsError, match=r"^PASSBOOK_PEPPER_FILE: .* cannot be read"):
        Settings.from_mapping(without("PASSBOOK_PEPPER") | {"PASSBOOK_PEPPER_FILE": str(raw)})


def test_a_setting_stands_in_one_place(tmp_path: Path) -> None:
    path = a_file(tmp_path, in_text(os.urandom(32)))
    with pytest.raises(SettingsError, match=r"^PASSBOOK_PEPPER and PASSBOOK_PEPPER_FILE are both set"):
        Settings.from_mapping(an_environment(PASSBOOK_PEPPER_FILE=str(path)))
