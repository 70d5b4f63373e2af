"""What a line of the audit log says, and how much of an address it keeps."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

#: The outcome of what was carried out; that of what was refused is the code of the refusal.
DONE = "done"


@dataclass(frozen=True)
class Entry:
    """One act, done or refused: ids and codes, never words."""

    at: datetime
    #: One of `ledger.act.CHANNELS`.
    channel: str
    #: The route, as "POST api_claims.approve", or the command, as "ledger people link".
    act: str
    outcome: str
    #: Nobody, where nobody was signed in.
    actor: UUID | None = None
    acted_for: UUID | None = None
    about: UUID | None = None
    #: Of a set: how many were done, and how many refused, by code.
    details: Mapping[str, int] | None = None
    request_id: UUID | None = None
    credential_id: UUID | None = None
    device_id: UUID | None = None
    network: str | None = None


def network_of(address: str | None) -> str | None:
    """Return the network that an address lies in: IPv4 /24 or IPv6 /48, which tells a neighbourhood and not a home."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None) or found
    return str(ipaddress.ip_network(f"{mapped}/{24 if mapped.version == 4 else 48}", strict=False))
