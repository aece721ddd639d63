"""Ask a trained surrogate at a design point."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phases.campaign import Campaign
from pools.errors import UsageError
from pools.sample import Sample
from pools.shard import PoolSchema
from pools.solution import Field, Quantity, Solution
from pools.vtkhdf import write_solution
from surrogates.checkpoint import load
from surrogates.prediction import Prediction

Array = NDArray[np.float64]


def trained_step(campaign: Campaign, step: int | None) -> int:
    """Return the step whose surrogate to use: the one asked for, or the last that was trained.

    Raises:
        UsageError: it has none.
    """
    trained = [entry.step for entry in campaign.ledger.entries() if entry.phase == "train"]
    if not trained:
        raise UsageError(
            f"{campaign.directory} has no trained surrogate yet; run the campaign first"
        )
    if step is not None and step not in trained:
        raise UsageError(f"step {step} has no surrogate; trained are steps 0 to {max(trained)}")
    return max(trained) if step is None else step


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What a surrogate says of one design point.

    Attributes:
        schema: names and units of the columns.
        prediction: quantities (1, q) and fields (1, p, c).
    """

    schema: PoolSchema
    prediction: Prediction

    def quantities(self) -> Iterator[tuple[str, float, float, str]]:
        """Return name, mean, standard deviation and unit of each quantity."""
        values = self.prediction.quantities
        for column, (name, unit) in enumerate(self.schema.quantities.items()):
            yield name, float(values.mean[0, column]), float(values.std[0, column]), unit

    def fields(self) -> Iterator[tuple[str, Array, Array, str]]:
        """Return name, mean (p,), standard deviation (p,) and unit of each field."""
        values = self.prediction.fields
        for column, (name, unit) in enumerate(self.schema.fields.items()):
            yield name, values.mean[0, :, column], values.std[0, :, column], unit


def predict(campaign: Campaign, step: int, parameters: dict[str, float]) -> Predicted:
    """Predict at named parameters.

    Raises:
        UsageError: a parameter is missing, unknown or out of bounds, or a constraint is not met.
        IntegrityError: the checkpoint is not the one that the ledger recorded.
    """
    try:
        row = campaign.config.domain.as_row(parameters)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if (trained := campaign.ledger.find(step, "train")) is not None:
        trained.verify(campaign.directory)
    surrogate = load(campaign.checkpoint(step))
    return Predicted(surrogate.schema, surrogate.predict(row[np.newaxis]))


def write_prediction(
    campaign: Campaign, step: int, parameters: dict[str, float], file: Path
) -> None:
    """Write what `predict` says for ParaView, on the solver's mesh; errors as there."""
    predicted = predict(campaign, step, parameters)
    sample = Sample.of(parameters, campaign.solver.fingerprint)
    quantities: dict[str, Quantity] = {}
    fields: dict[str, Field] = {}
    for name, mean, std, unit in predicted.quantities():
        quantities |= {name: Quantity(mean, unit), f"{name}_std": Quantity(std, unit)}
    for name, values, spread, unit in predicted.fields():
        fields |= {name: Field(values, unit), f"{name}_std": Field(spread, unit)}
    provenance = {"predicted_by": campaign.config.name, "step": step}
    mesh = campaign.solver.mesh(sample)
    write_solution(file, Solution(sample, mesh, fields, quantities, provenance))
