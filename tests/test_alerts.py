"""The alert rules that are shipped ask for metrics that there are."""

import re
from pathlib import Path

import yaml

from reports.exposition import MEASURES, READABLE

HOME = Path(__file__).parents[1] / "examples" / "monitoring"


def test_every_rule_asks_for_metrics_that_are_served() -> None:
    rules = yaml.safe_load((HOME / "alerts.yaml").read_text())["groups"][0]["rules"]
    asked = {name for rule in rules for name in re.findall(r"solverloop_\w+", rule["expr"])}
    assert asked
    assert asked <= {measure.name for measure in (READABLE, *MEASURES)}


def test_prometheus_reads_the_port_that_the_command_serves() -> None:
    (job,) = yaml.safe_load((HOME / "prometheus.yaml").read_text())["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["127.0.0.1:9400"]}]
    assert job["job_name"] == "solverloop", "the alert on `up` names it"


def test_the_page_names_every_metric() -> None:
    page = (Path(__file__).parents[1] / "docs" / "monitoring.md").read_text()
    assert [m.name for m in (READABLE, *MEASURES) if m.name not in page] == []
