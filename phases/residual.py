"""The physics residual of what a surrogate predicts, evaluated by the campaign's solver."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from phases.campaign import Campaign
from pools.candidates import CandidatePool
from pools.errors import CampaignError
from pools.sample import Sample
from solvers.protocol import residual_solver
from solvers.residual import Residual, residual_one
from solvers.workers import SolverWorkers
from surrogates.prediction import Learner

Array = NDArray[np.float64]

RESIDUAL_SECONDS = "residual_seconds"
"""Key in the summary of a query: seconds that the solver ran to evaluate residuals for it."""

_BLOCK = 16  # candidates whose fields are in memory at once


@dataclass(slots=True, eq=False)
class PredictedResidual:
    """Says of candidates how far their predicted fields are from solving the equations.

    Each is a run of the solver, short as it is, `label.workers` at once. Nothing runs until it is
    called.

    Attributes:
        campaign: whose solver.
        learner: who predicts.
        logger: where it tells what it took, and what failed.
        seconds: seconds that the solver has run for it so far.
    """

    campaign: Campaign
    learner: Learner
    logger: logging.Logger
    seconds: float = field(default=0.0, init=False)

    def __call__(self, candidates: Array) -> Array:
        """Return the residual at each candidate, (n, d) to (n,); nan where it has none.

        Raises:
            UsageError: the solver evaluates no residuals.
            CampaignError: the solver cannot be started, or no candidate has a residual.
        """
        residual_solver(self.campaign.solver)
        found = list(self._evaluated(candidates)) if len(candidates) else []
        self.seconds += sum(each.seconds for each in found)
        self._tell(found)
        _check_any(found)
        return np.array([each.value for each in found], dtype=np.float64)

    def _evaluated(self, candidates: Array) -> Iterator[Residual]:
        config = self.campaign.config
        pool = CandidatePool(candidates, config.parameters.names, self.campaign.fingerprint)
        with (
            ThreadPoolExecutor(config.label.workers) as threads,
            SolverWorkers(config.solver, config.label.workers) as workers,  # closed first
        ):
            one = partial(_evaluate, workers, self.campaign)
            for start in range(0, len(pool), _BLOCK):
                samples = [pool[i] for i in range(start, min(start + _BLOCK, len(pool)))]
                block = candidates[start : start + _BLOCK]
                yield from threads.map(one, samples, self.learner.predict(block).fields.mean)

    def _tell(self, found: Sequence[Residual]) -> None:
        self.logger.info(
            "residuals of %d predictions took %.3g s of the solver",
            *(len(found), sum(each.seconds for each in found)),
        )
        if failed := [each.remark for each in found if each.remark]:
            self.logger.warning(
                "%d of %d have no residual and are not ranked; the first: %s",
                *(len(failed), len(found), failed[0]),
            )


def _check_any(found: Sequence[Residual]) -> None:
    if found and all(each.remark for each in found):
        raise CampaignError(
            f"none of {len(found)} predictions has a residual; the first: {found[0].remark}; "
            "mend what it says, or query with hybrid, which needs no residuals"
        )


def _evaluate(
    workers: SolverWorkers, campaign: Campaign, sample: Sample, fields: Array
) -> Residual:
    return residual_one(sample, fields, workers, campaign.config.label)
