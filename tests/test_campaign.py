"""A campaign's directory: begun, resumed, refused, held, verified."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from campaign_examples import environment, ledger_of
from plain_campaigns import files_of, start

from phases.campaign import Campaign, Work
from pools.errors import CampaignError, IntegrityError, UsageError

HOLD = """
import sys
from pathlib import Path
from phases.campaign import Campaign
with Campaign.open(Path(sys.argv[1])).exclusive():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_new_campaign_is_frozen_with_versions_and_a_key(tmp_path: Path) -> None:
    campaign = start(tmp_path / "wave")
    content = yaml.safe_load((tmp_path / "wave" / "campaign.yaml").read_text())
    assert content["created"]["key"] == campaign.key
    assert {"solverloop", "torch", "numpy"} <= set(content["created"]["versions"])
    assert Campaign.open(tmp_path / "wave") == campaign


def test_two_campaigns_of_one_file_have_different_keys(tmp_path: Path) -> None:
    assert start(tmp_path / "a").key != start(tmp_path / "b").key


def test_starting_again_resumes_and_changes_nothing(tmp_path: Path) -> None:
    first = start(tmp_path / "wave")
    before = files_of(tmp_path / "wave")
    assert start(tmp_path / "wave") == first
    assert files_of(tmp_path / "wave") == before


def test_an_empty_directory_is_taken(tmp_path: Path) -> None:
    start(tmp_path)
    assert (tmp_path / "campaign.yaml").exists()


def test_a_foreign_directory_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(
        UsageError, match="exists but is not a campaign's directory; give an empty"
    ):
        start(tmp_path)
    assert files_of(tmp_path) == {"thesis.tex": b"years of work"}


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wave").write_text("a file")
    with pytest.raises(UsageError, match="exists but is not a campaign's directory"):
        start(tmp_path / "wave")
    with pytest.raises(CampaignError, match=r"cannot write .*Not a directory"):
        start(tmp_path / "wave" / "below")


def test_another_campaigns_directory_is_refused(tmp_path: Path) -> None:
    start(tmp_path)
    with pytest.raises(UsageError, match="holds the campaign 'wave', not 'wind'; give another"):
        start(tmp_path, name="wind")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"seed": 4}, "  seed: it began with 3, now 4\n"),
        ({"test_samples": 9}, "  test_samples: it began with 8, now 9\n"),
        (
            {"solver": {"kind": "analytic", "problem": "wave", "fails_above": 0.5}},
            "  solver.fails_above: it began with None, now 0.5\n",
        ),
        (
            {"parameters": {"length": {"low": 0, "high": 2}, "phase": {"low": 0, "high": 1}}},
            "  parameters.length.high: it began with 1.0, now 2.0\n",
        ),
        ({"surrogate": {"width": 8}}, "  surrogate.width: it began with 16, now 8\n"),
        ({"query": [{"kind": "random"}]}, "  query: it began with [{'kind': 'hybrid', "),
    ],
)
def test_a_changed_fixed_section_is_named_with_both_values(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    start(tmp_path)
    before = files_of(tmp_path)
    with pytest.raises(UsageError) as caught:
        start(tmp_path, **changes)
    message = str(caught.value)
    assert expected in message
    assert message.endswith(
        "only label, runner, stopping may change on resume; change it back, or start another "
        "campaign with --directory"
    )
    assert files_of(tmp_path) == before


def test_what_may_change_is_frozen_anew(tmp_path: Path) -> None:
    first = start(tmp_path)
    changed = start(tmp_path, stopping={"max_steps": 9}, label={"workers": 1})
    assert changed.config.stopping.max_steps == 9
    assert Campaign.open(tmp_path) == changed
    assert changed.key == first.key


def test_the_order_of_the_parameters_stays_that_of_the_columns(tmp_path: Path) -> None:
    start(tmp_path)
    side = {"low": 0, "high": 1}
    changes = {"parameters": {"phase": side, "length": side}, "stopping": {"max_steps": 9}}
    assert start(tmp_path, **changes).config.parameters.names == ("length", "phase")
    assert Campaign.open(tmp_path).config.parameters.names == ("length", "phase")


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (["length"], r"needs \['length', 'phase'\], missing are \['phase'\], unknown are \[\]"),
        (["length", "phase", "colour"], r"missing are \[\], unknown are \['colour'\]"),
    ],
)
def test_parameters_are_those_of_the_solver(
    tmp_path: Path, parameters: list[str], expected: str
) -> None:
    bounds = {name: {"low": 0, "high": 1} for name in parameters}
    with pytest.raises(UsageError, match=expected):
        start(tmp_path / "wave", parameters=bounds)
    assert not (tmp_path / "wave").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.unlink(),
        lambda file: file.write_bytes(b"\xff\xfe\x00"),
        lambda file: file.write_text("name: [1"),
        lambda file: file.write_text("just words"),
        lambda file: file.write_text("name: wave\n"),
        lambda file: file.write_text(""),
    ],
)
def test_what_is_no_campaign_is_not_opened(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    start(tmp_path)
    damage(tmp_path / "campaign.yaml")
    with pytest.raises(UsageError, match="is not a campaign's directory: cannot read"):
        Campaign.open(tmp_path)


def test_one_process_holds_a_campaign(tmp_path: Path) -> None:
    campaign = start(tmp_path)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(CampaignError, match="another process is running the campaign in"),
            campaign.exclusive(),
        ):
            pass
        other.kill()
    with campaign.exclusive():  # the kernel let go of it
        pass


