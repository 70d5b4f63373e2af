"""Which roles there are and what each may do."""

from __future__ import annotations

ROLES = (
    "volunteer",
    "building_leader",
    "grid_worker",
    "activity_host",
    "approver",
    "cashier",
    "shop_owner",
    "administrator",
)

#: Whoever holds one of these works for the community: their own deeds want two approvers.
STAFF_ROLES = frozenset({"grid_worker", "approver", "administrator"})
