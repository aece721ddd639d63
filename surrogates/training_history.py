"""What a training loop remembers of a training."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrainingHistory:
    """The course of a training.

    Attributes:
        first_epoch: number of the first epoch of the lists below.
        losses: mean training loss over the batches, by epoch; nan where a learner that moves its
            weights itself reports none.
        validation: mean over the validation batches of what the validation step returned, by
            epoch; None where it returned no number or there was no validation.
        steps: batches trained on; the optimizer was stepped once for each.
    """

    first_epoch: int = 1
    losses: tuple[float, ...] = ()
    validation: tuple[float | None, ...] = ()
    steps: int = 0

    def extended(self, loss: float, validation: float | None, steps: int) -> "TrainingHistory":
        """Return the history with one epoch more, of so many batches."""
        return TrainingHistory(
            self.first_epoch,
            (*self.losses, loss),
            (*self.validation, validation),
            self.steps + steps,
        )
