"""What a person sees in the Prefect UI beside the runs: tables, progress, pictures, failures.

The key of an artifact is the campaign's name, the step and what it shows, so that the newest of a
key is how things stand now.
"""

import base64
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from textwrap import shorten
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from phases.campaign import Campaign
from phases.failed import Failed, failed_among
from phases.point import word_of
from phases.tally import Tally
from pools.pick import Pick
from pools.record import SampleRecord
from reports.failure_list import failures_markdown
from tasks.best_effort import best_effort

_SECONDS_BETWEEN_UPDATES = 1.0
_SECONDS_AFTER_A_FAILURE = 30.0  # a server that is away makes each try wait
_SHOWN_OF_A_REASON = 60  # letters; the list of failures has it whole


@dataclass
class ProgressArtifact:
    """A progress bar in the UI, updated at most once a second."""

    campaign: Campaign
    where: str
    total: int
    _artifact: UUID | None = field(init=False)
    _quiet_until: float = field(init=False, default=-math.inf)

    def __post_init__(self) -> None:
        create: Any = partial(create_progress_artifact, 0.0)  # sync here, which its type hides
        self._artifact = best_effort(
            "how far labelling has got",
            lambda: create(
                key=_key(self.campaign, self.where, "labelling"),
                description=f"0 of {self.total} samples labelled",
            ),
        )

    def update(self, done: int, failed: int) -> None:
        """Show that `done` samples ended, `failed` of them without a solution."""
        early = done < self.total and time.monotonic() < self._quiet_until
        if self._artifact is None or early:
            return
        text = f"{done} of {self.total} samples labelled, {failed} failed"
        show: Any = partial(update_progress_artifact, self._artifact, 100.0 * done / self.total)
        shown = best_effort("how far labelling has got", lambda: show(description=text))
        pause = _SECONDS_AFTER_A_FAILURE if shown is None else _SECONDS_BETWEEN_UPDATES
        self._quiet_until = time.monotonic() + pause


def publish_samples(campaign: Campaign, where: str, picks: Sequence[Pick]) -> Tally:
    """Show samples as a table, and those without a solution as a list of what to do.

    Args:
        campaign: whose.
        where: `step003`, or `design`.
        picks: the samples.

    Returns:
        How they stand.
    """
    records = [_record(campaign, pick) for pick in picks]
    tally = Tally.of(records)
    title, rows = f"{campaign.config.name}, {where}", [_row(campaign, r) for r in records]
    best_effort(
        "how the samples ended",
        lambda: create_table_artifact(
            rows,
            key=_key(campaign, where, "samples"),
            description=f"Samples of {title}: {tally}",
        ),
    )
    failures = failures_markdown(campaign, failed_among(campaign, picks))
    about = f"Failed samples of {title}: {tally.failures}"
    _show("which samples failed", failures, _key(campaign, where, "failures"), about)
    return tally


def publish_failure(campaign: Campaign, failed: Failed) -> None:
    """Show why one sample has no solution, and how it is solved again."""
    sample, text = failed.record.pick.sample.id, failures_markdown(campaign, [failed])
    about = f"{sample}: {failed.last.outcome.value}"
    _show("why the sample failed", text, _key(campaign, "sample", sample), about)


def publish_report(
    campaign: Campaign, step: int, markdown: str, pictures: Mapping[str, bytes]
) -> None:
    """Show a step's report.

    Args:
        campaign: whose.
        step: which.
        markdown: the report.
        pictures: what follows it: PNGs by what they show, embedded as data.
    """
    shown = [
        f"**{name}**\n\n![{name}](data:image/png;base64,{base64.b64encode(picture).decode()})"
        for name, picture in pictures.items()
    ]
    text = "\n\n".join([markdown, *shown]) + "\n"
    about = f"Report of {campaign.config.name}, step {step}"
    _show("the report of the step", text, _key(campaign, f"step{step:03d}", "report"), about)


def _show(what: str, markdown: str, key: str, about: str) -> None:
    """Show a text in the UI; the work goes on where the server cannot be told."""
    best_effort(what, lambda: create_markdown_artifact(markdown, key=key, description=about))


def _key(campaign: Campaign, where: str, what: str) -> str:
    return f"{campaign.config.name}-{where}-{what}"


def _record(campaign: Campaign, pick: Pick) -> SampleRecord:
    """Return what is known of a sample; nothing but that it was asked for, before it is tried."""
    return campaign.sample_directory(pick.sample.id).read() or SampleRecord(pick, 0)


def _row(campaign: Campaign, record: SampleRecord) -> dict[str, Any]:
    sample, reason = record.pick.sample, record.attempts[-1].reason if record.attempts else ""
    return {
        "sample": sample.id,
        "outcome": record.outcome.value if record.outcome else "pending",
        "seconds": round(record.seconds, 2),
        "attempts": len(record.attempts),
        "reason": shorten(reason, _SHOWN_OF_A_REASON, placeholder=" ..."),
        "asked by": record.pick.asked_by,
        **{
            name: word_of(campaign.config, name, value) or float(f"{value:.4g}")
            for name, value in sample.parameters.items()
        },
        "directory": str(campaign.sample_directory(sample.id).path),
    }
