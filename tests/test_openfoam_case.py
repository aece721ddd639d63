"""Templates, starts, fluxes, stages and reading, each on its own."""

import gzip
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from openfoam_cases import EXAMPLES, NUMERICS, cavity, cavity_copy, cavity_with, replace_in

from pools.errors import UsageError
from pools.sample import Sample
from pools.solution import Solution
from solvers.build import build
from solvers.openfoam.answer import read_region
from solvers.openfoam.dimensions import unit_in
from solvers.openfoam.fluxes import imbalance, patches_of
from solvers.openfoam.installation import find_installation
from solvers.openfoam.run import CaseRun
from solvers.openfoam.stage import Ended, run_stage
from solvers.openfoam.start import begin_from, cells_of, last_time
from solvers.openfoam.template import Template

CAVITY = Template(EXAMPLES / "cavity" / "case")
AT = {"reynolds": 100.0, "aspect": 1.0}


def test_the_digest_is_of_contents_and_names(tmp_path: Path) -> None:
    copy = cavity_copy(tmp_path)
    assert Template(copy).digest() == CAVITY.digest()
    (copy / "system/fvSchemes").write_text("other")
    assert Template(copy).digest() != CAVITY.digest()


@pytest.mark.parametrize(
    "left", ["100/U", "0.5/p", "1e-05/p", "postProcessing/f/0/x.dat", "processor0/0/U"]
)
def test_what_a_trial_left_behind_is_not_of_the_template(tmp_path: Path, left: str) -> None:
    copy = cavity_copy(tmp_path)
    for name in (left, "log.simpleFoam", "case.foam", ".hidden/x", "system/solverloop"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("x")
    assert Template(copy).digest() == CAVITY.digest()
    Template(copy).copy(case := tmp_path / "case")
    assert not (case / left).exists()


def test_the_initial_fields_may_lie_in_0_orig(tmp_path: Path) -> None:
    copy = cavity_copy(tmp_path)
    (copy / "0").rename(copy / "0.orig")
    case = tmp_path / "case"
    case.mkdir()
    Template(copy).copy(case)
    assert (case / "0" / "U").is_file()
    assert Template(copy).unit("U") == "m/s"


def test_a_template_says_what_it_uses() -> None:
    assert {"nu", "aspect", "cells", "relaxation_U"} <= CAVITY.macros()
    assert CAVITY.includes_generated()
    assert CAVITY.application() == "simpleFoam"
    assert CAVITY.is_steady()


def test_what_stands_in_a_comment_is_not_used(tmp_path: Path) -> None:
    copy = cavity_copy(tmp_path)
    with (copy / "system/fvSchemes").open("a") as file:
        file.write("// $inLine\n/* $in\n$block */\n")
    assert not {"inLine", "in", "block"} & Template(copy).macros()


def test_compressed_fields_are_read(tmp_path: Path) -> None:
    copy = cavity_copy(tmp_path)
    file = copy / "0" / "p"
    (copy / "0" / "p.gz").write_bytes(gzip.compress(file.read_bytes()))
    assert unit_in(copy / "0" / "p.gz") == "m2/s2"


def stage(case: Path, *words: str, heartbeat: float = 60.0) -> Ended:
    environment = dict(os.environ)
    return run_stage(
        ["sh", "-c", *words], case, "solve", environment, name="sh", heartbeat_seconds=heartbeat
    )


def test_a_stage_tells_how_it_ended(tmp_path: Path) -> None:
    ended = stage(tmp_path, "echo Time = 1; sleep 0.3; echo End; exit 3")
    assert (ended.exit_code, ended.signal, ended.stopped) == (3, "", "")
    assert ended.log.ended
    assert ended.log.last_time == "1"
    assert 0.3 <= ended.wall_seconds < 5
    assert 0 < ended.peak_memory < 50e6


@pytest.mark.parametrize(("code", "name"), [("kill -9 $$", "SIGKILL"), ("exit 136", "SIGFPE")])
def test_a_stage_tells_signals_its_own_and_those_of_a_shell(
    tmp_path: Path, code: str, name: str
) -> None:
    assert stage(tmp_path, code).signal == name


def test_a_program_that_runs_twice_has_two_logs(tmp_path: Path) -> None:
    files = [stage(tmp_path, f"echo {i}").log_file.name for i in range(3)]
    assert files == ["log.sh", "log.sh.2", "log.sh.3"]


def test_a_run_whose_residuals_are_no_numbers_is_ended_at_once(tmp_path: Path) -> None:
    started = time.monotonic()
    line = "x:  Solving for p, Initial residual = nan, Final residual = nan, No Iterations 1"
    ended = stage(tmp_path, f"echo '{line}'; sleep 60")
    assert time.monotonic() - started < 10
    assert "not finite" in ended.stopped


def test_a_silent_run_is_ended_though_it_is_deaf(tmp_path: Path) -> None:
    ended = stage(tmp_path, "trap '' TERM; while true; do sleep 0.1; done", heartbeat=0.7)
    assert "stood still" in ended.stopped
    assert ended.exit_code == -signal.SIGKILL


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Solve one small cavity, and return its case."""
    case = tmp_path_factory.mktemp("solved")
    build(cavity(cells=12)).solve(Sample.of(AT, "x"), case)
    return case


@pytest.mark.openfoam
def test_a_run_may_not_begin_where_one_was(solved: Path) -> None:
    with pytest.raises(UsageError, match="holds a case already"):
        build(cavity(cells=12)).solve(Sample.of(AT, "x"), solved)


@pytest.mark.openfoam
def test_the_mass_balance_is_that_of_the_fluxes(solved: Path, tmp_path: Path) -> None:
    assert [patch.name for patch in patches_of(solved)] == ["lid", "walls", "frontAndBack"]
    time_directory = last_time(solved)
    assert time_directory is not None
    assert (imbalance(solved, time_directory) or 0.0) == pytest.approx(0, abs=1e-9)
    case = tmp_path / "case"
    shutil.copytree(solved / "constant", case / "constant")
    (case / "1").mkdir()
    head = "FoamFile\n{\n    format ascii;\n}\n"
    inner = "internalField nonuniform List<scalar> 2\n(\n1 2\n)\n;\n"
    lid = " ".join(["-1"] * 12)
    walls = "uniform 0.5"
    (case / "1" / "phi").write_text(
        f"{head}{inner}boundaryField\n{{\n"
        f"    lid\n    {{\n        type calculated;\n"
        f"        value nonuniform List<scalar> 12\n({lid})\n;\n    }}\n"
        f"    walls\n    {{\n        type calculated;\n        value {walls};\n    }}\n"
        "    frontAndBack\n    {\n        type empty;\n        value nonuniform 0();\n    }\n}\n"
    )
    assert imbalance(case, case / "1") == pytest.approx(6 / 15)  # 36 faces at 0.5 against 12 at -1


@pytest.mark.openfoam
def test_a_cut_field_is_noticed(solved: Path, tmp_path: Path) -> None:
    case = tmp_path / "case"
    shutil.copytree(solved, case)
    time_directory = last_time(case)
    assert time_directory is not None
    file = time_directory / "U"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(KeyError, match="U"):
        read_region(case, cavity(cells=12), ["U", "p"])


@pytest.mark.openfoam
def test_walls_have_the_walls_values(solved: Path) -> None:
    region = read_region(solved, cavity(cells=12), ["U"])
    points, velocity = region.mesh.points, region.arrays["U"]
    inside = (points[:, 0] > 1e-6) & (points[:, 0] < 1 - 1e-6)
    assert velocity[np.isclose(points[:, 1], 1) & inside] == pytest.approx(
        np.tile([1.0, 0.0, 0.0], (11, 1))
    )
    assert np.abs(velocity[np.isclose(points[:, 1], 0)]).max() == 0
    assert len(points) == 13**2
    assert np.ptp(points[:, 2]) == 0


@pytest.mark.openfoam
def test_fields_can_be_read_on_patches_and_on_a_grid(solved: Path) -> None:
    patches = read_region(solved, cavity_with({"region": ["lid"]}, cells=12), ["U"])
    assert np.allclose(patches.mesh.points[:, 1], 1)
    assert patches.mesh.weights.sum() == pytest.approx(1)
    wide = {"resample": {"bounds": [[0.25, 1.25], [0.25, 0.75]], "shape": [21, 11]}}
    grid = read_region(solved, cavity_with(wide, cells=12), ["U"])
    outside = grid.mesh.points[:, 0] > 1 + 1e-9
    assert grid.mesh.points.shape == (231, 3)
    assert (grid.mesh.weights[outside] == 0).all()
    assert grid.mesh.weights.sum() == pytest.approx(1)


def begun(settings_cells: int, source: Path, case: Path) -> tuple[CaseRun, bool]:
    """Mesh a case and begin it from another; say whether the values were copied."""
    case.mkdir()
    run = CaseRun(
        cavity(cells=settings_cells), case, AT | {"reynolds": 200.0}, find_installation()
    )
    run.prepare()
    run.mesh()
    return run, begin_from(source, case) is None


@pytest.mark.openfoam
def test_on_an_equal_mesh_the_inner_values_are_copied(solved: Path, tmp_path: Path) -> None:
    _, is_copied = begun(12, solved, tmp_path / "case")
    assert is_copied
    assert cells_of(solved) == 144
    written = (tmp_path / "case/0/U").read_bytes()
    assert b"nonuniform" in written.partition(b"boundaryField")[0]
    assert b"fixedValue" in written.rpartition(b"boundaryField")[2]


@pytest.mark.openfoam
@pytest.mark.parametrize("cells", [12, 15])
def test_a_start_from_a_solved_case_leads_to_the_same_answer(
    solved: Path, tmp_path: Path, cells: int
) -> None:
    target = Sample.of(AT | {"reynolds": 110.0}, "x")
    answers: list[Solution] = []
    for name, provenance in (("cold", {}), ("warm", {"case": str(solved)})):
        (tmp_path / name).mkdir()
        initial = _solution_of(solved, provenance)
        solver = build(cavity(cells=cells))
        answers.append(solver.solve(target, tmp_path / name, initial=initial))
    cold, warm = answers
    assert warm.quantities["lowest_u"].value == pytest.approx(
        cold.quantities["lowest_u"].value, rel=1e-3
    )
    assert warm.provenance["start"]
    assert (tmp_path / "warm/log.mapFields").exists() == (cells != 12)
    if cells == 12:  # the same cells: nothing is lost on the way
        assert warm.provenance["iterations"] < cold.provenance["iterations"]


def _solution_of(case: Path, provenance: dict[str, str]) -> Solution:
    region = read_region(case, cavity(cells=12), [])
    return Solution(Sample.of(AT, "x"), region.mesh, {}, {}, provenance)


@pytest.mark.openfoam
def test_a_case_that_is_gone_is_said(tmp_path: Path, solved: Path) -> None:
    initial = _solution_of(solved, {"case": str(tmp_path / "gone")})
    with pytest.raises(UsageError, match=r"label.keep: all"):
        build(cavity(cells=12)).solve(Sample.of(AT, "x"), tmp_path, initial=initial)


@pytest.mark.openfoam
def test_entries_are_set_through_foam_dictionary(tmp_path: Path) -> None:
    template = cavity_copy(tmp_path)
    replace_in(template / "system/fvSolution", "$relaxation_U", "0.1")
    entries = {"system/fvSolution": {"relaxationFactors/equations/U": "relaxation_U"}}
    settings = cavity_with({"entries": entries}, template, cells=12)
    case = tmp_path / "case"
    case.mkdir()
    run = CaseRun(settings, case, AT, find_installation())
    run.prepare()
    assert "0.9" in (case / "system/fvSolution").read_text()


@pytest.mark.openfoam
def test_a_numbered_choice_reaches_the_case_as_a_word(tmp_path: Path) -> None:
    numerics = {name: value for name, value in NUMERICS.items() if name != "scheme"}
    changes = {
        "parameters": {"reynolds": "1", "aspect": "1", "scheme": "1"},
        "choices": {"scheme": {1: "upwind", 2: "linearUpwind"}},
        "numerics": numerics | {"cells": 12},
    }
    solver = build(cavity_with(changes))
    lowest = []
    for code in (1.0, 2.0):
        place = tmp_path / f"{code:g}"
        place.mkdir()
        solution = solver.solve(Sample.of({**AT, "scheme": code}, "x"), place)
        lowest.append(solution.quantities["lowest_u"].value)
    assert lowest[0] > lowest[1] + 0.01  # upwind smears the vortex


@pytest.mark.openfoam
def test_a_case_may_not_run_programs_unless_the_campaign_says_so(tmp_path: Path) -> None:
    for allowed, word in ((False, "Disallowing"), (True, "Allowing")):
        case = tmp_path / word
        case.mkdir()
        settings = cavity_with({"allow_system_operations": allowed}, cells=4)
        run = CaseRun(settings, case, AT, find_installation())
        run.prepare()
        run.mesh()
        assert f"{word} user-supplied system call" in (case / "log.blockMesh").read_text()


@pytest.mark.openfoam
def test_the_environment_of_openfoam_holds_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "secret")
    environment = find_installation().environment(tmp_path, system_operations=False)
    assert "secret" not in environment.values()
    assert environment["PWD"] == str(tmp_path)
