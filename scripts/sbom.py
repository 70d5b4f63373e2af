"""Print what the service is made of, as CycloneDX 1.6: every package of requirements/run.txt with its version and hashes (`make sbom`)."""

from __future__ import annotations

import json
import re
from pathlib import Path

LOCK = Path(__file__).parent.parent / "requirements" / "run.txt"
_PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)[^\n]*\n((?:\s+--hash=sha256:[0-9a-f]{64}[^\n]*\n?)+)", re.MULTILINE)


def main() -> None:
    """Print the list."""
    components = [
        {
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version}",
            "hashes": [{"alg": "SHA-256", "content": found} for found in re.findall(r"sha256:([0-9a-f]{64})", hashes)],
        }
        for name, version, hashes in _PINNED.findall(LOCK.read_text())
    ]
    print(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components}, indent=1))


if __name__ == "__main__":
    main()
