"""What the tests of the edges share: what they stand on is played once."""

from __future__ import annotations

from tests.played import database  # noqa: F401
from tests.played import theatre  # noqa: F401
from tests.played import theatre_on_postgresql  # noqa: F401
from tests.played import theatre_on_sqlite  # noqa: F401
