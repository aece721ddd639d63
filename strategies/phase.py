"""The phases of an active-learning step, under their documented names."""

from enum import StrEnum


class ActiveLearningPhase(StrEnum):
    """One phase; a checkpoint is named after the phase that it is resumed at."""

    TRAINING = "training"
    METROLOGY = "metrology"
    QUERY = "query"
    LABELING = "labeling"
    DATA_INTEGRATION = "data_integration"


STEP = (
    ActiveLearningPhase.TRAINING,
    ActiveLearningPhase.METROLOGY,
    ActiveLearningPhase.QUERY,
    ActiveLearningPhase.LABELING,
)
"""The order within a step; data are integrated at the end of labelling."""
