"""The physics residual of predictions, through the campaign's solver."""

import logging
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain_campaigns import QUICK, prepare, start
from strategy_examples import FeaturedExample

from phases.campaign import Campaign, Work
from phases.campaign_driver import CampaignDriver
from phases.config import parse
from phases.metrology import metrology
from phases.preflight import check_queries
from phases.query import choose, summary_of
from phases.residual import RESIDUAL_SECONDS, PredictedResidual
from phases.scope import scope
from phases.stopping import history
from phases.train import train
from pools.errors import CampaignError, UsageError
from pools.ledger import Entry
from pools.pick import Pick
from pools.sample import Sample
from solvers.analytic import AnalyticSolver
from solvers.settings import AnalyticSettings
from strategies.physics_residual import EvaluatedResidual
from surrogates.checkpoint import load

LOGGER = logging.getLogger("solverloop.test")


def solver(**options: Any) -> dict[str, Any]:
    return {"kind": "custom", "factory": "wave_residual:WaveResidual", "options": options}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    directory = tmp_path_factory.mktemp("residual") / "wave"
    campaign = start(directory, solver=solver())
    prepare(campaign)
    train(campaign, 0)
    return campaign


def asking(campaign: Campaign, tmp_path: Path, **changes: Any) -> PredictedResidual:
    """The same surrogate, with a solver of which some evaluations fail."""
    other = start(tmp_path / "other", **changes)
    return PredictedResidual(other, load(campaign.checkpoint(0)), LOGGER)


def test_it_is_the_solvers_residual_of_the_learners_fields(
    trained: Campaign, tmp_path: Path
) -> None:
    rows = np.random.default_rng(1).random((19, 2))  # more than a block
    with scope(trained, 0, "query") as seen:
        found = seen.residual(rows)
    wave = AnalyticSolver(AnalyticSettings(problem="wave"))
    predicted = load(trained.checkpoint(0)).predict(rows).fields.mean
    truth = [
        wave.solve(Sample.of({"length": a, "phase": b}, "any"), tmp_path).stacked_fields()
        for a, b in rows
    ]
    np.testing.assert_allclose(found, np.sqrt(np.mean((predicted - truth) ** 2, axis=(1, 2))))


@pytest.mark.parametrize(
    ("kind", "seconds", "words"),
    [
        ("diverges", 60, "1 of 3 have no residual.*diverged: the first iteration diverged"),
        ("nan", 60, "1 of 3 have no residual.*residual is nan"),
        ("hangs", 1, "1 of 3 have no residual.*timeout: ended at its deadline"),
    ],
)
def test_what_fails_is_nan_and_told(
    trained: Campaign,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    seconds: float,
    words: str,
) -> None:
    residual = asking(
        trained,
        tmp_path,
        solver=solver(edge=0.5, kind=kind),
        label={"timeout_seconds": seconds, "grace_seconds": 0.1},
    )
    found = residual(np.array([[0.1, 0.5], [0.9, 0.5], [0.3, 0.5]]))
    assert np.isnan(found).tolist() == [False, True, False]
    assert caplog.records[-1].levelno == logging.WARNING
    assert re.search(words, caplog.text)


def test_where_all_fail_the_query_does(trained: Campaign, tmp_path: Path) -> None:
    residual = asking(trained, tmp_path, solver=solver(edge=-1))
    with pytest.raises(CampaignError, match=r"none of 2 .* the first iteration diverged; mend"):
        residual(np.array([[0.1, 0.5], [0.9, 0.5]]))
    assert residual.seconds > 0


