"""What docs/security.md promises of a campaign's directory that somebody else wrote."""

import hashlib
import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from campaign_examples import Here
from plain_campaigns import start
from pool_examples import solution

from phases.asked import initial_picks
from phases.campaign import Campaign
from phases.check import check
from pools.errors import IntegrityError, UsageError
from pools.shard import Shard, write_shard
from pools.vtkhdf import read_solution, write_solution
from surrogates import checkpoint
from surrogates.manifest import publish_manifest


class Payload:
    """What touches a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return Path.touch, (self.marker,)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """Return a file that is there once a payload has run."""
    return tmp_path / "made"


def test_the_payload_works_where_it_is_unpickled(marker: Path) -> None:
    pickle.loads(pickle.dumps(Payload(marker)))  # noqa: S301 - what the others must not do
    assert marker.exists()


def test_a_checkpoint_that_became_a_pickle_is_refused(campaign_copy: Path, marker: Path) -> None:
    place = campaign_copy / "steps" / "001" / "checkpoint"
    (place / checkpoint.TENSORS).write_bytes(pickle.dumps(Payload(marker)))
    with pytest.raises(IntegrityError, match="SHA-256"):
        checkpoint.load(place)
    assert not marker.exists()


def test_so_is_one_whose_manifest_was_made_to_fit(campaign_copy: Path, marker: Path) -> None:
    place = campaign_copy / "steps" / "001" / "checkpoint"
    content = pickle.dumps(Payload(marker))
    (place / checkpoint.TENSORS).write_bytes(content)
    told = checkpoint.read_manifest(place)
    kept = {key: value for key, value in told.items() if key not in {"format", "tensors_sha256"}}
    publish_manifest(place, checkpoint._KIND, hashlib.sha256(content).hexdigest(), kept)
    with pytest.raises(IntegrityError, match="is not a file of tensors"):
        checkpoint.load(place)
    assert not marker.exists()


def private(tmp_path: Path) -> Path:
    """Return an HDF5 file that others must not see through a link."""
    file = tmp_path / "private.h5"
    with h5py.File(file, "w") as stream:
        stream["parameters"] = np.full((1, 2), 42.0)
    return file


def external_link(file: h5py.File, elsewhere: Path) -> None:
    file["parameters"] = h5py.ExternalLink(str(elsewhere), "/parameters")


def soft_link(file: h5py.File, _: Path) -> None:
    file["parameters"] = h5py.SoftLink("/quantities")


def external_storage(file: h5py.File, elsewhere: Path) -> None:
    file.create_dataset("parameters", (1, 2), "f8", external=[(str(elsewhere), 0, 16)])


def virtual_dataset(file: h5py.File, elsewhere: Path) -> None:
    layout = h5py.VirtualLayout((1, 2), "f8")
    layout[:] = h5py.VirtualSource(str(elsewhere), "parameters", (1, 2))
    file.create_virtual_dataset("parameters", layout)


@pytest.mark.parametrize(
    "lead", [external_link, soft_link, external_storage, virtual_dataset], ids=lambda f: f.__name__
)
def test_a_shard_shows_nothing_of_another_file(
    tmp_path: Path, lead: Callable[[h5py.File, Path], None]
) -> None:
    shard = tmp_path / "shard.h5"
    write_shard(shard, [solution(1.0, 2.0)], ("x", "y"))
    Shard.open(shard)
    with h5py.File(shard, "r+") as file:
        del file["parameters"]
        lead(file, private(tmp_path))
    with pytest.raises(IntegrityError, match=r"not followed|not read"):
        Shard.open(shard)


def test_a_solution_shows_nothing_of_another_file(tmp_path: Path) -> None:
    file = tmp_path / "s.vtkhdf"
    write_solution(file, solution(1.0, 2.0))
    with h5py.File(file, "r+") as stream:
        del stream["VTKHDF/PointData/u"]
        stream["VTKHDF/PointData/u"] = h5py.ExternalLink(str(private(tmp_path)), "/parameters")
    with pytest.raises(IntegrityError, match="not followed"):
        read_solution(file)


@pytest.mark.parametrize("name", ["../../outside", "/tmp/outside", "..", "a/b", ""])  # noqa: S108
def test_a_samples_id_leads_nowhere_else(campaign_copy: Path, name: str) -> None:
    file = campaign_copy / "steps" / "000" / "initial.json"
    picks = json.loads(file.read_text())
    picks[0]["sample"]["id"] = name
    file.write_text(json.dumps(picks))
    campaign = Campaign.open(campaign_copy)
    pick = initial_picks(campaign)[0]
    with pytest.raises(IntegrityError, match="an id is letters and digits"):
        campaign.sample_directory(pick.sample.id)


@pytest.mark.parametrize("name", ["../precious", "pool/../../precious", "/precious"])
def test_a_ledger_that_names_a_file_outside_has_nothing_written_there(
    campaign_copy: Path, name: str
) -> None:
    precious = campaign_copy.parent / "precious"
    precious.write_text("mine")
    ledger = campaign_copy / "ledger.jsonl"
    lines = ledger.read_text().splitlines()
    entry = json.loads(lines[-1])
    entry["artifacts"][name] = "0" * 64
    ledger.write_text("\n".join([*lines[:-1], json.dumps(entry), ""]))
    with pytest.raises(IntegrityError, match="is outside the campaign"):
        list(check(Campaign.open(campaign_copy)))
    assert precious.read_text() == "mine"


def test_a_link_in_place_of_the_lock_empties_nothing(campaign_copy: Path) -> None:
    precious = campaign_copy.parent / "precious"
    precious.write_text("mine")
    (campaign_copy / ".lock").unlink(missing_ok=True)
    (campaign_copy / ".lock").symlink_to(precious)
    start(campaign_copy)
    assert precious.read_text() == "mine"


def test_a_frozen_file_is_read_as_carefully_as_a_campaign_file(campaign_copy: Path) -> None:
    file = campaign_copy / "campaign.yaml"
    made = "made: !!python/object/apply:os.system ['true']\n"
    for hostile in (made, "loop: &a [*a]\n"):
        whole = file.read_text()
        file.write_text(whole + hostile)
        with pytest.raises(UsageError, match="cannot read"):
            Campaign.open(campaign_copy)
        file.write_text(whole)


@pytest.mark.parametrize("command", [["status"], ["failures"], ["predict"]])
def test_looking_at_a_directory_runs_no_code_that_it_names(
    campaign_copy: Path, tmp_path: Path, here: Here, marker: Path, command: list[str]
) -> None:
    (tmp_path / "hostile.py").write_text(
        f"import pathlib\npathlib.Path({str(marker)!r}).touch()\n"
    )
    sys.path.append(str(tmp_path))
    file = campaign_copy / "campaign.yaml"
    content = yaml.safe_load(file.read_text())
    content["campaign"]["solver"] = {"kind": "custom", "factory": "hostile:Solver", "options": {}}
    content["campaign"]["query"] = [{"kind": "callable", "function": "hostile:query"}]
    file.write_text(yaml.safe_dump(content))
    where = ["--at", "length=0.5", "--at", "phase=0.5"] if command == ["predict"] else []
    ended = here(*command, campaign_copy, *where)
    sys.path.remove(str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert not marker.exists()


def test_what_a_record_says_cannot_command_a_terminal(campaign_copy: Path, here: Here) -> None:
    record = next(iter(sorted((campaign_copy / "samples").glob("*/sample.json"))))
    content = json.loads(record.read_text())
    content["solution"] = None
    content["attempts"][-1] |= {"outcome": "diverged", "reason": "\x1b]0;renamed\x07"}
    record.write_text(json.dumps(content))
    for command in ("failures", "status"):
        said = here(command, campaign_copy).stdout
        assert "renamed" in said
        assert "\x1b" not in said
