"""When a campaign has learnt enough, or more solver runs no longer pay."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

_FROZEN = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class PlateauSettings(BaseModel):
    """Stop when the error has not improved enough over consecutive steps."""

    model_config = _FROZEN
    steps: Annotated[int, Field(ge=1)] = 3
    """How many steps in a row to look back over."""
    improvement: Annotated[float, Field(ge=0, lt=1)] = 0.02
    """Relative improvement of the error over those steps below which they count as flat."""


class MarginalGainSettings(BaseModel):
    """Stop when a second of the solver no longer buys enough."""

    model_config = _FROZEN
    per_solver_second: Positive
    """Relative improvement of the error per second of the solver, over the last step."""


class StoppingSettings(BaseModel):
    """The `stopping` section of a campaign file. It may change when a campaign is resumed."""

    model_config = _FROZEN
    max_steps: Annotated[int, Field(ge=0)] = 20
    """How many steps may query and label."""
    target_error: Positive | None = None
    """Stop when the headline error on the test set is at most this."""
    target_steps: Annotated[int, Field(ge=1)] = 1
    """How many steps in a row must meet the target."""
    plateau: PlateauSettings | None = None
    """Stop when the error is flat."""
    marginal_gain: MarginalGainSettings | None = None
    """Stop when more solver seconds no longer pay."""
    budget_samples: Annotated[int, Field(ge=1)] | None = None
    """Stop when this many training samples are labelled."""
    budget_solver_seconds: Positive | None = None
    """Stop when the solver has run for this long, in seconds, test set excepted."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What the rules look at, for one step.

    Attributes:
        step: which.
        labelled: training samples that the learner was trained on.
        solver_seconds: seconds that the solver ran for them and for those that failed.
        error: the headline error on the test set.
        candidates_left: points that could still be asked for.
    """

    step: int
    labelled: int
    solver_seconds: float
    error: float
    candidates_left: int


@dataclass(frozen=True, slots=True)
class Signal:
    """What one rule says.

    Attributes:
        rule: its name.
        value: what it looked at; None while there is too little to look at.
        threshold: what it compares with; None where the rule is off.
        triggered: whether it says stop.
        message: the same in words.
    """

    rule: str
    value: float | None
    threshold: float | None
    triggered: bool
    message: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to stop, who decided, and what every rule said.

    Attributes:
        stop: whether.
        decided_by: name of the first rule that said so.
        reason: its message; empty while the campaign goes on.
        signals: of every rule, triggered or not, on or off.
    """

    stop: bool
    decided_by: str | None
    reason: str
    signals: tuple[Signal, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)


def decide(history: Sequence[StepRecord], settings: StoppingSettings) -> Decision:
    """Ask every rule.

    Args:
        history: one record per step so far, at least one.
        settings: the thresholds.
    """
    signals = (
        target_error(history, settings.target_error, settings.target_steps),
        plateau(history, settings.plateau),
        marginal_gain(history, settings.marginal_gain),
        budget_samples(history, settings.budget_samples),
        budget_solver_seconds(history, settings.budget_solver_seconds),
        pool_exhausted(history),
        max_steps(history, settings.max_steps),
    )
    first = next((signal for signal in signals if signal.triggered), None)
    if first is None:
        return Decision(stop=False, decided_by=None, reason="", signals=signals)
    return Decision(stop=True, decided_by=first.rule, reason=first.message, signals=signals)


def target_error(history: Sequence[StepRecord], target: float | None, steps: int) -> Signal:
    """Stop when the error met the target `steps` times in a row."""
    error, last = history[-1].error, history[-steps:]
    met = target is not None and len(last) == steps and all(r.error <= target for r in last)
    return _signal("target error", error, target, f"error {error:.4g}", "at most", met)


def plateau(history: Sequence[StepRecord], settings: PlateauSettings | None) -> Signal:
    """Stop when the best error of the last steps hardly improves on the best before them."""
    steps = PlateauSettings().steps if settings is None else settings.steps
    threshold = None if settings is None else settings.improvement
    if len(history) <= steps:
        return _too_early("plateau", threshold, f"{steps} steps")
    before = min(record.error for record in history[:-steps])
    after = min(record.error for record in history[-steps:])
    gain = 1 - after / before if before > 0 else 0.0
    flat = threshold is not None and gain < threshold
    text = f"improved {gain:.2%} over the last {steps} steps"
    return _signal("plateau", gain, threshold, text, "below", flat)


def marginal_gain(history: Sequence[StepRecord], settings: MarginalGainSettings | None) -> Signal:
    """Stop when the last step's relative improvement per solver second is too small."""
    threshold = None if settings is None else settings.per_solver_second
    if len(history) < 2:  # noqa: PLR2004 - a gain needs two
        return _too_early("marginal gain", threshold, "2 steps")
    old, new = history[-2:]
    seconds = new.solver_seconds - old.solver_seconds
    gain = (1 - new.error / old.error) / seconds if seconds > 0 and old.error > 0 else 0.0
    small = threshold is not None and gain < threshold
    text = f"relative improvement per solver second {gain:.3g}"
    return _signal("marginal gain", gain, threshold, text, "below", small)


def budget_samples(history: Sequence[StepRecord], budget: int | None) -> Signal:
    """Stop when the training samples are as many as the budget allows."""
    used = history[-1].labelled
    spent = budget is not None and used >= budget
    return _signal("budget of samples", used, budget, f"{used} labelled", "at least", spent)


def budget_solver_seconds(history: Sequence[StepRecord], budget: float | None) -> Signal:
    """Stop when the solver has run for as long as the budget allows."""
    used = history[-1].solver_seconds
    spent = budget is not None and used >= budget
    text = f"solver ran {used:.1f} s"
    return _signal("budget of solver seconds", used, budget, text, "at least", spent)


def pool_exhausted(history: Sequence[StepRecord]) -> Signal:
    """Stop when nothing is left to ask for."""
    left = history[-1].candidates_left
    return _signal("pool exhausted", left, 0, f"{left} candidates left", "at most", left <= 0)


def max_steps(history: Sequence[StepRecord], most: int) -> Signal:
    """Stop after this many steps that queried and labelled."""
    step = history[-1].step
    return _signal("steps", step, most, f"{step} steps done", "at least", step >= most)


def _signal(  # noqa: PLR0913 - a record's fields
    rule: str,
    value: float,
    threshold: float | None,
    text: str,
    relation: str,
    triggered: bool,  # noqa: FBT001
) -> Signal:
    verdict = "stop" if triggered else "go on"
    limit = "rule off" if threshold is None else f"stops {relation} {threshold:g}: {verdict}"
    return Signal(rule, float(value), threshold, triggered, f"{rule}: {text} ({limit})")


def _too_early(rule: str, threshold: float | None, needed: str) -> Signal:
    limit = "rule off" if threshold is None else "go on"
    message = f"{rule}: too early to say, it needs {needed} ({limit})"
    return Signal(rule, None, threshold, triggered=False, message=message)
