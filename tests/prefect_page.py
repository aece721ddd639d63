"""The Prefect UI in a real browser, as a person uses it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import FloatRect, Page, sync_playwright
from playwright.sync_api import TimeoutError as NotThereError

_BROWSER = "chromium"
_PATIENCE = 60_000.0  # milliseconds
_SHOWN: FloatRect = {"x": 0, "y": 0, "width": 1300, "height": 0}


@dataclass(frozen=True, slots=True)
class PrefectPage:
    """One window of the browser on the server's UI.

    Attributes:
        page: the window.
        address: of the UI, such as http://127.0.0.1:4200.
        pictures: where screenshots go.
    """

    page: Page
    address: str
    pictures: Path

    def log_in(self, password: str) -> None:
        """Give the server's password where the UI asks for it."""
        self.page.goto(self.address)
        self.page.locator("input").first.fill(password)
        self.page.keyboard.press("Enter")
        self.page.get_by_text("Deployments").first.wait_for()

    def open(self, path: str) -> None:
        """Go to a page, such as `runs/flow-run/ID`."""
        self.page.goto(f"{self.address}/{path}")

    def see(self, text: str) -> None:
        """Wait until a text is there; fails where it does not come."""
        self.page.get_by_text(text).first.wait_for()

    def click(self, button: str) -> None:
        """Click the last button of this name: a dialogue's is behind the page's."""
        named = self.page.get_by_role("button", name=button, exact=True)
        named.first.wait_for()
        named.last.click()

    def ask(self, button: str, text: str) -> None:
        """Click a button until a text is there: a page may not be listening when it is drawn."""
        for _ in range(9):
            self.click(button)
            with suppress(NotThereError):
                self.page.get_by_text(text).first.wait_for(timeout=_PATIENCE / 3)
                return
            self.page.reload()
        self.see(text)

    def turn_to(self, tab: str) -> None:
        """Show what a tab of the page has."""
        self.page.get_by_text(tab, exact=True).first.click()

    def fill(self, label: str, value: str) -> None:
        """Write a value into the form's field below this label."""
        named = self.page.get_by_text(label)
        field = self.page.locator(".schema-form-property").filter(has=named).last
        field.locator("input").first.fill(value)

    def choose(self, shown: str, wanted: str) -> None:
        """Choose something else in the list that shows a choice."""
        self.page.get_by_role("button", name=shown).last.focus()
        self.page.keyboard.press("ArrowDown")  # opens the list
        self.page.get_by_text(wanted).last.click()

    def picture(self, name: str, height: float = 900) -> None:
        """Keep what the window shows, once what moves has come to rest."""
        self.page.wait_for_timeout(1500)
        self.page.screenshot(path=self.pictures / f"{name}.png", clip={**_SHOWN, "height": height})


@contextmanager
def prefect_page(address: str, pictures: Path) -> Iterator[PrefectPage]:
    """Open a window; screenshots go to SOLVERLOOP_PICTURES where that is set."""
    kept = Path(os.environ.get("SOLVERLOOP_PICTURES", pictures))
    with sync_playwright() as driver:
        program = shutil.which(_BROWSER)
        assert program, f"{_BROWSER} is not installed: apt-get install {_BROWSER}"
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 1300})
        page.set_default_timeout(_PATIENCE)
        shown = PrefectPage(page, address, kept)
        try:
            yield shown
        except Exception:
            shown.picture("failed")
            raise
        finally:
            browser.close()
