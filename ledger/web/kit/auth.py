"""Who asks, and whether they may: every view says who it is for, and one that does not is never served."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any
from typing import TypeVar
from uuid import UUID

from flask import Flask
from flask import Response
from flask import abort
from flask import after_this_request
from flask import current_app
from flask import g
from flask import redirect
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.areas import Scope
from ledger.clock import local_day
from ledger.errors import DomainError
from ledger.errors import Invalid
from ledger.people import SHOP_ROLES
from ledger.people import Power
from ledger.people import PowersOf
from ledger.sign_in import FURTHER
from ledger.sign_in import STRONG_WAYS
from ledger.sign_in import SignedIn
from ledger.tokens import hash_of
from ledger.web.kit.extensions import end_reading
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.extensions import transaction_of_its_own
from ledger.web.kit.problems import is_api
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import show

View = TypeVar("View", bound=Callable[..., Any])
SESSION_COOKIE = "passbook"
DEVICE_COOKIE = "paired"


class ProofNeededError(DomainError):
    """What is asked wants a fresh proof, which a page asks for (see `proof`)."""

    code = "proof-needed"


@dataclass(frozen=True)
class Rule:
    """Who a view is for: everybody, anybody signed in, or whoever holds one of some roles."""

    public: bool = False
    roles: frozenset[str] = frozenset()
    #: Money, roles and exports: whoever asks has proved within minutes who they are.
    fresh: bool = False
    #: Also for whoever acts on somebody's behalf, where it is that person's own affair.
    for_others: bool = True
    #: Asked by pages of themselves: no sign that anybody is there, so a session that nobody uses still ends.
    by_itself: bool = False


def allow(
    *roles: str, public: bool = False, fresh: bool = False, for_others: bool = True, by_itself: bool = False
) -> Callable[[View], View]:  # fmt: skip
    """Declare who a view is for; without roles, anybody signed in. `fresh`, `for_others` and `by_itself`: see `Rule`."""
    assert not (roles and public)
    assert not (fresh and public)
    assert set(roles) <= set(people.ROLES), roles

    def declare(view: View) -> View:
        view.access_rule = Rule(public, frozenset(roles), fresh, for_others, by_itself)  # type: ignore[attr-defined]  # no type says what a view carries
        return view

    return declare


class Me:
    """Whoever asks: their book, and what they may do on this day of it."""

    def __init__(
        self, signed_in: SignedIn, powers: Sequence[Power], sources: Sequence[PowersOf], token: str, acted_for_name: str | None = None,
        all_powers: Sequence[Power] = (),
    ) -> None:  # fmt: skip
        self.signed_in = signed_in
        self.book, self.book_id, self.zone = signed_in.book, signed_in.book_id, signed_in.book.zone
        #: Who acts; the same as `person_id` unless they act on somebody's behalf.
        self.actor_id = signed_in.person_id
        #: Whose passbook, deeds and codes "mine" means.
        self.person_id = signed_in.acting_for or signed_in.person_id
        self.token = token
        #: What the person acted for is called, on a page.
        self.acted_for_name = acted_for_name
        self._area_powers = powers
        self._sources = sources
        self._all_area_powers = all_powers

    @property
    def acted_for(self) -> UUID | None:
        """Return on whose behalf whoever asks acts, if on somebody's."""
        return self.signed_in.acting_for

    @property
    def is_fresh(self) -> bool:
        """Tell whether they proved within minutes who they are; a machine may be told that it need not."""
        if self.signed_in.kind == "bearer":
            return self.signed_in.scopes is None or FURTHER[0] in self.signed_in.scopes
        return sign_in.is_fresh(self.signed_in.proved_at, services().clock.now())

    @cached_property
    def today(self) -> date:
        """Return the book's own day."""
        return local_day(services().clock.now(), self.zone)

    @cached_property
    def withheld(self) -> frozenset[str]:
        """Return the roles that they hold and that a link, or an old session, does not give: a strong way in does."""
        if self.acted_for or self.signed_in.way not in {"link", *STRONG_WAYS}:
            return frozenset()
        held = {power.role for power in (*self._area_powers, *self._shop_powers)}
        return frozenset(power.role for power in (*self._all_area_powers, *self._all_shop_powers)) - held

    @cached_property
    def _all_shop_powers(self) -> list[Power]:
        # Read only where a view asks for it: most people work in no shop. Nobody works in one on somebody's behalf.
        if self.acted_for:
            return []
        return [power for source in self._sources for power in source(session(), self.book_id, self.person_id, self.today)]

    @cached_property
    def _shop_powers(self) -> list[Power]:
        held = _held(self.signed_in, self._all_shop_powers)
        # A shift is worked in the shop in which its device stands, and in no other that the cashier works in.
        return [power for power in held if self.signed_in.way != "shift" or power.unit_id == self.signed_in.device_unit_id]

    def powers(self, *roles: str) -> list[Power]:
        """Return the powers of these roles that are held."""
        held = [power for power in self._area_powers if power.role in roles]
        return held + ([power for power in self._shop_powers if power.role in roles] if SHOP_ROLES & set(roles) else [])

    def has(self, *roles: str) -> bool:
        """Tell whether one of these roles is held anywhere."""
        return bool(self.powers(*roles))

    def scope(self, *roles: str) -> Scope:
        """Return the paths of the areas in which one of these roles is held."""
        return tuple(power.area_path for power in self.powers(*roles) if power.unit_id is None)

    def unit_ids(self, *roles: str) -> frozenset[UUID]:
        """Return the shops in which one of these roles is held."""
        return frozenset(power.unit_id for power in self.powers(*roles) if power.unit_id)


