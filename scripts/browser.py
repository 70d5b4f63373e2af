"""Find the Chromium that tests and pictures are drawn with, and get one where there is none (`make test` begins with it).

The one that is there; else one of the system's packages, where they may be installed; else Playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess  # nosec B404
import sys
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: What installs it from the system's packages, the fonts of Chinese pages with it.
PACKAGES = {
    "apt-get": (
        ("apt-get", "update", "-qq"),
        ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-noto-cjk"),
    ),
    "dnf": (("dnf", "install", "-y", "-q", "chromium", "google-noto-sans-cjk-fonts"),),
    "apk": (("apk", "add", "-q", "chromium", "font-noto-cjk"),),
}
#: What Playwright switches off: of two such lists Chromium takes the last, so it is said again with ours.
_PLAYWRIGHTS_OFF = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "TcpPortRandomizationWin",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "msForceBrowserSignIn",
    "msEdgeUpdateLaunchServicesPreferredVersion",
)
#: The lists under the address bar are pages of their own, drawn for every window though nobody sees them: half of what a page costs.
_OFF = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
#: Nothing of it asks the network for anything by itself; its sandbox wants rights that root in a container has not.
ARGUMENTS = (
    f"--disable-features={','.join(_PLAYWRIGHTS_OFF + _OFF)}",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(("--no-sandbox",) if os.geteuid() == 0 else ()),
)


def found() -> str | None:
    """Return the program that is there."""
    own = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return own or (path if Path(path := _playwrights_own()).exists() else None)


def program() -> str:
    """Return the program, or end with a sentence where there is none."""
    if (path := found()) is None:
        sys.exit("没有找到 Chromium；请先运行 make browser / there is no Chromium; run make browser first")
    return path


def _playwrights_own() -> str:
    # Asked by a process of its own: whoever wants to know may have Playwright at work already, which bears no second one.
    asking = "from playwright.sync_api import sync_playwright\nwith sync_playwright() as play: print(play.chromium.executable_path)"
    answered = subprocess.run([sys.executable, "-c", asking], check=True, capture_output=True, text=True)  # nosec B603
    return answered.stdout.strip()


def get() -> str | None:
    """Get a Chromium by whatever way there is, and return it."""
    is_root, sudo = os.geteuid() == 0, shutil.which("sudo")
    may_install = is_root or (sudo and subprocess.run([sudo, "-n", "true"], check=False, capture_output=True).returncode == 0)  # nosec B603
    for manager, commands in PACKAGES.items():
        if may_install and shutil.which(manager):
            print(f"installing chromium with {manager} (about a minute) ...", flush=True)
            prefix = () if is_root else (str(sudo), "-n")
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            for command in commands:
                subprocess.run([*prefix, *command], check=False, env=environment, stdout=subprocess.DEVNULL)  # nosec B603
            if path := found():
                return path
    print("asking Playwright for its own Chromium ...", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)  # nosec B603
    return found()


def main() -> None:
    """See to it that there is one."""
    if not found() and not get():
        sys.exit(
            "没有浏览器，测试不能进行：请安装 Chromium（例如 apt-get install chromium），再试一次。\n"
            "There is no browser, so the tests cannot run: install Chromium (for example apt-get install chromium) and try again."
        )


if __name__ == "__main__":
    main()
