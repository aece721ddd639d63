"""The list of failed samples that a person reads in the Prefect UI."""

from dataclasses import replace

import pytest
from plain_campaigns import stopped_in_part

from phases.asked import initial_picks
from phases.campaign import Campaign
from phases.failed import Failed, failed_among, failed_samples
from reports.failure_list import failures_markdown


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return Campaign.open(stopped_in_part(tmp_path_factory.mktemp("failing") / "wave"))


def test_it_says_why_where_and_which_command_tries_again(campaign: Campaign) -> None:
    failed = failed_samples(campaign)
    told, first = failures_markdown(campaign, failed), failed[0]
    sample = first.record.pick.sample.id
    assert f"### {sample}: diverged" in told
    assert first.last.reason.replace("_", r"\_") in told.replace("**", "")
    assert f"- evidence: `{first.directory}`" in told
    assert f"- again: `solverloop retry {campaign.directory} {sample}`" in told
    assert told.count("### ") == len(failed)


def test_only_those_that_are_asked_about_are_listed(campaign: Campaign) -> None:
    ids = {pick.sample.id for pick in initial_picks(campaign)}
    listed = {f.record.pick.sample.id for f in failed_among(campaign, initial_picks(campaign))}
    everyone = {f.record.pick.sample.id for f in failed_samples(campaign)}
    assert listed == everyone & ids
    assert listed < everyone


def test_nothing_failed_is_said_too(campaign: Campaign) -> None:
    assert failures_markdown(campaign, []) == "No sample is without a solution."


def test_a_long_list_ends_with_the_way_to_the_rest(campaign: Campaign) -> None:
    many = failed_samples(campaign)[:1] * 45
    told = failures_markdown(campaign, many)
    assert told.count("### ") == 40
    assert told.endswith(f"... and 5 more: `solverloop failures {campaign.directory}`")


def test_a_log_cannot_end_its_block(campaign: Campaign) -> None:
    first = failed_samples(campaign)[0]
    sly = Failed(first.record, first.tries, ["````", "# not a heading"], first.directory)
    assert failures_markdown(campaign, [sly]).count("````") == 2


def test_a_reason_is_shown_as_it_is_written(campaign: Campaign) -> None:
    first = failed_samples(campaign)[0]
    *_, last = first.record.attempts
    record = replace(first.record, attempts=(replace(last, reason="*U_0* <b> is\n|nan|"),))
    told = failures_markdown(campaign, [replace(first, record=record)])
    assert r"**\*U\_0\* \<b\> is \|nan\|**" in told
