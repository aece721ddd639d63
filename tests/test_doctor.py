"""What a look at a campaign says before it runs."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from campaign_examples import WAVE
from openfoam_cases import cavity, cavity_copy, replace_in

from phases.config import CampaignConfig, parse
from phases.doctor import examine
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.preflight import remarks

openfoam = pytest.mark.openfoam


def campaign(solver: OpenFOAMSettings) -> CampaignConfig:
    box = {"reynolds": {"low": 50, "high": 100}, "aspect": {"low": 1, "high": 1.1}}
    content: dict[str, Any] = {**WAVE, "parameters": box, "solver": solver.model_dump(mode="json")}
    return parse(content, "cavity.yaml")


@openfoam
def test_a_fatal_error_is_shown_without_the_signatures_of_openfoams_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # a failed case is kept there
    template = cavity_copy(tmp_path)
    replace_in(template / "0/U", "lid", "lidd")
    [said] = [each.words for each in examine(campaign(cavity(template))) if not each.is_well]
    assert "Cannot find patchField entry for lid file:" in said
    assert "  | Cannot find patchField entry for lid\n" in said
    assert "From function" not in said
    assert "lnInclude" not in said


@openfoam
def test_a_numeric_that_the_template_does_not_use_is_remarked_and_no_fault() -> None:
    found = list(examine(campaign(cavity(relaxation={"U": 0.9, "p": 1.0, "k": 0.5}))))
    [remark] = [each.words for each in found if each.is_remark]
    assert remark == (
        "numerics: relaxation_k changes nothing: no expression, entry or $relaxation_k of the "
        "template uses it; used are cells, iterations, residual, scheme, consistent, "
        "relaxation_U, relaxation_p; correct its name, use it, or leave it out"
    )
    assert all(each.is_well for each in found)


@openfoam
def test_a_script_may_read_a_numeric_by_its_name(tmp_path: Path) -> None:
    template = cavity_copy(tmp_path)
    (template / "Allrun").write_text("foamDictionary -entry spare -value system/solverloop\n")
    declared = cavity(template, spare=1, other=2).model_dump(mode="json")
    solver = OpenFOAMSettings.model_validate({**declared, "commands": ["./Allrun"]})
    assert [remark.split()[1] for remark in remarks(solver)] == ["other"]


def test_other_solvers_have_no_remarks() -> None:
    assert not any(each.is_remark for each in examine(parse(WAVE, "wave.yaml")))
