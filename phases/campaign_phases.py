"""A campaign's phases as plain functions: the loop in one process, without Prefect."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from phases.append import append, append_design
from phases.campaign import Campaign
from phases.design import design
from phases.label import (
    conclude_design_label,
    conclude_label,
    design_to_solve,
    label_sample,
    solver_workers,
    step_to_solve,
)
from phases.loop import take_step
from phases.metrology import metrology
from phases.progress import tell
from phases.query import query
from phases.stopping import stopping_decision
from phases.train import train
from pools.errors import SolverError
from pools.pick import Pick
from solvers.workers import SolverWorkers


@dataclass(frozen=True, slots=True)
class PlainPhases:
    """The phases of a campaign's step.

    Attributes:
        campaign: the campaign.
        step: which step.
        retry_failed: solve again the samples that failed.
    """

    campaign: Campaign
    step: int
    retry_failed: bool = False

    def train(self) -> None:
        """Train the surrogate."""
        train(self.campaign, self.step)

    def metrology(self) -> None:
        """Measure it."""
        metrology(self.campaign, self.step)

    def decide(self) -> str:
        """Ask the stopping rules."""
        decision = stopping_decision(self.campaign, self.step)
        return decision.reason if decision.stop else ""

    def query(self) -> None:
        """Choose what is solved next."""
        query(self.campaign, self.step)

    def label(self) -> None:
        """Solve it, and append the solutions to the pool."""
        picks = step_to_solve(self.campaign, self.step)
        seconds = solve_plainly(self.campaign, self.step, picks, retry_failed=self.retry_failed)
        conclude_label(self.campaign, self.step, seconds)
        append(self.campaign, self.step)


@dataclass(frozen=True, slots=True)
class PlainWork:
    """How a campaign's work is done in this process.

    Attributes:
        retry_failed: solve again the samples that failed in a step that is not finished.
    """

    retry_failed: bool = False

    def prepare(self, campaign: Campaign) -> None:
        """Draw the initial design and the test set, label them, and begin the training pool."""
        design(campaign)
        picks = design_to_solve(campaign)
        seconds = solve_plainly(campaign, 0, picks, retry_failed=self.retry_failed)
        conclude_design_label(campaign, seconds)
        append_design(campaign)

    def step(self, campaign: Campaign, step: int) -> str:
        """Take a step; return why the campaign stops here, or nothing when it goes on."""
        return take_step(PlainPhases(campaign, step, self.retry_failed))

    def conclude(self, campaign: Campaign) -> None:
        """Leave it at that; `solverloop report` draws what there is."""


def solve_plainly(
    campaign: Campaign, step: int, picks: Sequence[Pick], *, retry_failed: bool = False
) -> float:
    """Label samples, `label.workers` at once; a failed one keeps its evidence and stops no other.

    Args:
        campaign: whose.
        step: the step that asked.
        picks: the samples; nothing happens without any.
        retry_failed: solve again what failed for a numerical reason.

    Returns:
        Seconds that it took.
    """
    if not picks:
        return 0.0
    started, policy = time.monotonic(), campaign.config.label
    with (
        ThreadPoolExecutor(policy.workers) as threads,
        solver_workers(campaign, policy.workers) as workers,  # closed first
    ):
        one = partial(_is_solved, campaign, step, workers=workers, retry_failed=retry_failed)
        failed = 0
        for done, is_solved in enumerate(threads.map(one, picks), start=1):
            failed += not is_solved
            tell("label", done, len(picks), f"({failed} failed)" if failed else "")
    return time.monotonic() - started


def _is_solved(
    campaign: Campaign, step: int, pick: Pick, *, workers: SolverWorkers, retry_failed: bool
) -> bool:
    """Label one sample, and say whether it has a solution; its record says why it has none."""
    try:
        label_sample(campaign, step, pick, workers, retry_failed=retry_failed)
    except SolverError:
        return False
    return True
