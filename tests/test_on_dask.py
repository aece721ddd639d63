"""Samples on a real Dask cluster: its workers are processes, and one is killed in mid-sample."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from campaign_examples import solved_attempts
from dask_clusters import cluster, worker_of
from plain_campaigns import start
from prefect import flow
from process_table import processes_of, wait_until

from phases.asked import initial_picks
from phases.campaign import Campaign
from phases.design import design
from phases.label import records_of
from pools.errors import CampaignError
from pools.outcome import Outcome
from pools.record import SampleRecord
from tasks.dask_cluster import opened
from tasks.ended import How
from tasks.label import solve_all
from tasks.on_dask import solve_on_dask

pytestmark = pytest.mark.slow

HOW = How("design", retry_failed=False)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a cluster that outlives its campaigns."""
    with cluster(tmp_path_factory.mktemp("dask")) as found:
        yield found


def asked(directory: Path, cluster: dict[str, Any], seconds: float = 1.0, **more: Any) -> Campaign:
    """Start a campaign whose initial design waits to be solved on a cluster."""
    solver = {"kind": "analytic", "problem": "wave", "seconds": seconds}
    changes = {"solver": solver, "runner": {"kind": "dask", "cluster": cluster}, **more}
    campaign = start(directory / "wave", **changes)
    design(campaign)
    return campaign


def solve_design(campaign: Campaign) -> list[SampleRecord]:
    @flow
    def labelling() -> None:
        solve_all(campaign, 0, initial_picks(campaign), where="design", retry_failed=False)

    labelling()
    return records_of(campaign, initial_picks(campaign))


def with_a_worker_killed(campaign: Campaign) -> list[SampleRecord]:
    """Label the design while a worker is killed that solves one of its samples."""
    samples = campaign.directory / "samples"
    killer = Thread(target=lambda: os.kill(worker_of(samples), signal.SIGKILL))
    killer.start()
    records = solve_design(campaign)
    killer.join()
    return records


def check_one_was_killed(campaign: Campaign, records: list[SampleRecord]) -> None:
    """Check that all is solved, once, that one sample was cut short, and that nothing runs on."""
    assert [record.outcome for record in records] == [Outcome.OK] * 6
    outcomes = [attempt.outcome for record in records for attempt in record.attempts]
    assert outcomes.count(Outcome.INFRASTRUCTURE) == 1
    assert set(solved_attempts(campaign.directory).values()) == {1}
    wait_until(lambda: not processes_of(campaign.directory))


@pytest.mark.usefixtures("prefect_api")
def test_a_sample_whose_worker_is_killed_is_solved_by_another(
    address: str, tmp_path: Path
) -> None:
    campaign = asked(tmp_path, {"kind": "scheduler", "address": address})
    check_one_was_killed(campaign, with_a_worker_killed(campaign))


@pytest.mark.usefixtures("prefect_api")
def test_a_local_cluster_replaces_a_killed_worker_and_tries_its_sample_again(
    tmp_path: Path,
) -> None:
    campaign = asked(tmp_path, {"kind": "local", "workers": 2})
    check_one_was_killed(campaign, with_a_worker_killed(campaign))


@pytest.mark.usefixtures("prefect_api")
def test_an_interrupted_step_ends_its_solves_and_leaves_the_workers(
    address: str, tmp_path: Path
) -> None:
    campaign = asked(tmp_path, {"kind": "scheduler", "address": address}, seconds=600.0)
    picks = [SampleRecord(pick, 0) for pick in initial_picks(campaign)]

    @flow
    def interrupted() -> None:
        with pytest.raises(KeyboardInterrupt):
            interrupt_once_begun(campaign, picks)

    interrupted()
    wait_until(lambda: not processes_of(campaign.directory))
    quick = asked(tmp_path / "quick", {"kind": "scheduler", "address": address}, seconds=0.0)
    assert [record.outcome for record in solve_design(quick)] == [Outcome.OK] * 6


def interrupt_once_begun(campaign: Campaign, asked: list[SampleRecord]) -> None:
    """Label samples, and interrupt this process as Ctrl-C does once one is being solved."""

    def press() -> None:
        worker_of(campaign.directory / "samples")
        os.kill(os.getpid(), signal.SIGINT)

    presser = Thread(target=press)
    presser.start()
    list(solve_on_dask(campaign, asked, HOW))
    presser.join()


def test_workers_that_declare_too_few_cores_are_refused(address: str, tmp_path: Path) -> None:
    command = {"kind": "command", "command": ["true"], "quantities": {"drag": "1"}, "ranks": 2}
    on = {"kind": "dask", "cluster": {"kind": "scheduler", "address": address}}
    campaign = start(tmp_path / "wide", solver=command, runner=on)
    with (
        pytest.raises(CampaignError, match="cores=2, which none of the 2 workers") as refused,
        opened(campaign, 1),
    ):
        pass
    assert f'dask worker {address} --resources "cores=2"' in str(refused.value)


def test_a_scheduler_that_does_not_answer_is_named(tmp_path: Path) -> None:
    campaign = asked(tmp_path, {"kind": "scheduler", "address": "tcp://127.0.0.1:9"})
    with (
        pytest.raises(CampaignError, match="no Dask scheduler answers at tcp:"),
        opened(campaign, 1),
    ):
        pass
