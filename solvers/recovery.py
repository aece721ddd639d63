"""What to try when a sample failed: the ladder of a campaign, and the one rule that climbs it.

What comes next depends on the sample's record alone. So a caller that was killed goes on at the
rung where it was, and a campaign that is resumed ends with the same answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from pools.files import publish_json
from pools.outcome import Outcome
from pools.record import Attempt, SampleRecord, Setting

BY_HAND = "by hand"
"""What an attempt with changes by a person has for a rung."""
FILE = "try.json"
_NOT_NUMERICAL = frozenset({Outcome.OK, Outcome.INFRASTRUCTURE})


class Rung(BaseModel):
    """One thing to try where a sample failed: other numerics, another start, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: Annotated[str, Field(min_length=1, max_length=80)]
    """What the rung is called in records and reports."""
    on: Annotated[tuple[Outcome, ...], Field(min_length=1)] = (
        Outcome.DIVERGED,
        Outcome.NOT_CONVERGED,
    )
    """Where it is tried: as declared, or at the last try, the sample had one of these outcomes."""
    set: dict[str, Setting] = {}
    """Changes of the solver's settings, by `KEY.KEY` path below `solver`."""
    start: Literal["nearest"] | None = None
    """`nearest`: start from the solution of the nearest sample that an earlier step solved."""
    low_fidelity: bool = False
    """The answer is less accurate than the others: it counts as marginal and says so."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.name == BY_HAND:
            raise ValueError(f"the name {BY_HAND!r} is for tries of a person; take another")
        if refused := _NOT_NUMERICAL.intersection(self.on):
            raise ValueError(
                f"the rung {self.name!r} is tried on {', '.join(sorted(refused))}, which no "
                "change of numerics mends; take it out of `on` (infrastructure faults are tried "
                "again as they are, see label.retries)"
            )
        if not self.set and self.start is None:
            raise ValueError(
                f"the rung {self.name!r} changes nothing, and the same would only fail again; "
                "give it `set: {KEY: VALUE}` or `start: nearest`"
            )
        return self


@dataclass(frozen=True, slots=True)
class Try:
    """How an attempt is made.

    Attributes:
        rung: name of the rung; empty as declared, or `by hand`.
        changes: what is changed of the solver's settings.
        start: id of the sample whose solution it begins from; empty for none.
        low_fidelity: whether its answer is less accurate than the others.
    """

    rung: str = ""
    changes: Mapping[str, Setting] = field(default_factory=dict)
    start: str = ""
    low_fidelity: bool = False

    def write(self, directory: Path) -> Path:
        """Keep it in the attempt's directory, for whoever finds the attempt cut short."""
        publish_json(directory / FILE, asdict(self))
        return directory / FILE

    @classmethod
    def read(cls, directory: Path) -> "Try":
        """Return what `write` kept; as declared where nothing readable is there."""
        try:
            return _AS_JSON.validate_json((directory / FILE).read_bytes())
        except (OSError, ValidationError):
            return cls()


_AS_JSON = TypeAdapter(Try)  # built once: building one takes milliseconds


@dataclass(frozen=True, slots=True)
class Next:
    """What to try next.

    Attributes:
        tried: how; None where nothing is left.
        skipped: the rungs that were passed over for want of a start, in words.
    """

    tried: Try | None
    skipped: str = ""


def next_try(
    record: SampleRecord,
    ladder: Sequence[Rung],
    *,
    starts: Sequence[str] = (),
    anew: Mapping[str, Setting] | None = None,
) -> Next:
    """Say what to try next at a sample that has no solution.

    Args:
        record: its attempts so far.
        ladder: the rungs, in order.
        starts: ids of the samples whose solution may be started from, nearest first.
        anew: given where a person asks to begin again, with these changes.
    """
    if not record.attempts:
        return Next(_begin(anew or {}))
    last, base = record.attempts[-1], _base(record)
    if anew is not None and (last.outcome not in _NOT_NUMERICAL or base.changes != anew):
        return Next(_begin(anew))
    if last.outcome in _NOT_NUMERICAL:
        return Next(_again(last, ladder, starts))
    failed = {base.outcome, last.outcome}
    skipped: list[str] = []
    for rung in _above(last, ladder):
        if failed.isdisjoint(rung.on):
            continue
        if rung.start is None or starts:
            return Next(_climb(rung, base, starts), "; ".join(skipped))
        skipped.append(f"{rung.name!r} was not tried: no sample of an earlier step is solved")
    return Next(None, "; ".join(skipped))


def _begin(changes: Mapping[str, Setting]) -> Try:
    return Try(BY_HAND if changes else "", dict(changes))


def _base(record: SampleRecord) -> Attempt:
    """Return the attempt that the last ones climbed from."""
    bases = [attempt for attempt in record.attempts if attempt.rung in {"", BY_HAND}]
    return bases[-1] if bases else Attempt("", record.attempts[0].outcome)


def _again(attempt: Attempt, ladder: Sequence[Rung], starts: Sequence[str]) -> Try:
    """Try the same again, from another start where its own is gone."""
    low = any(rung.low_fidelity for rung in ladder if rung.name == attempt.rung)
    start = attempt.start
    if start and start not in starts:
        start = starts[0] if starts else ""
    return Try(attempt.rung, attempt.changes, start, low)


def _above(last: Attempt, ladder: Sequence[Rung]) -> Sequence[Rung]:
    """Return the rungs that come after the last attempt's; all where it is on none of them."""
    names = [rung.name for rung in ladder]
    return ladder[names.index(last.rung) + 1 :] if last.rung in names else ladder


def _climb(rung: Rung, base: Attempt, starts: Sequence[str]) -> Try:
    start = starts[0] if rung.start == "nearest" else ""
    return Try(rung.name, {**base.changes, **rung.set}, start, rung.low_fidelity)
