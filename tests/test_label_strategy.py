"""Labelling from a script: a queue of picks or samples in, a queue of solutions out."""

from pathlib import Path
from queue import Queue

import pytest
from strategy_examples import driver_with, truth

from pools.errors import SolverError
from pools.outcome import Outcome
from pools.pick import Pick
from pools.sample import Sample
from pools.solution import Solution
from strategies.label import SolverLabel
from strategies.needed import AbstractQueue, Labelling
from strategies.picking import run_queries
from strategies.query import SobolContinuation

SAMPLES = [Sample.of({"x": x, "y": 2.0}, "closed form") for x in (0.25, 0.5, 0.75)]


def solve(sample: Sample) -> Solution:
    """Answer, except for x = 0.5."""
    if sample.parameters["x"] == 0.5:
        raise SolverError(Outcome.DIVERGED, "x is 0.5", Path("attempt-01"), "residual 1e9")
    return truth((sample.parameters["x"], sample.parameters["y"]))


def queue_of(*items: Pick | Sample) -> Queue[Pick | Sample]:
    filled: Queue[Pick | Sample] = Queue()
    for item in items:
        filled.put(item)
    return filled


def test_a_failed_sample_never_stops_the_others() -> None:
    strategy, answers = SolverLabel(solve), Queue[Solution]()
    asked = queue_of(SAMPLES[0], Pick(SAMPLES[1], "mine"), Pick(SAMPLES[2], "mine"))
    strategy.label(asked, answers)
    assert asked.empty()
    assert [answers.get().sample for _ in range(answers.qsize())] == [SAMPLES[0], SAMPLES[2]]
    assert [failed.sample for failed in strategy.failures] == [SAMPLES[1]]
    assert strategy.failures[0].error.log_tail == "residual 1e9"


def test_an_error_of_the_program_is_not_taken_for_a_failed_sample() -> None:
    def broken(_sample: Sample) -> Solution:
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        SolverLabel(broken).label(queue_of(*SAMPLES), Queue())


def test_it_is_a_label_strategy(tmp_path: Path) -> None:
    strategy = SolverLabel(solve, provides=["u", "drag"])
    assert isinstance(strategy, Labelling)
    assert strategy.__is_external_process__
    assert strategy.__provides_fields__ == {"u", "drag"}
    assert SolverLabel(solve).__provides_fields__ is None
    assert not strategy.is_attached
    strategy.attach(driver_with(tmp_path))
    assert strategy.is_attached


def test_a_script_goes_from_query_to_solutions(tmp_path: Path) -> None:
    picks = run_queries([SobolContinuation(3)], driver_with(tmp_path))
    answers: Queue[Solution] = Queue()
    SolverLabel(solve).label(queue_of(*picks), answers)
    assert answers.qsize() == 3
    assert isinstance(answers, AbstractQueue)
