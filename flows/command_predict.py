"""`solverloop predict`."""

from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from flows.console import standard_output
from phases.campaign import Campaign
from phases.config import CampaignConfig
from phases.point import value_of
from phases.predict import predict, trained_step, write_prediction
from pools.errors import UsageError


def predict_command(
    directory: Path,
    at: Sequence[str],
    field: Path | None,
    step: int | None,
    level: str | None,
) -> None:
    """Print every quantity with its uncertainty, and write the fields where asked."""
    campaign = Campaign.open(directory)
    parameters, step = _parse(campaign.config, at), trained_step(campaign, step)
    predicted = predict(campaign, step, parameters, level)
    table = Table("quantity", "mean", "std", "unit")
    for name, mean, std, unit in predicted.quantities():
        table.add_row(escape(name), f"{mean:.5g}", f"{std:.2g}", escape(unit))
    console = standard_output()
    console.print(table)
    if field is not None:
        write_prediction(campaign, predicted, field)
        console.print(
            f"fields and their standard deviations are in {field}", soft_wrap=True, markup=False
        )


def _parse(config: CampaignConfig, at: Sequence[str]) -> dict[str, float]:
    """Read NAME=VALUE arguments."""
    parameters = {}
    for text in at:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--at got {text!r}; write it as NAME=NUMBER, e.g. reynolds=40")
        parameters[name] = value_of(config, name, value)
    return parameters
