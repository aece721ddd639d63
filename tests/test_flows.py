"""The flows on a real Prefect server: names, states, retries, artifacts."""

import json
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from campaign_examples import (
    WAVE,
    command,
    environment,
    ledger_of,
    outcome_of,
    solved_attempts,
    wave_file,
)
from flow_runs import read_artifacts, read_kinds, settled, solves
from process_table import processes_in, wait_until
from server_events import events_now, events_of

from flows.campaign import run_campaign
from phases.config import CampaignConfig
from pools.errors import TooFewLabelsError
from tasks.events import SAMPLE_FAILED, SAMPLE_RECOVERED

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_api")]

FLAKY: dict[str, Any] = {
    **WAVE,
    "name": "flaky",
    "parameters": {"x": {"low": 0, "high": 1}},
    "stopping": {"max_steps": 1},
}


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PYTHONPATH", f"{Path.cwd()}:{Path(__file__).parent}")
    return


def flaky(**options: Any) -> CampaignConfig:
    solver = {"kind": "custom", "factory": "flaky_solver:Flaky", "options": options}
    return CampaignConfig.model_validate({**FLAKY, "solver": solver})


def run(config: CampaignConfig, directory: Path, *, retry_failed: bool = False) -> Any:
    """Run a campaign and return its flow run's final state."""
    return run_campaign(config, directory, retry_failed=retry_failed, return_state=True)


@pytest.fixture(scope="module")
def finished(
    prefect_api: str,  # noqa: ARG001 - it runs there
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Any, Path]:
    directory = tmp_path_factory.mktemp("flows") / "wave"
    return run(CampaignConfig.model_validate(WAVE), directory), directory


def test_runs_are_named_for_what_a_person_looks_for(finished: tuple[Any, Path]) -> None:
    flow_runs, task_runs = settled(finished[0], 22)
    names = {flow_run.name for flow_run in flow_runs}
    steps = {f"wave-step{step:03d}" for step in range(3)}
    assert names == {"wave", "wave-initial-design", *steps}
    expected = {"train-step001", "metrology-step001", "query-step001", "label-step001"}
    assert expected <= {task_run.name for task_run in task_runs}
    assert solves(task_runs) == {"Completed": 22}  # 6 + 8 of the design, 2 x 4 of the steps


def test_states_say_what_happened(finished: tuple[Any, Path]) -> None:
    flow_runs, _ = settled(finished[0], 22)
    messages = {f.name: f.state.message for f in flow_runs if f.state}
    assert messages["wave-step001"].startswith("4 solved; error ")
    assert messages["wave-initial-design"] == "6 solved; test set: 8 solved"
    assert messages["wave-step002"] == "stopped by max steps: 2 of 2 steps done — stop"


def test_the_flow_says_why_it_stopped(finished: tuple[Any, Path]) -> None:
    assert finished[0].result() == "max steps: 2 of 2 steps done — stop"


@pytest.mark.usefixtures("finished")
def test_artifacts_show_samples_progress_and_report() -> None:
    kinds, artifacts = read_kinds(), read_artifacts()
    assert kinds["wave-step001-samples"] == "table"
    assert kinds["wave-step001-labelling"] == "progress"
    assert kinds["wave-step001-report"] == "markdown"
    rows = json.loads(artifacts["wave-step001-samples"])
    assert [row["outcome"] for row in rows] == ["ok"] * 4
    assert float(artifacts["wave-design-labelling"]) == 100.0
    assert "data:image/png;base64," in artifacts["wave-step001-report"]


def test_a_finished_campaign_run_again_changes_nothing(finished: tuple[Any, Path]) -> None:
    _, directory = finished
    before, lines = outcome_of(directory), ledger_of(directory)
    again = run(CampaignConfig.model_validate(WAVE), directory)
    assert again.is_completed()
    assert outcome_of(directory) == before
    assert ledger_of(directory) == lines
    assert set(solved_attempts(directory).values()) == {1}


def test_a_restored_backup_goes_on(finished: tuple[Any, Path], tmp_path: Path) -> None:
    """What the disk lacks is made again, though Prefect remembers that it was done."""
    backup = tmp_path / "wave"
    shutil.copytree(finished[1], backup)
    for asked in json.loads((backup / "steps/001/selection.json").read_text()):
        shutil.rmtree(backup / "samples" / asked["sample"]["id"])
    for step in ("steps/001", "steps/002"):
        shutil.rmtree(backup / step)
    (backup / "pool/step-001.h5").unlink()
    lines = [line for line in ledger_of(backup) if line["step"] == 0]
    text = "".join(f"{json.dumps(line, sort_keys=True)}\n" for line in lines)
    (backup / "ledger.jsonl").write_text(text)
    assert run(CampaignConfig.model_validate(WAVE), backup).is_completed()
    assert outcome_of(backup) == outcome_of(finished[1])


