"""Error against labelled samples, kept on disk so that a finished curve is never run again."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
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
    """

    labelled: int
    error: float
    field_error: float | None = None
    field_error_q95: float | None = None
    quantity_error: float | None = None
    asked: int | None = None
    seconds: float | None = None
    wasted: float | None = None

    @property
    def runs(self) -> int:
        """Solver runs that were spent, failed ones included."""
        return self.labelled if self.asked is None else self.asked


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
        return self.directory / f"{problem}-{strategy}-{seed:03d}.json"


def write_csv(path: Path, curves: Sequence[Curve]) -> None:
    """Write every point of every curve, a line each."""
    columns = [field.name for field in fields(Point)]
    with publish(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["problem", "strategy", "seed", "step", *columns])
        for curve in curves:
            for step, point in enumerate(curve.points):
                values = asdict(point).values()
                writer.writerow([curve.problem, curve.strategy, curve.seed, step, *values])
