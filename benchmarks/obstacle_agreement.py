"""Two solvers, one family: OpenFOAM's obstacle in a channel against the embedded finite elements.

    python -m benchmarks.obstacle_agreement [--points 6]

Both answer the Schaefer-Turek case 2D-1 (Reynolds 20, a circle; published: drag 5.5795, lift
0.010619, pressure difference 0.11752) and Sobol' points of the embedded solver's box up to
Reynolds 60. The embedded solver is on its fine mesh, OpenFOAM on the mesh of
`examples/obstacle/obstacle.yaml`.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.published import CIRCLE
from phases.config import load
from pools.sample import Sample
from solvers.build import build
from solvers.settings import ChannelSettings, SolverSettings

ROOT = Path(__file__).parents[1]
HIGHEST = 60.0  # beyond it some flows of the box are hard to call steady
QUANTITIES = ("drag", "lift", "pressure_difference")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=6, help="Sobol' points beside the circle")
    points = parser.parse_args().points
    os.chdir(ROOT)  # noqa: TID251 - the campaign file names its template from here
    foam = load(ROOT / "examples/obstacle/obstacle.yaml").solver
    columns = " | ".join(f"{name}, embedded | OpenFOAM" for name in QUANTITIES)
    print(f"| point | {columns} |")
    print("|---" * (1 + 2 * len(QUANTITIES)) + "|")
    for parameters in (CIRCLE, *_sobol(points)):
        ours = _answer(ChannelSettings(mesh="fine"), parameters)
        theirs = _answer(foam, parameters)
        cells = [f"{value[name]:.5g}" for name in QUANTITIES for value in (ours, theirs)]
        point = ", ".join(f"{value:.3g}" for value in parameters.values())
        print(f"| {point} | {' | '.join(cells)} |", flush=True)


def _sobol(points: int) -> Iterator[dict[str, float]]:
    space = load(ROOT / "examples/channel.yaml").parameters
    rows = (dict(zip(space.names, row.tolist(), strict=True)) for row in space.sobol(32, seed=3))
    slow = [row for row in rows if row["reynolds"] <= HIGHEST]
    yield from slow[:points]


def _answer(settings: SolverSettings, parameters: Mapping[str, float]) -> dict[str, float]:
    solver = build(settings)
    with tempfile.TemporaryDirectory() as directory:
        solution = solver.solve(Sample.of(parameters, solver.fingerprint), Path(directory))
    return {name: quantity.value for name, quantity in solution.quantities.items()}


if __name__ == "__main__":
    main()
