"""Whoever is killed, nothing of a solve is left: commands, scripts, ranks of MPI."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from process_table import children_of, programs_in, wait_until
from solve_callers import (
    RECORD,
    awkward,
    guard_of,
    kill,
    solve_of,
    start_caller,
    supervisor_of,
)

from pools.outcome import Outcome
from solvers.label import label_one
from solvers.lease import Lease
from solvers.policy import LabelPolicy
from solvers.processes import ATTEMPT, Processes
from solvers.workers import SolverWorkers

pytestmark = pytest.mark.slow

RANKS = """
import ctypes, time
mpi = ctypes.CDLL("libmpi.so.40", ctypes.RTLD_GLOBAL)
mpi.MPI_Init(None, None)
world = ctypes.byref(ctypes.c_char.in_dll(mpi, "ompi_mpi_comm_world"))
while True:
    mpi.MPI_Barrier(world)
    open(__file__ + ".met", "a").close()
    time.sleep(0.01)
"""
MPIRUN = f"mpirun --allow-run-as-root --oversubscribe -np 2 {sys.executable} {{0}}/ranks.py"
Caller = subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with programs that nobody else runs."""
    directory = tmp_path_factory.mktemp("programs")
    sleeping = shutil.which("sleep")
    assert sleeping is not None
    shutil.copy(sleeping, directory / "sleep")
    (directory / "ranks.py").write_text(RANKS)
    return directory


@dataclass(frozen=True)
class Tree:
    """What a solver starts: how, by which words, and how many processes of ours that are."""

    kind: str
    does: str
    count: int


TREES = {
    "a command": Tree("runs", "{0}/sleep 1000", 1),
    "a script": Tree("scripts", "{0}/sleep 1000 & sh -c '{0}/sleep 1000; :'", 2),
    "other sessions": Tree("scripts", "setsid {0}/sleep 1000 & setsid -w {0}/sleep 1000", 2),
    "ranks": Tree("runs", MPIRUN, 2),
    "a script with ranks": Tree("scripts", MPIRUN + "; :", 2),
}
VICTIMS: dict[str, Callable[[Caller], list[int]]] = {
    "the command": lambda caller: children_of(solve_of(caller))[:1],
    "the solve": lambda caller: [solve_of(caller)],
    "the supervisor": lambda caller: [supervisor_of(caller)],
    "the caller": lambda caller: [caller.pid],
    "the guard and the supervisor": lambda caller: [guard_of(caller), supervisor_of(caller)],
    "the supervisor and the caller": lambda caller: [caller.pid, supervisor_of(caller)],
}


def command_of(tree: Tree, programs: Path) -> str:
    if "mpirun" in tree.does and not shutil.which("mpirun"):
        pytest.skip("there is no mpirun here")
    return tree.does.format(programs)


def started(tree: Tree, programs: Path, directory: Path) -> Caller:
    """Return a caller whose solver has started all it starts."""
    met = programs / "ranks.py.met"
    met.unlink(missing_ok=True)
    caller = start_caller(directory, tree.kind, command_of(tree, programs))
    wait_until(lambda: len(programs_in(programs)) == tree.count)
    wait_until(lambda: "ranks" not in tree.does or met.exists())
    return caller


def assert_nothing_is_left(programs: Path, directory: Path) -> None:
    lease = Lease.read(directory / "attempt-01")
    assert lease is not None
    marked = Processes(lease.token, mark=ATTEMPT)
    wait_until(
        lambda: not programs_in(programs) and not marked.find() and not lease.is_held, seconds=5
    )


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("tree", TREES)
def test_nothing_is_left(tree: str, victim: str, programs: Path, tmp_path: Path) -> None:
    caller = started(TREES[tree], programs, tmp_path / "s")
    kill(*VICTIMS[victim](caller))
    assert_nothing_is_left(programs, tmp_path / "s")
    assert caller.wait(timeout=10) != 0
    with SolverWorkers(awkward()) as workers:  # it is solved, or known to have failed
        record = label_one(
            RECORD, tmp_path / "s", workers, LabelPolicy(), retry_failed=victim == "the command"
        )
    assert record.outcome is Outcome.OK
    assert len(record.attempts) == 2


@pytest.mark.parametrize("rank", [0, 1])
def test_the_death_of_a_rank_ends_the_others(rank: int, programs: Path, tmp_path: Path) -> None:
    caller = started(TREES["ranks"], programs, tmp_path / "s")
    kill(programs_in(programs)[rank])
    assert_nothing_is_left(programs, tmp_path / "s")
    assert caller.wait(timeout=10) != 0


@pytest.mark.parametrize("tree", ["a command", "ranks"])
def test_a_command_dies_even_without_the_guard(tree: str, programs: Path, tmp_path: Path) -> None:
    """All that watches is killed at once; the kernel tells the solve, and that its command."""
    caller = started(TREES[tree], programs, tmp_path / "s")
    kill(caller.pid, supervisor_of(caller), guard_of(caller))
    assert_nothing_is_left(programs, tmp_path / "s")
    caller.wait()


@pytest.mark.parametrize("tree", TREES)
def test_nothing_is_left_at_a_deadline(tree: str, programs: Path, tmp_path: Path) -> None:
    policy = LabelPolicy(timeout_seconds=2, grace_seconds=1)
    settings = awkward(kind=TREES[tree].kind, does=command_of(TREES[tree], programs))
    with SolverWorkers(settings) as workers, pytest.raises(Exception, match="deadline"):
        label_one(RECORD, tmp_path / "s", workers, policy)
    assert not programs_in(programs)
