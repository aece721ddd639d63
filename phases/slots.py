"""How many samples have room at once: ranks never outnumber cores, nor does memory run short."""

import os
from collections.abc import Iterator
from math import floor, inf

from phases.cluster_settings import BatchSettings, LocalClusterSettings
from phases.config import CampaignConfig
from phases.runner_settings import DaskSettings, ThreadsSettings
from solvers.changes import changed
from solvers.command_settings import CommandSettings
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.settings import SolverSettings


def cores_here() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def ranks(config: CampaignConfig) -> int:
    """Return the most MPI ranks that a solve has, as declared or on any rung of recovery."""
    rungs = [changed(config.solver, rung.set) for rung in config.label.recovery]
    return max(_ranks_of(solver) for solver in [config.solver, *rungs])


def needs(config: CampaignConfig) -> dict[str, float]:
    """Return what a sample takes of a machine: `cores`, and `memory_gib` where it is limited."""
    memory = config.label.memory_gib
    limit = {} if memory is None else {"memory_gib": memory * ranks(config)}
    return {"cores": ranks(config), **limit}


def room(config: CampaignConfig, cores: int, memory_gib: float = inf) -> int:
    """Return how many samples may be solved at once on so many cores, in so much memory."""
    given = {"cores": cores, "memory_gib": memory_gib}
    return floor(min(given[name] / wanted for name, wanted in needs(config).items()))


def slot_problems(config: CampaignConfig, cores: int) -> list[str]:
    """Return why the samples have no room where the campaign's `runner` solves them, in words.

    Samples of one rank may outnumber the cores, which only slows them; ranks may not: they wait
    for each other, and a solve on too few cores takes many times as long.

    Args:
        config: the campaign.
        cores: of this machine.
    """
    match config.runner:
        case ThreadsSettings(oversubscribe=False):
            return list(_here(config, "label.workers", config.label.workers, cores, "runner"))
        case DaskSettings(cluster=LocalClusterSettings(oversubscribe=False) as local):
            name, where = "runner.cluster.workers", "runner.cluster"
            return list(_here(config, name, local.workers, cores, where))
        case DaskSettings(cluster=BatchSettings() as batch):
            return list(_in_job(config, batch))
        case _:
            return []


def _ranks_of(solver: SolverSettings) -> int:
    return solver.ranks if isinstance(solver, OpenFOAMSettings | CommandSettings) else 1


def _here(config: CampaignConfig, name: str, count: int, cores: int, where: str) -> Iterator[str]:
    each = ranks(config)
    if each > 1 and count * each > cores:
        fitting = cores // each
        lower = f"set {name} to {fitting} or less" if fitting else f"lower solver.ranks to {cores}"
        yield (
            f"{name} is {count} and each sample runs on {each} ranks: {count * each} ranks on "
            f"{cores} cores, which would wait for each other; {lower}, or allow it with "
            f"{where}.oversubscribe: true"
        )


def _in_job(config: CampaignConfig, batch: BatchSettings) -> Iterator[str]:
    if room(config, batch.cores, batch.memory_gib) < 1:
        wanted = ", ".join(f"{name} {value:g}" for name, value in needs(config).items())
        yield (
            f"runner.cluster: a job has cores {batch.cores}, memory_gib {batch.memory_gib:g}, but "
            f"a sample takes {wanted}; ask for larger jobs, or lower solver.ranks or "
            "label.memory_gib"
        )
