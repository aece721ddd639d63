"""Deploy the flows for the first time or again: work pools, limits, then prefect.yaml."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectNotFound
from prefect.utilities.importtools import import_object
from pydantic import ValidationError

from flows.automations import apply_automations, block_of
from flows.command_deploy import Wanted
from flows.server import connected, set_address
from phases.config import CampaignConfig
from phases.preflight import parameter_problems
from phases.runner_settings import DeploymentSettings
from phases.slots import cores_here, ranks
from pools.errors import CampaignError, SolverloopError, UsageError

_FILE = "prefect.yaml"
_POOLS = {
    "train": "campaigns: training, queries, reports",
    "solve": "one flow run for each sample",
}
_NEW_SOLVES = 2
_OF_A_CAMPAIGN = ("campaign", "next-step")


def deploy(config: CampaignConfig | None, directory: Path | None, wanted: Wanted) -> Iterator[str]:
    """Make or update all that a server needs; doing it again changes nothing.

    Args:
        config: a campaign to make deployments for, with its numbers in their forms; none if None.
        directory: where that campaign lives, as workers see it.
        wanted: what else the command line says.

    Yields:
        What was done, in words.

    Raises:
        UsageError: prefect.yaml is not where the command was given, or what it says is refused.
        CampaignError: the server does not answer.
    """
    content = _prefect_file()
    _check(config, directory, wanted)
    set_address()  # without one Prefect would start a temporary server
    with get_client(sync_client=True) as client:
        yield f"server: {connected(client)}"
        if wanted.notify:
            block_of(client, wanted.notify)
        for name, purpose in _POOLS.items():
            solves = wanted.solves if name == "solve" else None
            yield _pool(client, name, purpose, wanted.pool_type, solves)
        at_once = client.read_work_pool("solve").concurrency_limit
    if config is not None:
        own = of_campaign(content, config, directory, wanted)
        content = {**content, "deployments": [*content["deployments"], *own]}
    _prefect_deploy(content, (wanted.home or Path.cwd()).absolute())
    yield f"deployments: {', '.join(_names(content))}"
    if config is not None:
        yield f"campaign {config.name}: in {own[0]['parameters']['directory']}"
        yield f"schedule of next-step/{config.name}: {_schedules(config.name)}"
        yield from crowding(config, at_once, cores_here())
    for applied in apply_automations(wanted.notify):
        yield f"automation {applied.name}: {applied.how}"


def _check(config: CampaignConfig | None, directory: Path | None, wanted: Wanted) -> None:
    """Refuse what can be refused before anything is made.

    Raises:
        UsageError: with all that is wrong.
    """
    if config is None and (wanted.schedule or directory):
        option = "--cron and --every are" if wanted.schedule else "--directory is"
        raise UsageError(f"{option} for a campaign's deployments; give its file too")
    if "cron" in wanted.schedule:
        try:
            CronSchedule(cron=str(wanted.schedule["cron"]))
        except ValidationError as error:
            said = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise UsageError(
                f"--cron got {wanted.schedule['cron']!r}: {said}; give minute, hour, day of the "
                "month, month and day of the week, such as '0 2 * * *'"
            ) from None
    if config is not None and (found := _unfit(config)):
        raise UsageError("\n".join(found))


def _unfit(config: CampaignConfig) -> list[str]:
    """Return what the solver says of the parameters; nothing where only the workers have it."""
    try:
        return parameter_problems(config)
    except SolverloopError:
        return []


def _schedules(name: str) -> str:
    """Say which schedules the campaign's next step has now, whoever made them."""
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name(f"next-step/{name}")
    found = [
        in_words(
            **schedule.schedule.model_dump(include={"cron", "interval"}), active=schedule.active
        )
        for schedule in deployment.schedules
    ]
    return "; ".join(found) or "none; give --cron or --every"


