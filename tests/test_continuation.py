import numpy as np
import pytest

from pools.outcome import Outcome
from solvers.continuation import follow
from solvers.navier_stokes import Array, Iterations


class Reach:
    """Flows that exist up to a limit and are found from no further than a ratio below."""

    def __init__(self, ratio: float, limit: float = np.inf) -> None:
        self.ratio, self.limit = ratio, limit
        self.tried: list[tuple[float, Outcome]] = []

    def solve(self, reynolds: float, start: Array | None) -> Iterations:
        begin = 20.0 if start is None else float(start[0])
        found = reynolds <= min(begin * self.ratio, self.limit)
        outcome = Outcome.OK if found else Outcome.NOT_CONVERGED
        self.tried.append((reynolds, outcome))
        return Iterations(np.array([reynolds]), outcome, [0.0 if found else 1.0])


def test_one_leap_when_it_is_near_enough() -> None:
    reach = Reach(ratio=10)
    assert follow(reach.solve, 150.0).outcome is Outcome.OK
    assert reach.tried == [(20.0, Outcome.OK), (150.0, Outcome.OK)]


@pytest.mark.parametrize("ratio", [1.1, 1.5, 3.0])
def test_steps_shrink_until_they_succeed_and_end_at_the_target(ratio: float) -> None:
    reach = Reach(ratio)
    assert follow(reach.solve, 150.0).outcome is Outcome.OK
    assert reach.tried[-1] == (150.0, Outcome.OK)


def test_a_path_that_ends_is_given_up() -> None:
    reach = Reach(ratio=2, limit=100)
    assert follow(reach.solve, 150.0).outcome is Outcome.NOT_CONVERGED
    best = max(reynolds for reynolds, outcome in reach.tried if outcome is Outcome.OK)
    assert best == pytest.approx(100, rel=0.02)
    assert len(reach.tried) < 40


def test_a_path_that_cannot_begin_is_given_up_at_once() -> None:
    reach = Reach(ratio=0.1)
    assert follow(reach.solve, 150.0).outcome is Outcome.NOT_CONVERGED
    assert len(reach.tried) == 1


def test_below_the_first_reynolds_number_it_begins_at_half() -> None:
    reach = Reach(ratio=3)
    follow(reach.solve, 8.0)
    assert [reynolds for reynolds, _ in reach.tried] == pytest.approx([4.0, 8.0])
