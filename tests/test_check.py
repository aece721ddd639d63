"""`check`: damage is found, what can be made again is, and the rest is named with a way out."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from campaign_examples import ledger_of
from plain_campaigns import files_of, run, start

from phases.campaign import Campaign
from phases.check import Finding, check
from pools.errors import IntegrityError

REBUILT = [
    "steps/000/initial.json",
    "steps/000/test.json",
    "pool/initial.h5",
    "test/test.h5",
    "steps/000/checkpoint/manifest.json",
    "steps/000/checkpoint/surrogate.safetensors",
    "steps/001/checkpoint/surrogate.safetensors",  # fine-tuned from that of step 0
    "steps/001/metrics.json",
    "steps/000/selection.json",
    "pool/step-001.h5",
]


def delete(file: Path) -> None:
    file.unlink()


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def corrupt(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def directory_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGES = [delete, truncate, corrupt, empty]


def broken(directory: Path) -> list[Finding]:
    found = list(check(Campaign.open(directory)))
    return [finding for finding in found if finding.state != "intact"]


def test_a_sound_campaign_is_intact_and_untouched(campaign_copy: Path) -> None:
    before = files_of(campaign_copy)
    findings = list(check(Campaign.open(campaign_copy)))
    recorded = [name for line in ledger_of(campaign_copy) for name in line["artifacts"]]
    assert sorted(finding.file for finding in findings) == sorted(recorded)
    assert {finding.state for finding in findings} == {"intact"}
    assert files_of(campaign_copy) == before


@pytest.mark.parametrize("name", REBUILT)
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_can_be_made_again_is(
    campaign_copy: Path, name: str, damage: Callable[[Path], None]
) -> None:
    before = files_of(campaign_copy)
    damage(campaign_copy / name)
    (finding,) = broken(campaign_copy)
    assert (finding.file, finding.state) == (name, "rebuilt")
    assert files_of(campaign_copy) == before


def test_everything_that_was_learnt_can_be_made_again(campaign_copy: Path) -> None:
    before = files_of(campaign_copy)
    for folder in ("pool", "test", "steps"):
        shutil.rmtree(campaign_copy / folder)
    assert {finding.state for finding in broken(campaign_copy)} == {"rebuilt"}
    after = files_of(campaign_copy)
    assert {n: c for n, c in before.items() if "stopping" not in n} == after
    Campaign.open(campaign_copy).verify()


def damage_solution(directory: Path) -> str:
    """Damage the solution of a sample that step 0 asked for, and return its name."""
    (line,) = [x for x in ledger_of(directory) if (x["step"], x["phase"]) == (0, "label")]
    name = min(line["artifacts"])
    truncate(directory / name)
    return name


def test_a_lost_solution_is_named_with_the_way_out(campaign_copy: Path) -> None:
    name = damage_solution(campaign_copy)
    (finding,) = broken(campaign_copy)
    assert (finding.file, finding.state) == (name, "damaged")
    assert "restore it from a backup, or cut ledger.jsonl before line 7 (label of step 0)" in (
        finding.remark
    )


def test_the_way_out_of_a_lost_solution_works(campaign_copy: Path) -> None:
    before = files_of(campaign_copy)
    name = damage_solution(campaign_copy)
    ledger = campaign_copy / "ledger.jsonl"
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:6]))
    run(Campaign.open(campaign_copy))
    after = files_of(campaign_copy)
    changed = {path for path in after if before.get(path) != after[path]} - {"ledger.jsonl"}
    assert {path.split("/")[1] for path in changed} == {name.split("/")[1]}  # that sample only
    assert after[name] == before[name]


def test_a_shard_whose_samples_are_lost_is_damaged(campaign_copy: Path) -> None:
    name = damage_solution(campaign_copy)
    delete(campaign_copy / "pool" / "step-000.h5")
    solution, shard = broken(campaign_copy)
    assert solution.file == name
    assert (shard.file, shard.state) == ("pool/step-000.h5", "damaged")
    assert shard.remark.startswith("it cannot be made again: cannot read the solution")


def test_nothing_is_made_from_files_that_are_damaged(campaign_copy: Path) -> None:
    damage_solution(campaign_copy)
    file = "steps/002/metrics.json"
    delete(campaign_copy / file)
    _, metrics = broken(campaign_copy)
    assert (metrics.file, metrics.state) == (file, "damaged")
    assert "made from files that are damaged, see above" in metrics.remark
    assert not (campaign_copy / file).exists()


def test_what_comes_out_different_leaves_intact_files_alone(
    campaign_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version of torch may train to other digits; the weights that are there stay."""
    checkpoint = campaign_copy / "steps" / "002" / "checkpoint"
    weights = (checkpoint / "surrogate.safetensors").read_bytes()
    delete(checkpoint / "manifest.json")

    def other_digits(directory: Path, *_: object, **__: object) -> list[Path]:
        files = [directory / "surrogate.safetensors", directory / "manifest.json"]
        for file in files:
            file.write_bytes(b"other")
        return files

    monkeypatch.setattr("phases.train.save", other_digits)
    (finding,) = broken(campaign_copy)
    assert (finding.file, finding.state) == ("steps/002/checkpoint/manifest.json", "damaged")
    assert "not the same file" in finding.remark
    assert (checkpoint / "surrogate.safetensors").read_bytes() == weights


@pytest.mark.parametrize("damage", [delete, truncate, empty])
def test_a_samples_record_is_written_anew(
    campaign_copy: Path, damage: Callable[[Path], None]
) -> None:
    sample = next((campaign_copy / "samples").iterdir())
    before = Campaign.open(campaign_copy).sample_directory(sample.name).read()
    damage(sample / "sample.json")
    (finding,) = broken(campaign_copy)
    assert (finding.file, finding.state) == (f"samples/{sample.name}/sample.json", "rebuilt")
    after = Campaign.open(campaign_copy).sample_directory(sample.name).read()
    assert before is not None
    assert after is not None
    assert (after.pick, after.step, after.solution) == (before.pick, before.step, before.solution)
    assert [a.outcome for a in after.attempts] == [a.outcome for a in before.attempts]


def test_a_damaged_ledger_is_named_with_the_line(campaign_copy: Path) -> None:
    ledger = campaign_copy / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join([*lines[:2], b"{nonsense}\n", *lines[3:]]))
    with pytest.raises(IntegrityError, match=r"ledger\.jsonl line 3 is not an entry"):
        list(check(Campaign.open(campaign_copy)))


def test_a_directory_in_a_files_place_is_explained(campaign_copy: Path) -> None:
    directory_instead(campaign_copy / "steps" / "001" / "metrics.json")
    (finding,) = broken(campaign_copy)
    assert finding.state == "damaged"
    assert "Is a directory" in finding.remark


def test_a_campaign_before_its_first_phase_has_nothing_to_check(tmp_path: Path) -> None:
    assert list(check(start(tmp_path / "wave"))) == []
