"""What labelling adds to real OpenFOAM runs: cavities of one to three seconds, two at once.

The peer is plain `concurrent.futures` over the same commands in copies of the same template,
without a supervisor, judgement, reading or HDF5, in the same run. All samples take about as long,
so that which one comes last does not decide, and all converge as declared, so that the ladder adds
no solve that the peer does not make. Claims: the cores are at
least 95 % as busy as the peer's; a supervisor costs at most 100 ms a sample; a solution of 20,000
cells is read and written within a second.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from phases.campaign import Campaign
from phases.config import load
from phases.label import label_sample, records_of
from pools.pick import Pick
from pools.sample import Sample
from pools.vtkhdf import write_solution
from solvers.openfoam.answer import Answer
from solvers.openfoam.installation import find_installation, program
from solvers.openfoam.run import CaseRun
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.openfoam.template import GENERATED, Template
from solvers.openfoam.values import generated_dictionary, values_of
from solvers.workers import SolverWorkers

WORKERS = 2
ROOT = Path(__file__).parents[1]
ALIKE = [
    *("parameters.reynolds.low=1000", "parameters.reynolds.high=1100"),
    *("parameters.aspect.low=1", "parameters.aspect.high=1.05"),
    "solver.numerics.iterations=4000",
]
CELLS = 142  # squared, some more than 20,000


def main() -> None:
    """Print the walls, their ratio, the overhead of a sample and the seconds of reading."""
    os.chdir(ROOT)  # noqa: TID251 - the campaign file names its template from here
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=16, help="samples to label, each way")
    parser.add_argument("--rounds", type=int, default=3, help="how often both ways are taken")
    parser.add_argument("--full", action="store_true", help="64 samples, five rounds")
    options = parser.parse_args()
    samples, rounds = (64, 5) if options.full else (options.samples, options.rounds)
    with tempfile.TemporaryDirectory() as directory:
        pairs = [_compare(Path(directory) / str(i), samples) for i in range(rounds)]
        seconds, mebibytes = _reading(Path(directory) / "reading")
    print(f"{samples} cavities, {WORKERS} workers, median of {rounds}:")
    print(f"  concurrent.futures, commands only {statistics.median(p[0] for p in pairs):8.2f} s")
    print(f"  solverloop                        {statistics.median(p[1] for p in pairs):8.2f} s")
    ratio = statistics.median(p[0] / p[1] for p in pairs)
    spread = ", ".join(f"{p[0] / p[1]:.1%}" for p in pairs)
    print(f"  as busy as the peer               {ratio:8.1%}   (claim: at least 95 %; {spread})")
    overhead = statistics.median(p[2] for p in pairs)
    print(f"  beside its commands, a sample     {overhead * 1e3:8.0f} ms  (claim: at most 100)")
    print(f"a solution of {CELLS**2} cells, read, judged and written:")
    print(f"  {seconds:.2f} s (claim: at most 1), {mebibytes:.1f} MiB the file")


def _compare(directory: Path, samples: int) -> tuple[float, float, float]:
    """Return walls of the peer and of ours, and our overhead per sample, in seconds."""
    config = load(ROOT / "examples/cavity/cavity.yaml", ALIKE)
    campaign = Campaign.start(config, directory / "campaign")
    space, fingerprint = campaign.config.parameters, campaign.solver.fingerprint
    rows = space.sobol(samples + WORKERS, seed=5)
    picks = [Pick(each, "benchmark") for each in Sample.of_rows(rows, space.names, fingerprint)]
    peer = _timed(lambda: _plain(campaign, picks[WORKERS:], directory / "plain"))
    wall, overhead = _ours(campaign, picks)
    return peer, wall, overhead


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _plain(campaign: Campaign, picks: Sequence[Pick], directory: Path) -> None:
    """Run the commands and nothing else."""
    settings = campaign.config.solver
    assert isinstance(settings, OpenFOAMSettings)
    template = Template(Path(settings.template))
    commands = settings.stages(template.application())

    def one(pick: Pick) -> None:
        case = directory / pick.sample.id
        shutil.copytree(template.directory, case)
        values = values_of(settings, pick.sample.parameters)
        (case / GENERATED).write_text(generated_dictionary(values))
        environment = find_installation().environment(case, system_operations=False)
        for command in commands:
            with (case / f"log.{command.name}").open("wb") as log:
                words = [program(command.words[0]), *command.words[1:]]
                subprocess.run(words, cwd=case, env=environment, stdout=log, check=True)

    with ThreadPoolExecutor(WORKERS) as executor:
        list(executor.map(one, picks))


def _ours(campaign: Campaign, picks: Sequence[Pick]) -> tuple[float, float]:
    """Label; the supervisors are warm, as they are after a campaign's first samples."""

    def one(pick: Pick) -> float:
        begun = time.perf_counter()
        label_sample(campaign, 0, pick, workers, retry_failed=False)
        return time.perf_counter() - begun

    with (
        SolverWorkers(campaign.config.solver, WORKERS) as workers,
        ThreadPoolExecutor(WORKERS) as executor,
    ):
        list(executor.map(one, picks[:WORKERS]))
        picks = picks[WORKERS:]
        started = time.perf_counter()
        walls = list(executor.map(one, picks))
        wall = time.perf_counter() - started
    records = records_of(campaign, picks)
    inner = [sum(c["wall_seconds"] for c in r.attempts[-1].evidence["commands"]) for r in records]
    return wall, statistics.median(w - i for w, i in zip(walls, inner, strict=True))


def _reading(case: Path) -> tuple[float, float]:
    """Return seconds to read, judge and write one solution, and the file's size in MiB."""
    settings = load(
        ROOT / "examples/cavity/cavity.yaml",
        [f"solver.numerics.cells={CELLS}", "solver.numerics.iterations=20"],
    ).solver
    assert isinstance(settings, OpenFOAMSettings)
    lax = settings.convergence.model_copy(update={"residual": None, "drift": None})
    settings = settings.model_copy(update={"convergence": lax})
    case.mkdir(parents=True)
    sample = Sample.of(dict.fromkeys(settings.parameters, 1.0) | {"reynolds": 100.0}, "benchmark")
    run = CaseRun(settings, case, sample.parameters, find_installation())
    run.prepare()
    run.solve()
    units = dict.fromkeys(settings.quantities, "1") | {"u": "m/s", "v": "m/s", "p": "m2/s2"}
    file = case / "solution.vtkhdf"
    answer = Answer(run, units, steady=True)
    seconds = _timed(lambda: write_solution(file, answer.solution(sample, "benchmark")))
    return seconds, file.stat().st_size / 2**20


if __name__ == "__main__":
    main()
