"""What a user may set about the surrogate: plain data, read without loading torch.

[Loshchilov2017] I. Loshchilov and F. Hutter, SGDR: stochastic gradient descent with warm restarts,
ICLR 2017.
"""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Schedule(BaseModel):
    """How the learning rate falls during one training; cosine as in [Loshchilov2017]."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Literal["cosine", "exponential"]
    """Shape of the fall from `start` to `end`."""
    start: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Learning rate of the first optimizer step."""
    end: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Learning rate that the last optimizer step comes down to; at most `start`."""
    length: Annotated[int, Field(ge=1)]
    """How long to train, in `unit`s."""
    unit: Literal["steps", "epochs"] = "steps"
    """Optimizer steps (equal work whatever the pool's size) or passes over the pool."""

    @model_validator(mode="after")
    def _check_rates(self) -> Self:
        if self.end > self.start:
            raise ValueError(
                f"end is {self.end:g} and start is {self.start:g}; the learning rate must not "
                "rise: swap them"
            )
        return self

    def steps(self, samples: int, batch_size: int) -> int:
        """Return the number of optimizer steps for a pool of this many samples."""
        if self.unit == "steps":
            return self.length
        return self.length * math.ceil(samples / batch_size)

    def rate(self, fraction: float) -> float:
        """Return the learning rate when this fraction of the training, 0 to 1, is done."""
        match self.kind:
            case "cosine":
                fall = (1 + math.cos(math.pi * fraction)) / 2
                return self.end + (self.start - self.end) * fall
            case "exponential":
                return self.start * math.pow(self.end / self.start, fraction)


class EnsembleSettings(BaseModel):
    """The deep ensemble over POD coefficients, and how it is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Literal["ensemble"] = "ensemble"
    """Which surrogate."""
    members: Annotated[int, Field(ge=1, le=256)] = 5
    """Networks in the ensemble; strategies that ask for uncertainty need at least 2."""
    width: Annotated[int, Field(ge=1)] = 64
    """Units of each hidden layer."""
    depth: Annotated[int, Field(ge=1)] = 3
    """Number of hidden layers."""
    modes: Annotated[int, Field(ge=1)] = 24
    """Most POD modes to represent the fields with."""
    energy: Annotated[float, Field(gt=0, le=1)] = 0.9999
    """Fraction of the fields' variance over the training pool that the POD modes must hold."""
    batch_size: Annotated[int, Field(ge=1)] = 64
    """Samples per optimizer step and member; a smaller pool is one batch."""
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.3
    """AdamW's decoupled weight decay; biases are not decayed."""
    threads: Annotated[int, Field(ge=1)] = 1
    """Processor threads in training and prediction; another number may change the last digits."""
    retrain: Literal["fine_tune", "from_scratch"] = "from_scratch"
    """Whether a grown pool continues from the previous networks, which is cheaper, or begins with
    new ones, which was more accurate on channel flows at every size (4 s of training, not 2)."""
    initial: Schedule = Schedule(kind="cosine", start=1e-3, end=1e-6, length=5000)
    """The schedule of a training that begins with new networks."""
    fine_tune: Schedule = Schedule(kind="exponential", start=5e-4, end=5e-6, length=2000)
    """The schedule of a training that continues from the previous networks."""
