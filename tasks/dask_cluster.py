"""A Dask cluster for a campaign's samples, as its `runner.cluster` says."""

import logging
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import dask
from distributed import Client, LocalCluster, Security, SpecCluster, Status

from phases.campaign import Campaign
from phases.cluster_settings import BatchSettings, LocalClusterSettings, SchedulerSettings
from phases.progress import LOGGER
from phases.runner_settings import DaskSettings
from phases.slots import needs, room
from pools.errors import CampaignError
from tasks.dask_security import key_below

_SCHEDULER = {
    "allowed_failures": 0,  # a lost worker fails its sample, which `label.retries` counts
    "dashboard": False,
    "dashboard_address": "127.0.0.1:0",  # it listens there in any case
}
_UNKNOWN = "1h"  # what a sample is expected to take until one has been solved: a job each
_PATIENCE = 30  # seconds, or looks of one second, before a job without samples is given back
_SECONDS_TO_CONNECT = 10


@dataclass(frozen=True, slots=True)
class OpenCluster:
    """A cluster that samples can be handed to.

    Attributes:
        client: to its scheduler.
        at_once: how many samples to hand over at once.
    """

    client: Client
    at_once: int


@contextmanager
def opened(campaign: Campaign, samples: int) -> Iterator[OpenCluster]:
    """Open the campaign's cluster for so many samples; what was started for it ends with it.

    Raises:
        CampaignError: there is no scheduler there, its workers have not enough, or the batch
            system refuses the jobs.
    """
    runner = campaign.config.runner
    assert isinstance(runner, DaskSettings)
    match runner.cluster:
        case LocalClusterSettings() as local:
            opening = _local(campaign, min(local.workers, samples))
        case SchedulerSettings() as scheduler:
            opening = _existing(campaign, scheduler)
        case BatchSettings() as batch:
            opening = _jobs(campaign, batch, samples)
    with opening as cluster:
        yield cluster


def asked_of_worker(needed: Mapping[str, float]) -> dict[str, float]:
    """Return the resources that a worker must declare; a thread of it counts as one core."""
    return {name: value for name, value in needed.items() if (name, value) != ("cores", 1)}


@contextmanager
def _local(campaign: Campaign, workers: int) -> Iterator[OpenCluster]:
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            security=Security.temporary(),
            dashboard_address=None,
            silence_logs=logging.ERROR,  # a lost worker is told of with its sample
            scheduler_kwargs=_SCHEDULER,
            resources=needs(campaign.config),
            memory_limit=None,  # the solvers' memory is not the worker's
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield OpenCluster(client, workers)


@contextmanager
def _existing(campaign: Campaign, settings: SchedulerSettings) -> Iterator[OpenCluster]:
    try:
        client = Client(settings.address, set_as_default=False, timeout=_SECONDS_TO_CONNECT)
    except OSError as error:
        raise CampaignError(
            f"no Dask scheduler answers at {settings.address} ({error}); start one with `dask "
            "scheduler`, or correct runner.cluster.address"
        ) from error
    with client:
        _check_workers(client, asked_of_worker(needs(campaign.config)), settings.address)
        yield OpenCluster(client, settings.at_once)


def _check_workers(client: Client, asked: Mapping[str, float], address: str) -> None:
    """Look whether a worker has what a sample takes, which would else wait for ever."""
    words = " ".join(f"{name}={value:g}" for name, value in asked.items())
    start = f"dask worker {address}" + (f' --resources "{words}"' if words else "")
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    if not workers:
        text = "the Dask scheduler at %s has no workers yet; start some with `%s`"
        logging.getLogger(LOGGER).warning(text, address, start)
    elif not any(_has(worker["resources"], asked) for worker in workers):
        raise CampaignError(
            f"a sample takes {words}, which none of the {len(workers)} workers of {address} "
            f"declares; start them with what they have, at least `{start}`"
        )


def _has(given: Mapping[str, float], asked: Mapping[str, float]) -> bool:
    return all(given.get(name, 0) >= value for name, value in asked.items())


@contextmanager
def _jobs(campaign: Campaign, settings: BatchSettings, samples: int) -> Iterator[OpenCluster]:
    each = room(campaign.config, settings.cores, settings.memory_gib)
    count = min(settings.jobs.most, ceil(samples / each))
    logs = campaign.directory / "jobs"
    logs.mkdir(exist_ok=True)
    with (
        dask.config.set({"distributed.scheduler.unknown-task-duration": _UNKNOWN}),
        key_below(logs) as security,
        batch_cluster(settings, each, logs, security) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        _submit(cluster, max(count, settings.jobs.least), settings.kind)
        cluster.adapt(
            minimum=settings.jobs.least,
            maximum=max(count, settings.jobs.least),
            interval="1s",
            wait_count=_PATIENCE,
        )
        yield OpenCluster(client, count * each)


def batch_cluster(
    settings: BatchSettings, threads: int, logs: Path, security: Security
) -> SpecCluster:
    """Return a cluster without jobs yet.

    Args:
        settings: what a job is.
        threads: how many samples a job solves at once.
        logs: where the jobs' own output goes.
        security: whose files every node sees.
    """
    resources = f"cores={settings.cores} memory_gib={settings.memory_gib:g}"
    return _batch_systems()[settings.kind](
        queue=settings.queue,
        account=settings.account,
        walltime=settings.walltime,
        cores=threads,
        processes=1,
        memory=f"{settings.memory_gib} GiB",
        interface=settings.interface,
        job_script_prologue=list(settings.prologue),
        worker_extra_args=["--resources", shlex.quote(resources), "--no-dashboard"],
        log_directory=shlex.quote(str(logs)),
        python=shlex.quote(sys.executable),
        security=security,
        scheduler_options=_SCHEDULER,
        **_layout(settings),
    )


def _batch_systems() -> Mapping[str, Callable[..., SpecCluster]]:
    """Import dask-jobqueue, and put back the answers to Ctrl-C and TERM that it takes over."""
    answers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    from dask_jobqueue import PBSCluster, SLURMCluster  # only here: it ends the process on Ctrl-C

    for number, answer in answers.items():
        signal.signal(number, answer)
    return {"slurm": SLURMCluster, "pbs": PBSCluster}


def _layout(settings: BatchSettings) -> dict[str, Any]:
    """Return how a job is laid out: all cores on one node, and a slot of MPI for each."""
    if settings.kind == "pbs":
        memory = ceil(settings.memory_gib * 1024)
        spec = f"select=1:ncpus={settings.cores}:mpiprocs={settings.cores}:mem={memory}mb"
        return {"resource_spec": spec, "job_extra_directives": list(settings.directives)}
    ours = ["-N 1", f"-n {settings.cores}"]
    return {
        "job_directives_skip": ["-n 1", "--cpus-per-task="],
        "job_extra_directives": [*ours, *settings.directives],
    }


def _submit(cluster: SpecCluster, count: int, kind: str) -> None:
    """Submit the first jobs, and wait for what the batch system says of them."""

    async def submitted() -> None:
        cluster.scale(jobs=count)
        await cluster

    try:
        cluster.sync(submitted)
    except (RuntimeError, ValueError, OSError) as error:
        for job in cluster.workers.values():
            job.status = Status.failed  # else its end is waited for
        raise CampaignError(
            f"{kind} did not take the jobs of runner.cluster: {error}\nthe job's script was\n"
            f"{cluster.job_script()}\ncorrect runner.cluster, or solve on this machine with "
            "--set runner.kind=threads"
        ) from error
