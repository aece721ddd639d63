"""Real runs that are made to fail: each ends in the right outcome, with its reason in words."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from openfoam_cases import NUMERICS, cavity, cavity_copy, cavity_with, replace_in
from process_table import wait_until

from pools.errors import SolverError
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import Attempt, SampleDirectory, SampleRecord
from pools.sample import Sample
from solvers.label import ByHand, label_one
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.policy import LabelPolicy
from solvers.workers import SolverWorkers

pytestmark = [pytest.mark.slow, pytest.mark.openfoam]

QUICK: dict[str, Any] = {"timeout_seconds": 60, "grace_seconds": 1}
RECORD = SampleRecord(Pick(Sample.of({"reynolds": 100.0, "aspect": 1.0}, "cavity"), "test"), 0)
HOT = SampleRecord(Pick(Sample.of({"reynolds": 1e6, "aspect": 1.0}, "cavity"), "test"), 0)


def failed(
    settings: OpenFOAMSettings, directory: Path, record: SampleRecord = RECORD, **policy: Any
) -> Attempt:
    """Label a sample that must fail, and return its last attempt as it is on disk."""
    with (
        SolverWorkers(settings, 1) as workers,
        pytest.raises(SolverError) as caught,
    ):
        label_one(record, directory, workers, LabelPolicy.model_validate(QUICK | policy))
    known = SampleDirectory(directory).read()
    assert known is not None
    last = known.attempts[-1]
    assert last.outcome is caught.value.outcome
    assert last.reason == caught.value.reason
    assert (directory / last.directory / "system" / "controlDict").exists(), "the evidence stays"
    return last


@dataclass(frozen=True)
class Spoilt:
    """A template that is spoilt, and what must come of it."""

    spoil: Callable[[Path], None]
    outcome: Outcome
    words: str
    changes: dict[str, Any] = field(default_factory=dict)
    record: SampleRecord = RECORD


def _turn_block(template: Path) -> None:
    replace_in(template / "system/blockMeshDict", "(0 1 2 3 4 5 6 7)", "(4 5 6 7 0 1 2 3)")


def _cross_block(template: Path) -> None:
    replace_in(template / "system/blockMeshDict", "(1 $aspect 0)\n", "(-1 -1 0)\n")


def _rename_patch(template: Path) -> None:
    replace_in(template / "system/blockMeshDict", "    lid\n", "    top\n")


def _break_dictionary(template: Path) -> None:
    replace_in(template / "system/fvSchemes", "divSchemes", "divShemes")


def _stop_lid(template: Path) -> None:
    replace_in(template / "0/U", "(1 0 0)", "(0 0 0)")


def _write_nothing(template: Path) -> None:
    replace_in(
        template / "system/controlDict", "writeInterval   $iterations", "writeInterval 9999"
    )


def _forget_library(template: Path) -> None:
    replace_in(template / "system/controlDict", '"libfieldFunctionObjects.so"', '"libNoSuch.so"')


def _script(template: Path, text: str) -> None:
    (template / "Allrun").write_text(f"#!/bin/sh\n{text}\n")
    (template / "Allrun").chmod(0o755)


def _untrapped(template: Path) -> None:
    _script(template, "blockMesh && FOAM_SIGFPE=false simpleFoam")


def _lies(template: Path) -> None:
    _script(template, "blockMesh; simpleFoam | head -n 60; exit 0")


def _nothing(template: Path) -> None:
    assert template.exists()


SPOILT = {
    "inside out": Spoilt(_turn_block, Outcome.MESH, "blockMesh"),
    "crossed": Spoilt(_cross_block, Outcome.MESH, "Mesh"),
    "missing patch": Spoilt(_rename_patch, Outcome.BAD_OUTPUT, "Cannot find patchField entry"),
    "dictionary": Spoilt(_break_dictionary, Outcome.BAD_OUTPUT, "divSchemes"),
    "nothing moves": Spoilt(_stop_lid, Outcome.NOT_CONVERGED, "forgotten"),
    "nothing written": Spoilt(
        _write_nothing,
        Outcome.BAD_OUTPUT,
        "writeInterval",
        {"numerics": NUMERICS | {"iterations": 50}},
    ),
    "no library": Spoilt(_forget_library, Outcome.BAD_OUTPUT, "verticalCentreline wrote nothing"),
    "floating point": Spoilt(_nothing, Outcome.DIVERGED, "sigFpe", record=HOT),
    "not a number": Spoilt(
        _untrapped, Outcome.DIVERGED, "not finite", {"commands": ["./Allrun"]}, HOT
    ),
    "no end": Spoilt(_lies, Outcome.BAD_OUTPUT, "no end", {"commands": ["./Allrun"]}),
    "bounds": Spoilt(
        _nothing,
        Outcome.DIVERGED,
        "beyond convergence.bounds",
        {"convergence": {"bounds": {"U": 0.5}}},
    ),
    "dimension set": Spoilt(
        _nothing,
        Outcome.BAD_OUTPUT,
        "the field p is in m2/s2, but p is declared in Pa",
        {"fields": {"p": {"field": "p", "unit": "Pa"}}},
    ),
    "field": Spoilt(
        _nothing,
        Outcome.BAD_OUTPUT,
        "the field T of time",
        {"fields": {"t": {"field": "T", "unit": "K"}}},
    ),
    "entry": Spoilt(
        _nothing,
        Outcome.BAD_OUTPUT,
        "no entry nuu",
        {"entries": {"constant/transportProperties": {"nuu": "nu"}}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_what_goes_wrong_is_told_apart(tmp_path: Path, name: str) -> None:
    spoilt = SPOILT[name]
    template = cavity_copy(tmp_path)
    spoilt.spoil(template)
    settings = cavity_with(spoilt.changes, template)
    last = failed(settings, tmp_path / "s", spoilt.record)
    assert last.outcome is spoilt.outcome, last.reason
    assert spoilt.words in last.reason


def test_without_convergence_the_exit_code_is_0_and_the_outcome_is_not(tmp_path: Path) -> None:
    last = failed(cavity(iterations=15), tmp_path / "s")
    assert last.outcome is Outcome.NOT_CONVERGED
    assert "the initial residual of U is" in last.reason
    assert last.grade == "rejected"
    assert [run["exit_code"] for run in last.evidence["commands"]] == [0, 0, 0]


def test_a_marginal_answer_is_let_in_where_the_campaign_says_so(tmp_path: Path) -> None:
    strict = {"residual": 3e-7, "accept": "converged"}
    refused = failed(cavity_with({"convergence": strict}), tmp_path / "refused")
    assert refused.grade == "marginal"
    lax = cavity_with({"convergence": strict | {"accept": "marginal"}})
    policy = LabelPolicy.model_validate(QUICK)
    with SolverWorkers(lax, 1) as workers:
        record = label_one(RECORD, tmp_path / "accepted", workers, policy)
    assert record.outcome is Outcome.OK
    assert record.attempts[-1].grade == "marginal"
    assert "asked for is 3e-07" in record.attempts[-1].reason


def test_an_answer_that_only_a_looser_gate_lets_in_says_so(tmp_path: Path) -> None:
    strict = cavity_with({"convergence": {"residual": 3e-7}})
    policy = LabelPolicy.model_validate(QUICK)
    by_hand = ByHand({"convergence.residual": 1e-5})
    with SolverWorkers(strict, 1) as workers:
        record = label_one(RECORD, tmp_path, workers, policy, retry_failed=True, by_hand=by_hand)
    assert record.outcome is Outcome.OK
    assert record.attempts[-1].reason == (
        "with a looser gate than the others: convergence.residual=1e-05 (declared 3e-07)"
    )


def test_a_deadline_ends_the_run(tmp_path: Path) -> None:
    last = failed(cavity(cells=80, residual=1e-20), tmp_path / "s", timeout_seconds=1.5)
    assert last.outcome is Outcome.TIMEOUT


def test_a_solver_that_hangs_is_noticed_by_its_silent_log(tmp_path: Path) -> None:
    settings = cavity_with({"heartbeat_seconds": 1.5}, cells=80, residual=1e-20)
    with _signalled(tmp_path / "s", "simpleFoam", signal.SIGSTOP):
        last = failed(settings, tmp_path / "s")
    assert last.outcome is Outcome.TIMEOUT
    assert "stood still" in last.reason


def test_a_killed_solver_is_a_fault_of_the_machine(tmp_path: Path) -> None:
    settings = cavity(cells=80, residual=1e-20)
    with _signalled(tmp_path / "s", "simpleFoam", signal.SIGKILL):
        last = failed(settings, tmp_path / "s")
    assert last.outcome is Outcome.INFRASTRUCTURE
    assert "SIGKILL" in last.reason


def test_want_of_memory_is_told_from_a_crash(tmp_path: Path) -> None:
    last = failed(cavity(cells=1500), tmp_path / "s", memory_gib=0.5)
    assert last.outcome is Outcome.INFRASTRUCTURE
    assert "memory" in last.reason


def test_a_full_disk_is_told_from_a_crash(small_disk: Path) -> None:
    last = failed(cavity(cells=60), small_disk / "s")
    assert last.outcome is Outcome.INFRASTRUCTURE
    assert "disk is full" in last.reason or "No space left" in last.reason


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system on which a mesh fits, but no solution."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1100k", "tmpfs", str(directory)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system is not permitted here")
    yield directory
    subprocess.run(["umount", "--lazy", str(directory)], check=True)


class _signalled:  # noqa: N801 - read as a verb
    """Send a signal to a program of a sample once it has worked for a moment."""

    def __init__(self, directory: Path, program: str, number: signal.Signals) -> None:
        self._log = directory / "attempt-01" / f"log.{program}"
        self._program, self._number, self._where = program, number, directory
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _send(self) -> None:
        wait_until(lambda: self._log.exists() and "Time = 5" in self._log.read_text())
        time.sleep(0.1)
        for process in _running(self._program, self._where):
            os.kill(process, self._number)


def _running(program: str, directory: Path) -> list[int]:
    """Return the processes of a program that work below a directory."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            is_it = (place / "comm").read_text().strip() == program[:15]
            if is_it and str((place / "cwd").readlink()).startswith(str(directory)):
                found.append(int(place.name))
        except OSError:
            continue
    return found
