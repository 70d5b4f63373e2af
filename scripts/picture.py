"""Draw docs/img/faces.png from the pages as they are, with chromium: a volunteer's home, the code she shows, the till's answer."""

from __future__ import annotations

import base64
import html
import os
import re
import secrets
import shutil
import subprocess  # nosec B404
import sys
import tempfile
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "img" / "faces.png"
WIDTH, HEIGHT, GAP = 390, 844, 24
BYTES_MAX = 300_000
#: What a phone has around a page.
FRAME = f"border:0;width:{WIDTH}px;height:{HEIGHT}px;border-radius:28px;box-shadow:0 2px 14px rgb(0 0 0 / 25%)"


def faces(folder: Path) -> list[str]:
    """Return the three pages, as the demonstration community in a database of its own sees them."""
    made = {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in ("SECRET_KEY", "MASTER_KEY", "PEPPER")}
    made |= {"DATABASE_URL": f"sqlite:///{folder}/book.db", "PUBLIC_URL": "http://localhost:8000"}
    os.environ.update({f"PASSBOOK_{name}": value for name, value in made.items()})
    # Imported late: the path and the settings have to be there first.
    from sqlalchemy.orm import Session

    from ledger import sign_in
    from ledger.store import engine_for
    from ledger.web.kit.auth import SESSION_COOKIE
    from scripts.demo import prepare
    from scripts.demo.stage import Stage
    from scripts.demo.till import new_pin
    from scripts.demo.till import pairing_code
    from wsgi import create_app

    prepare(os.environ["PASSBOOK_DATABASE_URL"])
    app = create_app()
    volunteer, cashier = app.test_client(), app.test_client()
    with Session(engine_for(os.environ["PASSBOOK_DATABASE_URL"])) as session:
        stage = Stage(session, app.extensions["passbook"].vault, datetime.now(UTC))
        token = sign_in.open_session(session, stage.book, stage.who("volunteer"), "passkey", stage.now)
        pairing, pin = pairing_code(stage, timedelta(hours=1)), new_pin(stage)
        session.commit()
    volunteer.set_cookie(SESSION_COOKIE, token)
    # The till's page is for a paired device, on which a shift is open.
    cashier.post("/pair", data=_hidden(cashier.get("/pair").text) | {"code": pairing})
    cashier.post("/shift", data=_hidden(cashier.get("/shift").text) | {"_pin": pin})
    home, code = (volunteer.get(path).text for path in ("/me", "/code"))
    scanned = "".join(re.findall(r"<span>([\d ]+)</span>", code)).replace(" ", "")
    till = cashier.get("/till").text
    (offer,) = re.findall(r'href="(/till\?[^"]+)"><span>理发一次', till)
    form = _hidden(cashier.get(html.unescape(offer)).text)
    answer = cashier.post("/till", data=form | {"quantity": "1", "code": scanned}, follow_redirects=True)
    return [home, code, answer.text]


def _hidden(page: str) -> dict[str, str]:
    """Return what a form sends of itself."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def side_by_side(pages: list[str]) -> str:
    """Return one page that shows all of them, each in a frame of a phone's size."""
    style = (ROOT / "static" / "css" / "app.css").read_text(encoding="utf-8")
    icon = base64.b64encode((ROOT / "static" / "img" / "icon.svg").read_bytes()).decode()
    frames = []
    for page in pages:
        still = re.sub(r'<meta http-equiv="refresh"[^>]*>', "", page)
        alone = re.sub(r'<link rel="stylesheet"[^>]*>', lambda _: f"<style>{style} body {{ overflow: hidden }}</style>", still)
        alone = re.sub(r'src="/static/img/icon.svg[^"]*"', f'src="data:image/svg+xml;base64,{icon}"', alone)
        frames.append(f'<iframe style="{FRAME}" srcdoc="{html.escape(alone)}"></iframe>')
    body = f"margin:0;padding:{GAP}px;display:flex;gap:{GAP}px;background:#e9e6df"
    return f'<!doctype html><meta charset="utf-8"><body style="{body}">{"".join(frames)}'


def main() -> None:
    """Draw the picture."""
    sys.path.insert(0, str(ROOT))
    from PIL import Image

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        sys.exit("没有找到 chromium / there is no chromium on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder) / "faces.html", Path(folder) / "faces.png"
        page.write_text(side_by_side(faces(Path(folder))), encoding="utf-8")
        size = f"{3 * WIDTH + 4 * GAP},{HEIGHT + 2 * GAP}"
        # Its sandbox needs rights that root in a container has not; the page is our own.
        options = ["--headless", "--hide-scrollbars", "--force-device-scale-factor=1.5", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        command = [program, *options, f"--window-size={size}", f"--screenshot={shot}", page.as_uri()]
        subprocess.run(command, check=True, timeout=120, stderr=subprocess.DEVNULL)  # nosec B603
        PICTURE.parent.mkdir(exist_ok=True)
        Image.open(shot).quantize(128).save(PICTURE, optimize=True)
    if (bytes_found := PICTURE.stat().st_size) > BYTES_MAX:
        sys.exit(f"{PICTURE.name}: {bytes_found:,} bytes are too many")


if __name__ == "__main__":
    main()
