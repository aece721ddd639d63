import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from field_pools import QUICK, SPACE, pool

from pools.errors import IntegrityError
from surrogates.checkpoint import MANIFEST, TENSORS, load, read_manifest, save
from surrogates.fit import fit
from surrogates.surrogate import EnsembleSurrogate


@dataclass(frozen=True)
class Saved:
    surrogate: EnsembleSurrogate
    directory: Path


@pytest.fixture(scope="module")
def surrogate(tmp_path_factory: pytest.TempPathFactory) -> EnsembleSurrogate:
    with pool(tmp_path_factory.mktemp("pool"), SPACE.sobol(8, seed=1)) as data:
        return fit(data, SPACE, QUICK, seed=3).surrogate


@pytest.fixture
def saved(surrogate: EnsembleSurrogate, tmp_path: Path) -> Saved:
    save(tmp_path / "checkpoint", surrogate, extra={"step": 4})
    return Saved(surrogate, tmp_path / "checkpoint")


def test_what_is_loaded_predicts_bitwise_the_same(saved: Saved) -> None:
    points = SPACE.sobol(5, seed=2)
    loaded = load(saved.directory)
    before, after = saved.surrogate.predict(points), loaded.predict(points)
    assert np.array_equal(before.fields.mean, after.fields.mean)
    assert np.array_equal(before.fields.std, after.fields.std)
    assert np.array_equal(before.quantities.mean, after.quantities.mean)
    assert np.array_equal(saved.surrogate.uncertainty(points), loaded.uncertainty(points))


def test_names_units_and_their_order_come_back(saved: Saved) -> None:
    loaded = load(saved.directory)
    assert loaded.space == saved.surrogate.space
    assert loaded.space.names == ("speed", "angle")
    assert loaded.schema == saved.surrogate.schema
    assert list(loaded.schema.quantities) == ["lift", "drag", "wall"]
    assert list(loaded.schema.fields) == ["u", "p", "depth"]
    assert loaded.settings == QUICK


def test_two_saves_are_equal_byte_for_byte(saved: Saved, tmp_path: Path) -> None:
    paths = save(tmp_path / "again", saved.surrogate, extra={"step": 4})
    assert [path.name for path in paths] == [TENSORS, MANIFEST]
    for path in paths:
        assert path.read_bytes() == (saved.directory / path.name).read_bytes()


def test_the_manifest_holds_what_the_caller_added(saved: Saved) -> None:
    assert read_manifest(saved.directory)["extra"] == {"step": 4}


def test_saving_again_replaces(saved: Saved) -> None:
    save(saved.directory, saved.surrogate)
    assert read_manifest(saved.directory)["extra"] == {}
    assert sorted(path.name for path in saved.directory.iterdir()) == [MANIFEST, TENSORS]


@pytest.mark.parametrize("where", [0, 100, -1])
def test_a_flipped_byte_in_the_tensors_is_found(saved: Saved, where: int) -> None:
    path = saved.directory / TENSORS
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=rf"{TENSORS} has the SHA-256 .* run `solverloop"):
        load(saved.directory)


@pytest.mark.parametrize("name", [TENSORS, MANIFEST])
def test_a_missing_file_is_named(saved: Saved, name: str) -> None:
    (saved.directory / name).unlink()
    with pytest.raises(IntegrityError, match=f"cannot read .*{name}.*No such file"):
        load(saved.directory)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"3", b"\xff\xfe"])
def test_a_manifest_that_is_no_object_is_refused(saved: Saved, content: bytes) -> None:
    (saved.directory / MANIFEST).write_bytes(content)
    with pytest.raises(IntegrityError, match="is not a JSON object"):
        load(saved.directory)


def test_an_edited_manifest_is_refused(saved: Saved) -> None:
    path = saved.directory / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["space"][0][1]["high"] = 200.0
    path.write_text(json.dumps(manifest))
    with pytest.raises(IntegrityError, match="it was edited"):
        load(saved.directory)


def test_another_format_is_refused(saved: Saved) -> None:
    path = saved.directory / MANIFEST
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(IntegrityError, match="format 2, but this version reads 1"):
        load(saved.directory)


def test_a_save_that_was_killed_before_its_manifest_is_no_checkpoint(
    saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("surrogates.checkpoint.publish_manifest", killed)
    with pytest.raises(KeyboardInterrupt):
        save(saved.directory, saved.surrogate)
    with pytest.raises(IntegrityError, match=MANIFEST):
        load(saved.directory)


def test_no_pickle_is_written(saved: Saved) -> None:
    assert (saved.directory / TENSORS).read_bytes()[8:9] == b"{"  # safetensors' JSON header
