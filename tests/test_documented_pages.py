"""The files that the pages of the documented API print run as printed, and print what they say."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from phases.campaign_driver import CampaignDriver
from phases.config import load

ROOT = Path(__file__).parents[1]
INDEX = ROOT / "docs" / "active-learning-api.md"
PAGES = sorted((ROOT / "docs" / "active-learning").glob("*.md"))
RUN_ALL = """
import runpy, sys
for name in sys.argv[1:]:
    print("$ python", name)
    runpy.run_path(name, run_name="__main__")
"""
SCRIPTS = ["schedules", "own_loop", "shelf", "accuracy", "mixture", "threads", "resume"]
"""What is run here. Beside it, `tests/test_documented.py` runs `border.py`, and processes, flows
and campaigns have tests of their own."""


def files() -> dict[str, str]:
    """Return every file that the pages print, by its name."""
    text = "".join(page.read_text() for page in [INDEX, *PAGES])
    found = re.findall(r"```(?:python|yaml)\n(# (\w+\.(?:py|yaml))\b.*?)```", text, re.DOTALL)
    return {name: body for body, name in found}


def said(script: str) -> list[str]:
    """Return the lines that a page shows of what a script prints."""
    text = "".join(page.read_text() for page in PAGES)
    shown = text.partition(f"$ python {script}.py\n")[2].partition("```")[0]
    return [masked(line) for line in shown.splitlines() if line != "..."]


def masked(line: str) -> str:
    """Return a line without its decimals, which differ between processors."""
    return re.sub(r"\d+\.\d+", "#", line)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the files."""
    directory = tmp_path_factory.mktemp("pages")
    for name, body in files().items():
        (directory / name).write_text(body)
    return directory


def python(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the directory of the files."""
    return subprocess.run(
        [sys.executable, "-u", *arguments],
        cwd=place,
        env={"PYTHONPATH": f"{ROOT}:{place}", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def printed(place: Path) -> dict[str, list[str]]:
    """Run the scripts, in one process that loads torch once; return what each prints."""
    assert python(place, "killed.py").returncode == -9
    done = python(place, "-c", RUN_ALL, *[f"{script}.py" for script in SCRIPTS])
    assert done.returncode == 0, done.stdout
    parts = re.split(r"^\$ python (\w+)\.py\n", done.stdout, flags=re.MULTILINE)
    return {
        name: [masked(line) for line in lines.splitlines()]
        for name, lines in zip(parts[1::2], parts[2::2], strict=True)
    }


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_prints_what_its_page_says(printed: dict[str, list[str]], script: str) -> None:
    shown, rest = said(script), iter(printed[script])
    assert shown
    assert [line for line in shown if line not in rest] == []  # in this order


def test_a_campaign_file_names_strategies_of_ones_own(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(place)
    driver = CampaignDriver.start(load(place / "chosen.yaml"), place / "campaign")
    driver.run()
    picks = json.loads((place / "campaign" / "steps" / "000" / "selection.json").read_text())
    asked_by = Counter(pick["asked_by"] for pick in picks)
    assert asked_by == {"Steep": 4, "chosen:spread_out": 2, "hybrid": 2}


@pytest.mark.parametrize("name", [name for name in files() if name.endswith(".py")])
def test_a_printed_file_is_python(name: str) -> None:
    compile(files()[name], name, "exec")


def test_every_printed_block_of_python_is_a_file() -> None:
    text = "".join(page.read_text() for page in [INDEX, *PAGES])
    assert text.count("```python\n") == sum(name.endswith(".py") for name in files())


@pytest.mark.parametrize("page", [INDEX, *PAGES], ids=lambda page: page.stem)
def test_the_links_of_a_page_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", page.read_text())
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []
