"""The API of `redeem`, one module a resource."""

from __future__ import annotations

from flask_smorest import Blueprint

ALL: tuple[Blueprint, ...] = ()
