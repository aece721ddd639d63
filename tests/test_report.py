"""The report of a campaign on disk: page, pictures, and what the Prefect UI is given."""

import json
import re
import shutil
from html import unescape
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from campaign_examples import WAVE

from flows.command_report import report_command
from phases.append import append, append_design
from phases.asked import initial_picks, queried_picks
from phases.campaign import Campaign
from phases.config import parse
from phases.design import design
from phases.label import (
    conclude_design_label,
    conclude_label,
    design_to_solve,
    label_sample,
    step_to_solve,
)
from phases.metrology import metrology
from phases.overview import all_records
from phases.query import query
from phases.stopping import stopping_decision
from phases.train import train
from pools.errors import SolverError
from pools.pick import Pick
from reports.asking import asking
from reports.build import build_report
from reports.data import tried_samples
from reports.page import Drawing, Page, duration, number, page_html
from reports.standing import Standing, standing
from reports.step import learning_curve_png, step_markdown
from solvers.workers import SolverWorkers

PNG = b"\x89PNG\r\n\x1a\n"
FAILING = {"kind": "analytic", "problem": "wave", "fails_above": 0.7}
DESCRIPTION = "Waves <b>&</b> their lengths"


def solve(campaign: Campaign, step: int, picks: list[Pick]) -> None:
    with SolverWorkers(campaign.config.solver, 1) as workers:
        for pick in picks:
            try:
                label_sample(campaign, step, pick, workers, retry_failed=False)
            except SolverError:
                continue


