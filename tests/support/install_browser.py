"""Installs a Chromium for the browser tests where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests.support.browser import find_chromium, has_playwright_chromium

# Without a font, text has no width and the pictures are empty.
PACKAGES = ("chromium", "fonts-liberation")


def install_with_apt() -> bool:
    """Install the distribution's Chromium.

    Returns:
        True when it is there afterwards.
    """
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "--quiet"],
        ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *PACKAGES],
    ):
        subprocess.run(command, env=environment, check=False)
    return find_chromium() is not None


def install_with_playwright() -> bool:
    """Download the Chromium that Playwright was made for.

    Returns:
        True when it is there afterwards.
    """
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    return subprocess.run(command, check=False).returncode == 0


def main() -> None:
    """Make sure that there is a browser, or say what to install."""
    if find_chromium() is not None or has_playwright_chromium():
        return
    # The distribution's first, where we may: it brings the libraries that a browser needs.
    if os.geteuid() == 0 and shutil.which("apt-get") and install_with_apt():
        return
    if not install_with_playwright():
        sys.exit("The browser tests need Chromium: install the package chromium of your distribution.")


if __name__ == "__main__":
    main()
