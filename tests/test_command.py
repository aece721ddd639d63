"""Any executable as a solver: real processes, good and bad."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import Any

import h5py
import numpy as np
import pytest
from process_table import parent_of, processes_in, wait_until

from pools.errors import SolverError, UsageError
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import SampleRecord
from pools.sample import Sample
from pools.solution import Solution
from solvers.command import CommandSolver
from solvers.command_settings import CommandSettings
from solvers.label import label_one
from solvers.policy import LabelPolicy
from solvers.recovery import Rung
from solvers.workers import Ended, SolverWorkers

PROGRAM = Path(__file__).with_name("command_program.py")
ASKED = {"x": 0.25, "y": 2.0}
PLAIN: dict[str, Any] = {
    "command": [sys.executable, str(PROGRAM)],
    "parameters": {"x": "1", "y": "m"},
    "quantities": {"sum": "m", "lift": {"key": "forces/lift", "unit": "N"}},
}
MESHED: dict[str, Any] = {
    **PLAIN,
    "mesh": {"points": "points", "cells": "cells"},
    "fields": {"heat": "K", "v": {"key": "speed", "unit": "m/s", "component": "y"}},
}


def solver(*arguments: str, **changes: Any) -> CommandSolver:
    settings = {**PLAIN, "arguments": arguments, **changes}
    return CommandSolver.of(CommandSettings.model_validate(settings))


def solve(directory: Path, *arguments: str, **changes: Any) -> Solution:
    return solver(*arguments, **changes).solve(Sample.of(ASKED, "any"), directory)


def failure(directory: Path, *arguments: str, **changes: Any) -> SolverError:
    with pytest.raises(SolverError) as caught:
        solve(directory, *arguments, **changes)
    assert caught.value.directory == directory
    assert caught.value.reason in caught.value.log_tail
    return caught.value


def called(directory: Path) -> Mapping[str, Any]:
    content: dict[str, Any] = json.loads((directory / "called.json").read_text())
    return content


def test_an_answer_has_the_declared_quantities(tmp_path: Path) -> None:
    solution = solve(tmp_path)
    found = {name: (each.value, each.unit) for name, each in solution.quantities.items()}
    assert found == {"sum": (2.25, "m"), "lift": (0.5, "N")}


def test_a_whole_number_is_written_without_a_point(tmp_path: Path) -> None:
    solve(tmp_path)
    written = json.loads((tmp_path / "input.json").read_text())
    assert {name: type(value) for name, value in written.items()} == {"x": float, "y": int}


def test_without_placeholders_the_reference_interface_is_used(tmp_path: Path) -> None:
    solve(tmp_path, "--record")
    files = ["--input", str(tmp_path / "input.json"), "--output", str(tmp_path / "output.json")]
    assert called(tmp_path)["arguments"] == [str(PROGRAM), *files, "--record"]
    assert called(tmp_path)["cwd"] == str(tmp_path)
    assert json.loads((tmp_path / "input.json").read_text()) == ASKED


def test_placeholders_are_replaced_within_arguments(tmp_path: Path) -> None:
    command = [*PLAIN["command"], "--record", "--input={input}", "--output={output}"]
    numerics = {"gain": 3, "words": "a b; $(touch x) {input}", "is_on": True, "small": 1e-6}
    say = "{words} {is_on} {small}"
    solution = solve(tmp_path, "--gain={gain}", "--say", say, command=command, numerics=numerics)
    assert solution.quantities["sum"].value == 6.75
    assert called(tmp_path)["arguments"][-1] == "a b; $(touch x) {input} true 1e-06"
    assert not (tmp_path / "x").exists()


def test_a_rung_may_change_what_the_numerics_declare(tmp_path: Path) -> None:
    numerics = {"edge": 0.1}
    asked = solver("--fails-above={edge}", numerics=numerics, exit_codes={3: "diverged"})
    record = SampleRecord(Pick(Sample.of(ASKED, asked.fingerprint), "test"), step=0)
    policy = LabelPolicy(recovery=(Rung(name="further", set={"edge": 1}),))
    with SolverWorkers(asked.settings, count=1) as workers:
        solved = label_one(record, tmp_path / "sample", workers, policy)
    assert [each.outcome for each in solved.attempts] == [Outcome.DIVERGED, Outcome.OK]
    assert solved.attempts[0].evidence["exit_code"] == 3
    assert solved.attempts[1].changes == {"edge": 1}
    assert (tmp_path / "sample" / "attempt-02" / "input.json").exists()


def test_groups_are_written_as_declared(tmp_path: Path) -> None:
    solve(
        tmp_path,
        "--write",
        '{"sum": 1}',
        input_layout={"flow": ["y"], "geometry": ["x"]},
        quantities={"sum": "1"},
    )
    written = json.loads((tmp_path / "input.json").read_text())
    assert written == {"flow": {"y": 2.0}, "geometry": {"x": 0.25}}


def test_the_environment_is_ours_and_what_is_declared(tmp_path: Path) -> None:
    solve(tmp_path, "--record", environment={"LICENCE": "27000@host"})
    environment = called(tmp_path)["environment"]
    assert environment["LICENCE"] == "27000@host"
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["PWD"] == str(tmp_path)


@pytest.mark.parametrize("output", ["output.json", "answer.h5", "answer.hdf5"])
def test_fields_come_from_json_and_hdf5_alike(tmp_path: Path, output: str) -> None:
    solution = solve(tmp_path, **{**MESHED, "output": output})
    np.testing.assert_allclose(solution.fields["heat"].values, [0.25, 2.25, 2.25, 0.25])
    np.testing.assert_allclose(solution.fields["v"].values, [0, 0, 2, 2])
    assert solution.fields["v"].unit == "m/s"
    assert solution.quantities["lift"].value == 0.5
    np.testing.assert_allclose(solution.mesh.weights, [1 / 3, 1 / 6, 1 / 3, 1 / 6])


def test_a_magnitude_is_the_length_of_the_vector(tmp_path: Path) -> None:
    field = {"key": "speed", "component": "magnitude"}
    solution = solve(tmp_path, **{**MESHED, "fields": {"u": field}})
    np.testing.assert_allclose(solution.fields["u"].values[2], np.sqrt(0.25**2 + 2**2 + 1))


def test_points_without_cells_all_count_the_same(tmp_path: Path) -> None:
    solution = solve(tmp_path, **{**MESHED, "mesh": {}})
    np.testing.assert_allclose(solution.mesh.weights, 1 / 4)
    assert len(solution.mesh.types) == 4


@pytest.mark.parametrize("values", [[[0, 1, 2], [3, 4, 5]], [0, 1, 2, 3, 4, 5]])
def test_a_field_on_a_grid_is_an_array_or_a_row(tmp_path: Path, values: Any) -> None:
    grid = {"bounds": [[0, 1], [0, 2]], "shape": [2, 3]}
    text = json.dumps({"heat": values})
    solution = solve(tmp_path, "--write", text, grid=grid, fields={"heat": "K"}, quantities={})
    np.testing.assert_array_equal(solution.fields["heat"].values, range(6))
    np.testing.assert_array_equal(solution.mesh.points[4], [1, 1, 0])


@pytest.mark.parametrize(
    ("arguments", "changes", "outcome", "reason"),
    [
        (("--exit", "2"), {}, Outcome.BAD_OUTPUT, "the command ended with code 2"),
        (("--exit", "2"), {"exit_codes": {2: "diverged"}}, Outcome.DIVERGED, "with code 2"),
        (("--signal", "8"), {}, Outcome.DIVERGED, "the command was ended by SIGFPE"),
        (("--signal", "11"), {}, Outcome.BAD_OUTPUT, "the command was ended by SIGSEGV"),
        (("--signal", "6"), {}, Outcome.BAD_OUTPUT, "the command was ended by SIGABRT"),
        (("--signal", "9"), {}, Outcome.INFRASTRUCTURE, "the command was ended by SIGKILL"),
        (("--exit", "137"), {}, Outcome.INFRASTRUCTURE, "was ended by SIGKILL (code 137)"),
        (("--exit", "136"), {}, Outcome.DIVERGED, "ended by SIGFPE (code 136)"),
        (("--exit", "137"), {"exit_codes": {137: "mesh"}}, Outcome.MESH, "by SIGKILL (code 137)"),
        (
            ("--exit", "1", "--say", "write: No space left on device"),
            {},
            Outcome.INFRASTRUCTURE,
            "the command ended with code 1: write: No space left on device",
        ),
        (
            ("--signal", "6", "--say", "what():  std::bad_alloc"),
            {},
            Outcome.INFRASTRUCTURE,
            "the command was ended by SIGABRT: what():  std::bad_alloc",
        ),
    ],
)
def test_how_a_command_ends_decides(
    tmp_path: Path,
    arguments: tuple[str, ...],
    changes: dict[str, Any],
    outcome: Outcome,
    reason: str,
) -> None:
    error = failure(tmp_path, *arguments, **changes)
    assert error.outcome is outcome
    assert error.reason.endswith(reason)


def test_an_exit_code_may_mean_success(tmp_path: Path) -> None:
    solution = solve(tmp_path, "--exit", "2", exit_codes={2: "ok"})
    assert solution.provenance["exit_code"] == 2


def test_the_evidence_names_code_and_signal(tmp_path: Path) -> None:
    assert failure(tmp_path, "--signal", "8").evidence == {"exit_code": -8, "signal": "SIGFPE"}
    assert failure(tmp_path, "--exit", "7").evidence == {"exit_code": 7, "signal": ""}


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        ("", Outcome.BAD_OUTPUT, "there is no output.json"),
        ('{"sum": 1', Outcome.BAD_OUTPUT, "output.json cannot be read as JSON: Expecting ','"),
        ("[" * 100_000, Outcome.BAD_OUTPUT, "output.json cannot be read as JSON: "),
        ("[1]", Outcome.BAD_OUTPUT, "output.json has no sum; there is nothing"),
        ('{"sums": 1}', Outcome.BAD_OUTPUT, "output.json has no sum; there is sums"),
        ('{"sum": [1, 2]}', Outcome.BAD_OUTPUT, "sum has the shape (2,), but a quantity is one"),
        ('{"sum": []}', Outcome.BAD_OUTPUT, "sum has the shape (0,), but a quantity is one"),
        ('{"sum": "1.5"}', Outcome.BAD_OUTPUT, "sum in output.json is not a number"),
        ('{"sum": true}', Outcome.BAD_OUTPUT, "sum in output.json is not a number"),
        ('{"sum": {"a": 1}}', Outcome.BAD_OUTPUT, "sum in output.json is not a number"),
        ('{"sum": [[1], [1, 2]]}', Outcome.BAD_OUTPUT, "sum in output.json is not a number"),
        (f'{{"sum": 1{"0" * 400}}}', Outcome.BAD_OUTPUT, "sum in output.json is not a number"),
        ('{"sum": NaN}', Outcome.DIVERGED, "sum is not finite: 1 of 1 values"),
        ('{"sum": 1e999}', Outcome.DIVERGED, "sum is not finite: 1 of 1 values"),
        ('{"sum": null}', Outcome.DIVERGED, "sum is not finite: 1 of 1 values"),
        ('{"sum": 1}', Outcome.BAD_OUTPUT, "output.json has no forces/lift; there is sum"),
    ],
)
def test_a_bad_answer_is_explained(
    tmp_path: Path, text: str, outcome: Outcome, reason: str
) -> None:
    error = failure(tmp_path, "--write", text)
    assert error.outcome is outcome
    assert error.reason.startswith(reason)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"heat": [1, 2, 3]}, "heat has the shape (3,), expected (4,)"),
        ({"heat": [[1, 2], [3, 4]]}, "heat has the shape (2, 2), expected (4,); of a vector"),
        ({"speed": [1, 2, 3, 4]}, "speed has the shape (4,), expected (4, 3)"),
        ({"speed": [[1], [2], [3], [4]]}, "speed has 1 components, and so no y"),
        ({"points": [0, 1]}, "points has the shape (2,), expected (p, 2 or 3)"),
        ({"points": []}, "points has the shape (0,), expected (p, 2 or 3)"),
        ({"points": [[0, 0]] * 4}, "the mesh's 2 cells (triangle) have no size"),
        ({"cells": [[0, 1, 4]]}, "cells goes from 0 to 4, expected indices of points, whole"),
        ({"cells": [[-1, 1, 2]]}, "cells goes from -1 to 2, expected indices of points"),
        ({"cells": [[0.5, 1, 2]]}, "cells goes from 0.5 to 2, expected indices of points"),
        ({"cells": [[0, 1, 2, 3, 0]]}, "cells has the shape (1, 5), expected (cells, 2, 3, 4 or"),
        ({"cells": []}, "cells has the shape (0,), expected (cells, 2, 3, 4 or 8)"),
    ],
)
def test_a_bad_mesh_or_field_is_explained(
    tmp_path: Path, content: dict[str, Any], reason: str
) -> None:
    from command_program import answer

    text = json.dumps({**answer(ASKED, 1.0), **content})
    error = failure(tmp_path, "--write", text, **MESHED)
    assert error.outcome is Outcome.BAD_OUTPUT
    assert error.reason.startswith(reason)


def test_a_field_that_is_not_finite_has_diverged(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "made.h5", "w") as file:
        file["heat"] = np.array([1.0, np.nan, 2.0, np.inf])
    copy = ["/bin/cp", str(tmp_path / "made.h5"), "{output}"]
    grid = {"bounds": [[0, 1]], "shape": [4]}
    changes = {"output": "a.h5", "grid": grid, "fields": {"heat": "K"}, "quantities": {}}
    error = failure(tmp_path, command=copy, **changes)
    assert error.outcome is Outcome.DIVERGED
    assert error.reason == "heat is not finite: 2 of 4 values"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--write", "no HDF5"), "a.h5 cannot be read as HDF5: "),
        (("--without", "heat"), "a.h5 has no heat; there is cells, forces, points, speed, sum"),
        (("--without", "sum"), "a.h5 has no sum; there is cells, forces, heat, points, speed"),
    ],
)
def test_bad_hdf5_is_explained(tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    error = failure(tmp_path, *arguments, **{**MESHED, "output": "a.h5"})
    assert error.outcome is Outcome.BAD_OUTPUT
    assert error.reason.startswith(reason)


def test_a_group_and_text_in_hdf5_are_no_numbers(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "made.h5", "w") as file:
        file["group/inner"], file["text"] = 1.0, "1.0"
    changes = {"command": ["/bin/cp", str(tmp_path / "made.h5"), "{output}"], "output": "a.h5"}
    error = failure(tmp_path, **changes, quantities={"group": "1"})
    assert error.reason.startswith("group in a.h5 cannot be read as numbers")
    error = failure(tmp_path, **changes, quantities={"text": "1"})
    assert error.reason.startswith("text in a.h5 cannot be read as numbers")


def test_an_old_answer_is_never_taken_for_a_new_one(tmp_path: Path) -> None:
    solve(tmp_path)
    assert failure(tmp_path, "--write", "").reason == "there is no output.json"


def test_the_tail_of_a_huge_log_is_read_alone(tmp_path: Path) -> None:
    endless = ["/bin/sh", "-c", "yes residual | head -n 3000000; echo last words; exit 1"]
    tail = failure(tmp_path, command=endless).log_tail
    assert tail.endswith("last words\n\nsolverloop: the command ended with code 1: last words")
    assert len(tail) < 1000


def test_a_command_may_remove_its_log(tmp_path: Path) -> None:
    error = failure(tmp_path, command=["/bin/sh", "-c", "rm solver.log; exit 1"])
    assert error.outcome is Outcome.BAD_OUTPUT


@pytest.mark.parametrize("values", [{"x": np.nan, "y": 1}, {"x": 1}, {"x": 1, "y": 1, "z": 1}])
def test_only_the_declared_parameters_and_finite_numbers_are_written(
    tmp_path: Path, values: dict[str, float]
) -> None:
    with pytest.raises(UsageError, match=r"give a finite number for each of \['x', 'y'\]"):
        solver().solve(Sample("any", values), tmp_path)
    assert not (tmp_path / "input.json").exists()


@pytest.mark.parametrize("odd", ["--output=/tmp/x", "; touch x", "$(touch x)", "../x", "{output}"])
def test_nothing_of_a_sample_reaches_the_command_line_or_a_path(tmp_path: Path, odd: str) -> None:
    """Neither a parameter's name nor an id; values are numbers."""
    attempt = tmp_path / "attempt"
    attempt.mkdir()
    parameters = {"x": "1", odd: "1"}
    changes = {"parameters": parameters, "quantities": {"sum": "1"}}
    sample = Sample(odd, {"x": 1.0, odd: 2.0})
    solver("--record", **changes).solve(sample, attempt)
    arguments = called(attempt)["arguments"]
    assert arguments == called_plainly(attempt)
    assert [path.name for path in tmp_path.iterdir()] == ["attempt"]
    assert json.loads((attempt / "input.json").read_text()) == {"x": 1.0, odd: 2.0}


