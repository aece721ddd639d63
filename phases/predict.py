"""Ask a trained surrogate at a design point."""

from pathlib import Path

import numpy as np

from phases.campaign import Campaign
from pools.errors import UsageError
from pools.sample import Sample
from pools.solution import Field, Quantity, Solution
from pools.vtkhdf import write_solution
from surrogates.checkpoint import load
from surrogates.prediction import Prediction


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


def predict(campaign: Campaign, step: int, parameters: dict[str, float]) -> Prediction:
    """Predict quantities (1, q) and fields (1, p, c) at named parameters.

    Raises:
        UsageError: a parameter is missing, unknown or out of bounds.
        IntegrityError: the checkpoint is not the one that the ledger recorded.
    """
    try:
        row = campaign.config.parameters.as_row(parameters)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if (trained := campaign.ledger.find(step, "train")) is not None:
        trained.verify(campaign.directory)
    return load(campaign.checkpoint(step)).predict(row[np.newaxis])


def write_prediction(
    campaign: Campaign, step: int, parameters: dict[str, float], file: Path
) -> None:
    """Write the predicted fields and their standard deviations, on the solver's mesh."""
    prediction = predict(campaign, step, parameters)
    sample = Sample.of(parameters, campaign.solver.fingerprint)
    quantities, fields = {}, {}
    for column, (name, unit) in enumerate(campaign.solver.quantities.items()):
        quantities[name] = Quantity(float(prediction.quantities.mean[0, column]), unit)
        quantities[f"{name}_std"] = Quantity(float(prediction.quantities.std[0, column]), unit)
    for column, (name, unit) in enumerate(campaign.solver.fields.items()):
        fields[name] = Field(prediction.fields.mean[0, :, column], unit)
        fields[f"{name}_std"] = Field(prediction.fields.std[0, :, column], unit)
    provenance = {"predicted_by": campaign.config.name, "step": step}
    mesh = campaign.solver.mesh(sample)
    write_solution(file, Solution(sample, mesh, fields, quantities, provenance))
