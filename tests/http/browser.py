"""One headless Chromium for the tests of a module, and what they ask of a page in it."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager

import pytest

# Says that a browser has to be there: CI installs one, and no test of it is skipped there.
REQUIRED = "AGL_BROWSER_REQUIRED"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run
--disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage
""".split()
# Milliseconds; a machine that is busy may need much of it.
PATIENCE = 60_000


def _missing(what):
    if os.environ.get(REQUIRED):
        pytest.fail(f"{what}, and {REQUIRED} is set")
    pytest.skip(what)


@contextmanager
def chromium():
    """A browser; the test is skipped when the machine has none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        _missing("there is no Chromium or Chrome on this machine")
    try:
        from playwright.sync_api import expect, sync_playwright
    except ModuleNotFoundError:
        _missing("playwright is not installed: pip install '.[browser]'")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        # It starts with a profile of its own that is empty and deleted afterwards.
        browser = playwright.chromium.launch(
            executable_path=path, args=FLAGS, timeout=PATIENCE, handle_sigint=False
        )
        yield browser
        browser.close()


class Window:
    """A page in a context of its own: nobody else's storage. `problems` are what it complained
    of, `asked` the bodies of its requests."""

    def __init__(self, browser):
        self.context = browser.new_context(
            viewport={"width": 1280, "height": 800}, timezone_id="UTC"
        )
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.problems = []
        self.asked = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", self._asked)

    def _said(self, message):
        if message.type in ("error", "warning"):
            self.problems.append(message.text)

    def _asked(self, request):
        self.asked.append(request)

    def open(self, server, place=""):
        """Go to a place of the page of a server."""
        self.page.goto(f"{server.url}/{place}")

    def close(self):
        """Close it, which ends its requests."""
        self.context.close()