def me() -> Me:
    """Return whoever asks; only for views that want somebody signed in."""
    found: Me = g.me
    return found


def maybe_me() -> Me | None:
    """Return whoever asks, where somebody is signed in."""
    found: Me | None = g.get("me")
    return found


def forget_who() -> None:
    """Let the page be drawn as for nobody, whoever asks: a browser keeps it, and shows it to whoever holds it."""
    g.me = None
    g.pop("mandate_ended", None)


def init(app: Flask, sources: Sequence[PowersOf]) -> None:
    """Check every request of `app`; `sources` are further places where powers are kept."""
    app.extensions["power_sources"] = tuple(sources)
    app.before_request(_check)


def powers_of(current: Session, book_id: UUID, person_id: UUID, on: date) -> list[Power]:
    """Return what somebody may do on that day, wherever that is kept: in areas and in shops."""
    sources = (people.powers_of, *current_app.extensions["power_sources"])
    return [power for source in sources for power in source(current, book_id, person_id, on)]


def rule_of(endpoint: str, app: Flask | None = None) -> Rule | None:
    """Return the rule of a view, or None where it declares none."""
    view: Any = (app or current_app).view_functions[endpoint]
    return getattr(view, "access_rule", None)


def _check() -> ResponseReturnValue | None:
    if request.endpoint == "static":
        return None
    if request.endpoint is None:
        # There is no such address; the page that says so shows whoever is signed in their way home.
        g.me = None if is_api() else _recognised()
        return None
    rule = rule_of(request.endpoint)
    if rule is None:
        raise RuntimeError(f"the view {request.endpoint} declares no rule: decorate it with allow(...)")
    g.me = None if rule.public and is_api() else _recognised()
    refused = _against(rule)
    if request.method not in {"GET", "HEAD"}:
        end_reading(*([g.me.book] if g.me else []))
    if refused is None and g.me and not rule.public and not is_api():
        # See `proof.check`; without it nothing is served that wants a proof, or might.
        refused = current_app.extensions["check_proof"](rule.fresh)
    return refused


def _against(rule: Rule) -> ResponseReturnValue | None:
    """Return what to answer whoever may not pass."""
    if rule.public:
        return None
    who = maybe_me()
    if who is None:
        if is_api() or request.method != "GET":
            abort(401)
        sign_in_form = url_for("sign_in.how", next=request.full_path.rstrip("?"))
        return redirect(url_for("counter.here") if device_cookie() in request.cookies else sign_in_form)
    if who.acted_for and not rule.for_others:
        return show(problem_body("not-on-behalf"))
    # A till stays a till: whoever walks up to it finds nothing that is the cashier's own.
    is_none_of_a_shift = who.signed_in.way == "shift" and not rule.roles and request.blueprint != "sign_in"
    if is_none_of_a_shift or (rule.roles and not who.has(*rule.roles)):
        return show(problem_body("strong-way-in-needed" if who.withheld & rule.roles else "not-allowed"))
    if rule.fresh and is_api() and not who.is_fresh:
        return show(problem_body("proof-needed"))
    return None


