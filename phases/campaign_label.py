"""A campaign's solver as a label strategy: what a query chose, labelled where its records are."""

from functools import partial

from phases.asked import queried_picks
from phases.campaign import Campaign
from phases.label import label_sample, solver_workers
from pools.errors import UsageError
from pools.sample import Sample
from pools.solution import Solution
from pools.vtkhdf import read_solution
from strategies.label import SolverLabel


def solver_label(campaign: Campaign, step: int) -> SolverLabel:
    """Return the strategy that labels what the query of a step chose, one after the other."""
    return SolverLabel(partial(answer, campaign, step))


def answer(campaign: Campaign, step: int, sample: Sample) -> Solution:
    """Solve a sample unless it is solved, as the step's label phase does.

    Raises:
        SolverError: there is no solution; the sample's record says why.
        UsageError: the step has not chosen this sample.
    """
    picks = {pick.sample.id: pick for pick in queried_picks(campaign, step)}
    if sample.id not in picks:
        raise UsageError(
            f"sample {sample.id} is none of the {len(picks)} that step {step} chose; a campaign "
            "labels what its query strategies ask for, so that every sample's record says who did"
        )
    with solver_workers(campaign, 1) as workers:
        label_sample(campaign, step, picks[sample.id], workers, retry_failed=False)
    return read_solution(campaign.sample_directory(sample.id).solution)
