"""The addresses inside QR codes: of a venue /v/, of a shop's order /o/, of a volunteer's pay code /p/."""

from __future__ import annotations

from urllib.parse import urlsplit

from ledger.web.kit.extensions import services


def own_address() -> str:
    """Return the address that everything of this service lies below."""
    return services().settings.public_url


def code_address(letter: str, token: str) -> str:
    """Return the address that is drawn as a QR code: in upper case, which makes small codes, where the service lies at no path."""
    public_url = services().settings.public_url
    address = f"{public_url}/{letter}/{token}"
    return address if urlsplit(public_url).path else address.upper()
