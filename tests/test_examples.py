"""Every example runs as its file says."""

import subprocess
from pathlib import Path

import pytest
from campaign_examples import command, environment

from examples import moons
from phases.config import load
from pools.errors import SolverError
from pools.outcome import Outcome
from pools.sample import Sample
from solvers.build import build

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize(
    "name",
    ["channel.yaml", "combined.yaml", "command.yaml", "fin.yaml", "heat-sink.yaml", "levels.yaml"],
)
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


def test_the_external_program_agrees_with_published_values(tmp_path: Path) -> None:
    """Developed, Nu = 7.5407 [Shah and London, Laminar flow forced convection in ducts, 1978]."""
    import numpy as np

    solver = build(load(EXAMPLES / "command.yaml").solver)
    values = {"speed": 0.0002, "warmth": 10.0, "start": 0.015}
    solution = solver.solve(Sample.of(values, solver.fingerprint), tmp_path)
    assert solution.quantities["nusselt"].value == pytest.approx(7.5407, rel=3e-3)
    temperature = solution.fields["temperature"].values.reshape(65, 25)
    assert temperature[: int(0.3 * 64)].max() == 0
    np.testing.assert_allclose(temperature, temperature[:, ::-1], atol=1e-9)
    assert (np.diff(temperature[:, 12]) >= 0).all()


def test_the_external_program_says_where_its_grid_is_too_coarse(tmp_path: Path) -> None:
    solver = build(load(EXAMPLES / "command.yaml").solver)
    values = {"speed": 0.014, "warmth": 10.0, "start": 0.025}
    with pytest.raises(SolverError, match="warm layers of") as caught:
        solver.solve(Sample.of(values, solver.fingerprint), tmp_path)
    assert caught.value.outcome is Outcome.MESH


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fin", "command", "combined", "heat-sink"])
def test_an_example_campaign_runs(prefect_api: str, tmp_path: Path, name: str) -> None:
    small = ["--set", "stopping.max_steps=1", "--set", "surrogate.initial.length=300"]
    file = EXAMPLES / f"{name}.yaml"
    arguments = command("run", file, "--directory", tmp_path / name, *small)
    ended = subprocess.run(
        arguments, env=environment(prefect_api), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / name / "report" / "index.html").exists()


def test_moons_learn_with_every_method(tmp_path: Path) -> None:
    for method in moons.METHODS:
        driver = moons.driver_of(method, seed=0, steps=1, directory=tmp_path)
        driver.run()
        driver.close()
        first, last = driver.metrology_strategies[0].records
        assert (first["labelled"], last["labelled"]) == (10, 15)
        assert 0.5 < last["f1"] <= 1
        assert last["f1"] == pytest.approx(2 / (1 / last["precision"] + 1 / last["recall"]))
