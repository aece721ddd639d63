"""The page: one index.html beside its pictures, which opens from disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from phases.overview import LevelOverview, StepOverview
from pools.record import SampleRecord
from reports.asking import Asking, asking
from reports.canvas import DPI, pretty_unit
from reports.learning_curve import CurvePoint
from reports.standing import Standing

_TEMPLATE = "index.html.jinja"


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture on the page.

    Attributes:
        file: name of the PNG beside the page.
        title: heading.
        caption: what it shows, in a sentence.
        content: the PNG.
    """

    file: str
    title: str
    caption: str
    content: bytes

    @property
    def width(self) -> int:
        """Pixels across on the page, at which text of all pictures is of one size."""
        return int.from_bytes(self.content[16:20]) * 100 // DPI  # a PNG begins with its size


@dataclass(frozen=True, slots=True)
class Page:
    """What the page tells.

    Attributes:
        name: of the campaign.
        description: what it is for.
        made_at: when the page was made.
        standing: how the campaign stands.
        steps: every step that began.
        samples: every sample that was tried and how it ended, in the order of asking.
        last: the last measured step; None before the first.
        drawings: the pictures, in order.
        configuration: the content of campaign.yaml.
        versions: of the packages that began the campaign.
        levels: what was asked of each level of the solver; none without levels.
    """

    name: str
    description: str
    made_at: str
    standing: Standing
    steps: Sequence[StepOverview]
    samples: Sequence[SampleRecord]
    last: CurvePoint | None
    drawings: Sequence[Drawing]
    configuration: str
    versions: Mapping[str, str]
    levels: Sequence[LevelOverview] = ()

    @property
    def asking(self) -> list[Asking]:
        """Who asked for how many samples, and what came of them."""
        return asking(self.samples)


def page_html(page: Page) -> str:
    """Fill the template; whatever comes from the campaign is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"unit": pretty_unit, "duration": duration, "number": number}
    return environment.get_template(_TEMPLATE).render(page=page)


def duration(seconds: float) -> str:
    """Say seconds as a person would: `42.0 s`, `3 min 20 s`, `2 h 5 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with so many significant digits, or a dash where there is none."""
    return "–" if value is None else f"{value:#.{digits}g}".removesuffix(".")
