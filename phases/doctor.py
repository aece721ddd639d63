"""Whether a campaign can be run here: what can be known to be wrong, and one sample for real."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phases.config import CampaignConfig
from phases.point import in_words
from phases.preflight import check_queries, check_runner, solver_problems
from phases.runner_settings import ThreadsSettings
from phases.slots import cores_here, ranks
from phases.telling import telling_lines
from pools.errors import SolverError, UsageError
from pools.pick import Pick
from pools.record import SampleRecord
from pools.sample import Sample
from solvers.build import build
from solvers.label import label_one
from solvers.preflight import remarks
from solvers.workers import SolverWorkers

_GIB = 1 << 30
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at.

    Attributes:
        what: what was looked at.
        is_well: whether the campaign can be run so.
        words: what was found, and the way out where it is not well.
        is_remark: whether a person should look at it, though it need not be wrong.
    """

    what: str
    is_well: bool
    words: str
    is_remark: bool = False


def examine(config: CampaignConfig) -> Iterator[Diagnosis]:
    """Yield a diagnosis after the other; a sample is solved where the solver is well."""
    yield _queries(config)
    found = solver_problems(config)
    yield from (Diagnosis("solver", is_well=False, words=problem) for problem in found)
    if found:
        return
    yield Diagnosis("solver", is_well=True, words=build(config.solver).fingerprint)
    for remark in remarks(config.solver):
        yield Diagnosis("solver", is_well=True, words=remark, is_remark=True)
    yield _cores(config)
    directory = Path(tempfile.mkdtemp(prefix=f"solverloop-doctor-{config.name}-"))
    dry, seconds = _dry_case(config, directory / "sample")
    yield dry
    if dry.is_well:
        yield _effort(config, seconds)
        yield _disk(config, directory)
        shutil.rmtree(directory)


def _queries(config: CampaignConfig) -> Diagnosis:
    """Look whether every query can be made."""
    try:
        check_queries(config)
    except UsageError as error:
        return Diagnosis("query", is_well=False, words=str(error))
    return Diagnosis("query", is_well=True, words=", ".join(each.kind for each in config.query))


def _cores(config: CampaignConfig) -> Diagnosis:
    """Look whether the solves that run at once have a core each."""
    try:
        check_runner(config)
    except UsageError as error:
        return Diagnosis("cores", is_well=False, words=str(error))
    if not isinstance(config.runner, ThreadsSettings):
        return Diagnosis("cores", is_well=True, words=f"each sample takes {ranks(config)}")
    workers, cores = config.label.workers, cores_here()
    words = f"{workers} workers of {ranks(config)} ranks on {cores} cores"
    return Diagnosis("cores", is_well=True, words=words, is_remark=workers > cores)


def _dry_case(config: CampaignConfig, directory: Path) -> tuple[Diagnosis, float]:
    """Label the middle of the parameters, and return what came of it and its seconds."""
    space, solver = config.parameters, build(config.solver)
    middle = config.domain.nearest(np.full((1, space.d), 0.5))
    [sample] = Sample.of_rows(middle, space.names, solver.fingerprint)
    at = in_words(config, sample.parameters)
    record = SampleRecord(Pick(sample, "doctor"), step=0)
    try:
        with SolverWorkers(config.solver, 1) as workers:
            record = label_one(record, directory, workers, config.label)
    except SolverError as error:
        lines = [f"at {at}: {error}", *(f"  | {line}" for line in telling_lines(error.log_tail))]
        words = "\n".join(lines)
        return Diagnosis("one sample", is_well=False, words=words), 0.0
    last = record.attempts[-1]
    how = f" with the rung {last.rung!r}" if last.rung else ""
    grade = f", {last.grade}" if last.grade else ""
    words = f"at {at}: solved in {record.seconds:.1f} s{how}{grade}"
    return Diagnosis("one sample", is_well=True, words=words), record.seconds


def _effort(config: CampaignConfig, seconds: float) -> Diagnosis:
    samples = _samples(config)
    minutes = samples * seconds / config.label.workers / _MINUTE
    words = f"up to {samples} samples: about {minutes:.0f} min of {config.label.workers} workers"
    return Diagnosis("effort", is_well=True, words=words)


def _disk(config: CampaignConfig, directory: Path) -> Diagnosis:
    """Compare what all samples would need with what is free in the working directory."""
    each = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())
    needed, free = each * _samples(config) / _GIB, shutil.disk_usage(Path.cwd()).free / _GIB
    words = f"all samples need about {needed:.2g} GiB, {free:.3g} GiB are free here"
    if needed < free:
        return Diagnosis("disk", is_well=True, words=words)
    return Diagnosis("disk", is_well=False, words=f"{words}; set label.keep to failed or solution")


def _samples(config: CampaignConfig) -> int:
    """Return how many samples the campaign asks for at most."""
    steps = config.stopping.max_steps * config.samples_per_step
    return sum(config.initial_counts.values()) + config.test_samples + steps
