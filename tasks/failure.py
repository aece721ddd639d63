"""A failed sample as a person looks at it in the UI: why, the log's telling lines, the way out."""

from prefect.artifacts import create_markdown_artifact

from phases.campaign import Campaign
from phases.failed import Failed


def publish_failure(campaign: Campaign, failed: Failed) -> None:
    """Show why a sample has no solution, and how it is solved again."""
    sample = failed.record.pick.sample
    create_markdown_artifact(
        _markdown(campaign, failed),
        key=f"{campaign.config.name}-sample-{sample.id}",
        description=f"{sample.id}: {failed.last.outcome.value}",
    )


def _markdown(campaign: Campaign, failed: Failed) -> str:
    sample, last = failed.record.pick.sample, failed.last
    values = "".join(f"| {name} | {value:.6g} |\n" for name, value in sample.parameters.items())
    log = "\n".join(f"    {line}" for line in failed.telling)
    return (
        f"# {sample.id}: {last.outcome.value}\n\n{last.reason}\n\n"
        f"## What the log says\n\n{log or '    (nothing)'}\n\n"
        f"## Tries\n\n" + "".join(f"1. {one}\n" for one in failed.tries) + "\n"
        f"## Parameters\n\n| parameter | value |\n| --- | --- |\n{values}\n"
        f"Directory: `{failed.directory}`\n\n"
        "Solve it again: *Retry* on this flow run, or with other settings\n\n"
        f"    solverloop retry {campaign.directory} {sample.id} --set KEY=VALUE\n"
    )
