"""A console on which a text is only text.

What a solver wrote may hold control characters, which would rename a terminal's window, clear it,
or make it show other words than there are.
"""

import re
from typing import Any

from rich.console import Console
from rich.text import Text

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tabulator and newline


class PlainConsole(Console):
    """Rich's console, but for control characters in what is printed."""

    def render_str(self, text: str, **how: Any) -> Text:  # noqa: ANN401 - rich's options
        return super().render_str(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text), **how)
