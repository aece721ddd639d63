"""A campaign that asks two levels of one solver: what is declared, asked, learnt and kept."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaign_examples import Here, environment, outcome_of, solved_attempts
from killed_inside import Place, run_code_killed
from plain_campaigns import QUICK, files_of, run, start

from phases.asked import initial_picks, queried_picks
from phases.asked import test_picks as held_out_picks
from phases.campaign import Campaign
from phases.config import load as load_file
from phases.config import parse
from phases.neighbours import neighbours
from phases.outcomes import outcomes, relative_seconds
from phases.overview import all_records, levels_of, steps_of
from phases.predict import predict, write_prediction
from pools.errors import UsageError
from pools.pick import Pick
from pools.training import TrainingPool
from pools.vtkhdf import read_solution
from reports.page import Page, page_html
from reports.standing import standing
from surrogates.checkpoint import load

EXAMPLE = Path(__file__).parents[1] / "examples" / "levels.yaml"
COARSE: dict[str, Any] = {"name": "coarse", "set": {"points": 32, "steps": 16}}
FINE: dict[str, Any] = {"name": "fine"}
LEVELS: dict[str, Any] = {
    "parameters": {
        "alpha": {"low": 0, "high": 2},
        "beta": {"low": 0.2, "high": 0.5},
        "gamma": {"low": 0, "high": 0.5},
        "amplitude": {"low": 0.2, "high": 1},
        "mix": {"low": 0, "high": 1},
        "phase": {"low": 0, "high": 6.28},
    },
    "solver": {"kind": "combined", "points": 64, "steps": 32, "tail": 1},
    "levels": [{**COARSE, "seconds": 0.1, "initial_samples": 9}, {**FINE, "seconds": 1}],
    "initial_samples": 5,
    "samples_per_step": 5,
    "test_samples": 4,
    "query": [{"kind": "hybrid", "fraction": 0.8}, {"kind": "sobol", "fraction": 0.2}],
}


SHARE = {"start": 0.0}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Run a campaign of two steps, in which some and then all is asked of the fine level."""
    campaign = start(tmp_path_factory.mktemp("levels") / "wave", **LEVELS, fine_share=SHARE)
    run(campaign)
    return campaign


def test_the_example_runs(tmp_path: Path) -> None:
    """Smaller than its file says: on a medium mesh, few samples, little training."""
    small = ["solver.mesh=medium", "initial_samples=2", "test_samples=2", "samples_per_step=3"]
    little = ["levels.0.initial_samples=4", "surrogate.initial.length=50", "stopping.max_steps=1"]
    campaign = Campaign.start(load_file(EXAMPLE, [*small, *little]), tmp_path / "levels")
    run(campaign)
    with campaign.training_pool(1) as pool:
        assert pool.levels[:6] == ["", "", *["coarse"] * 4]
        assert len(pool) == 9
    assert campaign.config.fine_share.end == 1


def asked_levels(picks: list[Pick]) -> list[str]:
    return [pick.sample.level for pick in picks]


def said_of(**changes: Any) -> str:
    with pytest.raises(UsageError) as caught:
        parse({**QUICK, **LEVELS, **changes}, "test")
    return str(caught.value)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([FINE], "there is one level, fine; give two or more"),
        ([{**COARSE, "name": "fine"}, FINE], "hold fine twice; give each level its own"),
        (
            [{"name": "coarse", "set": {"point": 32}}, FINE],
            "the level coarse: point is not a setting of this solver; did you mean points?",
        ),
        (
            [{"name": "coarse", "set": {"points": 33}}, FINE],
            "points cannot be 33: Input should be a multiple of 2",
        ),
        ([{"name": "coarse"}, FINE], "the level coarse changes nothing"),
        (
            [COARSE, {**FINE, "set": {"points": 128}}],
            "the last level, fine, is the solver as it is declared, but has set",
        ),
        ([{**COARSE, "seconds": 1}, FINE], "give them for all levels, the cheapest first"),
        (
            [{**COARSE, "seconds": 2}, {**FINE, "seconds": 1}],
            "seconds are coarse: 2.0, fine: 1.0; give them for all levels, the cheapest first",
        ),
        (
            [{**COARSE, "initial_samples": 3}, FINE],
            "the level coarse has initial_samples: 3, but the level above it has 5",
        ),
    ],
)
def test_levels_that_cannot_be_are_refused(levels: list[dict[str, Any]], expected: str) -> None:
    assert expected in said_of(levels=levels)


