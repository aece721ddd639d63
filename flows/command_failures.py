"""`solverloop failures`."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from flows.console import standard_output
from phases.campaign import Campaign
from phases.config import CampaignConfig
from phases.failed import Failed, failed_samples
from phases.point import in_words
from pools.outcome import Outcome


def failures_command(directory: Path, outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """Print the failed samples, each with what happened, and how to try them again."""
    campaign, console = Campaign.open(directory), standard_output()
    failed = failed_samples(campaign, outcomes)
    if as_json:
        text = json.dumps([each.to_json() for each in failed], indent=2)
        console.print(text, markup=False, soft_wrap=True)
        return
    for each in failed:
        _print(console, campaign.config, each)
    if not failed:
        console.print("no failed samples")
        return
    count = "1 sample" if len(failed) == 1 else f"{len(failed)} samples"
    console.print(
        f"{count} failed; try them again: solverloop retry {directory}, or with other settings: "
        f"solverloop retry {directory} {failed[0].record.pick.sample.id[:6]} --set KEY=VALUE",
        markup=False,
        soft_wrap=True,
    )


def _print(console: Console, config: CampaignConfig, failed: Failed) -> None:
    record, last = failed.record, failed.last
    count = len(record.attempts)
    attempts = "1 attempt" if count == 1 else f"{count} attempts"
    lines = [
        f"{record.pick.sample.id}  {last.outcome.value.replace('_', ' ')}, {attempts}, "
        f"{record.seconds:.1f} s, {record.pick.asked_by} of step {record.step}",
        f"  {in_words(config, record.pick.sample.parameters)}",
        *(f"  {said}" for said in failed.tries if len(failed.tries) > 1 or last.rung),
        f"  {last.reason}",
        *(f"  | {line}" for line in failed.telling),
        f"  {failed.directory}",
    ]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
