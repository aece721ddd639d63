"""The command `solverloop`."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.plain_console import PlainConsole
from pools.errors import SolverloopError, UsageError
from pools.outcome import Outcome

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Active learning of CFD surrogates with the flow solver in the loop.\n\n"
    "Example: `solverloop run examples/channel.yaml`, then `solverloop report campaigns/channel`.",
)


class PoolType(StrEnum):
    """What a work pool runs flows in."""

    PROCESS = "process"
    DOCKER = "docker"


CampaignDirectory = Annotated[
    Path, typer.Argument(metavar="DIR", help="The campaign's directory.", show_default=False)
]

FileChanges = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY.KEY=VALUE", help="Change a value of the file."),
]
FailedSo = Annotated[
    list[Outcome] | None, typer.Option("--outcome", help="Only those that failed so.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show Prefect's own log as well.")]


@app.command()
def run(
    campaign: Annotated[
        Path,
        typer.Argument(
            metavar="CAMPAIGN.yaml",
            help="The campaign file, or the directory of a campaign to resume.",
        ),
    ],
    directory: Annotated[
        Path | None, typer.Option(help="Where the campaign lives [campaigns/NAME].")
    ] = None,
    changes: FileChanges = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Solve failed samples of this step again.")
    ] = False,
    without_server: Annotated[
        bool, typer.Option("--without-server", help="Run in this process alone, without Prefect.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Start a campaign, or resume it where it was interrupted.

    Examples:

    - `solverloop run examples/channel.yaml`

    - `solverloop run examples/channel.yaml --directory /data/channel --set seed=2`

    - `solverloop run campaigns/channel --set stopping.max_steps=8` (go on with a finished one)

    - `solverloop run campaigns/channel --without-server` (where the server is away)
    """
    _prepare_environment(verbose=verbose)
    from flows.command_run import How, run_command

    how = How(retry_failed, without_server)
    run_command(campaign, directory, changes or [], how)


@app.command()
def doctor(
    campaign: Annotated[Path, typer.Argument(metavar="CAMPAIGN.yaml", help="The campaign file.")],
    changes: FileChanges = None,
) -> None:
    """Look whether a campaign can be run here, and solve one sample of it.

    Example: `solverloop doctor examples/cavity/cavity.yaml`
    """
    from flows.command_doctor import doctor_command

    doctor_command(campaign, changes or [])


@app.command()
def status(directory: CampaignDirectory) -> None:
    """Show steps, pool, failures and the last metrics of a campaign.

    Example: `solverloop status campaigns/channel`
    """
    from flows.command_status import status_command

    status_command(directory)


@app.command()
def failures(
    directory: CampaignDirectory,
    outcomes: FailedSo = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the failed samples: what happened, what the log says, where it is.

    Examples:

    - `solverloop failures campaigns/channel`

    - `solverloop failures campaigns/channel --outcome diverged --json`
    """
    from flows.command_failures import failures_command

    failures_command(directory, outcomes or [], as_json=as_json)


@app.command()
def retry(  # noqa: PLR0913, PLR0917 - the command's options
    directory: CampaignDirectory,
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SAMPLE]...",
            help="Ids of failed samples, or how they begin [all that failed].",
        ),
    ] = None,
    outcomes: FailedSo = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY.KEY=VALUE", help="Change a setting of the solver."),
    ] = None,
    timeout: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Deadline of each attempt: 90, 90s, 15m, 2h."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="How many samples are solved at once.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be solved, and stop.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Solve failed samples again; what succeeds joins the pool, and the next step trains on it.

    Examples:

    - `solverloop retry campaigns/channel` (all that failed)

    - `solverloop retry campaigns/channel 650dcb 9f01aa --timeout 2h`

    - `solverloop retry campaigns/channel --outcome diverged --set relaxation.U=0.5`
    """
    _prepare_environment(verbose=verbose)
    from flows.command_retry import Asked, retry_command

    asked = Asked(ids or [], outcomes or [], changes or [], timeout, workers)
    retry_command(directory, asked, dry_run=dry_run)


@app.command()
def deploy(  # noqa: PLR0913, PLR0917 - the command's options
    campaign: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CAMPAIGN.yaml]",
            help="A campaign to make deployments for, its numbers in their forms.",
        ),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(help="Where the campaign lives, as workers see it [campaigns/NAME]."),
    ] = None,
    changes: FileChanges = None,
    cron: Annotated[
        str | None,
        typer.Option(
            metavar="CRON", help="When its next step is taken, such as '0 2 * * *'; paused."
        ),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Or how often, such as 90s, 15m, 6h; paused."),
    ] = None,
    active: Annotated[bool, typer.Option("--active", help="Begin that schedule at once.")] = False,
    solves: Annotated[
        int | None,
        typer.Option(min=1, help="Most samples that the work pool solves at once [2]."),
    ] = None,
    notify: Annotated[
        str,
        typer.Option(
            metavar="TYPE/NAME",
            help="A block of the server that tells a person when many samples fail.",
            show_default=False,
        ),
    ] = "",
    pool_type: Annotated[
        PoolType, typer.Option(help="Type of the work pools, where they are made.")
    ] = PoolType.PROCESS,
    home: Annotated[
        Path | None,
        typer.Option(help="Where workers find flows/ and campaigns/ [this directory]."),
    ] = None,
) -> None:
    """Deploy the flows to the Prefect server: work pools, limits, deployments. Safe to repeat.

    Examples:

    - `solverloop deploy` (what prefect.yaml declares)

    - `solverloop deploy examples/channel.yaml --cron '0 2 * * *' --active` (a step every night)

    - `solverloop deploy examples/channel.yaml --set runner.kind=deployment --solves 8`
    """
    _prepare_environment(verbose=False)
    from flows.command_deploy import Wanted, deploy_command, schedule_of

    schedule = schedule_of(cron, every, active=active)
    wanted = Wanted(home, pool_type.value, solves, schedule, notify)
    deploy_command(campaign, directory, changes or [], wanted)


