"""Random histories of a book, told in names and numbers, so that the same one can be lived through by both engines and by a model."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from ledger import journal
from ledger.errors import Refusal
from tests.books import Desk
from tests.properties.edge import AT_COMMIT

NAMES = ("li", "wang", "zhao")
amounts = st.integers(1, 90)
names = st.sampled_from(NAMES)
back = st.integers(0, 2)

#: One step: what is asked for, by name; `back` counts from the newest spend, award or hold.
steps = st.one_of(
    st.tuples(st.just("give"), names, amounts),
    st.tuples(st.just("spend"), names, amounts),
    st.tuples(st.just("void"), back, amounts),
    st.tuples(st.just("claw"), back, amounts),
    st.tuples(st.just("reserve"), names, amounts, st.integers(1, 30)),
    st.tuples(st.just("post_hold"), back, st.none() | amounts),
    st.tuples(st.just("void_hold"), back),
)
#: A history: sets of steps posted at once, with minutes in between.
histories = st.lists(st.tuples(st.lists(steps, min_size=1, max_size=4), st.integers(0, 15)), min_size=6, max_size=14)
#: When the service is struck down while it writes (about ten statements): see `edge.struck_down`.
strokes = st.one_of(st.just(AT_COMMIT), st.integers(0, 12))
#: Writes, each sent as often as it has strokes.
writes = st.lists(
    st.tuples(st.sampled_from(("give", "spend")), names, amounts, st.lists(strokes, min_size=1, max_size=3)),
    min_size=1,
    max_size=6,
)


@dataclass
class Told:
    """A history as it went: what each step was answered, with ids left out, and the lines of each account at the end."""

    desk: Desk
    spends: list[UUID] = field(default_factory=list)
    awards: list[UUID] = field(default_factory=list)
    holds: list[UUID] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    def live(self, history: list[tuple[list[Any], int]]) -> Told:
        """Go through `history` and return yourself."""
        self.desk.budget(600)
        for name in NAMES:
            self.awards.append(self.desk.award(name, 100).entry_id)
        for chosen, minutes in history:
            asked = [step for step in chosen if self._is_possible(step)]
            makes = [self._make(step, position) for position, step in enumerate(asked)]
            for step, outcome in zip(asked, self.desk.post(makes), strict=True):
                self._note(step, outcome)
            self.desk.clock.advance(minutes=minutes)
        return self

    def _is_possible(self, step: Any) -> bool:
        of = {"void": self.spends, "claw": self.awards, "post_hold": self.holds, "void_hold": self.holds}
        return step[0] not in of or len(of[step[0]]) > step[1]

    def _make(self, step: Any, position: int) -> Any:  # noqa: PLR0911  one return a kind of step
        desk = self.desk
        match step:
            case ("give", name, amount):
                return desk.give(name, amount, position=position)
            case ("spend", name, amount):
                return desk.spend(name, amount, position=position)
            case ("void", index, amount):
                return desk.reverse(self.spends[-1 - index], amount, position=position)
            case ("claw", index, amount):
                return desk.reverse(self.awards[-1 - index], amount, "clawback", position=position)
            case ("reserve", name, amount, minutes):
                return desk.reserve(name, amount, minutes=minutes, position=position)
            case ("post_hold", index, amount):
                return desk.post_hold(self.holds[-1 - index], amount, position=position)
            case ("void_hold", index):
                return desk.void_hold(self.holds[-1 - index], position=position)
        raise AssertionError(step)

    def _note(self, step: Any, outcome: journal.Outcome) -> None:
        match outcome:
            case journal.Posted(entry_id=entry_id):
                {"give": self.awards, "spend": self.spends}.get(step[0], []).append(entry_id)
                self.answers.append(("posted", outcome.from_line, outcome.to_line))
            case journal.Held(hold_id=hold_id):
                self.holds.append(hold_id)
                self.answers.append(("held",))
            case Refusal(code=code, data=data):
                self.answers.append(("refused", code, dict(data)))
            case _:
                self.answers.append((type(outcome).__name__,))

    def ending(self) -> Any:
        """Return how it ended: every line of every account, every balance, the sums."""
        desk = self.desk
        lines = {
            name: [(line.number, line.kind, line.amount, line.before, line.after, line.posted_at) for line in desk.lines(name)]
            for name in (*NAMES, "fund")
        }
        return lines, {name: desk.balance(name) for name in (*NAMES, "fund")}, desk.totals()
