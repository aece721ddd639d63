"""`solverloop retry` and `solverloop failures`: what they print, and how they exit."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from campaign_examples import (
    Here,
    Refused,
    command,
    environment,
    ledger_of,
    message_of,
    solved_attempts,
)
from plain_campaigns import files_of, stopped_in_part

from phases.campaign import Campaign
from phases.overview import failures
from solvers.recovery import BY_HAND, Try


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a campaign of one step, in which many samples fail; to be copied."""
    return stopped_in_part(tmp_path_factory.mktemp("failing") / "wave")


@pytest.fixture
def failing(stopped: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stopped, tmp_path / "wave"))


def ran(*arguments: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env={**environment(), **changes},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("retry", "solverloop retry campaigns/channel --outcome diverged --set relaxation.U=0.5"),
        ("retry", "90, 90s, 15m, 2h"),
        ("failures", "solverloop failures campaigns/channel --outcome diverged --json"),
    ],
)
def test_help_shows_an_example(name: str, example: str) -> None:
    words = ran(name, "--help").stdout.replace("│", " ").split()
    assert example in " ".join(words)


def test_failures_says_what_happened_and_what_to_do(failing: Path, here: Here) -> None:
    text = here("failures", failing).stdout
    record = failures(Campaign.open(failing))[0]
    name = record.pick.sample.id
    assert f"{name}  diverged, 1 attempt, " in text
    assert "told to diverge; raise fails_above" in text
    assert f"{failing}/samples/{name}/attempt-01\n" in text
    assert f"solverloop retry {failing} {name[:6]} --set KEY=VALUE" in text


def test_failures_says_how_each_try_was_made(failing: Path, here: Here) -> None:
    """A retry was interrupted: the attempt is there, and no record tells of it."""
    campaign = Campaign.open(failing)
    place = campaign.sample_directory(failures(campaign)[0].pick.sample.id).path
    (place / "attempt-02").mkdir()
    Try(BY_HAND, {"fails_above": 0.8}).write(place / "attempt-02")
    text = here("failures", failing).stdout
    assert "  attempt-01 as declared: diverged after 0." in text
    assert "  attempt-02 by hand, fails_above=0.8: interrupted, or still running\n" in text


@pytest.mark.slow
def test_a_run_ends_with_the_way_to_its_failures(failing: Path, prefect_api: str) -> None:
    count = len(failures(Campaign.open(failing)))
    ended = ran("run", failing, PREFECT_API_URL=prefect_api)
    last = ended.stdout.splitlines()[-1]
    assert last == f"{count} samples without a solution; why: solverloop failures {failing}"


def test_failures_as_json(failing: Path, here: Here) -> None:
    failed = json.loads(here("failures", failing, "--json").stdout)
    records = failures(Campaign.open(failing))
    assert [each["sample"] for each in failed] == [r.pick.sample.id for r in records]
    assert {each["outcome"] for each in failed} == {"diverged"}
    assert not any(attempt["interrupted"] for each in failed for attempt in each["attempts"])
    assert all(each["telling"] and each["attempts"] for each in failed)
    assert json.loads(here("failures", failing, "--json", "--outcome", "mesh").stdout) == []


def test_no_failures_is_good_news(finished_campaign: Path, here: Here) -> None:
    assert here("failures", finished_campaign).stdout == "no failed samples\n"
    ended = here("retry", finished_campaign)
    assert ended.returncode == 0
    assert ended.stdout.startswith("nothing to retry")


def test_status_shows_the_way_to_a_retry(failing: Path, here: Here) -> None:
    assert f"again: solverloop retry {failing}" in here("status", failing).stdout


def test_a_dry_run_says_what_would_be_done_and_does_nothing(failing: Path, here: Here) -> None:
    before = files_of(failing)
    arguments = ("--dry-run", "--set", "fails_above=0.8", "--timeout", "2h")
    text = here("retry", failing, *arguments).stdout
    count = len(failures(Campaign.open(failing)))
    assert (
        f"would be solved again: {count} samples, with {{'fails_above': 0.8}}, each attempt "
        "within 7200 s" in text
    )
    assert files_of(failing) == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--set", "fails_abov=1"), "fails_abov is not a setting of this solver; did you mean"),
        (("--set", "fails_above"), "--set got 'fails_above'; write it as KEY.KEY=VALUE"),
        (("--set", "fails_above=[1]"), "--set fails_above=[1]: the value is a list, but a"),
        (("--set", "seconds=1", "--set", "seconds=2"), "--set gives seconds twice, 1 and 2"),
        (("--timeout", "soon"), "'soon' is no duration; write seconds, or a number with s, m"),
        (("--outcome", "ok"), "outcome ok is no failure; choose among diverged"),
        (("zzz",), "no sample that was tried begins with 'zzz'; failed samples are "),
    ],
)
def test_what_cannot_be_done_is_said_before_a_solver_starts(
    failing: Path, arguments: Sequence[str], expected: str, refused: Refused
) -> None:
    assert expected in refused(2, "retry", failing, *arguments)


@pytest.mark.parametrize("name", ["retry", "failures"])
def test_what_is_no_campaign_is_a_usage_error(name: str, tmp_path: Path, refused: Refused) -> None:
    assert f"{tmp_path} is not a campaign's directory" in refused(2, name, tmp_path)


@pytest.mark.slow
def test_a_retry_and_what_comes_after_it_without_prefects_database(
    failing: Path, tmp_path: Path
) -> None:
    """Nobody's Prefect has ever heard of this campaign; every command has a new one."""
    assert "PREFECT_API_URL" not in os.environ
    count = len(failures(Campaign.open(failing)))
    half = ran("retry", failing, "--set", "fails_above=0.8", PREFECT_HOME=str(tmp_path / "one"))
    assert half.returncode == 0, half.stderr
    left = len(failures(Campaign.open(failing)))
    assert 0 < left < count
    assert f"{count - left} of {count} solved: {left} diverged\n" in half.stdout
    assert "appended to pool/retry-001.h5: " in half.stdout
    assert f"go on: solverloop run {failing} --set stopping.max_steps=2\n" in half.stdout
    rest = ran("retry", failing, "--set", "fails_above=2.0", PREFECT_HOME=str(tmp_path / "two"))
    assert f"{left} of {left} solved\n" in rest.stdout
    assert set(solved_attempts(failing).values()) == {1}
    more = ("--set", "stopping.max_steps=2")
    ended = ran("run", failing, *more, PREFECT_HOME=str(tmp_path / "three"))
    assert ended.returncode == 0, ended.stderr
    trained = [line for line in ledger_of(failing) if line["phase"] == "train"]
    labelled = [line["summary"]["labelled"] for line in trained]
    second = next(x for x in ledger_of(failing) if (x["step"], x["phase"]) == (1, "label"))
    assert labelled[2] == 6 + 4 + second["summary"]["solved"]


@pytest.mark.slow
def test_a_retry_that_solves_nothing_is_a_run_failure(failing: Path, prefect_api: str) -> None:
    count = len(failures(Campaign.open(failing)))
    ended = ran("retry", failing, PREFECT_API_URL=prefect_api)
    message = message_of(ended, 1)
    assert f"error: 0 of {count} solved: {count} diverged; `solverloop failures" in message
