"""The pages of `redeem`, one module an audience."""

from __future__ import annotations

from flask import Blueprint

ALL: tuple[Blueprint, ...] = ()
