"""When a campaign has learnt enough, or more solver runs no longer pay.

[Prechelt1998] L. Prechelt, Early stopping - but when?, in Neural networks: tricks of the trade,
Springer, 1998.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from pools.errors import UsageError

_MODEL = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class PlateauSettings(BaseModel):
    """Stop when the error no longer improves over consecutive steps."""

    model_config = _MODEL

    steps: Annotated[int, Field(ge=1)] = 3
    """How many steps in a row to look back over."""
    improvement: Annotated[float, Field(gt=0, lt=1)] = 0.02
    """Fraction that the best error must fall by over those steps to go on."""


class MarginalGainSettings(BaseModel):
    """Stop when a second of the solver no longer buys enough."""

    model_config = _MODEL

    steps: Annotated[int, Field(ge=1)] = 3
    """How many steps in a row to look back over."""
    per_solver_second: Positive
    """Fraction that the best error must fall by per solver second of those steps to go on."""


class StoppingSettings(BaseModel):
    """When to stop. It may change when a campaign is resumed."""

    model_config = _MODEL

    max_steps: Annotated[int, Field(ge=0)] = 20
    """Stop after this many steps of querying and labelling; the guard of every campaign."""
    target_error: Positive | None = None
    """Stop when the error on the test set is at most this."""
    target_steps: Annotated[int, Field(ge=1)] = 1
    """How many steps in a row must meet the target."""
    target_unbiased_error: Positive | None = None
    """Stop when the upper end of the 95 % interval of the error that was foretold on the Sobol'
    share, before it was learnt from, is at most this for `target_steps` steps in a row."""
    plateau: PlateauSettings | None = None
    """Stop when the error no longer improves."""
    marginal_gain: MarginalGainSettings | None = None
    """Stop when more solver seconds no longer pay."""
    budget_samples: Annotated[int, Field(ge=1)] | None = None
    """Stop when this many training samples are labelled, the initial design included."""
    budget_solver_seconds: Positive | None = None
    """Stop when the solver has run for this many seconds, for the test set not counted."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What the rules know of a step, as it stands after metrology.

    Attributes:
        step: the step; so many were labelled before it.
        labelled: samples in the training pool.
        solver_seconds: seconds that the solver ran for them, and for those that failed.
        error: the headline error on the test set.
        candidates_left: points that may still be asked for.
        errors: error of each field and quantity, by name.
        unused_solver_seconds: seconds of retries after the step had trained: spent, though no
            surrogate has learnt from them yet.
        unbiased_high: upper end of the interval of the unbiased error; None where too few samples
            were foretold.
    """

    step: int
    labelled: int
    solver_seconds: float
    error: float
    candidates_left: int
    errors: Mapping[str, float] = field(default_factory=dict)
    unused_solver_seconds: float = 0.0
    unbiased_high: float | None = None


History = Sequence[StepRecord]


@dataclass(frozen=True, slots=True)
class Signal:
    """What one rule says.

    Attributes:
        rule: its name.
        value: what it looked at; None where it was not evaluated.
        threshold: what the value is held against; None where the rule is off.
        triggered: whether it says stop.
        message: all that in words.
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
        stop: whether to stop.
        decided_by: name of the first rule that said so.
        reason: its message; empty while the campaign goes on.
        signals: of every rule, also of those that are off.
    """

    stop: bool
    decided_by: str | None
    reason: str
    signals: tuple[Signal, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the decision as JSON."""
        return {**asdict(self), "signals": [asdict(signal) for signal in self.signals]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        signals = tuple(Signal(**signal) for signal in content["signals"])
        return cls(**{**content, "signals": signals})


def decide(history: History, settings: StoppingSettings) -> Decision:
    """Ask every rule; one that says stop is enough.

    Args:
        history: one record per measured step, in order; at least one.
        settings: the thresholds.

    Raises:
        UsageError: no step was measured yet.
    """
    if not history:
        raise UsageError("no step was measured yet; decide after the metrology of a step")
    signals = (
        target_error(history, settings.target_error, settings.target_steps),
        unbiased_error(history, settings.target_unbiased_error, settings.target_steps),
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


def target_error(history: History, target: float | None, steps: int) -> Signal:
    """Stop when the error met the target for `steps` steps in a row."""
    if target is None:
        return _off("target error")
    met, error = _met_in_a_row([record.error for record in history], target), history[-1].error
    text = f"{error:.4g}, {_standing(met, target, steps)}"
    return _signal("target error", error, target, text, met >= steps)


def unbiased_error(history: History, target: float | None, steps: int) -> Signal:
    """Stop when the unbiased error surely met the target for `steps` steps in a row."""
    if target is None:
        return _off("unbiased error")
    high = history[-1].unbiased_high
    if high is None:
        text = "too few samples were foretold; give a query of kind sobol a larger share"
        return _signal("unbiased error", None, target, text, triggered=False)
    known = [math.inf if r.unbiased_high is None else r.unbiased_high for r in history]
    met = _met_in_a_row(known, target)
    text = f"surely at most {high:.4g}, {_standing(met, target, steps)}"
    return _signal("unbiased error", high, target, text, met >= steps)


def plateau(history: History, settings: PlateauSettings | None) -> Signal:
    """Stop when the best error no longer improves [Prechelt1998]."""
    if settings is None:
        return _off("plateau")
    steps, least = settings.steps, settings.improvement
    if len(history) <= steps:
        return _too_early("plateau", least, history, steps)
    gain = _improvement(history, steps)
    text = (
        f"improved {_percent(gain)} over the last {_count(steps)}, "
        f"{_side(gain, least)} {_percent(least)}"
    )
    return _signal("plateau", gain, least, text, gain < least)


def marginal_gain(history: History, settings: MarginalGainSettings | None) -> Signal:
    """Stop when the best error improves too little for what the solver costs."""
    if settings is None:
        return _off("marginal gain")
    steps, least = settings.steps, settings.per_solver_second
    if len(history) <= steps:
        return _too_early("marginal gain", least, history, steps)
    seconds = history[-1].solver_seconds - history[-1 - steps].solver_seconds
    if seconds <= 0:
        text = f"the solver took no time over the last {_count(steps)}"
        return _signal("marginal gain", None, least, text, triggered=False)
    gain = _improvement(history, steps) / seconds
    text = (
        f"improved {_percent(gain)} per solver second over the last {_count(steps)}, "
        f"{_side(gain, least)} {_percent(least)}; at this rate the next step brings "
        f"{_percent(gain * seconds / steps)}"
    )
    return _signal("marginal gain", gain, least, text, gain < least)


def budget_samples(history: History, budget: int | None) -> Signal:
    """Stop when as many samples are labelled as the budget allows."""
    if budget is None:
        return _off("budget of samples")
    used = history[-1].labelled
    text = f"{used} of {budget} samples are labelled"
    return _signal("budget of samples", used, budget, text, used >= budget)


def budget_solver_seconds(history: History, budget: float | None) -> Signal:
    """Stop when the solver has run for as long as the budget allows."""
    if budget is None:
        return _off("budget of solver seconds")
    used = history[-1].solver_seconds + history[-1].unused_solver_seconds
    text = f"{used:.4g} of {budget:.4g} s are spent"
    return _signal("budget of solver seconds", used, budget, text, used >= budget)


def pool_exhausted(history: History) -> Signal:
    """Stop when nothing is left to ask for."""
    left = history[-1].candidates_left
    return _signal("pool exhausted", left, 0, f"{left} candidates are left", left <= 0)


def max_steps(history: History, most: int) -> Signal:
    """Stop after this many steps."""
    done = history[-1].step
    return _signal("max steps", done, most, f"{done} of {_count(most)} done", done >= most)


def _met_in_a_row(errors: Sequence[float], target: float) -> int:
    """Count the last steps whose error meets the target, without a gap."""
    missed = [i for i, error in enumerate(reversed(errors)) if error > target]
    return missed[0] if missed else len(errors)


def _standing(met: int, target: float, steps: int) -> str:
    return f"at most {target:g} for {met} of {_count(steps)}" if met else f"above {target:g}"


def _improvement(history: History, steps: int) -> float:
    """Return the fraction by which the best error fell over the last steps."""
    before = min(record.error for record in history[:-steps])
    now = min(record.error for record in history)
    return 1 - now / before if before > 0 else 0.0


def _signal(
    rule: str,
    value: float | None,
    threshold: float,
    text: str,
    triggered: bool,  # noqa: FBT001 - as in Signal
) -> Signal:
    verdict = "stop" if triggered else "go on"
    return Signal(rule, value, threshold, triggered, f"{rule}: {text} — {verdict}")


def _off(rule: str) -> Signal:
    return Signal(rule, None, None, triggered=False, message=f"{rule}: not configured")


def _too_early(rule: str, threshold: float, history: History, steps: int) -> Signal:
    text = f"needs {steps + 1} measured steps, has {len(history)}"
    return _signal(rule, None, threshold, text, triggered=False)


def _side(value: float, threshold: float) -> str:
    return "below" if value < threshold else "not below"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.3g} %"


def _count(steps: int) -> str:
    return f"{steps} step" if steps == 1 else f"{steps} steps"
