"""The loop, written once: what a step is, for campaigns and for drivers assembled in Python."""

from typing import Protocol


class Phases(Protocol):
    """The phases of one step."""

    def train(self) -> None:
        """Train the learner on all that is labelled."""
        ...

    def metrology(self) -> None:
        """Measure it."""
        ...

    def decide(self) -> str:
        """Say why the loop ends here, in words; nothing when it goes on."""
        ...

    def query(self) -> None:
        """Choose what is labelled next."""
        ...

    def label(self) -> None:
        """Label it, and append the labels to the training pool."""
        ...


def take_step(phases: Phases) -> str:
    """Train, measure, and unless that is enough: query, label.

    So the last step of a loop is its last training and metrology, and no label is left unused.

    Returns:
        Why the loop ends here, in words; nothing when it goes on.
    """
    phases.train()
    phases.metrology()
    if reason := phases.decide():
        return reason
    phases.query()
    phases.label()
    return ""