def one_file(campaign: Campaign, name: str, content: str) -> Callable[[int], Work]:
    def work(seed: int) -> Work:
        file = campaign.directory / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{content} {seed}")
        return Work([file], {"content": content})

    return work


def test_once_means_once(tmp_path: Path) -> None:
    campaign = start(tmp_path)
    entry = campaign.once(0, "train", one_file(campaign, "a", "first"))
    assert campaign.once(0, "train", one_file(campaign, "a", "second")) == entry
    assert entry.summary == {"content": "first"}
    assert list(entry.artifacts) == ["a"]
    assert len(ledger_of(tmp_path)) == 1


def test_once_has_a_seed_for_each_step_and_phase(tmp_path: Path) -> None:
    campaign = start(tmp_path / "one")
    places = [(0, "train"), (1, "train"), (1, "query")]
    seeds = [campaign.once(step, phase, lambda _: Work([])).seed for step, phase in places]
    assert len(set(seeds)) == 3
    again = start(tmp_path / "two")
    assert [again.once(s, p, lambda _: Work([])).seed for s, p in places] == seeds


def test_a_phase_that_fails_is_done_again(tmp_path: Path) -> None:
    campaign = start(tmp_path)

    def fail(_: int) -> Work:
        raise CampaignError("no")

    with pytest.raises(CampaignError, match="no"):
        campaign.once(0, "train", fail)
    assert campaign.once(0, "train", one_file(campaign, "a", "then")).summary["content"] == "then"


def test_shards_are_in_the_order_of_appending(tmp_path: Path) -> None:
    campaign = start(tmp_path)
    campaign.once(0, "append_design", one_file(campaign, "pool/initial.h5", ""))
    for step in (0, 1):
        campaign.once(step, "append", one_file(campaign, f"pool/step-{step:03d}.h5", ""))
    names = ["initial.h5", "step-000.h5", "step-001.h5"]
    assert [shard.name for shard in campaign.shards()] == names
    assert [shard.name for shard in campaign.shards(before=0)] == names[:1]
    assert [shard.name for shard in campaign.shards(before=1)] == names[:2]
    assert campaign.shards("test") == []
    assert campaign.first_unfinished_step() == 2


def test_verify_names_the_damaged_file_and_the_way_out(tmp_path: Path) -> None:
    campaign = start(tmp_path)
    campaign.once(0, "append", one_file(campaign, "pool/step-000.h5", ""))
    campaign.verify()
    (tmp_path / "pool" / "step-000.h5").write_text("else")
    with pytest.raises(IntegrityError, match=r"differs from what.*solverloop check") as caught:
        campaign.verify()
    assert "pool/step-000.h5" in str(caught.value)
    (tmp_path / "pool" / "step-000.h5").unlink()
    with pytest.raises(IntegrityError, match="is missing"):
        campaign.verify()


def test_what_a_kill_left_of_the_first_write_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "wave").mkdir()
    (tmp_path / "wave" / ".campaign.yaml.123.tmp").write_text("half")
    assert start(tmp_path / "wave").config.name == "wave"


def test_a_running_campaign_is_not_changed_from_outside(tmp_path: Path) -> None:
    campaign = start(tmp_path / "wave")
    before = (tmp_path / "wave" / "campaign.yaml").read_bytes()
    with campaign.exclusive(), pytest.raises(CampaignError, match="another process is running"):
        start(tmp_path / "wave", stopping={"max_steps": 9})
    assert (tmp_path / "wave" / "campaign.yaml").read_bytes() == before


def test_another_solver_under_the_same_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(tmp_path / "wave")
    monkeypatch.setattr("solvers.analytic.NUMERICS", 99)
    with pytest.raises(UsageError, match="answers of two solvers do not belong into one pool"):
        start(tmp_path / "wave")
