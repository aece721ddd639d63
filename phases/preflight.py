"""What is wrong with a campaign that can be known before anything is solved."""

import logging
from importlib.util import find_spec

import numpy as np

from phases.config import CampaignConfig
from phases.progress import LOGGER
from phases.runner_settings import DaskSettings, ThreadsSettings
from phases.slots import cores_here, slot_problems
from pools.errors import UsageError
from solvers.build import build
from solvers.changes import changed
from solvers.preflight import problems
from solvers.protocol import residual_solver
from strategies.settings import build_query


def solver_problems(config: CampaignConfig) -> list[str]:
    """Return what is wrong, in words: with the declaration, its files, this machine.

    Expressions are tried in the middle of the parameters' box and at two of its corners, or near
    them where the constraints are met.
    """
    space = config.parameters
    rows = config.domain.nearest(np.repeat([[0.0], [0.5], [1.0]], space.d, axis=1))  # (3, d)
    samples = [dict(zip(space.names, row.tolist(), strict=True)) for row in rows]
    return problems(config.solver, samples) or parameter_problems(config)


def check_queries(config: CampaignConfig) -> None:
    """Import what the campaign's queries name, and see that the solver does what they ask of it.

    Raises:
        UsageError: something cannot be imported, or is no acquisition or strategy; or the solver
            evaluates no residuals.
    """
    for settings in config.query:
        build_query(settings, config.samples_per_step)
        if settings.kind == "physics_residual":
            residual_solver(build(config.solver))


def check_runner(config: CampaignConfig) -> None:
    """Look whether the samples can be solved where the campaign says; it may change on resume.

    Raises:
        UsageError: they have no room there, or Dask is asked for and not installed.
    """
    if found := [*_missing(config), *slot_problems(config, cores_here())]:
        raise UsageError("\n".join(found))
    threads, cores = config.label.workers, cores_here()
    if isinstance(config.runner, ThreadsSettings) and threads > cores:
        text = "label.workers is %d on %d cores: samples share them and take longer"
        logging.getLogger(LOGGER).warning(text, threads, cores)


def check_solver(config: CampaignConfig) -> None:
    """Look before the first solve.

    Raises:
        UsageError: something is wrong; it says all of it.
    """
    if found := solver_problems(config):
        lines = "\n".join(f"  {problem}" for problem in found)
        several = f"{len(found)} things are" if len(found) > 1 else "something is"
        raise UsageError(f"{several} wrong with the solver of {config.name}:\n{lines}")


def level_fingerprints(config: CampaignConfig) -> dict[str, str]:
    """Return the identity of the solver at each level below the finest, the dearest first."""
    return {
        level.name: build(changed(config.solver, level.set)).fingerprint
        for level in reversed(config.cheaper)
    }


def check_levels(config: CampaignConfig) -> None:
    """See that no two levels of the solver give the same answers.

    Raises:
        UsageError: two do: what one changes decides nothing.
    """
    if not config.levels:
        return
    found = {build(config.solver).fingerprint: config.levels[-1].name}
    for name, fingerprint in level_fingerprints(config).items():
        if (same := found.setdefault(fingerprint, name)) != name:
            raise UsageError(
                f"levels: {name} answers as {same} does, as set: "
                f"{config.level_changes[name]} changes nothing that decides an answer; change the "
                "mesh or the numerics, or leave the level out"
            )


def _missing(config: CampaignConfig) -> list[str]:
    """Say which packages the runner needs and does not find."""
    wanted = ("distributed", "dask_jobqueue") if isinstance(config.runner, DaskSettings) else ()
    absent = [name for name in wanted if find_spec(name) is None]
    if not absent:
        return []
    return [
        f"runner.kind is dask, but {' and '.join(absent)} cannot be imported; install with "
        "`pip install 'solverloop[dask]'`, or solve on this machine with --set runner.kind=threads"
    ]


def parameter_problems(config: CampaignConfig) -> list[str]:
    """Compare the campaign's parameters with those that the solver needs; say what differs."""
    needed, given = build(config.solver).parameters, config.parameters.names
    missing, unknown = set(needed) - set(given), set(given) - set(needed)
    if not (missing or unknown):
        return []
    return [
        f"parameters: the solver {config.solver.kind} needs {list(needed)}, "
        f"missing are {sorted(missing)}, unknown are {sorted(unknown)}; give each that it "
        "needs its bounds, and no other"
    ]