@pytest.fixture(scope="module")
def designed(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """A campaign that has its initial design and nothing else."""
    config = {**WAVE, "solver": FAILING, "description": DESCRIPTION, "query": [{"kind": "sobol"}]}
    directory = tmp_path_factory.mktemp("report") / "wave"
    campaign = Campaign.start(parse(config, "test"), directory)
    design(campaign)
    solve(campaign, 0, design_to_solve(campaign))
    conclude_design_label(campaign)
    append_design(campaign)
    return campaign


@pytest.fixture(scope="module")
def first(designed: Campaign, tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """The same, measured once."""
    campaign = copied(designed, tmp_path_factory)
    train(campaign, 0)
    metrology(campaign, 0)
    stopping_decision(campaign, 0)
    return campaign


@pytest.fixture(scope="module")
def second(first: Campaign, tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """The same, after a whole step."""
    campaign = copied(first, tmp_path_factory)
    query(campaign, 0)
    solve(campaign, 0, step_to_solve(campaign, 0))
    conclude_label(campaign, 0)
    append(campaign, 0)
    train(campaign, 1)
    metrology(campaign, 1)
    stopping_decision(campaign, 1)
    return campaign


@pytest.fixture(scope="module")
def page(second: Campaign) -> Path:
    return build_report(second)


@pytest.fixture(scope="module")
def html(page: Path) -> str:
    return page.read_text()


def copied(campaign: Campaign, places: pytest.TempPathFactory) -> Campaign:
    directory = places.mktemp("report") / "wave"
    shutil.copytree(campaign.directory, directory)
    return Campaign.open(directory)


def pictures_of(html: str) -> list[str]:
    return re.findall(r'<img src="([^"]+)"', html)


def test_the_report_of_a_campaign_has_every_figure(
    second: Campaign, page: Path, html: str
) -> None:
    assert page == second.directory / "report" / "index.html"
    pictures = pictures_of(html)
    fixed = ["learning_curve.png", "parity.png", "uncertainty.png", "samples.png", "seconds.png"]
    assert set(pictures) >= set(fixed)
    assert sum(name.startswith("field_") for name in pictures) == 2
    for name in pictures:
        content = (page.parent / name).read_bytes()
        assert content.startswith(PNG)
        assert 5_000 < len(content) < 2_000_000


def test_the_page_loads_nothing_from_elsewhere(html: str) -> None:
    assert "//" not in html
    assert "<script" not in html
    assert {Path(name).name for name in pictures_of(html)} == set(pictures_of(html))


def test_the_page_escapes_what_the_campaign_says(html: str) -> None:
    assert "Waves &lt;b&gt;&amp;&lt;/b&gt; their lengths" in html
    assert DESCRIPTION not in html


def test_the_page_tells_how_the_campaign_stands(second: Campaign, html: str) -> None:
    stands = standing(second)
    assert stands.summary.startswith("Goes on")
    assert stands.labelled + stands.tested + len(stands.failures) == 6 + 8 + 4
    assert stands.failures, "fails_above is low enough that some fail"
    for record in stands.failures:
        assert record.pick.sample.id in html
        assert record.attempts[-1].reason in html
    assert stands.decision is not None
    for signal in stands.decision.signals:
        assert signal.message in html


def test_the_page_says_who_asked_for_which_sample_and_why(second: Campaign, html: str) -> None:
    for pick in queried_picks(second, 0):
        row = next(line for line in html.splitlines() if f"<code>{pick.sample.id}</code>" in line)
        assert f"<td>{pick.asked_by}</td><td>{pick.reason}</td>" in unescape(row)
    asked = {each.name: each for each in asking(all_records(second))}
    assert [*asked][:2] == ["initial design", "test set"]
    assert asked["initial design"].asked == 6
    assert sum(each.asked for each in asked.values()) == 6 + 8 + 4
    assert sum(each.failed for each in asked.values()) == len(standing(second).failures)


def test_a_campaign_that_stopped_says_why(
    second: Campaign, tmp_path_factory: pytest.TempPathFactory
) -> None:
    campaign = copied(second, tmp_path_factory)
    file = campaign.step_directory(1) / "stopping.json"
    decision = json.loads(file.read_text()) | {"stop": True, "reason": "the target is met"}
    file.write_text(json.dumps(decision))
    assert standing(campaign).summary == "Stopped: the target is met"


def test_a_campaign_without_metrics_has_a_page_that_says_so(designed: Campaign) -> None:
    html = build_report(designed).read_text()
    assert "There are no metrics yet" in html
    assert pictures_of(html) == ["samples.png", "seconds.png"]


def test_a_campaign_that_has_not_begun_has_a_page(tmp_path: Path) -> None:
    campaign = Campaign.start(parse(WAVE, "test"), tmp_path / "wave")
    html = build_report(campaign).read_text()
    assert "Nothing is finished yet" in html
    assert pictures_of(html) == []


def test_failures_are_mapped_with_how_good_the_map_is(tmp_path: Path) -> None:
    config = {**WAVE, "solver": {**FAILING, "fails_above": 0.5}, "initial_samples": 16}
    campaign = Campaign.start(parse(config, "test"), tmp_path / "wave")
    design(campaign)
    solve(campaign, 0, initial_picks(campaign))
    html = build_report(campaign).read_text()
    assert "failures.png" in pictures_of(html)
    assert "learnt from 16 training samples that were tried, 8 of which failed" in html
    assert "against 0.250 of always saying the share" in html
    tried = tried_samples(campaign)
    np.testing.assert_array_equal(tried.outcomes.solved, tried.parameters[:, 0] <= 0.5)
    assert (tried.seconds > 0).all()


def test_one_measured_step_is_enough_and_old_pictures_go_away(first: Campaign) -> None:
    stale = first.directory / "report" / "field_0123456789abcdef.png"
    stale.parent.mkdir(exist_ok=True)
    for old in (stale, stale.with_name("failures.png"), stale.with_name("cost.png")):
        old.write_bytes(PNG)
    pictures = pictures_of(build_report(first).read_text())
    assert "learning_curve.png" in pictures
    assert {file.name for file in stale.parent.glob("*.png")} == set(pictures)


def test_the_report_changes_nothing_else_of_the_campaign(second: Campaign, page: Path) -> None:
    changed = [f for f in second.directory.rglob("*") if f.stat().st_mtime_ns > page_began(page)]
    assert {f.relative_to(second.directory).parts[0] for f in changed if f.is_file()} == {"report"}
    second.verify()


def page_began(page: Path) -> int:
    return min(file.stat().st_mtime_ns for file in page.parent.iterdir()) - 1


def test_a_step_is_told_in_markdown(second: Campaign) -> None:
    text = step_markdown(second, 1)
    assert text.startswith("## Step 1: error ")
    assert "| height | relative L2 " in text
    assert "| crest | RMSE " in text
    assert "asked for by step 0:" in text
    assert "- max steps: " in text
    assert "of the initial design and the test set" in step_markdown(second, 0)


def test_a_step_that_is_not_measured_is_told_so(designed: Campaign) -> None:
    assert step_markdown(designed, 0).startswith("## Step 0: not measured yet")


def test_the_learning_curve_of_a_step_is_a_picture(second: Campaign) -> None:
    assert learning_curve_png(second, 0).startswith(PNG)
    assert learning_curve_png(second, 1) != learning_curve_png(second, 0)


def test_the_command_prints_where_the_page_is(
    designed: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    report_command(designed.directory)
    assert str(designed.directory / "report" / "index.html") in capsys.readouterr().out


def test_figures_leave_the_global_state_of_matplotlib_alone(first: Campaign) -> None:
    before = dict(matplotlib.rcParams)
    learning_curve_png(first, 0)
    assert dict(matplotlib.rcParams) == before


def test_a_drawing_on_the_page_has_its_caption() -> None:
    nothing = Standing(0, 0, (), 0.0, "Nothing.", None, None)
    content = PNG + b"\0\0\0\rIHDR" + (1600).to_bytes(4)
    drawing = Drawing("a.png", "Title", "What <it> shows.", content)
    page = Page("name", "", "now", nothing, [], [], None, [drawing], "a: 1", {"numpy": "2"})
    html = page_html(page)
    assert '<img src="a.png" alt="Title" width="1000"' in html
    assert "What &lt;it&gt; shows." in html


def test_numbers_are_written_for_people() -> None:
    assert [duration(s) for s in (4.26, 200, 7500)] == ["4.3 s", "3 min 20 s", "2 h 5 min"]
    assert [number(v) for v in (None, 1.2, 123.0)] == ["–", "1.20", "123"]