def test_an_ensemble_of_one_cannot_choose_levels() -> None:
    surrogate = {**QUICK["surrogate"], "members": 1}
    query = [{"kind": "random"}]
    assert "surrogate.members is 1, but a level" in said_of(surrogate=surrogate, query=query)


def test_the_sobol_sequence_alone_cannot_choose_levels() -> None:
    assert "the only query is sobol" in said_of(query=[{"kind": "sobol"}])


def test_the_fine_share_may_not_fall() -> None:
    assert "must not fall: swap them" in said_of(fine_share={"start": 0.9, "end": 0.5})


def test_two_levels_of_the_same_answers_are_refused(tmp_path: Path) -> None:
    levels = [{"name": "quick", "set": {"seconds": 0.1}}, FINE]
    with pytest.raises(UsageError, match="quick answers as fine does"):
        start(tmp_path / "wave", levels=levels)


def test_the_initial_design_is_nested(finished: Campaign) -> None:
    picks = initial_picks(finished)
    points = [tuple(pick.sample.parameters.values()) for pick in picks]
    assert asked_levels(picks) == [""] * 5 + ["coarse"] * 9
    assert points[:5] == points[5:10]
    assert len({pick.sample.id for pick in picks}) == 14


def test_the_test_set_and_the_sobol_share_are_fine(finished: Campaign) -> None:
    asked = [pick for step in (0, 1) for pick in queried_picks(finished, step)]
    sobol = [pick for pick in asked if pick.asked_by == "sobol"]
    assert len(sobol) == 2
    assert "point 10 of the Sobol' sequence" in sobol[0].reason  # the coarse level knows nine
    assert not any(asked_levels([*sobol, *held_out_picks(finished)]))


def test_a_fine_sample_is_the_sample_of_a_campaign_without_levels(
    finished: Campaign, tmp_path: Path
) -> None:
    plain = start(tmp_path / "wave", **{**LEVELS, "levels": []})
    assert finished.fingerprints[""] == plain.solver.fingerprint
    sample = initial_picks(finished)[0].sample
    assert sample == sample.asked_of("", plain.solver.fingerprint)


def test_a_step_asks_both_levels_and_says_why(finished: Campaign) -> None:
    first = queried_picks(finished, 0)
    assert set(asked_levels(first)) == {"", "coarse"}
    for pick in first:
        if pick.sample.level:
            assert "asked of coarse, which explains" in pick.reason
            assert "of the variance here in 0.1 of the seconds" in pick.reason
        elif pick.asked_by == "hybrid":
            assert "asked of fine, whose share is 12% at least: coarse explains" in pick.reason


def test_the_last_step_asks_the_fine_level_only(finished: Campaign) -> None:
    assert not any(asked_levels(queried_picks(finished, 1)))


def test_coarse_fields_are_kept_on_the_fine_mesh(finished: Campaign) -> None:
    fine, coarse = initial_picks(finished)[0], initial_picks(finished)[5]
    solutions = [
        read_solution(finished.sample_directory(pick.sample.id).solution)
        for pick in (fine, coarse)
    ]
    assert [solution.sample for solution in solutions] == [fine.sample, coarse.sample]
    meshes = [solution.mesh.points for solution in solutions]
    np.testing.assert_array_equal(*meshes)
    one, other = (solution.fields["u"].values for solution in solutions)
    assert 0 < np.abs(one - other).max() < 0.1 * np.abs(one).max()


def test_the_pool_says_which_level_answered(finished: Campaign) -> None:
    with finished.training_pool(0) as pool:
        assert pool.levels == [""] * 5 + ["coarse"] * 9
        assert pool.finest.sum() == 5
    with TrainingPool(finished.shards("test")) as test:
        assert test.finest.all()


def test_the_surrogate_answers_for_the_fine_level_unless_told(finished: Campaign) -> None:
    surrogate = load(finished.checkpoint(2))
    points = np.array([pick.sample.row(surrogate.space.names) for pick in initial_picks(finished)])
    fine, coarse = surrogate.predict(points), surrogate.at(1).predict(points)
    np.testing.assert_array_equal(surrogate.at(0).predict(points).fields.mean, fine.fields.mean)
    assert (fine.quantities.mean != coarse.quantities.mean).any()
    with pytest.raises(UsageError, match="of a surrogate that learnt from 2; ask for 0 to 1"):
        surrogate.at(2)


