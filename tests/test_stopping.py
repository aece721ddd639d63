"""When to stop: each rule on a history made up for it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pools.errors import UsageError
from strategies.stopping import Decision, Signal, StepRecord, StoppingSettings, decide

RULES = [
    "target error",
    "unbiased error",
    "plateau",
    "marginal gain",
    "budget of samples",
    "budget of solver seconds",
    "pool exhausted",
    "max steps",
]


def history(errors: Sequence[float], seconds: float = 10.0, left: int = 100) -> list[StepRecord]:
    """Return one record per error; a step labels 8 samples and takes `seconds`."""
    return [
        StepRecord(step, 16 + 8 * step, 20 + seconds * step, error, left)
        for step, error in enumerate(errors)
    ]


def signal_of(rule: str, records: list[StepRecord], **settings: Any) -> Signal:
    decision = decide(records, StoppingSettings.model_validate(settings))
    return next(signal for signal in decision.signals if signal.rule == rule)


def test_every_rule_speaks_every_step() -> None:
    decision = decide(history([0.5]), StoppingSettings())
    assert [signal.rule for signal in decision.signals] == RULES
    assert (decision.stop, decision.decided_by, decision.reason) == (False, None, "")
    off = [s for s in decision.signals if s.threshold is None]
    assert [s.message for s in off] == [f"{rule}: not configured" for rule in RULES[:6]]


@pytest.mark.parametrize(
    ("errors", "steps", "triggered", "words"),
    [
        ([0.5, 0.02], 1, True, "0.02, at most 0.02 for 1 of 1 step — stop"),
        ([0.5, 0.021], 1, False, "0.021, above 0.02 — go on"),
        ([0.5, 0.01], 2, False, "0.01, at most 0.02 for 1 of 2 steps — go on"),
        ([0.01, 0.5, 0.01], 2, False, "for 1 of 2 steps — go on"),
        ([0.5, 0.01, 0.015], 2, True, "0.015, at most 0.02 for 2 of 2 steps — stop"),
    ],
)
def test_target_error(errors: list[float], steps: int, *, triggered: bool, words: str) -> None:
    signal = signal_of("target error", history(errors), target_error=0.02, target_steps=steps)
    assert signal.triggered is triggered
    assert signal.message.endswith(words)


@pytest.mark.parametrize(
    ("errors", "triggered", "words"),
    [
        (
            [1, 0.5, 0.499, 0.498, 0.498],
            True,
            "improved 0.4 % over the last 3 steps, below 2 % — stop",
        ),
        (
            [1, 0.5, 0.4, 0.45, 0.3],
            False,
            "improved 40 % over the last 3 steps, not below 2 % — go on",
        ),
        ([1, 0.2, 0.4, 0.45, 0.3], True, "improved 0 % over the last 3 steps, below 2 % — stop"),
        ([1, 0.5, 0.5], False, "needs 4 measured steps, has 3 — go on"),
        ([0, 0, 0, 0], True, "improved 0 % over the last 3 steps, below 2 % — stop"),
    ],
)
def test_plateau(errors: list[float], *, triggered: bool, words: str) -> None:
    signal = signal_of("plateau", history(errors), plateau={"steps": 3, "improvement": 0.02})
    assert signal.triggered is triggered
    assert signal.message == f"plateau: {words}"


@pytest.mark.parametrize(
    ("least", "triggered", "words"),
    [
        (0.03, True, "below 3 %; at this rate the next step brings 20 % — stop"),
        (0.01, False, "not below 1 %; at this rate the next step brings 20 % — go on"),
    ],
)
def test_marginal_gain(least: float, *, triggered: bool, words: str) -> None:
    settings = {"steps": 1, "per_solver_second": least}
    signal = signal_of("marginal gain", history([1, 0.5, 0.4]), marginal_gain=settings)
    assert signal.value == pytest.approx(0.02)
    assert signal.triggered is triggered
    what = "marginal gain: improved 2 % per solver second over the last 1 step, "
    assert signal.message == what + words


def test_a_solver_that_takes_no_time_always_pays() -> None:
    settings = {"steps": 1, "per_solver_second": 0.5}
    signal = signal_of("marginal gain", history([1, 1], seconds=0), marginal_gain=settings)
    assert (signal.value, signal.triggered) == (None, False)
    json.dumps(asdict(signal), allow_nan=False)


@pytest.mark.parametrize(
    ("rule", "settings", "stops"),
    [
        ("budget of samples", {"budget_samples": 32}, True),
        ("budget of samples", {"budget_samples": 33}, False),
        ("budget of solver seconds", {"budget_solver_seconds": 40}, True),
        ("budget of solver seconds", {"budget_solver_seconds": 40.5}, False),
        ("max steps", {"max_steps": 2}, True),
        ("max steps", {"max_steps": 3}, False),
    ],
)
def test_budgets(rule: str, settings: dict[str, Any], *, stops: bool) -> None:
    records = history([1, 0.9, 0.8])  # 32 labelled, 40 s, step 2
    assert signal_of(rule, records, **settings).triggered is stops


@pytest.mark.parametrize("left", [0, 1])
def test_pool_exhausted(left: int) -> None:
    signal = signal_of("pool exhausted", history([1], left=left))
    assert signal.triggered is (left == 0)


def test_the_first_rule_that_says_stop_decides() -> None:
    settings = StoppingSettings(target_error=0.1, max_steps=1, budget_samples=24)
    decision = decide(history([1, 0.05]), settings)
    assert [s.rule for s in decision.signals if s.triggered] == [
        "target error",
        "budget of samples",
        "max steps",
    ]
    assert decision.decided_by == "target error"
    assert decision.reason == "target error: 0.05, at most 0.1 for 1 of 1 step — stop"


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(UsageError, match="no step was measured yet"):
        decide([], StoppingSettings())


@given(st.lists(st.floats(0, 10), min_size=1, max_size=8), st.integers(0, 9))
def test_a_decision_survives_json_and_stops_only_when_a_rule_says_so(
    errors: list[float], most: int
) -> None:
    content = {
        "max_steps": most,
        "target_error": 0.1,
        "plateau": {"steps": 2},
        "marginal_gain": {"steps": 2, "per_solver_second": 1e-4},
    }
    decision = decide(history(errors), StoppingSettings.model_validate(content))
    text = json.dumps(decision.to_json(), allow_nan=False)
    assert Decision.from_json(json.loads(text)) == decision
    assert decision.stop == any(signal.triggered for signal in decision.signals)
    assert decision.stop or len(errors) <= most


def test_a_step_record_survives_json() -> None:
    record = StepRecord(2, 32, 12.5, 0.1, 90, {"fields.u": 0.2})
    assert StepRecord(**json.loads(json.dumps(asdict(record)))) == record


@pytest.mark.parametrize(
    "content",
    [{"max_steps": -1}, {"target_error": 0}, {"plateau": {"improvement": 1}}, {"panic": 1}],
)
def test_settings_are_checked_at_the_door(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        StoppingSettings.model_validate(content)
