"""Ask a trained surrogate at a design point."""

from collections.abc import Iterator, Mapping
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
        parameters: of the point, by name, in their own units.
        level: that the surrogate answers for, as samples have it: empty for the finest.
        step: whose surrogate it is.
        schema: names and units of the columns.
        prediction: quantities (1, q) and fields (1, p, c).
    """

    parameters: Mapping[str, float]
    level: str
    step: int
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


def predict(
    campaign: Campaign, step: int, parameters: Mapping[str, float], level: str | None = None
) -> Predicted:
    """Predict at named parameters; of the solver nothing is run or imported.

    Args:
        campaign: whose surrogate is asked.
        step: after whose training.
        parameters: all of them by name, in their own units.
        level: of the solver, as the campaign file calls it; the finest unless given.

    Raises:
        UsageError: a parameter is missing, unknown or out of bounds, a constraint is not met, or
            there is no such level.
        IntegrityError: the checkpoint is not the one that the ledger recorded.
    """
    try:
        row = campaign.config.domain.as_row(dict(parameters))
    except ValueError as error:
        raise UsageError(str(error)) from error
    name = _level(campaign, level)
    if (trained := campaign.ledger.find(step, "train")) is not None:
        trained.verify(campaign.directory)
    surrogate = load(campaign.checkpoint(step)).at(campaign.config.level_names.index(name))
    prediction = surrogate.predict(row[np.newaxis])
    return Predicted(parameters, name, step, surrogate.schema, prediction)


def _level(campaign: Campaign, called: str | None) -> str:
    """Return the level's name as samples have it, which is empty for the finest."""
    if called is None:
        return ""
    config = campaign.config
    names = {config.called(name): name for name in config.level_names}
    if called in names:
        return names[called]
    if not config.levels:
        raise UsageError(
            f"asked for the level {called!r}, but the solver of {config.name} has one level only; "
            "leave it out"
        )
    raise UsageError(f"asked for the level {called!r}; levels are {', '.join(names)}")


def write_prediction(campaign: Campaign, predicted: Predicted, file: Path) -> None:
    """Write what was predicted for ParaView, on the solver's mesh (of levels, the finest's)."""
    quantities: dict[str, Quantity] = {}
    fields: dict[str, Field] = {}
    for name, mean, std, unit in predicted.quantities():
        quantities |= {name: Quantity(mean, unit), f"{name}_std": Quantity(std, unit)}
    for name, values, spread, unit in predicted.fields():
        fields |= {name: Field(values, unit), f"{name}_std": Field(spread, unit)}
    provenance = {"predicted_by": campaign.config.name, "step": predicted.step}
    fingerprint = campaign.fingerprints[predicted.level]
    sample = Sample.of(predicted.parameters, fingerprint, predicted.level)
    mesh = campaign.solver.mesh(sample)
    write_solution(file, Solution(sample, mesh, fields, quantities, provenance))
