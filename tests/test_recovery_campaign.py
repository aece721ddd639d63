"""A ladder in a campaign: checked at the door, climbed, the same however often it is killed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from campaign_examples import WAVE, environment, outcome_of
from killed_inside import run_code_killed
from plain_campaigns import QUICK, prepare, run, start

from phases.asked import initial_picks, queried_picks
from phases.campaign import Campaign
from phases.config import load, parse
from phases.label import records_of
from phases.neighbours import neighbours
from pools.errors import UsageError
from pools.outcome import Outcome
from pools.record import SampleRecord

LADDER: dict[str, Any] = {
    "solver": {"kind": "analytic", "problem": "wave", "fails_above": 0.4},
    "label": {
        "min_success_fraction": 0.25,
        "timeout_seconds": 60,
        "keep": "failed",
        "recovery": [
            {"name": "from the nearest", "start": "nearest"},  # of no use to a closed form
            {"name": "further", "set": {"fails_above": 0.9}},
        ],
    },
    "stopping": {"max_steps": 1},
}


def refused(*recovery: dict[str, Any], **solver: Any) -> str:
    content = {**WAVE, "label": {"recovery": list(recovery)}}
    with pytest.raises(UsageError) as caught:
        parse({**content, "solver": {**WAVE["solver"], **solver}}, "wave.yaml")
    return str(caught.value)


def test_a_rung_is_checked_before_anything_runs() -> None:
    said = refused({"name": "slow", "set": {"second": 1}})
    assert "label.recovery, the rung 'slow': second is not a setting of this solver" in said
    assert "did you mean seconds?" in said
    assert "is a number (0.0), but the change gives a word" in refused(
        {"name": "slow", "set": {"seconds": "1h"}}
    )
    assert "changes nothing" in refused({"name": "slow"})
    assert "more than one rung named 'a'" in refused(
        {"name": "a", "start": "nearest"}, {"name": "a", "start": "nearest"}
    )


def test_on_is_a_word_in_a_campaign_file(tmp_path: Path) -> None:
    text = yaml.safe_dump({**WAVE, "label": {}}).replace(
        "label: {}", "label: {recovery: [{name: slow, on: [timeout], set: {seconds: 0}}]}"
    )
    (tmp_path / "wave.yaml").write_text(text)
    rung = load(tmp_path / "wave.yaml").label.recovery[0]
    assert rung.on == (Outcome.TIMEOUT,)
    changes = ["label.recovery=[{name: slow, on: [mesh], set: {seconds: 0}}]"]
    assert load(tmp_path / "wave.yaml", changes).label.recovery[0].on == (Outcome.MESH,)


@pytest.fixture(scope="module")
def climbed(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    campaign = start(tmp_path_factory.mktemp("climbed") / "wave", **LADDER)
    run(campaign)
    return campaign


def recovered(records: list[SampleRecord]) -> list[SampleRecord]:
    return [record for record in records if len(record.attempts) > 1]


def test_the_design_starts_from_nothing(climbed: Campaign) -> None:
    records = recovered(records_of(climbed, initial_picks(climbed)))
    assert records
    for record in records:
        assert [attempt.rung for attempt in record.attempts] == ["", "further"]
        assert record.attempts[0].reason.endswith(
            "'from the nearest' was not tried: no sample of an earlier step is solved"
        )


def test_a_step_starts_from_the_nearest_of_the_pool(climbed: Campaign) -> None:
    records = recovered(records_of(climbed, queried_picks(climbed, 0)))
    assert records
    pool = climbed.training_pool(0)
    space = climbed.config.parameters
    cube = space.normalise(pool.parameters)
    for record in records:
        assert [a.rung for a in record.attempts] == ["", "from the nearest", "further"]
        row = space.normalise(record.pick.sample.row(space.names)[None])
        nearest = pool.ids[int(np.argmin(np.linalg.norm(cube - row, axis=1)))]
        assert record.attempts[1].start == nearest
        near = neighbours(climbed, 0, record.pick.sample)
        assert near[0].sample.id == nearest
        assert record.pick.sample.id not in {one.sample.id for one in near}


def test_the_successful_attempts_are_pruned_and_no_other(climbed: Campaign) -> None:
    for place in (climbed.directory / "samples").iterdir():
        *failed, last = sorted(place.glob("attempt-*"))
        solved = (place / "solution.vtkhdf").exists()
        assert (last / "log.txt").exists() != solved
        assert all((attempt / "log.txt").exists() for attempt in failed)


IMPORTS = """
from pathlib import Path
from plain_campaigns import run, start
from test_recovery_campaign import LADDER
"""


@pytest.mark.parametrize(
    ("module", "function", "call"),
    [
        ("solvers.label", "judge", 9),  # in the design: the solve ended, nobody knows
        ("solvers.label", "judge", 27),  # in the step, on the ladder
        ("solvers.label", "next_try", 29),
        ("solvers.workers", "Request", 28),  # the attempt's directory is there, and no more
        ("solvers.retention", "_empty", 5),
    ],
)
def test_killed_on_the_ladder(
    module: str, function: str, call: int, climbed: Campaign, tmp_path: Path
) -> None:
    program = f"run(start(Path({str(tmp_path / 'wave')!r}), **LADDER))"
    run_code_killed((module, function, call), IMPORTS, program, environment())
    campaign = start(tmp_path / "wave", **LADDER)
    run(campaign)
    assert outcome_of(campaign.directory) == outcome_of(climbed.directory)
    for place in (climbed.directory / "samples").iterdir():
        again = campaign.sample_directory(place.name).read()
        once = climbed.sample_directory(place.name).read()
        assert again is not None
        assert once is not None
        assert again.solution == once.solution
        assert numerical(again) == numerical(once)


def numerical(record: SampleRecord) -> list[tuple[str, str]]:
    """Return the attempts that were not cut short."""
    kept = [a for a in record.attempts if a.outcome is not Outcome.INFRASTRUCTURE]
    return [(attempt.rung, attempt.start) for attempt in kept]


def test_the_ladder_may_change_on_resume(tmp_path: Path) -> None:
    without = {**LADDER, "label": {**LADDER["label"], "recovery": []}}
    prepare(start(tmp_path / "wave", **without))
    again = start(tmp_path / "wave", **LADDER)
    assert len(again.config.label.recovery) == 2
    assert Campaign.open(tmp_path / "wave").config == again.config
    assert QUICK["name"] == again.config.name
