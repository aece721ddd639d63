"""A file appears whole or not at all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pools.errors import CampaignError
from pools.files import digest, publish, publish_bytes, publish_json


def test_publish_replaces_the_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    publish_json(file, {"b": 1, "a": 2})
    publish_json(file, {"a": 3})
    assert json.loads(file.read_text()) == {"a": 3}
    assert list(tmp_path.iterdir()) == [file]


def test_an_exception_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    file = tmp_path / "a"
    publish_bytes(file, b"old")
    with pytest.raises(TypeError), publish(file) as temporary, temporary.open("wb") as stream:
        stream.write("neither bytes nor whole")  # type: ignore[arg-type]  # that is the point
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_directories_are_made(tmp_path: Path) -> None:
    publish_bytes(tmp_path / "a" / "b" / "c", b"x")
    assert (tmp_path / "a" / "b" / "c").read_bytes() == b"x"


def test_an_unwritable_place_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CampaignError, match="nothing already solved is lost"):
        publish_bytes(tmp_path / "file" / "a", b"x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
def test_a_full_disk_is_a_clear_error(tmp_path: Path) -> None:
    def fill(temporary: Path) -> None:
        temporary.symlink_to("/dev/full")
        temporary.write_bytes(b"x" * 10)

    with pytest.raises(CampaignError, match="No space left"), publish(tmp_path / "a") as temporary:
        fill(temporary)
    assert not list(tmp_path.iterdir())


def test_json_refuses_what_is_not_a_number(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        publish_json(tmp_path / "a", {"a": float("nan")})


def test_digest_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest(tmp_path / "a").startswith("ba7816bf8f01cfea")


def test_a_kill_in_mid_write_leaves_nothing_under_the_name(tmp_path: Path) -> None:
    code = (
        "import os, signal, pathlib, sys\n"
        "from pools.files import publish\n"
        "with publish(pathlib.Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a")]
    ended = subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": "."})
    assert ended.returncode == -9
    assert not (tmp_path / "a").exists()
