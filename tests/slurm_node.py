"""A Slurm of one node, this machine: munged, slurmctld and slurmd as plain processes."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "sinfo")


def missing() -> list[str]:
    """Return which of Slurm's programs are not installed here."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    return [name for name in DAEMONS if shutil.which(name, path=path) is None]


@contextmanager
def slurm(directory: Path, cores: int = 2) -> Iterator[dict[str, str]]:
    """Run Slurm in a directory, and yield the environment variables by which it is found."""
    configuration = _configure(directory, cores)
    with ExitStack() as stack:
        stack.callback(_end_by_file, directory / "munged.pid")
        subprocess.run(_munged(directory), check=True)
        environment = {"SLURM_CONF": str(configuration)}
        for daemon in ("slurmctld", "slurmd"):
            stack.enter_context(_daemon([f"/usr/sbin/{daemon}", "-D"], directory, environment))
        _wait_until_idle(environment, directory)
        yield environment


def said_by(command: list[str], environment: dict[str, str]) -> str:
    """Return what a command of Slurm prints, on either stream."""
    ended = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    return (ended.stdout + ended.stderr).strip()


def _configure(directory: Path, cores: int) -> Path:
    for name in ("state", "spool"):
        (directory / name).mkdir()
    controller, node = _free_port(), _free_port()
    host, user = socket.gethostname().partition(".")[0], pwd.getpwuid(os.geteuid()).pw_name
    file = directory / "slurm.conf"
    file.write_text(
        f"ClusterName=solverloop\nSlurmctldHost={host}(127.0.0.1)\n"
        f"SlurmUser={user}\nSlurmdUser={user}\n"
        f"SlurmctldPort={controller}\nSlurmdPort={node}\n"
        f"AuthType=auth/munge\nAuthInfo=socket={directory}/munge.socket\nCredType=cred/munge\n"
        f"StateSaveLocation={directory}/state\nSlurmdSpoolDir={directory}/spool\n"
        f"SlurmctldPidFile={directory}/slurmctld.pid\nSlurmdPidFile={directory}/slurmd.pid\n"
        "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nMpiDefault=none\n"
        "SelectType=select/cons_tres\nSelectTypeParameters=CR_Core_Memory\n"
        "SchedulerParameters=sched_interval=1\nKillWait=2\nReturnToService=2\n"
        f"NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=4096\n"
        f"PartitionName=solve Nodes={host} Default=YES MaxTime=1:00:00 State=UP\n"
    )
    return file


def _munged(directory: Path) -> list[str]:
    key = directory / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    files = {"key-file": key, "socket": directory / "munge.socket"}
    files |= {f"{kind}-file": directory / f"munged.{kind}" for kind in ("pid", "log", "seed")}
    return ["/usr/sbin/munged", "--force", *(f"--{name}={file}" for name, file in files.items())]


@contextmanager
def _daemon(command: list[str], directory: Path, environment: dict[str, str]) -> Iterator[None]:
    log = directory / f"{Path(command[0]).name}.log"
    with log.open("wb") as output:
        started = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **environment}
        )
    try:
        yield
    finally:
        started.terminate()
        started.wait(30)


def _end_by_file(file: Path) -> None:
    if file.exists():
        os.kill(int(file.read_text()), 15)


def _wait_until_idle(environment: dict[str, str], directory: Path) -> None:
    """Wait until the node takes jobs."""
    deadline = time.monotonic() + 60
    while (said := said_by(["sinfo", "--noheader", "--format=%T"], environment)) != "idle":
        logs = "".join(log.read_text() for log in directory.glob("*.log"))
        assert time.monotonic() < deadline, f"Slurm is {said}:\n{logs}"
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
