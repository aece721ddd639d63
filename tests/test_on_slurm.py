"""Samples as jobs of a real Slurm of one node: OpenFOAM on two MPI ranks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openfoam_cases import cavity
from plain_campaigns import start
from prefect import flow
from process_table import processes_of, wait_until
from slurm_node import said_by, slurm

from phases.asked import initial_picks
from phases.campaign import Campaign
from phases.design import design
from phases.label import records_of
from pools.errors import CampaignError
from pools.outcome import Outcome
from pools.vtkhdf import read_solution
from tasks.dask_cluster import opened
from tasks.label import solve_all

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

JOB = {"kind": "slurm", "cores": 2, "memory_gib": 2, "walltime": "00:10:00", "queue": "solve"}


@pytest.fixture(scope="module")
def found_by(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run Slurm, and return the environment by which its commands find it."""
    with slurm(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


@pytest.fixture(autouse=True)
def _is_found(found_by: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**found_by, "PYTHONPATH": ".:tests"}.items():
        monkeypatch.setenv(name, value)


def cavities(directory: Path, **job: Any) -> Campaign:
    """Start a campaign of cavities on two ranks each, solved by jobs of Slurm."""
    settings = cavity(cells=21).model_copy(update={"ranks": 2})  # see test_openfoam_mpi
    campaign = start(
        directory / "cavity",
        parameters={"reynolds": {"low": 50, "high": 150}, "aspect": {"low": 0.9, "high": 1.1}},
        solver=settings.model_dump(mode="json"),
        initial_samples=2,
        runner={"kind": "dask", "cluster": {**JOB, **job}},
    )
    design(campaign)
    return campaign


@pytest.mark.openfoam
@pytest.mark.usefixtures("prefect_api")
def test_samples_of_two_ranks_are_solved_by_a_job_of_slurm(
    tmp_path: Path, found_by: dict[str, str]
) -> None:
    campaign = cavities(tmp_path)
    picks = initial_picks(campaign)

    @flow
    def labelling() -> None:
        solve_all(campaign, 0, picks, where="design", retry_failed=False)

    labelling()
    records = records_of(campaign, picks)
    assert [record.outcome for record in records] == [Outcome.OK] * 2
    for record in records:
        place = campaign.sample_directory(record.pick.sample.id)
        assert read_solution(place.solution).provenance["ranks"] == 2
        assert len(list((place.path / "attempt-01").rglob("processor1"))) == 1
    [log] = (campaign.directory / "jobs").glob("dask-worker-*.err")
    assert "Start worker" in log.read_text(), "they were solved in the job"
    wait_until(lambda: said_by(["squeue", "--noheader"], found_by) == "")
    wait_until(lambda: not processes_of(campaign.directory))


@pytest.mark.openfoam
def test_what_slurm_says_of_a_job_that_it_refuses_is_passed_on(tmp_path: Path) -> None:
    campaign = cavities(tmp_path, queue="nowhere")
    with (
        pytest.raises(CampaignError, match="slurm did not take the jobs") as refused,
        opened(campaign, 2),
    ):
        pass
    assert "invalid partition specified: nowhere" in str(refused.value)
    assert "#SBATCH -p nowhere" in str(refused.value)
