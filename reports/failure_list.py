"""The failed samples as the Prefect UI shows them: why, what the log says, how to try again."""

import re
from collections.abc import Sequence

from phases.campaign import Campaign
from phases.failed import Failed
from phases.point import in_words

_MOST = 40  # samples; a page that nobody reads to its end helps nobody
_FENCE = "````"  # a log may hold three of them


def failures_markdown(campaign: Campaign, failed: Sequence[Failed]) -> str:
    """Tell of each failed sample its reason, the log's telling lines, where it is, what to do."""
    if not failed:
        return "No sample is without a solution."
    all_again = f"solverloop retry {campaign.directory}"
    left = len(failed) - _MOST
    return "\n".join(
        [
            f"To try all that failed again: `{all_again}`, or with other settings: "
            f"`{all_again} --set KEY=VALUE`.",
            *(line for each in failed[:_MOST] for line in _section(campaign, each)),
            *([f"\n... and {left} more: `solverloop failures {campaign.directory}`"] * (left > 0)),
        ]
    )


def _section(campaign: Campaign, failed: Failed) -> list[str]:
    sample, count = failed.record.pick.sample, len(failed.record.attempts)
    attempts = "1 attempt" if count == 1 else f"{count} attempts"
    values = in_words(campaign.config, sample.parameters)
    return [
        "",
        f"### {sample.id}: {failed.last.outcome.value.replace('_', ' ')}",
        "",
        f"**{_plain(failed.last.reason)}**",
        "",
        f"{attempts}, {failed.record.seconds:.1f} s; {_plain(values)}",
        "",
        *_block(failed.telling),
        "",
        f"- evidence: `{failed.directory}`",
        f"- again: `solverloop retry {campaign.directory} {sample.id}`",
    ]


def _plain(text: str) -> str:
    """Return text that means nothing to Markdown."""
    return re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", " ".join(text.split()))


def _block(lines: Sequence[str]) -> list[str]:
    """Return lines as they are, whatever they hold."""
    return [f"{_FENCE}text", *(line.replace(_FENCE, "'''") for line in lines), _FENCE]
