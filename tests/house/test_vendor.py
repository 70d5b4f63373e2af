"""What was copied from npm is what its manifest says, and nothing else lies beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import vendor


def test_what_was_copied_is_there_unchanged() -> None:
    assert vendor.faults() == []


def test_a_changed_file_and_a_file_too_many_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("static/vendor", "templates/print/fonts", "tests/browser/vendor"):
        for path in (vendor.ROOT / folder).rglob("*"):
            if path.is_file():
                copied = tmp_path / path.relative_to(vendor.ROOT)
                copied.parent.mkdir(parents=True, exist_ok=True)
                copied.write_bytes(path.read_bytes())
    (tmp_path / "package-lock.json").write_bytes((vendor.ROOT / "package-lock.json").read_bytes())
    (tmp_path / "static/vendor/lean-qr/index.mjs").write_text("export const generate = () => null;\n")
    (tmp_path / "static/vendor/more.js").write_text("")
    monkeypatch.setattr(vendor, "ROOT", tmp_path)
    monkeypatch.setattr(vendor, "MANIFEST", tmp_path / "static/vendor/MANIFEST.json")
    assert vendor.faults() == ["static/vendor/lean-qr/index.mjs is not what was copied", "static/vendor/more.js is not in the manifest"]
