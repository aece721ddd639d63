"""What a person sees in the Prefect UI beside the runs: tables, progress, pictures."""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from phases.campaign import Campaign
from phases.retry import in_words
from pools.pick import Pick
from pools.record import SampleRecord

_SECONDS_BETWEEN_UPDATES = 1.0


@dataclass
class ProgressArtifact:
    """A progress bar in the UI, updated at most once a second."""

    campaign: Campaign
    where: str
    total: int
    _artifact: UUID = field(init=False)
    _updated: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._artifact = create_progress_artifact(  # type: ignore[assignment]  # sync here
            0.0,
            key=f"{self.campaign.config.name}-{self.where}-labelling",
            description=f"0 of {self.total} samples labelled",
        )

    def update(self, done: int, failed: int) -> None:
        """Show that `done` samples ended, `failed` of them without a solution."""
        if done < self.total and time.monotonic() - self._updated < _SECONDS_BETWEEN_UPDATES:
            return
        self._updated = time.monotonic()
        text = f"{done} of {self.total} samples labelled, {failed} failed"
        update_progress_artifact(self._artifact, 100.0 * done / self.total, description=text)


def publish_samples(campaign: Campaign, where: str, picks: Sequence[Pick]) -> None:
    """Show samples as a table: outcome, seconds, attempts, parameters, reason.

    Args:
        campaign: whose.
        where: `step003`, or `design`.
        picks: the samples.
    """
    records = [_record(campaign, pick) for pick in picks]
    create_table_artifact(
        [_row(campaign, record) for record in records],
        key=f"{campaign.config.name}-{where}-samples",
        description=f"Samples of {campaign.config.name}, {where}: {in_words(records)}",
    )


def publish_report(campaign: Campaign, step: int, markdown: str, picture: bytes) -> None:
    """Show a step's report with its learning curve, the picture embedded as data."""
    address = base64.b64encode(picture).decode()
    create_markdown_artifact(
        f"{markdown}\n\n![learning curve](data:image/png;base64,{address})\n",
        key=f"{campaign.config.name}-step{step:03d}-report",
        description=f"Report of {campaign.config.name}, step {step}",
    )


def _record(campaign: Campaign, pick: Pick) -> SampleRecord:
    """Return what is known of a sample; nothing but that it was asked for, before it is tried."""
    return campaign.sample_directory(pick.sample.id).read() or SampleRecord(pick, 0)


def _row(campaign: Campaign, record: SampleRecord) -> dict[str, Any]:
    sample = record.pick.sample
    return {
        "sample": sample.id,
        "outcome": record.outcome.value if record.outcome else "pending",
        "seconds": round(record.seconds, 2),
        "attempts": len(record.attempts),
        "asked by": record.pick.asked_by,
        **{name: float(f"{value:.4g}") for name, value in sample.parameters.items()},
        "reason": record.attempts[-1].reason if record.attempts else "",
        "directory": str(campaign.sample_directory(sample.id).path),
    }
