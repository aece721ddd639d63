"""Whether the campaign goes on: every rule's signal, logged each step."""

import logging
from dataclasses import replace

from phases.campaign import Campaign
from phases.progress import LOGGER
from phases.scope import candidates
from phases.seen import is_retry, is_seen
from phases.spent import seconds_of
from phases.unbiased import estimate_in
from pools.files import publish_json
from pools.ledger import Entry
from strategies.stopping import Decision, StepRecord, decide


def stopping_decision(campaign: Campaign, step: int) -> Decision:
    """Ask every stopping rule after the metrology of a step, and say what each answered.

    The decision depends on the ledger and the configuration only; a rule that was changed on
    resume is asked anew.
    """
    decision = decide(history(campaign, step), campaign.config.stopping)
    logger = logging.getLogger(f"{LOGGER}.stopping")
    for signal in decision.signals:
        configured = signal.threshold is not None
        logger.log(logging.INFO if configured else logging.DEBUG, "%s", signal.message)
    publish_json(campaign.step_directory(step) / "stopping.json", decision.to_json())
    return decision


def history(campaign: Campaign, step: int) -> list[StepRecord]:
    """Return what the stopping rules look at: one record per step up to this one."""
    entries = campaign.ledger.entries()
    measured = [e for e in entries if e.phase == "metrology" and e.step <= step]
    left = len(candidates(campaign, step))
    *earlier, last = [_record(entry, entries, left) for entry in measured]
    unused = [e for e in entries if is_retry(e) and e.step > step]
    return [*earlier, replace(last, unused_solver_seconds=seconds_of(unused))]


def _record(measured: Entry, entries: list[Entry], candidates_left: int) -> StepRecord:
    return StepRecord(
        step=measured.step,
        labelled=measured.summary["labelled"],
        solver_seconds=seconds_of(e for e in entries if is_seen(e, measured.step)),
        error=measured.summary["error"],
        candidates_left=candidates_left,
        errors=measured.summary["errors"],
        unbiased_high=None if (estimate := estimate_in(measured)) is None else estimate.high,
    )
