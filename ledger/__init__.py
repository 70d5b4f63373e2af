"""How points are earned and recorded.

Read in this order: points, act, errors; journal/decide, journal/actions; claims/rules, claims/actions;
web/api/claims. What is spent is in `redeem`.
"""
