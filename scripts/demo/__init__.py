"""The demonstration community: made once by the same actions that the service uses, kept afterwards; and its sign-in links."""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

from rich.columns import Columns
from rich.console import Console
from rich.progress import Progress
from rich.text import Text
from sqlalchemy.orm import Session

from bench.server import migrate
from ledger import areas
from ledger import journal
from ledger import people
from ledger import sign_in
from ledger.act import Act
from ledger.settings import Settings
from ledger.store import engine_for
from ledger.web.kit import qr
from scripts.demo.cast import CAST
from scripts.demo.cast import COUNTY
from scripts.demo.cast import LINKS
from scripts.demo.community import draw_grids
from scripts.demo.community import enrol
from scripts.demo.community import fill_library
from scripts.demo.community import set_tariff
from scripts.demo.days import hold_activities
from scripts.demo.days import redeem
from scripts.demo.days import report_deeds
from scripts.demo.days import see_to_todays_activity
from scripts.demo.stage import ZONE
from scripts.demo.stage import Stage
from scripts.demo.till import new_pin
from scripts.demo.till import pairing_code

AREAS = Path(__file__).parents[2] / "examples" / "areas.csv"
LINKS_LIVE = timedelta(hours=24)


def prepare(url: str) -> None:
    """Bring the database at `url` to the newest shape and, where there is no book yet, make the community; see to today's activity."""
    migrate(url)
    engine = engine_for(url)
    settings = Settings.from_mapping(os.environ)
    with Session(engine) as session:
        stage = Stage(session, people.Vault(settings.master_key, settings.pepper), datetime.now(UTC))
        if not areas.books(session):
            make_community(stage)
        see_to_todays_activity(stage)
        session.commit()
    engine.dispose()


def print_links(url: str) -> None:
    """Print a one-time link, with its QR code, for each of those that the loop needs: to sign in, or to pair a browser as the till."""
    settings = Settings.from_mapping(os.environ)
    engine = engine_for(url)
    with Session(engine) as session:
        stage = Stage(session, people.Vault(settings.master_key, settings.pepper), datetime.now(UTC))
        act = stage.act()
        addresses = {}
        for key, zh, en in LINKS:
            handle = people.person(session, stage.book.id, stage.who(key)).handle
            path, zh_how, en_how = _way_in(stage, act, key)
            addresses[f"{stage.name(key)} No. {handle[:4]} {handle[4:]}：{zh}{zh_how} / {en}{en_how}"] = f"{settings.public_url}{path}"
        till = f"{stage.name('cashier')}：收银员，开班密码 {new_pin(stage)} / cashier, opens a shift with the PIN above"
        addresses[till] = f"{settings.public_url}/pair/{pairing_code(stage, LINKS_LIVE)}"
        session.commit()
    engine.dispose()
    # Side by side where there is room; the addresses follow as plain lines, so that none is broken.
    Console().print(Columns(Text(f"{qr.terminal(address)}\n{who}\n", no_wrap=True) for who, address in addresses.items()))
    for who, address in addresses.items():
        print(f"{who}\n  {address}")
    print("每个链接只能用一次，24 小时内有效；再次启动会给出新的链接。/ Each link works once, for 24 hours; another start prints new ones.")
    print("每个链接在各自的无痕窗口里打开，才不会互相顶掉。/ Open each in a private window of its own, so that none replaces another.")
    if settings.public_url.startswith("http://localhost"):
        print("二维码里的地址只在这台机器上打得开。/ The addresses in the QR codes open on this machine only.")


def _way_in(stage: Stage, act: Act, key: str) -> tuple[str, str, str]:
    """Return the path by which somebody comes in, and what they do there, in both languages."""
    is_staff = key == "owner" or any(part.key == key and people.STRONG_ROLES & set(part.roles) for part in CAST)
    if is_staff and sign_in.factors_of(stage.session, act.book_id, stage.who(key)).is_strong:
        # A link is no way round the second factor; whoever has lost it begins anew: `flask ledger people reset`.
        return "/sign-in", "（用已设好的方式登录）", " (signs in with what was set up)"
    token = sign_in.issue_link(stage.session, act, stage.who(key), lives=LINKS_LIVE)
    how = ("（第一次：设置通行密钥或密码+验证码）", " (first: sets up a passkey, or password and codes)") if is_staff else ("", "")
    return f"/sign-in/{token}", *how


def make_community(stage: Stage) -> None:
    """Play the whole demonstration into a database without a book."""
    chapters: Sequence[tuple[str, Callable[[Stage], None]]] = (
        ("网格 grids", draw_grids),
        ("人员 people", enrol),
        ("细则与经费 tariff, fund", set_tariff),
        ("资源库 resource library", fill_library),
        ("活动 activities", hold_activities),
        ("申报 claims", report_deeds),
        ("核销 redemptions", redeem),
    )
    with Progress(console=Console(stderr=True)) as bar:
        rows = areas.rows_of(AREAS.read_bytes())
        task = bar.add_task("区划 areas", total=len(rows))
        areas.import_published(stage.session, rows, progress=lambda done, total: bar.update(task, completed=done))
        book = areas.open_book(stage.session, name="鼓楼区善行存折", area_code=COUNTY, zone=ZONE, at=stage.ago(30, 9))
        journal.open_book_accounts(stage.session, book.id, stage.ago(30, 9))
        task = bar.add_task("示范社区 community", total=len(chapters))
        for name, play in chapters:
            bar.update(task, description=name)
            play(stage)
            bar.advance(task)
        bar.update(task, description="示范社区 community")
