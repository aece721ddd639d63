"""The command, as a process of its own: what it prints, where, and how it exits."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvista
import yaml
from campaign_examples import WAVE, Here, Refused, command, environment, message_of, wave_file
from plain_campaigns import QUICK, prepare, start

AT = ("--at", "length=0.5", "--at", "phase=0.5")


def ran(*arguments: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env={**environment(), **changes},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def printed(*arguments: str | Path) -> str:
    """Return what a command that goes well prints."""
    ended = ran(*arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


@pytest.mark.parametrize(
    ("name", "example"),
    [
        (None, "solverloop run examples/channel.yaml"),
        ("run", "solverloop run examples/channel.yaml --directory /data/channel --set seed=2"),
        ("status", "solverloop status campaigns/channel"),
        ("predict", "solverloop predict campaigns/channel --at reynolds=40"),
        ("report", "solverloop report campaigns/channel"),
        ("check", "solverloop check campaigns/channel"),
    ],
)
def test_help_shows_an_example(name: str | None, example: str) -> None:
    words = printed(*([name] if name else []), "--help").replace("│", " ").split()
    assert example in " ".join(words)


def test_help_loads_nothing_that_is_slow() -> None:
    code = "import sys; from flows.cli import app; app(['--help'], standalone_mode=False)"
    check = (
        "print('LOADED', {'torch', 'prefect', 'numpy', 'scipy', 'pydantic'} & set(sys.modules))"
    )
    ended = subprocess.run(
        [command()[0], "-c", f"{code}; {check}"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.splitlines()[-1] == "LOADED set()"


@pytest.mark.parametrize(
    "arguments", [("stauts",), ("status",), ("status", "a", "b"), ("run", "--sett", "a=1", "b")]
)
def test_a_misspelt_command_line_is_a_usage_error(arguments: Sequence[str]) -> None:
    ended = ran(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Usage: ")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("changes", "arguments", "expected"),
    [
        ({"sede": 1}, (), "sede: unknown key; did you mean seed?"),
        (
            {"parameters": {**WAVE["parameters"], "length": {"low": 1, "high": 0}}},
            (),
            "parameters.length: low is 1 and high is 0; low must be below high: swap them",
        ),
        (
            {"parameters": {**WAVE["parameters"], "phase": {"low": 0, "high": 1, "scale": "log"}}},
            (),
            "parameters.phase: scale is log and low is 0; a logarithm needs low > 0",
        ),
        (
            {"parameters": {"length": {"low": 0, "high": 1}}},
            (),
            "the solver analytic needs ['length', 'phase'], missing are ['phase']",
        ),
        ({}, ("--set", "seed"), "--set got 'seed'; write it as KEY.KEY=VALUE"),
        ({}, ("--set", "solver.kind=fluent"), "solver.kind: got 'fluent', but it must be one of"),
        (
            {"solver": {"kind": "custom", "factory": "no.such:Solver"}},
            (),
            "solver.factory is 'no.such:Solver', which cannot be used: ModuleNotFoundError",
        ),
    ],
)
def test_a_bad_campaign_file_is_a_usage_error(
    tmp_path: Path,
    changes: dict[str, Any],
    arguments: Sequence[str],
    expected: str,
    refused: Refused,
) -> None:
    file = wave_file(tmp_path / "wave.yaml", **changes)
    assert expected in refused(2, "run", file, "--directory", tmp_path / "wave", *arguments)
    assert not (tmp_path / "wave").exists()


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    message = message_of(ran("run", tmp_path / "nope.yaml"), 2)
    assert f"cannot read the campaign file {tmp_path / 'nope.yaml'}: No such file" in message


def test_another_campaigns_directory_is_a_usage_error(
    campaign_copy: Path, tmp_path: Path, refused: Refused
) -> None:
    file = wave_file(tmp_path / "wind.yaml", name="wind")
    message = refused(2, "run", file, "--directory", campaign_copy)
    assert "holds the campaign 'wave', not 'wind'; give another --directory" in message


def test_a_changed_configuration_is_a_usage_error(campaign_copy: Path, refused: Refused) -> None:
    message = refused(2, "run", campaign_copy, "--set", "seed=9", "--set", "label.workers=1")
    assert "  seed: it began with 3, now 9\n" in message
    assert "label.workers" not in message


def test_a_directory_is_given_once(campaign_copy: Path, tmp_path: Path, refused: Refused) -> None:
    message = refused(2, "run", campaign_copy, "--directory", tmp_path / "other")
    assert "is a campaign's directory already; leave --directory out" in message


@pytest.mark.parametrize("name", ["status", "check", "report", "predict"])
def test_what_is_no_campaign_is_a_usage_error(name: str, tmp_path: Path, refused: Refused) -> None:
    arguments = (name, tmp_path, *(AT if name == "predict" else ()))
    assert f"{tmp_path} is not a campaign's directory" in refused(2, *arguments)


def test_an_unwritable_directory_is_a_run_failure(tmp_path: Path) -> None:
    file = wave_file(tmp_path / "wave.yaml")
    message = message_of(ran("run", file, "--directory", "/proc/wave"), 1)
    assert "cannot write /proc/wave/.lock: " in message
    assert "make the directory writable or free some disk space" in message


def test_status_in_a_pipe_cuts_nothing(finished_campaign: Path) -> None:
    text = printed("status", finished_campaign)
    assert f"campaign wave in {finished_campaign}\n" in text
    assert "initial design: 6 of 6 solved; test set: 8 of 8 solved" in text
    assert "train" in text
    assert "metrics of step 2" in text
    assert "no failed samples" in text
    assert "…" not in text
    (last,) = [line for line in text.splitlines() if line.startswith("│ 1 ")]
    assert last.count("│") == 8  # every value on one line


def test_status_tells_why_samples_failed(tmp_path: Path, here: Here) -> None:
    solver = {"kind": "analytic", "problem": "wave", "fails_above": 0.55}
    prepare(start(tmp_path / "wave", solver=solver, label={"min_success_fraction": 0.25}))
    text = here("status", tmp_path / "wave").stdout
    assert "no metrics yet" in text
    assert "above the 0.55 at which this closed form is told to diverge; raise fails_above" in text


def test_status_of_damaged_metrics_names_the_way_out(
    campaign_copy: Path, refused: Refused
) -> None:
    (campaign_copy / "steps" / "002" / "metrics.json").write_text("{")
    message = refused(1, "status", campaign_copy)
    assert "steps/002/metrics.json" in message
    assert "run `solverloop check`" in message


def test_predict_prints_every_quantity_and_writes_the_fields(
    finished_campaign: Path, tmp_path: Path
) -> None:
    file = tmp_path / "out.vtkhdf"
    text = printed("predict", finished_campaign, *AT, "--field", file)
    (row,) = [line for line in text.splitlines() if "crest" in line]
    name, mean, std, unit = (cell.strip() for cell in row.strip("│").split("│"))
    assert (name, unit) == ("crest", "1")
    assert float(mean) == float(mean)
    assert float(std) > 0
    assert str(file) in text
    grid = pyvista.read(file)
    assert {"height", "height_std"} <= set(grid.point_data)
    assert grid.n_points == 25
    assert (np.asarray(grid.point_data["height_std"]) >= 0).all()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--at", "length=0.5"), "missing ['phase']; give all of ['length', 'phase']"),
        ((*AT, "--at", "hue=1"), "unknown ['hue']; allowed are ['length', 'phase']"),
        (("--at", "length=5", "--at", "phase=0"), "length is 5, outside 0 to 1; the surrogate"),
        (("--at", "length=nan", "--at", "phase=0"), "length is nan, outside 0 to 1"),
        (("--at", "length"), "--at got 'length'; write it as NAME=NUMBER, e.g. reynolds=40"),
        (("--at", "length=half", "--at", "phase=0"), "length is 'half'; it takes a number"),
        ((*AT, "--level", "coarse"), "asked for the level 'coarse', but the solver of wave has"),
        ((*AT, "--step", "9"), "step 9 has no surrogate; trained are steps 0 to 2"),
    ],
)
def test_predict_refuses_what_it_cannot_answer(
    finished_campaign: Path, arguments: Sequence[str], expected: str, refused: Refused
) -> None:
    assert expected in refused(2, "predict", finished_campaign, *arguments)


def test_predict_before_any_training_is_a_usage_error(tmp_path: Path, refused: Refused) -> None:
    start(tmp_path)
    assert "has no trained surrogate yet; run the campaign first" in refused(
        2, "predict", tmp_path, *AT
    )


def test_predict_with_a_damaged_checkpoint_is_a_run_failure(campaign_copy: Path) -> None:
    file = campaign_copy / "steps" / "002" / "checkpoint" / "surrogate.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    message = message_of(ran("predict", campaign_copy, *AT), 1)
    assert f"{file} differs from what the ledger recorded" in message
    assert "solverloop check" in message


def test_predict_into_an_unwritable_place_is_a_run_failure(
    finished_campaign: Path, refused: Refused
) -> None:
    message = refused(1, "predict", finished_campaign, *AT, "--field", "/proc/out.vtkhdf")
    assert "error: cannot write /proc/out.vtkhdf: " in message


def test_check_of_a_sound_campaign(finished_campaign: Path, here: Here) -> None:
    text = here("check", finished_campaign).stdout
    assert text.endswith(" intact\n")
    assert text.count("\n") == 1


def test_check_rebuilds_and_says_so(campaign_copy: Path, here: Here) -> None:
    (campaign_copy / "pool" / "step-001.h5").unlink()
    text = here("check", campaign_copy).stdout
    assert "rebuilt: pool/step-001.h5 - by the work of append of step 1\n" in text
    assert "1 rebuilt" in text


def test_check_of_lost_files_is_a_run_failure(campaign_copy: Path) -> None:
    sample = next((campaign_copy / "samples").iterdir())
    (sample / "solution.vtkhdf").unlink()
    ended = ran("check", campaign_copy)
    assert ended.returncode == 1
    assert f"damaged: samples/{sample.name}/solution.vtkhdf - only the solver can" in ended.stdout
    assert "1 of the files of" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_damage_stops_a_run_before_it_does_anything(campaign_copy: Path, prefect_api: str) -> None:
    (campaign_copy / "pool" / "step-001.h5").unlink()
    ended = ran("run", campaign_copy, PREFECT_API_URL=prefect_api)
    assert ended.returncode == 1
    assert "step-001.h5 is missing (made by append of step 1)" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ran("check", campaign_copy).returncode == 0
    again = ran("run", campaign_copy, PREFECT_API_URL=prefect_api)
    assert again.returncode == 0, again.stderr
    assert "stopped: max steps: 2 of 2 steps done" in again.stdout


@pytest.mark.slow
def test_too_few_labels_are_a_run_failure_with_a_message(tmp_path: Path, prefect_api: str) -> None:
    solver = {"kind": "analytic", "problem": "wave", "fails_above": 0.0}
    file = tmp_path / "wave.yaml"
    file.write_text(yaml.safe_dump({**QUICK, "solver": solver}))
    ended = ran("run", file, "--directory", tmp_path / "wave", PREFECT_API_URL=prefect_api)
    assert ended.returncode == 1
    assert "error: only 0 of 6 samples of the initial design were solved" in ended.stderr
    assert "Traceback" not in ended.stderr
