"""The settings of the physics residual as an acquisition."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from strategies.needed import CampaignScope
from strategies.physics_residual import EvaluatedResidual
from strategies.plain_settings import MODEL, Share


class PhysicsResidualSettings(BaseModel):
    """Draws by how far the predicted fields are from solving the solver's own equations.

    Each residual is a short run of the solver, which counts as solver seconds.
    """

    model_config = MODEL

    kind: Literal["physics_residual"] = "physics_residual"
    fraction: Share = 1.0
    evaluated: Annotated[int, Field(ge=1)] = 64
    """At how many candidates, drawn at random, the residual is evaluated in a step."""
    beta: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """Exponent of the residual: 0 is random, large takes the largest."""


def residual_at(settings: PhysicsResidualSettings, driver: CampaignScope) -> EvaluatedResidual:
    """Return the acquisition of a step, which asks the campaign's solver."""
    return EvaluatedResidual(
        residual=driver.residual, evaluated=settings.evaluated, beta=settings.beta
    )
