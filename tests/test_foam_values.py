"""Numbers and words are written as OpenFOAM reads them."""

import pytest

from solvers.openfoam.values import Value, foam_text


@pytest.mark.parametrize(
    ("value", "text"),
    [(98.0, "98"), (-4.0, "-4"), (0.1, "0.1"), (1e-6, "1e-06"), (1e30, "1e+30"), (12, "12")],
)
def test_a_whole_number_can_be_a_number_of_cells(value: Value, text: str) -> None:
    assert foam_text(value) == text


@pytest.mark.parametrize(("value", "text"), [(True, "yes"), (False, "no"), ("upwind", "upwind")])
def test_switches_and_words_are_openfoams(value: Value, text: str) -> None:
    assert foam_text(value) == text
