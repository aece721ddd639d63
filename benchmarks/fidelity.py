"""Error against solver seconds, with and without a cheaper level of the solver, paired seeds.

`fine` asks the fine level alone; `levels` has a nested initial design of both and lets each step
choose, the fine level's share growing to all; `steady` is the same without growing. All spend as
many seconds at each step, a coarse sample a tenth of a fine one's. The coarse level of `combined`
has 24 of the fine level's 64 points, that of `rough` 16, and that of `forrester` is another
function. A ratio is how many times fewer seconds than `fine` a way takes to the lowest error that
both reach, with its 95 % bootstrap interval over seeds.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.comparison import Comparison
from benchmarks.curves import Curve
from benchmarks.fidelity_loop import Effort, Pair, Way, run_curve
from benchmarks.progress import with_bar
from benchmarks.scores import typical
from pools.parameter import Parameter
from pools.space import ParameterSpace
from solvers.settings import AnalyticSettings, CombinedSettings
from strategies.level_settings import FineShareSettings
from surrogates.settings import EnsembleSettings, Schedule

_COMBINED = ParameterSpace(
    {
        "alpha": Parameter(low=0, high=3),
        "beta": Parameter(low=0.1, high=0.5),
        "gamma": Parameter(low=0, high=1),
        "amplitude": Parameter(low=0.2, high=1),
        "mix": Parameter(low=0, high=1),
        "phase": Parameter(low=0, high=2 * np.pi),
    }
)
PAIRS = {
    "combined": Pair(
        "combined",
        _COMBINED,
        fine=CombinedSettings(points=64, steps=48, tail=1),
        coarse=CombinedSettings(points=24, steps=12, tail=1),
        cost=0.1,
        tests=64,
    ),
    "rough": Pair(
        "rough",
        _COMBINED,
        fine=CombinedSettings(points=64, steps=48, tail=1),
        coarse=CombinedSettings(points=16, steps=8, tail=1),
        cost=0.1,
        tests=64,
    ),
    "forrester": Pair(
        "forrester",
        ParameterSpace({"x": Parameter(low=0, high=1)}),
        fine=AnalyticSettings(problem="forrester"),
        coarse=AnalyticSettings(problem="forrester_low"),
        cost=0.1,
        tests=64,
    ),
}
_LEVELS = {
    "combined": Way("levels", fine=8, coarse=80),
    "rough": Way("levels", fine=8, coarse=80),
    "forrester": Way("levels", fine=3, coarse=10),
}
_SHORT = ["combined", "forrester"]
_STEP_SECONDS = {"combined": 8.0, "rough": 8.0, "forrester": 1.0}


def ways_of(problem: str) -> list[Way]:
    """Return what is compared; the fine level alone begins with as many seconds."""
    levels = _LEVELS[problem]
    alone = Way("fine", fine=levels.fine + round(PAIRS[problem].cost * levels.coarse))
    share = FineShareSettings(start=levels.share.start, end=levels.share.start)
    return [alone, levels, replace(levels, name="steady", share=share)]


def report(curves: Sequence[Curve], problem: str) -> str:
    """Return the table of a problem."""
    found = Comparison.of(curves, problem)
    seconds = typical(found.runs["fine"].solver_seconds)
    lines = [
        f"{problem}, {found.seeds} seeds, error (geometric mean) after so many solver seconds",
        "| way | " + " | ".join(f"{s:.0f}" for s in seconds) + " | seconds saved, times |",
        "|---" * (len(seconds) + 2) + "|",
    ]
    for name, runs in found.runs.items():
        saved = found.ratio(name, "fine", "solver_seconds")
        errors = " | ".join(f"{error:.3f}" for error in typical(runs.error))
        told = f"{saved.value:.2f} [{saved.low:.2f}, {saved.high:.2f}]"
        lines.append(f"| {name} | {errors} | {told} |")
    return "\n".join(lines)


def main() -> None:
    """Run all curves and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="10 seeds, 8 steps, not 3 and 4")
    parser.add_argument("--problems", nargs="+", choices=list(PAIRS), default=_SHORT)
    options = parser.parse_args()
    seeds, steps, length = (10, 8, 3000) if options.full else (3, 4, 1000)
    schedule = Schedule(kind="cosine", start=3e-3, end=1e-5, length=length)
    surrogate = EnsembleSettings(initial=schedule)
    work = [
        (PAIRS[name], way, Effort(_STEP_SECONDS[name], steps, surrogate), seed)
        for name in options.problems
        for seed in range(seeds)
        for way in ways_of(name)
    ]
    curves = [run_curve(*each) for each in with_bar(work, "curves", len(work))]
    for name in options.problems:
        print(f"\n{report(curves, name)}")


if __name__ == "__main__":
    main()