def test_it_leaves_nothing_behind_and_no_sample_knows_of_it(
    trained: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = sorted(trained.directory.rglob("*"))
    CampaignDriver(trained).residual(np.array([[0.1, 0.5]]))
    assert sorted(trained.directory.rglob("*")) == before
    assert list(tmp_path.iterdir()) == []


def test_no_candidates_start_no_solver(trained: Campaign) -> None:
    residual = CampaignDriver(trained).residual
    assert residual(np.zeros((0, 2))).shape == (0,)
    assert residual.seconds == 0


def test_a_solver_without_residuals_is_refused_before_anything_runs(
    trained: Campaign, tmp_path: Path
) -> None:
    residual = asking(trained, tmp_path)
    with pytest.raises(UsageError, match="has no residual of predicted fields"):
        residual(np.array([[0.1, 0.5]]))


def test_seconds_of_residuals_are_told(trained: Campaign) -> None:
    residual = CampaignDriver(trained).residual
    residual(np.array([[0.1, 0.5], [0.2, 0.5]]))
    picks = [Pick(Sample("x", {"length": 0.1}), "physics_residual")]
    summary = summary_of(picks, residual.seconds)
    assert summary == {
        "asked_by": {"physics_residual": 1},
        "residual_seconds": pytest.approx(residual.seconds, abs=1e-3),
    }
    assert residual.seconds > 0


def test_seconds_of_residuals_count_as_the_solvers_from_the_next_step_on(tmp_path: Path) -> None:
    campaign = start(tmp_path / "wave", solver=solver())
    prepare(campaign)
    train(campaign, 0)
    metrology(campaign, 0)
    chosen = choose(campaign, 0)
    spent = {**chosen.summary, RESIDUAL_SECONDS: 2.5}
    campaign.once(0, "query", lambda _: Work(chosen.artifacts, spent))
    before = history(campaign, 0)[-1].solver_seconds
    campaign.ledger.append(Entry(0, "label", 0, summary={"solver_seconds": 1.0}))
    measured = {"labelled": 10, "error": 0.1, "errors": {}}
    campaign.ledger.append(Entry(1, "metrology", 0, summary=measured))
    assert history(campaign, 1)[0].solver_seconds == before
    assert history(campaign, 1)[-1].solver_seconds == pytest.approx(before + 3.5)


def test_a_query_without_residuals_says_nothing_of_them() -> None:
    assert summary_of([], 0.0) == {"asked_by": {}}


def test_a_campaign_queries_by_the_residual_of_its_solver(tmp_path: Path) -> None:
    query = [{"kind": "physics_residual", "evaluated": 12}]
    campaign = start(tmp_path / "wave", solver=solver(), query=query, stopping={"max_steps": 1})
    CampaignDriver(campaign).run()
    entry = campaign.ledger.find(0, "query")
    assert entry is not None
    assert entry.summary["asked_by"] == {"physics_residual": 4}
    assert entry.summary[RESIDUAL_SECONDS] > 0


def test_a_solver_without_residuals_is_refused_before_the_campaign_begins() -> None:
    content = {**QUICK, "query": [{"kind": "physics_residual"}]}
    with pytest.raises(UsageError, match="has no residual of predicted fields"):
        check_queries(parse(content, "test"))


def test_as_many_are_evaluated_as_it_says_and_what_is_nan_is_never_chosen() -> None:
    asked = []

    def residual(rows: np.ndarray) -> np.ndarray:
        asked.append(len(rows))
        return np.where(rows[:, 0] < 0.5, np.nan, rows[:, 0])

    rows = np.random.default_rng(0).random((200, 2))
    chosen = EvaluatedResidual(residual=residual, evaluated=30)(
        rows, rows[:0], FeaturedExample(), 5, np.random.default_rng(1)
    )
    assert asked == [30]
    assert rows[chosen.indices, 0].min() >= 0.5


def test_too_few_residuals_are_an_error_with_the_way_out() -> None:
    rows = np.random.default_rng(0).random((20, 2))
    acquisition = EvaluatedResidual(residual=lambda rows: np.full(len(rows), np.nan))
    with pytest.raises(CampaignError, match=r"only 0 of 20 residuals .* query with hybrid"):
        acquisition(rows, rows[:0], FeaturedExample(), 3, np.random.default_rng(1))
