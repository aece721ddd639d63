"""Campaigns whose parameters take only so many values."""

from pathlib import Path

import numpy as np
import pytest
from plain_campaigns import files_of, run, start

from examples.heat_sink import HeatSink
from phases import asked
from phases.asked import initial_picks, queried_picks
from phases.campaign import Campaign
from phases.config import load
from phases.predict import predict
from phases.scope import candidates
from pools.errors import UsageError
from pools.pick import Pick
from pools.sample import Sample
from reports.build import build_report
from surrogates.checkpoint import load as load_surrogate

HALVES = [0, 0.25, 0.5, 0.75, 1]
PARAMETERS = {
    "length": {"type": "categorical", "values": HALVES},
    "phase": {"type": "integer", "low": 0, "high": 5},
}
CONSTRAINTS = ["length * phase < 3"]  # 25 of 30 points
QUERY = [{"kind": "sbal", "fraction": 0.5}, {"kind": "sobol", "fraction": 0.5}]
CHANGES = {
    "parameters": PARAMETERS,
    "constraints": CONSTRAINTS,
    "query": QUERY,
    "stopping": {"max_steps": 9},
}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    discrete = start(tmp_path_factory.mktemp("discrete"), **CHANGES)
    assert "pool exhausted" in run(discrete)
    return discrete


def steps_of(campaign: Campaign) -> int:
    return campaign.first_unfinished_step()


def rows_of(picks: list[Pick]) -> list[tuple[float, ...]]:
    return [tuple(pick.sample.row(("length", "phase")).tolist()) for pick in picks]


def test_a_space_is_exhausted_and_no_point_was_asked_for_twice(campaign: Campaign) -> None:
    queried = [p for step in range(steps_of(campaign)) for p in queried_picks(campaign, step)]
    rows = rows_of([*initial_picks(campaign), *asked.test_picks(campaign), *queried])
    expected = {(x, n) for x in HALVES for n in range(6) if x * n < 3}
    assert len(rows) == len(set(rows))
    assert set(rows) == expected
    assert len(candidates(campaign, steps_of(campaign))) == 0


def test_the_sobol_share_is_never_short_while_there_are_points(campaign: Campaign) -> None:
    first = queried_picks(campaign, 0)
    assert [pick.asked_by for pick in first] == ["sbal", "sbal", "sobol", "sobol"]


def test_a_killed_campaign_ends_with_the_same_samples(campaign: Campaign, tmp_path: Path) -> None:
    run(start(tmp_path, **{**CHANGES, "stopping": {"max_steps": 1}}))
    run(start(tmp_path, **CHANGES))
    for step in range(steps_of(campaign)):
        file = f"steps/{step:03d}/selection.json"
        assert files_of(tmp_path)[file] == files_of(campaign.directory)[file]


def test_the_surrogate_sees_a_column_for_each_category(campaign: Campaign) -> None:
    learner = load_surrogate(campaign.checkpoint(0))
    assert learner.network.weights[0].shape[1] == 5 + 1
    rows = campaign.config.domain.sobol(6, 2)
    assert learner.predict(rows).quantities.mean.shape == (6, 1)
    assert learner.features(rows, "gradients").shape[0] == 6


def test_prediction_between_the_values_is_refused(campaign: Campaign) -> None:
    assert predict(campaign, 0, {"length": 0.25, "phase": 3}).prediction.quantities
    with pytest.raises(UsageError, match=r"length is 0.3, but it takes 0, 0.25, 0.5, 0.75, 1 on"):
        predict(campaign, 0, {"length": 0.3, "phase": 3})


def test_the_report_is_drawn(campaign: Campaign) -> None:
    build_report(campaign)
    assert (campaign.directory / "report" / "samples.png").is_file()


def test_more_samples_than_points_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="they have 25 different points, but initial_samples is"):
        start(tmp_path, **{**CHANGES, "test_samples": 20})


def test_the_heat_sink_asks_for_fins_that_fit() -> None:
    config = load(Path(__file__).parents[1] / "examples" / "heat-sink.yaml")
    fins, thickness, _, material = config.domain.sobol(200, 1).T
    assert (fins * (thickness + 0.0015) <= 0.06).all()
    assert np.array_equal(fins, np.rint(fins))
    assert set(material) == {1, 2}
    assert config.parameters.width == 5


def test_the_heat_sink_chokes_with_too_many_fins(tmp_path: Path) -> None:
    values = {"thickness": 0.0005, "length": 0.03, "material": 1.0}
    heats = [
        HeatSink().solve(Sample.of({**values, "fins": n}, "s"), tmp_path).quantities["heat"].value
        for n in (3, 16, 90)
    ]
    assert heats[1] > max(heats[0], heats[2])
