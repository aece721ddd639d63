"""Error against labelled samples, kept on disk so that a finished curve is never run again."""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from pools.files import publish, publish_json


@dataclass(frozen=True, slots=True)
class Point:
    """How good the surrogate is at one step.

    Attributes:
        labelled: training samples.
        error: the headline error on the test set.
        field_error: mean over fields of the mean relative L2 error; None without fields.
        field_error_q95: the same of its 95 % quantile over the test set.
        quantity_error: mean over quantities of the RMSE in units of their standard deviation.
        asked: samples that were asked for, also those that failed; None in curves of before this
            was counted, when none could fail.
        seconds: of the solver for them.
        wasted: of those, seconds of samples that failed.
        nrmse: mean over outputs of the RMSE over the output's size, see `benchmarks.measures`.
        q50: median over the test set of a sample's error, the mean over outputs.
        q95: its 95 % quantile.
        q99: its 99 % quantile.
        worst: the largest.
        outputs: what `error` is the mean of: `fields.NAME` and `quantities.NAME`.
        train_seconds: processor seconds of all trainings so far, this step's included.
        select_seconds: of all selections so far.
    """

    labelled: int
    error: float
    field_error: float | None = None
    field_error_q95: float | None = None
    quantity_error: float | None = None
    asked: int | None = None
    seconds: float | None = None
    wasted: float | None = None
    nrmse: float | None = None
    q50: float | None = None
    q95: float | None = None
    q99: float | None = None
    worst: float | None = None
    outputs: Mapping[str, float] = field(default_factory=dict, hash=False)
    train_seconds: float | None = field(default=None, compare=False)  # differ from run to run
    select_seconds: float | None = field(default=None, compare=False)

    @property
    def runs(self) -> int:
        """Solver runs that were spent, failed ones included."""
        return self.labelled if self.asked is None else self.asked

    @property
    def all_seconds(self) -> float | None:
        """Of the solver, the trainings and the selections; None where one was not counted."""
        parts = (self.seconds, self.train_seconds, self.select_seconds)
        counted = [part for part in parts if part is not None]
        return sum(counted) if len(counted) == len(parts) else None


@dataclass(frozen=True, slots=True)
class Curve:
    """One strategy on one problem from one seed.

    Attributes:
        problem: name of the problem.
        strategy: who asked.
        seed: of everything that is drawn; curves of one seed are paired.
        points: one per step, the initial design first.
    """

    problem: str
    strategy: str
    seed: int
    points: tuple[Point, ...]

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Read what `dataclasses.asdict` gave."""
        return cls(**{**content, "points": tuple(Point(**point) for point in content["points"])})


@dataclass(frozen=True, slots=True)
class CurveStore:
    """Finished curves, one file each; a file appears whole or not at all."""

    directory: Path

    def find(self, problem: str, strategy: str, seed: int) -> Curve | None:
        """Return the curve, or None while it is not finished."""
        file = self._file(problem, strategy, seed)
        return Curve.from_json(json.loads(file.read_text())) if file.exists() else None

    def keep(self, curve: Curve) -> None:
        """Publish a finished curve."""
        publish_json(self._file(curve.problem, curve.strategy, curve.seed), asdict(curve))

    def _file(self, problem: str, strategy: str, seed: int) -> Path:
        safe = re.sub(r"[^\w.=,:+-]", "_", strategy)
        return self.directory / f"{problem}-{safe}-{seed:03d}.json"


def write_csv(path: Path, curves: Sequence[Curve]) -> None:
    """Write every point of every curve, a line each, the error of each output at its end."""
    measures = [each.name for each in fields(Point) if each.name != "outputs"]
    outputs = sorted({name for curve in curves for p in curve.points for name in p.outputs})
    with publish(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["problem", "strategy", "seed", "step", *measures, *outputs])
        for curve in curves:
            for step, point in enumerate(curve.points):
                values = [getattr(point, name) for name in measures]
                values += [point.outputs.get(name) for name in outputs]
                writer.writerow([curve.problem, curve.strategy, curve.seed, step, *values])