def _prefect_file() -> dict[str, Any]:
    try:
        return dict(yaml.safe_load(Path(_FILE).read_text()))
    except OSError as error:
        raise UsageError(
            f"cannot read {Path(_FILE).absolute()} ({error.strerror}); give the command at the "
            "root of the solverloop repository, where prefect.yaml lies"
        ) from error


def _pool(
    client: SyncPrefectClient, name: str, purpose: str, pool_type: str, limit: int | None
) -> str:
    """Make a work pool, or set the limit of the one that is there."""
    try:
        pool = client.read_work_pool(name)
    except ObjectNotFound:
        count = (limit or _NEW_SOLVES) if name == "solve" else None
        new = WorkPoolCreate(
            name=name, type=pool_type, description=purpose, concurrency_limit=count
        )
        client.create_work_pool(new)
        return f"work pool {name}: made, type {pool_type}, {_limit(count)}"
    if limit is not None and limit != pool.concurrency_limit:
        client.update_work_pool(name, WorkPoolUpdate(concurrency_limit=limit))
        return f"work pool {name}: its limit is now {limit}, it was {pool.concurrency_limit}"
    return f"work pool {name}: there, type {pool.type}, {_limit(pool.concurrency_limit)}"


def _limit(count: int | None) -> str:
    return "no limit" if count is None else f"at most {count} runs at once"


def crowding(config: CampaignConfig, at_once: int | None, cores: int) -> Iterator[str]:
    """Say where the samples' ranks outnumber this machine's cores; a worker may have more.

    Args:
        config: of the campaign.
        at_once: the most flow runs of the pool `solve` at once; no limit if None.
        cores: of this machine.
    """
    each = ranks(config)
    fits = each == 1 or (at_once is not None and at_once * each <= cores)
    if isinstance(config.runner, DeploymentSettings) and not fits:
        yield (
            f"work pool solve: {_limit(at_once)} of {each} ranks each, and this machine has "
            f"{cores} cores; if its worker runs here, lower --solves or solver.ranks: ranks on "
            "too few cores wait for each other"
        )


def in_words(*, active: bool, cron: str = "", interval: timedelta | None = None) -> str:
    """Say when a schedule fires, and whether it does yet."""
    when = f"cron {cron}" if interval is None else f"every {interval.total_seconds():g} s"
    return f"{when}, {'active' if active else 'paused; switch it on in the UI, or give --active'}"


def of_campaign(
    content: dict[str, Any], config: CampaignConfig, directory: Path | None, wanted: Wanted
) -> list[dict[str, Any]]:
    """Return the campaign's own deployments, their forms filled with its numbers."""
    parameters = {
        "config": config.model_dump(mode="json"),
        "directory": str(directory or Path("campaigns") / config.name),
    }
    schedules = {"schedules": [dict(wanted.schedule)]} if wanted.schedule else {}
    return [
        {
            **entry,
            "name": config.name,
            "description": config.description or entry["description"],
            "tags": [*entry["tags"], config.name],
            "parameters": parameters,
            **(schedules if entry["name"] == "next-step" else {}),
        }
        for entry in content["deployments"]
        if entry["name"] in _OF_A_CAMPAIGN
    ]


def _prefect_deploy(content: dict[str, Any], home: Path) -> None:
    """Let Prefect deploy what a prefect.yaml says."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / _FILE
        file.write_text(yaml.safe_dump(content, sort_keys=False))
        command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
        done = subprocess.run(
            [*command, "--prefect-file", str(file)],
            env={**os.environ, "SOLVERLOOP_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise CampaignError(f"`prefect deploy` refused: {_last_words(done)}")


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
    return "\n".join(lines[-8:])


def _names(content: dict[str, Any]) -> list[str]:
    return [f"{_flow_of(entry)}/{entry['name']}" for entry in content["deployments"]]


def _flow_of(entry: dict[str, Any]) -> str:
    """Return the name of a deployment's flow."""
    return str(import_object(entry["entrypoint"]).name)
