"""The scripts that batch systems get, without a batch system."""

import signal
from pathlib import Path
from typing import Any

import pytest
from distributed import SpecCluster

from phases.cluster_settings import BatchSettings
from tasks.dask_cluster import batch_cluster
from tasks.dask_security import key_below

JOB: dict[str, Any] = {
    "cores": 8,
    "memory_gib": 15.5,
    "walltime": "02:00:00",
    "queue": "long",
    "account": "cfd",
    "prologue": ["source /opt/openfoam/etc/bashrc"],
}


def script(directory: Path, **changes: Any) -> str:
    """Return the script of a job that solves two samples at once."""
    settings = BatchSettings.model_validate({**JOB, **changes})
    with key_below(directory) as security:
        cluster: SpecCluster = batch_cluster(settings, 2, directory, security)
        try:
            return str(cluster.job_script())
        finally:
            cluster.close()


def test_a_job_of_slurm_has_its_cores_on_one_node_with_a_slot_of_mpi_each(tmp_path: Path) -> None:
    lines = script(tmp_path, kind="slurm", directives=["--constraint=fast"]).splitlines()
    asked = [line.removeprefix("#SBATCH ") for line in lines if line.startswith("#SBATCH")]
    layout = ["-p long", "-A cfd", "--mem=16G", "-t 02:00:00", "-N 1", "-n 8"]
    assert [line for line in asked if not line.startswith(("-J", "-e", "-o"))] == [
        *layout,
        "--constraint=fast",
    ]
    *_, prologue, worker = [line for line in lines if line]
    assert prologue == "source /opt/openfoam/etc/bashrc"
    assert "--nthreads 2" in worker
    assert "--resources 'cores=8 memory_gib=15.5'" in worker


def test_a_job_of_pbs_has_its_cores_in_one_chunk_with_a_slot_of_mpi_each(tmp_path: Path) -> None:
    lines = script(tmp_path, kind="pbs", directives=["-m n"]).splitlines()
    assert "#PBS -l select=1:ncpus=8:mpiprocs=8:mem=15872mb" in lines
    assert {"#PBS -q long", "#PBS -A cfd", "#PBS -l walltime=02:00:00", "#PBS -m n"} <= set(lines)


def test_the_key_of_a_cluster_is_its_owners_alone_and_goes_with_it(tmp_path: Path) -> None:
    with key_below(tmp_path) as security:
        assert security.require_encryption
        [private] = tmp_path.iterdir()
        assert private.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


def test_a_batch_cluster_leaves_the_answer_to_ctrl_c_as_it_was(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    script(tmp_path, kind="slurm")
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("kind", ["slurm", "pbs"])
def test_the_address_of_a_batch_cluster_is_encrypted(tmp_path: Path, kind: str) -> None:
    assert "dask_worker tls://" in script(tmp_path, kind=kind)
