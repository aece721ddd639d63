"""Evaluates the residual of predicted fields at one sample, under the same watch as a solve.

It leaves nothing behind: its directory is a temporary one, apart from those of the samples.
"""

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pools.outcome import Outcome
from pools.sample import Sample
from solvers.judge import weighed
from solvers.policy import LabelPolicy
from solvers.solve import RESIDUAL
from solvers.verdict import Verdict
from solvers.workers import SolverWorkers


@dataclass(frozen=True, slots=True)
class Residual:
    """What became of one evaluation.

    Attributes:
        value: how far the fields are from the solution; nan where that is not known.
        seconds: seconds that the evaluation ran.
        remark: why there is no value; empty where there is.
    """

    value: float
    seconds: float
    remark: str = ""


def residual_one(
    sample: Sample, fields: NDArray[np.float64], workers: SolverWorkers, policy: LabelPolicy
) -> Residual:
    """Evaluate how far predicted fields are from the solution of a sample.

    Args:
        sample: the design point.
        fields: at the points of its mesh, shape (p, c).
        workers: where the solver runs.
        policy: its deadline and its memory; nothing is tried again.

    Raises:
        CampaignError: the solver cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="solverloop-residual-") as place:
        file, directory = Path(place, "fields.npy"), Path(place, "run")
        np.save(file, fields, allow_pickle=False)
        directory.mkdir()
        ended = workers.run(
            sample,
            directory,
            timeout_seconds=policy.timeout_seconds,
            grace_seconds=policy.grace_seconds,
            memory_gib=policy.memory_gib,
            fields=file,
        )
        verdict = weighed(directory, ended, Verdict.read(directory), policy.memory_gib)
    return _residual_of(verdict, ended.cost.wall_seconds)


def _residual_of(verdict: Verdict, seconds: float) -> Residual:
    if verdict.outcome is not Outcome.OK:
        return Residual(math.nan, seconds, f"{verdict.outcome.value}: {verdict.reason}")
    value = float(verdict.evidence[RESIDUAL])
    if not 0 <= value < math.inf:  # nan included
        return Residual(math.nan, seconds, f"the solver's residual is {value:g}")
    return Residual(value, seconds)
