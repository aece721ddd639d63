"""The phases of a driver assembled in Python, as tasks of the documented names."""

from collections.abc import Callable

from prefect import task
from prefect.cache_policies import NO_CACHE

from strategies.phase import ActiveLearningPhase

NAMES = {
    ActiveLearningPhase.TRAINING: "train",
    ActiveLearningPhase.METROLOGY: "metrology",
    ActiveLearningPhase.QUERY: "query",
    ActiveLearningPhase.LABELING: "label",
}


def as_task(phase: ActiveLearningPhase, step: int, work: Callable[[], None]) -> None:
    """Run one phase as the task of its name; nothing of it travels through Prefect."""
    name = NAMES[phase]
    task(name=name, task_run_name=f"{name}-step{step:03d}", cache_policy=NO_CACHE)(work)()