@app.command()
def predict(
    directory: CampaignDirectory,
    at: Annotated[
        list[str], typer.Option(metavar="NAME=VALUE", help="A parameter; give all of them.")
    ],
    field: Annotated[
        Path | None,
        typer.Option(metavar="FILE.vtkhdf", help="Write the predicted fields for ParaView."),
    ] = None,
    step: Annotated[
        int | None, typer.Option(help="Use the surrogate of this step [the last].")
    ] = None,
    level: Annotated[
        str | None, typer.Option(help="What this level of the solver would answer [the finest].")
    ] = None,
) -> None:
    """Predict at a design point, with uncertainty.

    Example: `solverloop predict campaigns/channel --at reynolds=40 --at semi_axis_a=0.05
    --at semi_axis_b=0.05 --at angle=0 --at height=0.2 --field out.vtkhdf`
    """
    from flows.command_predict import predict_command

    predict_command(directory, at, field, step, level)


@app.command()
def report(directory: CampaignDirectory) -> None:
    """Draw the campaign: figures as PNG and one index.html, in DIR/report.

    Example: `solverloop report campaigns/channel`
    """
    from flows.command_report import report_command

    report_command(directory)


@app.command()
def check(directory: CampaignDirectory) -> None:
    """Verify every digest, and make damaged shards, checkpoints, metrics and lists again.

    Example: `solverloop check campaigns/channel`
    """
    from flows.command_check import check_command

    check_command(directory)


@app.command()
def metrics(
    directories: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", help="The campaigns' directories.", show_default=False),
    ],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free one.")
    ] = 9400,
    address: Annotated[
        str, typer.Option(help="The address to listen at; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    once: Annotated[bool, typer.Option("--once", help="Print the metrics, and stop.")] = False,
) -> None:
    """Serve campaigns' numbers to Prometheus: samples, seconds, errors, progress.

    Examples:

    - `solverloop metrics campaigns/channel campaigns/cavity`

    - `solverloop metrics campaigns/channel --once`

    - `solverloop metrics campaigns/* --port 9500`
    """
    from flows.command_metrics import metrics_command

    metrics_command(directories, address, port, once=once)


def main() -> None:
    """Run the command; a user's mistake is a message, never a traceback."""
    sys.path.append(str(Path.cwd()))  # where a solver of the user's own lies
    try:
        app()
    except SolverloopError as error:
        PlainConsole(stderr=True, highlight=False, soft_wrap=True).print(
            f"error: {error}", markup=False
        )
        sys.exit(2 if isinstance(error, UsageError) else 1)


def _prepare_environment(*, verbose: bool) -> None:
    """Set what Prefect and OpenMP read when they are loaded, unless the user has set it."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices; solvers need the cores
    os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "solverloop")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    # A machine whose cores solve starts the temporary server more slowly than Prefect expects.
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")
    if not verbose:
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")


if __name__ == "__main__":
    main()
