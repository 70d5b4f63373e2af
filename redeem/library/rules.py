"""The three colours of the library."""

from __future__ import annotations

#: Red: party and government; white: business; green: neighbourhood.
COLOURS = ("red", "white", "green")
RESOURCE_KINDS = ("place", "skill", "goods", "service")
