"""Published values are consistent, and answers are compared with them as they should be."""

import numpy as np
import pytest

from benchmarks.agreement import compare_profile, compare_value, described, table
from benchmarks.openfoam_validation import FINE, ROOT, cases
from benchmarks.published import PROFILES, SOURCES, VALUES, Profile, Value, strouhal
from phases.config import load
from pools.sample import Sample
from pools.solution import Field, Mesh, Quantity, Solution
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.openfoam.values import values_of


def answer(u: float = 1.0) -> Solution:
    """Return a field u = u y over the unit square, and a drag of 2."""
    x, y = np.meshgrid(np.linspace(0, 1, 5), np.linspace(0, 1, 5))
    quads = np.array([[i, i + 1, i + 6, i + 5] for j in range(4) for i in range(5 * j, 5 * j + 4)])
    mesh = Mesh.of_quads(np.column_stack([x.ravel(), y.ravel()]), quads)
    fields = {"u": Field(u * y.ravel(), "m/s")}
    return Solution(Sample.of({"a": 1.0}, "test"), mesh, fields, {"drag": Quantity(2.0, "1")})


def test_a_quantity_is_compared_in_percent_of_the_published_one() -> None:
    value = Value("plate", {"a": 1.0}, "drag", -1.6, "Ghia1982", "rough")
    row = compare_value(answer(), value, "a 1", 3.0)
    assert row.percent == pytest.approx(225.0)  # 3.6 above -1.6
    assert row.published == "-1.6 (Ghia1982, rough)"


def test_a_profile_is_compared_at_its_largest_difference() -> None:
    profile = Profile("plate", {}, "u", 1, 0.3, (0.0, 0.33, 1.0), (0.0, 0.4, 2.0), "Ghia1982")
    row = compare_profile(answer(u=2.0), profile, "a 1", 3.0)
    assert row.ours == pytest.approx(0.26)  # 0.66 at 0.33
    assert row.percent == pytest.approx(13.0)


def test_what_is_doubtful_in_a_profile_does_not_count() -> None:
    profile = Profile(
        "plate", {}, "u", 1, 0.3, (0.0, 0.33, 1.0), (0.0, 9.0, 1.0), "Ghia1982", frozenset({0.33})
    )
    row = compare_profile(answer(), profile, "a 1", 3.0)
    assert row.ours == pytest.approx(0.0)
    assert row.published.startswith("2 values")


def test_a_line_along_x_is_read_at_its_y() -> None:
    profile = Profile("plate", {}, "u", 0, 0.25, (0.1, 0.9), (0.25, 0.25), "Ghia1982")
    assert compare_profile(answer(), profile, "a 1", 3.0).ours == pytest.approx(0.0)


def test_the_table_is_markdown() -> None:
    row = compare_value(answer(), Value("plate", {}, "drag", 2.5, "Ghia1982"), "a 1", 3.0)
    head, rule, line = table([row]).splitlines()
    assert head.count("|") == rule.count("|") == line.count("|")
    assert "| -20.0 | 3.0 |" in line


def test_a_case_is_described_with_the_numerics_that_were_changed() -> None:
    assert described({"reynolds": 100.0}, {"cells": 97}) == "reynolds 100, cells 97"


@pytest.mark.parametrize("profile", PROFILES)
def test_a_published_profile_ends_at_the_walls_and_has_no_kink(profile: Profile) -> None:
    at, values = np.array(profile.positions), np.array(profile.values)
    assert len(at) == len(values) == 17
    assert (np.diff(at) < 0).all()
    assert values[-1] == 0.0
    assert values[0] == {"u": 1.0, "v": 0.0}[profile.field]
    kept = [i for i, position in enumerate(at) if position not in profile.doubtful]
    slopes = np.diff(values[kept]) / np.diff(at[kept])
    assert (
        np.abs(np.diff(slopes)).max() < 12
    )  # a digit that is wrong by 0.1 breaks a slope by more


def test_all_published_values_name_their_source() -> None:
    assert {published.source for published in (*PROFILES, *VALUES)} <= set(SOURCES)


def test_the_strouhal_number_follows_the_published_fit() -> None:
    assert strouhal(100) == pytest.approx(0.1643, abs=1e-4)
    assert strouhal(150) == pytest.approx(0.1834, abs=1e-4)


def test_a_design_point_is_solved_once_for_all_that_was_published_of_it() -> None:
    points = cases(frozenset({"cavity"}))
    assert [len(case.published) for case in points] == [2, 2, 2]


def test_a_fine_level_is_declared_for_known_families_only() -> None:
    assert set(FINE) <= {published.family for published in (*PROFILES, *VALUES)}


@pytest.mark.parametrize("family", ["cavity", "step", "cylinder"])
def test_a_template_is_a_case_as_it_stands(family: str) -> None:
    """Its own dictionary has all names that a campaign's attempts have."""
    settings = load(ROOT / "examples" / family / f"{family}.yaml").solver
    assert isinstance(settings, OpenFOAMSettings)
    text = (ROOT / settings.template / "system" / "solverloop").read_text()
    names = {line.split()[0] for line in text.splitlines() if not line.startswith("//")}
    assert names == set(values_of(settings, dict.fromkeys(settings.parameters, 1.0)))