def called_plainly(attempt: Path) -> list[str]:
    files = ["--input", str(attempt / "input.json"), "--output", str(attempt / "output.json")]
    return [str(PROGRAM), *files, "--record"]


def test_the_mesh_of_an_answer_is_only_known_by_solving() -> None:
    with pytest.raises(UsageError, match=r"only known once it is solved.*solver\.mesh\.file"):
        solver(**MESHED).mesh(Sample.of(ASKED, "any"))


def test_a_mesh_in_a_file_is_known_beforehand(tmp_path: Path) -> None:
    solve(tmp_path, **MESHED)
    file = str(tmp_path / "output.json")
    known = solver(**{**MESHED, "mesh": {"cells": "cells", "file": file}})
    assert len(known.mesh(Sample.of(ASKED, "any")).points) == 4
    assert file in known.digests


@pytest.mark.parametrize("text", [None, "", "{}", '{"points": [[0, 0]], "cells": [[0, 1, 2]]}'])
def test_a_file_without_a_mesh_is_refused(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "mesh.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UsageError, match=r"solver\.mesh\.file is '.*', which holds no mesh: "):
        solver(**{**MESHED, "mesh": {"cells": "cells", "file": str(file)}})


def test_an_executable_is_found_on_path_and_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "tools" / "mine"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (tmp_path / "beside").symlink_to(script)
    assert solver(command=["sh"]).arguments[0].endswith("/sh")
    assert solver(command=["tools/mine"]).arguments[0] == str(script)
    assert solver(command=["beside"]).arguments[0] == str(tmp_path / "beside")
    assert solver(command=["sh", "tools/mine"]).arguments[1] == str(script)
    assert solver(command=["sh", "beside"]).arguments[1] == "beside"  # a word, not a path
    elsewhere = {"command": ["mine"], "environment": {"PATH": str(script.parent)}}
    assert solver(**elsewhere).arguments[0] == str(script)


def test_an_executable_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain").write_text("")
    with pytest.raises(UsageError, match=r"'absent': it is not on PATH, and .*does not exist"):
        solver(command=["absent"])
    with pytest.raises(UsageError, match=r"plain may not be executed \(chmod \+x\)"):
        solver(command=["./plain"])
    with pytest.raises(UsageError, match=r"solver\.parameters is empty"):
        solver(parameters={})


def test_the_fingerprint_holds_what_decides_and_nothing_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "sh"
    copy.write_bytes(Path("/bin/sh").read_bytes() + b"\n")
    copy.chmod(0o755)
    here = solver(command=["sh"])
    monkeypatch.setenv("PATH", str(tmp_path))
    there = solver(command=["sh"])
    assert here.fingerprint == there.fingerprint
    assert here.digests.keys() == there.digests.keys() == {"sh"}
    assert here.digests != there.digests
    for decides in (
        {"version": "2"},
        {"arguments": ["-x"]},
        {"environment": {"PATH": str(tmp_path)}},
    ):
        assert solver(**{"command": ["sh"], **decides}).fingerprint != here.fingerprint
    units = {"parameters": {"y": "km", "x": "1"}, "exit_codes": {3: "diverged"}}
    assert solver(command=["sh"], **units).fingerprint == here.fingerprint


def run_in_vain(attempt: Path, seconds: float) -> Ended:
    """Run a command that takes a minute, for so many seconds at most."""
    attempt.mkdir()
    with SolverWorkers(solver("--sleep", "60").settings, count=1) as workers:
        sample = Sample.of(ASKED, "any")
        return workers.run(sample, attempt, timeout_seconds=seconds, grace_seconds=0.5)


def test_a_deadline_ends_the_command(tmp_path: Path) -> None:
    assert run_in_vain(tmp_path / "attempt", 3).timed_out
    assert processes_in(tmp_path) == []


def test_the_death_of_the_solve_ends_the_command(tmp_path: Path) -> None:
    attempt, ended = tmp_path / "attempt", list[Ended]()
    caller = Thread(target=lambda: ended.append(run_in_vain(attempt, 60)))
    caller.start()
    wait_until(lambda: len(processes_in(attempt)) == 2)  # ours and the command
    ours, command = sorted(processes_in(attempt))
    assert parent_of(command) == ours
    os.kill(ours, signal.SIGKILL)
    wait_until(lambda: processes_in(attempt) == [])
    caller.join()
    assert ended[0].exit_code == -signal.SIGKILL


def test_a_command_alone_dies_with_its_parent(tmp_path: Path) -> None:
    """Also where nobody watches: a script of the user's that calls the solver."""
    code = (
        "from pathlib import Path; from solvers.command_process import run;"
        f"run(['/bin/sleep', '60'], Path({str(tmp_path)!r}), {{}})"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    wait_until(lambda: len(processes_in(tmp_path)) == 1)
    parent.kill()
    parent.wait()
    wait_until(lambda: processes_in(tmp_path) == [])