def _recognised() -> Me | None:
    token = token_shown()
    if not token:
        return None
    now = services().clock.now()
    found = sign_in.recognise(session(), token, now)
    if found is None:
        return None
    signed_in, powers = found
    # A bearer token is for machines and the API, a session for pages: one copied into the other's place opens nothing.
    if signed_in.kind != ("bearer" if is_api() else "session"):
        return None
    # What was opened on a paired device opens nothing on another, wherever its cookie was copied to.
    if signed_in.device_hash and signed_in.device_hash != hash_of(request.cookies.get(device_cookie(), "")):
        return None
    rule = rule_of(request.endpoint) if request.endpoint else None
    if signed_in.wants_noting(now) and not (rule and rule.by_itself):
        g.use = signed_in
    if is_api():
        signed_in = replace(signed_in, acting_for=_named_in_header())
    held = _held(signed_in, powers)
    if signed_in.acting_for:
        held_for = _held_for(signed_in, held)
        if held_for is None and is_api():
            raise Invalid("mandate-missing", "Acting-For")
        if held_for is None:
            signed_in = _on_its_own_again(signed_in)
        else:
            held = held_for
    name = _name_of(signed_in) if signed_in.acting_for and not is_api() else None
    return Me(signed_in, held, current_app.extensions["power_sources"], token, name, powers)


def _name_of(signed_in: SignedIn) -> str:
    # Read now, and not when a page is drawn: also the page that says that the database does not answer has the banner.
    assert signed_in.acting_for is not None
    return people.names_of(session(), services().vault, signed_in.book_id, [signed_in.acting_for])[signed_in.acting_for]


def _on_its_own_again(signed_in: SignedIn) -> SignedIn:
    """Let a session whose mandate has ended go on as whoever signed in, and have the page say so; forms drawn before are void."""
    with transaction_of_its_own() as own:
        sign_in.act_for(own, signed_in, None)
    g.mandate_ended = True
    return replace(signed_in, acting_for=None)


def _held(signed_in: SignedIn, powers: Sequence[Power]) -> list[Power]:
    """Return those of the powers that the way in, or the scopes of the token, give."""
    if signed_in.kind == "bearer":
        return [power for power in powers if signed_in.scopes is None or power.role in signed_in.scopes]
    return sign_in.held_in(signed_in.way, powers, services().clock.now() - signed_in.created_at)


def _held_for(signed_in: SignedIn, own: Sequence[Power]) -> list[Power] | None:
    """Return what may be done on somebody's behalf: what a volunteer may; None without a mandate, or by whoever is none here themselves."""
    assert signed_in.acting_for is not None
    if not any(power.role == "volunteer" for power in own):
        return None
    today = local_day(services().clock.now(), signed_in.book.zone)
    if not people.mandates(session(), signed_in.book_id, helper_id=signed_in.person_id, person_id=signed_in.acting_for, on=today):
        return None
    powers = people.powers_of(session(), signed_in.book_id, signed_in.acting_for, today)
    return [power for power in powers if power.role == "volunteer"]


def _named_in_header() -> UUID | None:
    """Return on whose behalf a request to the API is made."""
    if (named := request.headers.get("Acting-For")) is None:
        return None
    try:
        return UUID(named)
    except ValueError:
        raise Invalid("id-malformed", "Acting-For") from None


def token_shown() -> str | None:
    """Return what the request shows to say who asks: a machine's token or the session's cookie."""
    if is_api():
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" else None
    return request.cookies.get(session_cookie())


def use_to_note() -> SignedIn | None:
    """Return the session or token of which it is to be written down that it is used: with what is written anyway, else afterwards."""
    found: SignedIn | None = g.get("use")
    return found


def use_is_noted() -> None:
    """Say that it is written down, and committed."""
    g.pop("use", None)


def want_proof() -> None:
    """Go no further unless whoever asks has proved within minutes who they are: for what only shows itself to be large in the view."""
    if not me().is_fresh:
        raise ProofNeededError


def hand_over(signed_in: SignedIn, token: str) -> None:
    """Go on under another token of whoever asks, and put it into the browser with the answer."""
    me().signed_in, me().token = signed_in, token

    @after_this_request
    def _keep(response: Response) -> Response:
        return with_session(response, token)


def with_session(response: Response, token: str) -> Response:
    """Put the token of a session into the browser."""
    age = sign_in.OWN_PHONE.absolute
    response.set_cookie(session_cookie(), token, max_age=age, secure=is_https(), httponly=True, samesite="Lax", path="/")
    return response


def is_https() -> bool:
    """Tell whether people reach the service by https."""
    return services().settings.public_url.startswith("https")


def session_cookie() -> str:
    """Return the name of the session's cookie: bound to this host where the service is reached by https."""
    return f"__Host-{SESSION_COOKIE}" if is_https() else SESSION_COOKIE


def device_cookie() -> str:
    """Return the name of the cookie in which a paired device keeps its token, bound to this host in the same way."""
    return f"__Host-{DEVICE_COOKIE}" if is_https() else DEVICE_COOKIE