def test_it_predicts_what_a_level_would_answer(finished: Campaign, tmp_path: Path) -> None:
    sample = initial_picks(finished)[5].sample
    names = ("coarse", "fine", None)
    coarse, fine, untold = (predict(finished, 2, sample.parameters, name) for name in names)
    surrogate = load(finished.checkpoint(2))
    row = sample.row(surrogate.space.names)[np.newaxis]
    expected = surrogate.at(1).predict(row).quantities.mean
    np.testing.assert_array_equal(coarse.prediction.quantities.mean, expected)
    np.testing.assert_array_equal(
        fine.prediction.quantities.mean, untold.prediction.quantities.mean
    )
    assert (fine.prediction.quantities.mean != expected).any()
    write_prediction(finished, coarse, tmp_path / "coarse.vtkhdf")
    assert read_solution(tmp_path / "coarse.vtkhdf").sample == sample
    with pytest.raises(UsageError, match="asked for the level 'mid'; levels are fine, coarse"):
        predict(finished, 2, sample.parameters, "mid")


def test_seconds_of_a_coarse_sample_count_as_those_of_a_fine_one(finished: Campaign) -> None:
    assert relative_seconds(finished, 1) == {"": 1, "coarse": 0.1}
    design = next(entry for entry in finished.ledger.entries() if entry.phase == "label_design")
    taken = [design.summary["seconds"][pick.sample.id] for pick in initial_picks(finished)]
    told = outcomes(finished, 0).seconds
    np.testing.assert_allclose(told, np.array(taken) / ([1] * 5 + [0.1] * 9))


def test_without_declared_seconds_they_are_measured(tmp_path: Path) -> None:
    little = {**LEVELS, "levels": [COARSE, FINE], "initial_samples": 2, "test_samples": 2}
    campaign = start(tmp_path / "wave", **little, stopping={"max_steps": 0})
    run(campaign)
    design = next(entry for entry in campaign.ledger.entries() if entry.phase == "label_design")
    taken = [design.summary["seconds"][pick.sample.id] for pick in initial_picks(campaign)]
    expected = np.mean(taken[2:]) / np.mean(taken[:2])
    assert relative_seconds(campaign, 0)["coarse"] == pytest.approx(expected)


def test_a_campaign_without_levels_writes_nothing_of_them(finished_campaign: Path) -> None:
    files = files_of(finished_campaign)
    told = [content for name, content in files.items() if name != "campaign.yaml"]
    assert len(told) > 50
    assert not any(b'"level"' in content or b"levels" in content for content in told)
    selection = json.loads(files["steps/000/selection.json"])
    assert set(selection[0]["sample"]) == {"id", "parameters"}


def test_killed_and_run_again_it_ends_the_same(finished: Campaign, tmp_path: Path) -> None:
    """Killed in the query of step 0: its levels are chosen and written, its line is not."""
    place: Place = ("pools.ledger", "asdict", 6)
    directory = tmp_path / "wave"
    imports = "from pathlib import Path\nfrom test_levels import SHARE, LEVELS, run, start"
    program = f"run(start(Path({str(directory)!r}), **LEVELS, fine_share=SHARE))"
    run_code_killed(place, imports, program, environment())
    assert (directory / "steps" / "000" / "selection.json").exists()
    run(start(directory, **LEVELS, fine_share=SHARE))
    assert outcome_of(directory) == outcome_of(finished.directory)
    assert set(solved_attempts(directory).values()) == {1}


def test_a_recovery_starts_from_fine_samples_and_at_the_fine_level_only(
    finished: Campaign,
) -> None:
    fine, coarse = initial_picks(finished)[0].sample, initial_picks(finished)[5].sample
    found = neighbours(finished, 1, fine)
    assert found
    assert not any(neighbour.sample.level for neighbour in found)
    assert coarse.id not in {neighbour.sample.id for neighbour in found}
    assert neighbours(finished, 1, coarse) == []


def test_a_check_finds_nothing(finished: Campaign, here: Here) -> None:
    assert here("check", finished.directory).returncode == 0


def test_status_tells_of_the_levels(finished: Campaign, here: Here) -> None:
    told = here("status", finished.directory).stdout
    assert "initial design: 14 of 14 solved" in told
    assert "5: 3 coarse, 2 fine" in told
    assert re.search(r"coarse +│ 12 +│ 0 +│ 0\.\d+", told)


def test_the_report_tells_of_the_levels(finished: Campaign) -> None:
    told = page_html(
        Page(
            name="levels",
            description="",
            made_at="",
            standing=standing(finished),
            steps=steps_of(finished),
            levels=levels_of(finished),
            samples=all_records(finished),
            last=None,
            drawings=[],
            configuration="",
            versions={},
        )
    )
    assert '<td class="n">5: 3 coarse, 2 fine</td>' in told
    assert '<tr><td>coarse</td><td class="n">12</td>' in told
    assert "asked of coarse, which explains" in told
