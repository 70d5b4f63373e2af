"""The devices of shops and counters: made ready to be paired, listed, ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from marshmallow import fields

from ledger import sign_in
from ledger.clock import local_day
from ledger.errors import NotFound
from ledger.sign_in import DEVICE_NAME_LENGTH_MAX
from ledger.sign_in import Device
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Code
from ledger.web.kit.fields import Day
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Nothing
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Words
from ledger.web.kit.paired import pairing_shown
from ledger.web.kit.writing import act
from redeem.web.kit import end_watching

blp = Resource("devices", __name__, "Devices of shops and counters, and the codes that pair them")

WORKERS = ("grid_worker", "administrator")


class DeviceIn(Shape):
    """A device of a shop."""

    name = Words(DEVICE_NAME_LENGTH_MAX, required=True)


class CounterDeviceIn(DeviceIn):
    """A device of the counter of an area."""

    area_code = Code(required=True)


class DeviceMadeOut(Shape):
    """A device as it is kept in an answer, without its code."""

    id = Id(required=True)
    unit_id = Id(required=True, allow_none=True)
    area_code = fields.String(required=True, allow_none=True)
    pair_until = Moment(required=True)
    paired_at = Moment(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)


class DevicePreparedOut(DeviceMadeOut):
    """A device with the code that pairs it, while it can be paired."""

    code = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True, metadata={"description": "what the QR code says"})


class DeviceOut(DeviceMadeOut):
    """A device in a list."""

    name = fields.String(required=True)
    last_used_on = Day(required=True, allow_none=True)


class DevicesOut(Shape):
    """The devices that are paired, or still can be."""

    items = fields.List(fields.Nested(DeviceOut), required=True)


def _with_code(device: dict[str, Any]) -> dict[str, Any]:
    reach = {"unit_ids": [UUID(device["unit_id"])]} if device["unit_id"] else {"within": me().scope(*WORKERS)}
    shown = pairing_shown(sign_in.device_of(session(), me().book_id, UUID(device["id"]), **reach))
    return device | {"code": shown["code"], "address": shown["address"]}


@blp.reads("/units/<uuid:unit_id>/devices", DevicesOut)
@allow("shop_owner")
def list_of_unit(unit_id: UUID) -> dict[str, Any]:
    """List the devices of a shop of one's own."""
    return _listed(sign_in.devices_of(session(), me().book_id, unit_ids=[_own(unit_id)], at=services().clock.now()))


@blp.writes("/units/<uuid:unit_id>/devices", DeviceIn, DeviceMadeOut, status=201, told=(DevicePreparedOut, _with_code))
@allow("shop_owner", fresh=True)
def prepare_for_unit(asked: dict[str, Any], unit_id: UUID) -> Device:
    """Let a device of a shop of one's own be paired, by a code that is good for ten minutes and once."""
    return sign_in.prepare_device(session(), act(), services().vault, name=asked["name"], unit_id=_own(unit_id))


@blp.reads("/devices", DevicesOut)
@allow(*WORKERS)
def list_of_areas() -> dict[str, Any]:
    """List the devices of the counters of one's areas."""
    return _listed(sign_in.devices_of(session(), me().book_id, within=me().scope(*WORKERS), at=services().clock.now()))


@blp.writes("/devices", CounterDeviceIn, DeviceMadeOut, status=201, told=(DevicePreparedOut, _with_code))
@allow(*WORKERS, fresh=True)
def prepare_for_area(asked: dict[str, Any]) -> Device:
    """Let a device of the counter of one of one's areas be paired, by a code that is good for ten minutes and once."""
    return sign_in.prepare_device(session(), act(), services().vault, **asked, within=me().scope(*WORKERS))


@blp.writes("/devices/<uuid:device_id>/end", Nothing, DeviceMadeOut)
@allow("shop_owner", *WORKERS)
def end(asked: dict[str, Any], device_id: UUID) -> Device:
    """End a device of one's own shop or counter: what is signed in on it is signed out at once."""
    ended = sign_in.end_device(session(), act(), device_id, unit_ids=me().unit_ids("shop_owner"), within=me().scope(*WORKERS))
    end_watching(session(), act().book_id, device_id, act().at)
    return ended


def _listed(devices: Iterable[Device]) -> dict[str, Any]:
    columns = ("id", "unit_id", "area_code", "name", "pair_until", "paired_at", "ended_at")
    items = [
        {column: getattr(one, column) for column in columns}
        | {"last_used_on": local_day(one.last_used_at, me().zone) if one.last_used_at else None}
        for one in devices
    ]
    return {"items": items}


def _own(unit_id: UUID) -> UUID:
    """Return the shop, where it is one's own; raise NotFound where it is not."""
    if unit_id not in me().unit_ids("shop_owner"):
        raise NotFound("unit_id")
    return unit_id
