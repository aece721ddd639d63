"""A campaign where about a third of the samples fail: explained, recovered, retried by hand."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from campaign_examples import WAVE
from openfoam_cases import NUMERICS, cavity_with

from flows.campaign import run_campaign
from flows.retry import retry_failed_samples
from phases.campaign import Campaign
from phases.config import CampaignConfig, parse
from phases.overview import all_records, design_records, failures
from pools.outcome import Outcome
from pools.record import SampleRecord
from pools.training import TrainingPool

pytestmark = [pytest.mark.slow, pytest.mark.openfoam]

RUNGS: list[dict[str, Any]] = [
    {"name": "lower relaxation", "on": ["diverged"], "set": {"relaxation.U": 0.5}},
    {
        "name": "upwind",
        "on": ["diverged"],
        "set": {"scheme": "upwind", "relaxation.U": 0.6},
    },
]


def config(max_steps: int) -> CampaignConfig:
    """Return a cavity whose Reynolds number goes far beyond what its scheme can take."""
    numerics = NUMERICS | {"cells": 12, "iterations": 300}
    solver = cavity_with({"numerics": numerics}).model_dump(mode="json")
    content = {
        **WAVE,
        "name": "beyond",
        "parameters": {
            "reynolds": {"low": 3, "high": 3e5, "scale": "log"},
            "aspect": {"low": 0.8, "high": 1.2},
        },
        "solver": solver,
        "initial_samples": 8,
        "samples_per_step": 6,
        "test_samples": 6,
        "label": {"workers": 2, "min_success_fraction": 0.2, "recovery": RUNGS},
        "stopping": {"max_steps": max_steps},
    }
    return parse(content, "beyond.yaml")


def asked(campaign: Campaign) -> int:
    settings = campaign.config
    steps = settings.stopping.max_steps * settings.samples_per_step
    return settings.initial_samples + settings.test_samples + steps


def outcomes(records: list[SampleRecord]) -> Counter[str]:
    return Counter(str(record.outcome) for record in records)


def training_samples(campaign: Campaign) -> list[str]:
    with TrainingPool(campaign.shards()) as pool:
        return list(pool.ids)


def test_what_fails_is_explained_recovered_or_retried_by_hand(
    tmp_path: Path, prefect_api: str
) -> None:
    assert prefect_api
    directory = tmp_path / "beyond"
    run_campaign(config(max_steps=1), directory)
    campaign = Campaign.open(directory)
    records = all_records(campaign)
    first = Counter(str(record.attempts[0].outcome) for record in records)
    assert sum(first.values()) == asked(campaign) == 20
    assert 0.2 <= 1 - first["ok"] / 20 <= 0.6, f"about a third must fail at first: {first}"
    assert {"diverged", "not_converged"} <= set(first)

    for record in records:
        for attempt in record.attempts:
            if attempt.outcome is not Outcome.OK:
                assert len(attempt.reason.split()) > 5, "each failure is explained in words"
                assert (campaign.sample_directory(record.pick.sample.id).path).exists()

    recovered = [r for r in records if r.outcome is Outcome.OK and len(r.attempts) > 1]
    assert recovered, "the ladder recovers what it can"
    assert {r.attempts[-1].rung for r in recovered} <= {"lower relaxation", "upwind"}
    assert all(r.attempts[-1].changes for r in recovered)

    lost = failures(campaign)
    assert lost, "the rest is left for a person"
    before = training_samples(campaign)
    assert len(before) == len(set(before))
    attempts = {record.pick.sample.id: record.attempts for record in lost}

    retry_failed_samples(directory, outcomes=[Outcome.NOT_CONVERGED], changes={"scheme": "upwind"})
    left = {record.pick.sample.id for record in failures(campaign)}
    for name, old in attempts.items():
        record = campaign.sample_directory(name).read()
        assert record is not None
        assert record.attempts[: len(old)] == old, "old attempts stay as evidence"
        if old[-1].outcome is Outcome.NOT_CONVERGED:
            assert record.attempts[len(old)].rung == "by hand"
            assert record.attempts[len(old)].changes == {"scheme": "upwind"}
    mended = set(attempts) - left
    assert mended, "other settings solve what the scheme could not"
    _, test = design_records(campaign)
    tests = {record.pick.sample.id for record in test}
    after = training_samples(campaign)
    assert set(after) - set(before) == mended - tests
    assert len(after) == len(set(after))

    counts = outcomes(all_records(campaign))
    assert counts["ok"] + len(left) == asked(campaign), "solved + failed = asked for"

    run_campaign(config(max_steps=2), directory)
    trained = [e.summary["labelled"] for e in campaign.ledger.entries() if e.phase == "train"]
    assert trained[-1] == len(training_samples(campaign)) > len(after)
    assert set(after) < set(training_samples(campaign)), "the next step trains on what was retried"
