"""The train phase: pool to checkpoint, fine-tuned from the step before or from scratch."""

from phases.campaign import Campaign, Work
from phases.progress import say, tell
from pools.ledger import Entry
from surrogates.checkpoint import load, save
from surrogates.fit import fit


def train(campaign: Campaign, step: int) -> Entry:
    """Train the surrogate on all that is labelled when this step begins."""
    return campaign.once(step, "train", lambda seed: train_surrogate(campaign, step, seed))


def train_surrogate(campaign: Campaign, step: int, seed: int) -> Work:
    """Fit on the pool of a step and write the checkpoint; the same seed gives the same file."""
    say(f"step {step}")
    config = campaign.config
    fine_tune = step > 0 and config.surrogate.retrain == "fine_tune"
    previous = load(campaign.checkpoint(step - 1)) if fine_tune else None
    with campaign.training_pool(step) as pool:
        fitted = fit(
            pool,
            config.parameters,
            config.surrogate,
            seed,
            cheaper=[level.name for level in config.cheaper],
            previous=previous,
            progress=lambda done, total, loss: tell("train", done, total, f"loss {loss:.2e}"),
        )
        labelled = len(pool)
    extra = {"campaign": config.name, "step": step}
    files = save(campaign.checkpoint(step), fitted.surrogate, extra=extra)
    return Work(files, {"labelled": labelled, "loss": list(fitted.history.values())[-1]})
