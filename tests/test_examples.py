"""Every example runs as its file says."""

import subprocess
from pathlib import Path

import pytest
from campaign_examples import command, environment

from phases.config import load
from pools.sample import Sample
from solvers.build import build

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("name", ["channel.yaml", "fin.yaml"])
def test_an_example_is_a_valid_campaign(name: str) -> None:
    config = load(EXAMPLES / name)
    assert set(build(config.solver).parameters) == set(config.parameters.names)


def test_the_fin_agrees_with_the_closed_form(tmp_path: Path) -> None:
    """T(tip) = T(base) / cosh(m L) [Incropera, Fundamentals of heat and mass transfer, 3.6]."""
    import numpy as np

    from examples.fin import BASE, THICKNESS, Fin

    values = {"length": 0.05, "conductivity": 100.0, "convection": 30.0}
    decay = np.sqrt(2 * 30.0 / (100.0 * THICKNESS))
    solution = Fin().solve(Sample.of(values, "fin"), tmp_path)
    tip = BASE / np.cosh(decay * 0.05)
    heat = 100.0 * THICKNESS * decay * BASE * np.tanh(decay * 0.05)
    assert solution.quantities["tip"].value == pytest.approx(tip, rel=1e-4)
    assert solution.quantities["heat"].value == pytest.approx(heat, rel=1e-3)


@pytest.mark.slow
def test_the_fin_campaign_runs(prefect_api: str, tmp_path: Path) -> None:
    small = ["--set", "stopping.max_steps=1", "--set", "surrogate.initial.length=300"]
    arguments = command("run", EXAMPLES / "fin.yaml", "--directory", tmp_path / "fin", *small)
    ended = subprocess.run(
        arguments, env=environment(prefect_api), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "fin" / "report" / "index.html").exists()
