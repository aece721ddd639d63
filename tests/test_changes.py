"""Settings changed for one sample: what is found, and what is refused."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from pools.errors import UsageError
from solvers.changes import changed
from solvers.settings import AnalyticSettings, ChannelSettings, CustomSettings


class CaseSettings(BaseModel):
    """As those of a solver with numerics of any name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["case"] = "case"
    numerics: dict[str, Any] = {
        "cells": 64,
        "steady": True,
        "relaxation": {"U": 0.9, "p": 0.3},
        "scheme": "linearUpwind",
    }
    start: str = ""


CASE: Any = CaseSettings()
CUSTOM = CustomSettings(factory="flaky_solver:Flaky", options={"edge": 0.5})


def test_a_setting_of_the_top_is_changed() -> None:
    assert changed(ChannelSettings(), {"continuation": False}) == ChannelSettings(
        continuation=False
    )
    assert changed(CASE, {"start": "potential"}).start == "potential"


def test_numerics_are_found_with_and_without_their_name() -> None:
    for key in ("relaxation.U", "numerics.relaxation.U"):
        numerics = changed(CASE, {key: 0.5, "cells": 32}).numerics
        assert numerics["relaxation"] == {"U": 0.5, "p": 0.3}
        assert numerics["cells"] == 32


@pytest.mark.parametrize("key", ["solver.relaxation.U", "solver.numerics.relaxation.U"])
def test_a_key_may_be_written_as_in_the_campaign_file(key: str) -> None:
    assert changed(CASE, {key: 0.5}).numerics["relaxation"]["U"] == 0.5


def test_a_numeric_of_the_name_solver_is_meant_by_it() -> None:
    case: Any = CaseSettings(numerics={"solver": {"cells": 1}, "cells": 2})
    assert changed(case, {"solver.cells": 3}).numerics == {"solver": {"cells": 3}, "cells": 2}


def test_of_many_keys_the_nearest_are_named_and_where_all_are() -> None:
    many = {f"relaxation{i}": 0.5 for i in range(20)}
    case: Any = CaseSettings(numerics={**many, "cells": 2})
    with pytest.raises(UsageError) as caught:
        changed(case, {"solver.cell": 3})
    said = str(caught.value)
    assert said.startswith("solver.cell is not a setting of this solver; did you mean cells? ")
    assert "Of 22 that are allowed the nearest are cells, " in said
    assert said.count("relaxation") <= 4
    assert "all are below `solver` in the campaign.yaml of the campaign's directory" in said


def test_what_is_declared_stays_as_it_is() -> None:
    changed(CASE, {"relaxation.U": 0.5})
    assert CASE.numerics["relaxation"]["U"] == 0.9
    assert changed(CASE, {}) == CASE


def test_options_of_a_custom_solver_are_changed() -> None:
    assert changed(CUSTOM, {"options.edge": 0}).options == {"edge": 0}


@pytest.mark.parametrize(
    ("settings", "changes", "said"),
    [
        (ChannelSettings(), {"continuaton": True}, "did you mean continuation?"),
        (ChannelSettings(), {"relaxation.U": 0.5}, "Allowed are mesh, tolerance, max_iterations"),
        (ChannelSettings(), {"kind.x": 1}, "kind.x is not a setting"),
        (ChannelSettings(), {"kind": "analytic"}, "kind cannot be 'analytic'"),
        (ChannelSettings(), {"mesh": "finest"}, "mesh cannot be 'finest'"),
        (ChannelSettings(), {"tolerance": -1.0}, "tolerance cannot be -1.0"),
        (ChannelSettings(), {"continuation": 1}, "is true or false (True)"),
        (AnalyticSettings(), {"seconds": "1h"}, "seconds is a number (0.0), but"),
        (CASE, {"relaxation.k": 0.5}, "relaxation.k is not a setting of this solver"),
        (CASE, {"relaxation": 0.5}, "give a section, key by key below it"),
        (CASE, {"relaxation.U": "low"}, "the change gives a word, 'low'; give a number"),
        (CASE, {"relaxaton.U": 0.5}, "did you mean relaxation.U?"),
        (CUSTOM, {"options.egde": 0.1}, "did you mean options.edge?"),
        (CUSTOM, {"": 0.1}, "Allowed are factory, options.edge"),
    ],
)
def test_what_cannot_be_is_refused(settings: Any, changes: Any, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        changed(settings, changes)
    assert said in str(caught.value)
