"""What is said of a step's samples."""

import pytest

from phases.tally import Tally, is_recovered
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import Attempt, SampleRecord
from pools.sample import Sample

PICK = Pick(Sample.of({"x": 0.5}, "any"), "sobol")


def tried(*outcomes: Outcome) -> SampleRecord:
    """Return the record of a sample whose attempts ended so."""
    record = SampleRecord(PICK, 0)
    for number, outcome in enumerate(outcomes, start=1):
        solution = "digest" if outcome is Outcome.OK else None
        record = record.with_attempt(Attempt(f"attempt-{number:02d}", outcome), solution)
    return record


SOLVED = tried(Outcome.OK)
RECOVERED = tried(Outcome.DIVERGED, Outcome.OK)
DIVERGED = tried(Outcome.DIVERGED)
LATE = tried(Outcome.DIVERGED, Outcome.TIMEOUT)


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (
            [SOLVED] * 28 + [RECOVERED] * 3 + [DIVERGED],
            "28 solved, 3 recovered, 1 failed: diverged",
        ),
        ([SOLVED] * 4, "4 solved"),
        ([DIVERGED, DIVERGED], "0 solved, 2 failed: diverged"),
        ([LATE, DIVERGED, DIVERGED], "0 solved, 3 failed: 2 diverged, 1 timeout"),
        ([tried(Outcome.NOT_CONVERGED)], "0 solved, 1 failed: not converged"),
        ([SOLVED, tried()], "1 solved, 1 pending"),
        ([], "0 solved"),
    ],
)
def test_it_says_what_happened(records: list[SampleRecord], words: str) -> None:
    assert str(Tally.of(records)) == words


def test_what_was_asked_for_and_has_no_record_is_pending() -> None:
    assert str(Tally.of([SOLVED], asked=3)) == "1 solved, 2 pending"


def test_a_solution_that_was_lost_and_made_again_is_not_a_recovery() -> None:
    assert not is_recovered(tried(Outcome.OK, Outcome.OK))
    assert is_recovered(tried(Outcome.INFRASTRUCTURE, Outcome.OK))


def test_the_failed_share_is_of_those_that_were_tried() -> None:
    assert Tally.of([SOLVED, RECOVERED, DIVERGED, LATE, tried()]).failed_share == 0.5
    assert Tally.of([tried()]).failed_share == 0.0
