"""A learner of next to no accuracy, for what depends on none."""

from surrogates.settings import EnsembleSettings, Schedule

TINY = EnsembleSettings(
    members=2,
    width=8,
    depth=1,
    initial=Schedule(kind="cosine", start=1e-2, end=1e-4, length=50),
)
