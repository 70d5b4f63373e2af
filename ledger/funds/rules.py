"""Who may do what with funds."""

from __future__ import annotations

#: "read": what the funds of their areas have left; "keep": entry by entry what became of them; "give": open them, and give them budgets.
MAY = {
    "read": ("grid_worker", "approver", "administrator", "finance", "county_viewer", "resident_supervisor"),
    "keep": ("administrator", "finance", "resident_supervisor"),
    "give": ("administrator", "finance"),
}
