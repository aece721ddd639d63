"""One step of a driver: its phases, in the order of `phases.loop`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from phases.driver_label import label
from phases.driver_query import query
from phases.driver_train import train
from strategies.accepting import call_accepting
from strategies.phase import ActiveLearningPhase

if TYPE_CHECKING:
    from phases.driver import Driver


@dataclass(slots=True)
class DriverStep:
    """The phases of one step.

    Attributes:
        driver: whose.
        train_step_fn: loss of the learner on a batch, where the caller gives it.
        validate_step_fn: the same for validation.
        args: what strategies get by position, as far as they take it.
        kwargs: what strategies and step functions get by name, as far as they take it.
        exhausted: why nothing is left to choose, in words.
    """

    driver: "Driver"
    train_step_fn: Any
    validate_step_fn: Any
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    exhausted: str = field(default="", init=False)

    def train(self) -> None:
        """Train the learner on all that is labelled."""
        if not self.driver.config.skip_training:
            self._do(ActiveLearningPhase.TRAINING, self._train)

    def metrology(self) -> None:
        """Let every metrology strategy measure."""
        if not self.driver.config.skip_metrology and self.driver.metrology_strategies:
            self._do(
                ActiveLearningPhase.METROLOGY,
                lambda: self.driver.distribution.on_first(self._measure),
            )

    def decide(self) -> str:
        """Say that this was the last step, where it was."""
        driver = self.driver
        most = driver.config.max_active_learning_steps
        if most is not None and driver.active_learning_step_idx >= most:
            return f"{most} of {most} steps done"
        return ""

    def query(self) -> None:
        """Let every query strategy choose."""
        self._do(ActiveLearningPhase.QUERY, lambda: self.driver.distribution.on_first(self._query))

    def label(self) -> None:
        """Label what was chosen, and append it to the training pool."""
        if not self.driver.config.skip_labeling:
            self._do(ActiveLearningPhase.LABELING, self._label)

    def _do(self, phase: ActiveLearningPhase, work: Callable[[], None]) -> None:
        driver = self.driver
        if driver.is_skipped(phase):
            return

        def within() -> None:
            with driver.phase(phase):
                work()

        driver.run_phase(phase, driver.active_learning_step_idx, within)
        driver.resumed = None

    def _train(self) -> None:
        steps = {"train_step_fn": self.train_step_fn, "validate_step_fn": self.validate_step_fn}
        train(self.driver, steps, self.kwargs)

    def _measure(self) -> None:
        for strategy in self.driver.metrology_strategies:
            call = strategy if callable(strategy) else strategy.compute
            call_accepting(call, [], self.args, self.kwargs)
            if hasattr(strategy, "serialize_records"):
                call_accepting(strategy.serialize_records, [], (), self.kwargs)

    def _query(self) -> None:
        query(self.driver, self.args, self.kwargs)

    def _label(self) -> None:
        self.exhausted = label(self.driver, self.args, self.kwargs)