def test_it_goes_on_when_the_stopping_rule_changes(
    finished: tuple[Any, Path], tmp_path: Path
) -> None:
    """Two steps and then one more end as three in a row."""
    _, directory = finished
    three = CampaignConfig.model_validate({**WAVE, "stopping": {"max_steps": 3}})
    assert run(three, directory).is_completed()
    assert run(three, tmp_path / "wave").is_completed()
    assert outcome_of(directory) == outcome_of(tmp_path / "wave")


def test_a_failed_sample_never_stops_the_others(tmp_path: Path) -> None:
    switch = tmp_path / "switch"
    switch.touch()
    state = run(flaky(edge=0.2, switch=str(switch)), tmp_path / "flaky")
    assert state.is_completed()
    _, task_runs = settled(state, 18)
    counts = solves(task_runs)
    assert counts["Failed"] >= 1
    assert counts["Failed"] + counts["Completed"] == 18
    failed = next(t for t in task_runs if t.state and t.state.is_failed())
    assert "diverged: the switch is on" in failed.state.message
    assert failed.run_count == 1, "a numerical failure only repeats itself"


def test_too_few_labels_fail_the_run_and_a_retry_solves_only_those(tmp_path: Path) -> None:
    switch = tmp_path / "switch"
    switch.touch()
    config = flaky(edge=0.7, switch=str(switch))
    state = run(config, tmp_path / "flaky")
    assert state.is_failed()
    assert "samples of the initial design were solved" in state.message
    with pytest.raises(TooFewLabelsError):
        state.result()
    switch.unlink()
    assert run(config, tmp_path / "flaky").is_failed(), "what failed is not tried again unasked"
    again = run(config, tmp_path / "flaky", retry_failed=True)
    assert again.is_completed()
    assert set(solved_attempts(tmp_path / "flaky").values()) == {1}
    _, task_runs = settled(again, 18)
    solved_before = {"Cached": solves(task_runs)["Cached"]}
    assert solved_before["Cached"] >= 3, "results of the samples that were solved are reused"


def test_an_infrastructure_fault_is_retried(tmp_path: Path) -> None:
    state = run(flaky(edge=0.5, kind="killed"), tmp_path / "flaky")
    assert state.is_completed()
    records = [
        json.loads(f.read_text()) for f in (tmp_path / "flaky").glob("samples/*/sample.json")
    ]
    outcomes = Counter(tuple(a["outcome"] for a in record["attempts"]) for record in records)
    assert set(outcomes) == {("ok",), ("infrastructure", "ok")}
    _, task_runs = settled(state, 18)
    retried = [t for t in task_runs if t.name.startswith("solve-") and t.run_count == 2]
    assert len(retried) == outcomes[("infrastructure", "ok")]
    assert len(events_of(tmp_path, SAMPLE_RECOVERED, len(retried))) == len(retried)
    assert not events_now(tmp_path, SAMPLE_FAILED), "Prefect tried again by itself"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("raises", "the solver raised ValueError: a bug"), ("nan", "square is not finite")],
)
def test_a_solver_of_the_users_may_be_wrong(tmp_path: Path, kind: str, reason: str) -> None:
    state = run(flaky(edge=0.2, kind=kind), tmp_path / "flaky")
    assert state.is_completed()
    records = [
        json.loads(f.read_text()) for f in (tmp_path / "flaky").glob("samples/*/sample.json")
    ]
    failed = [record["attempts"][-1] for record in records if not record["solution"]]
    assert failed
    assert all(attempt["outcome"] == "bad_output" for attempt in failed)
    assert all(reason in attempt["reason"] for attempt in failed)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, None)])
def test_an_interrupt_ends_at_once_and_leaves_nothing(
    prefect_api: str, tmp_path: Path, number: signal.Signals, code: int | None
) -> None:
    slow = ["--set", "solver.seconds=100"]
    file = wave_file(tmp_path / "wave.yaml")
    process = subprocess.Popen(
        command("run", file, "--directory", tmp_path / "wave", *slow),
        env=environment(prefect_api),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    while len(list(tmp_path.glob("wave/samples/*/attempt-01/log.txt"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    started = time.monotonic()
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert time.monotonic() - started < 30
    assert code is None or process.returncode == code
    assert code is None or "run the same command again to go on" in output
    wait_until(lambda: not processes_in(tmp_path), seconds=5)
