"""The label phase of a driver: once for all processes, and then into every one's pool."""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from phases.labelling import Labelled, Labelling, count_of
from pools.encoding import decode, encode
from pools.errors import CampaignError, TooFewLabelsError
from pools.queue_content import drain
from strategies.accepting import call_accepting
from strategies.protocols import name_of

if TYPE_CHECKING:
    from phases.driver import Driver


def label(driver: "Driver", args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Label what was chosen and append it to the training pool.

    Args:
        driver: whose strategy.
        args: what it gets by position, as far as it takes it.
        kwargs: what it gets by name, as far as it takes it.

    Returns:
        Why nothing is left to label, in words; nothing where something was.

    Raises:
        CampaignError: the strategy raised; what it had labelled is kept.
        TooFewLabelsError: it labelled nothing.
    """
    assert driver.pool is not None
    if driver.distribution.size == 1:
        labels, exhausted = _obtain(driver, args, kwargs)
    else:
        content = driver.distribution.from_first(lambda: encode(_obtain(driver, args, kwargs)))
        labels, exhausted = decode(content)
    driver.pool.append_all(labels)
    return str(exhausted)


def _obtain(
    driver: "Driver", args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[list[Any], str]:
    """Obtain the labels of a step; what was obtained before a kill is taken from disk."""
    strategy = driver.label_strategy
    logger = logging.getLogger(f"{driver.logger.name}.{name_of(strategy)}")
    labelling = Labelling(driver.journal, driver.active_learning_step_idx, logger)
    labelling.reuse(driver.query_queue, driver.label_queue)
    asked = count_of(driver.query_queue)
    if asked:
        _run(driver, labelling, args, kwargs)
    result = labelling.conclude(driver.query_queue)
    driver.failed += result.failed
    _say(driver, result, asked)
    return drain(driver.label_queue), "" if asked or result.kept else _nothing(driver)


def _run(
    driver: "Driver", labelling: Labelling, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    strategy = driver.label_strategy
    call = strategy if callable(strategy) else strategy.label
    queues = [labelling.samples(driver.query_queue), labelling.labels(driver.label_queue)]
    try:
        call_accepting(call, queues, args, kwargs)
    except Exception as error:
        raise CampaignError(
            f"the label strategy {name_of(strategy)} raised {type(error).__name__}: {error} (step "
            f"{driver.active_learning_step_idx}, {labelling.result.obtained} samples labelled "
            f"before); those are kept: mend the cause and resume with {_resume(driver)}, which "
            "labels the others"
        ) from error


def _say(driver: "Driver", result: Labelled, asked: int) -> None:
    """Log how it went; no label at all is an error."""
    left = count_of(driver.query_queue)
    driver.logger.info(
        "%d labelled, %d taken over, %d failed, %d left on the queue",
        *(result.obtained, result.kept, len(result.failed), left),
    )
    for item in result.failed:
        driver.logger.warning("no label for %.200r", item)
    if asked and not result.obtained and not result.kept:
        raise TooFewLabelsError(
            f"the label strategy {name_of(driver.label_strategy)} labelled none of the {asked} "
            f"samples of step {driver.active_learning_step_idx}; its log says why. Mend the cause "
            f"and resume with {_resume(driver)}: the same samples are labelled"
        )


def _nothing(driver: "Driver") -> str:
    """Say that nothing was chosen, and whether there was something to choose from."""
    driver.hide_asked()
    pool = driver.unlabeled_pool
    if pool is None:
        return "the query strategies chose nothing"
    why = f"although {len(pool)} samples are left" if len(pool) else "it is exhausted"
    return f"the query strategies chose nothing of the unlabeled pool: {why}"


def _resume(driver: "Driver") -> str:
    return f"Driver.load_checkpoint({str(driver.log_dir)!r}, learner=..., train_datapool=...)"
