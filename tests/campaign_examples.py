"""Small campaigns for tests: seconds long, real solver processes, real training."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

WAVE: dict[str, Any] = {
    "name": "wave",
    "seed": 3,
    "parameters": {"length": {"low": 0, "high": 1}, "phase": {"low": 0, "high": 1}},
    "solver": {"kind": "analytic", "problem": "wave"},
    "surrogate": {
        "width": 16,
        "depth": 1,
        "retrain": "fine_tune",
        "initial": {"kind": "cosine", "start": 0.01, "end": 1e-4, "length": 300},
        "fine_tune": {"kind": "exponential", "start": 5e-3, "end": 1e-4, "length": 100},
    },
    "initial_samples": 6,
    "samples_per_step": 4,
    "test_samples": 8,
    "candidates": 64,
    "label": {"workers": 2, "timeout_seconds": 60, "retry_delay_seconds": 0.1},
    "stopping": {"max_steps": 2},
}


def wave_file(path: Path, **changes: Any) -> Path:
    """Write the small campaign, with changes, and return its file."""
    path.write_text(yaml.safe_dump({**WAVE, **changes}))
    return path


Here = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]


def message_of(ended: subprocess.CompletedProcess[str], code: int) -> str:
    """Return the one message that a command ends with."""
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("error: ") == 1
    return ended.stderr


def command(*arguments: str | Path) -> list[str]:
    """Return the command line of `solverloop` with these arguments."""
    return [sys.executable, "-m", "flows.cli", *map(str, arguments)]


def environment(api: str | None = None) -> dict[str, str]:
    """Return the environment of a process of its own, with the tests' server if given."""
    paths = {"PYTHONPATH": os.pathsep.join([".", "tests"])}
    return {**os.environ, **paths, **({"PREFECT_API_URL": api} if api else {})}


def ledger_of(directory: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a campaign's ledger."""
    file = directory / "ledger.jsonl"
    lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
    return [json.loads(line) for line in lines]


def outcome_of(directory: Path) -> Mapping[str, Any]:
    """Return what has to be equal, however often the campaign was killed on the way.

    The samples' ids, the bytes of every shard, and every number of the metrics.
    """
    shards = sorted([*directory.glob("pool/*.h5"), *directory.glob("test/*.h5")])
    metrics = sorted(directory.glob("steps/*/metrics.json"))
    return {
        "samples": sorted(path.name for path in (directory / "samples").iterdir()),
        "pool": {path.name: path.read_bytes() for path in shards},
        "metrics": {path.parent.name: path.read_text() for path in metrics},
    }


def solved_attempts(directory: Path) -> dict[str, int]:
    """Count, for each sample, the attempts that ended with a solution."""
    counts = {}
    for sample in directory.glob("samples/*"):
        verdicts = [json.loads(f.read_text()) for f in sample.glob("attempt-*/outcome.json")]
        counts[sample.name] = sum(verdict["outcome"] == "ok" for verdict in verdicts)
    return counts
