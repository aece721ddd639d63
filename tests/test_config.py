"""The campaign file: what is refused, and whether the message helps."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from campaign_examples import WAVE, wave_file
from plain_campaigns import start

from phases.config import CampaignConfig, load, parse
from pools.errors import UsageError

SIDE = {"low": 0, "high": 1}
RATE = {"kind": "cosine", "start": 0.1, "end": 0.01, "length": 3}


def refused(content: Any) -> str:
    with pytest.raises(UsageError) as caught:
        parse(content, "wave.yaml")
    return str(caught.value)


def problems(changes: dict[str, Any]) -> list[str]:
    """Return what is said of the small campaign with these changes."""
    head, *lines = refused({**WAVE, **changes}).splitlines()
    assert head == "wave.yaml is not a valid campaign:"
    return [line.removeprefix("  ") for line in lines]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sede": 3}, "sede: unknown key; did you mean seed?"),
        ({"surrogate": {"widht": 8}}, "surrogate.widht: unknown key; did you mean width?"),
        (
            {"surrogate": {"initial": {**RATE, "unti": "steps"}}},
            "surrogate.initial.unti: unknown key; did you mean unit?",
        ),
        ({"label": {"wokers": 3}}, "label.wokers: unknown key; did you mean workers?"),
        ({"stopping": {"max_step": 1}}, "stopping.max_step: unknown key; did you mean max_steps?"),
        (
            {"stopping": {"plateau": {"stesp": 1}}},
            "stopping.plateau.stesp: unknown key; did you mean steps?",
        ),
        (
            {"query": [{"kind": "random"}, {"kind": "sbal", "bta": 1}]},
            "query.1.bta: unknown key; did you mean beta?",
        ),
        (
            {"query": [{"kind": "random", "beta": 1}]},
            "query.0.beta: unknown key; allowed are fraction, kind",
        ),
        (
            {"solver": {"kind": "analytic", "problme": "wave"}},
            "solver.problme: unknown key; did you mean problem?",
        ),
        (
            {"parameters": {"length": {**SIDE, "scael": "log"}}},
            "parameters.length.scael: unknown key; did you mean scale?",
        ),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_allowed(
    changes: dict[str, Any], expected: str
) -> None:
    assert problems(changes) == [expected]


@pytest.mark.parametrize(
    ("quantity", "words"),
    [
        ({"zzz": 1}, "zzz: unknown key; allowed are column, function, kind, last, scale, "),
        ({"colum": "Cl"}, "colum: unknown key; did you mean column?"),
        ({"kind": None}, "kind: missing; it must be one of 'coefficient', 'crossing', 'force', "),
        ({"function": None}, "function: missing; it has no default: Name of the function object"),
    ],
)
def test_keys_are_known_below_a_name_that_is_free_too(
    quantity: dict[str, Any], words: str
) -> None:
    whole = {"kind": "coefficient", "function": "forces", **quantity}
    drag = {key: value for key, value in whole.items() if value is not None}
    solver = {"kind": "openfoam", "template": "case", "quantities": {"drag": drag}}
    (problem,) = problems({"solver": solver})
    assert problem.startswith(f"solver.quantities.drag.{words}")


@pytest.mark.parametrize(
    ("scheme", "said"),
    [
        ({"low": 1, "high": 2}, "scheme is no parameter that takes certain values only"),
        ({"type": "categorical", "values": [1, 2, 3]}, "solver.choices.scheme has no word for 3"),
    ],
)
def test_choices_have_a_word_for_each_value(scheme: dict[str, Any], said: str) -> None:
    solver = {
        "kind": "openfoam",
        "template": "case",
        "choices": {"scheme": {1: "upwind", 2: "linear"}},
        "quantities": {"drag": {"kind": "coefficient", "function": "forces", "column": "Cd"}},
    }
    parameters = {"reynolds": {"low": 100, "high": 400}, "scheme": scheme}
    (problem,) = problems({"solver": solver, "parameters": parameters})
    assert said in problem


def test_without_a_near_one_all_keys_are_named() -> None:
    (problem,) = problems({"zzz": 1})
    assert problem.startswith("zzz: unknown key; allowed are candidates, constraints, ")
    assert all(key in problem for key in CampaignConfig.model_fields)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"solver": {"kind": "chanel"}},
            "solver.kind: got 'chanel', but it must be one of 'channel', 'analytic', 'combined', "
            "'command', 'custom', 'openfoam'",
        ),
        (
            {"solver": {"problem": "wave"}},
            "solver.kind: missing; it must be one of 'analytic', 'channel', 'combined', "
            "'command', 'custom', 'openfoam'",
        ),
        (
            {"query": [{"kind": "sbla"}]},
            "query.0.kind: got 'sbla', but it must be one of 'random', 'sobol', "
            "'latin_hypercube', 'top_k', 'sbal', 'mix', 'core_set', 'kmeans_plus_plus', "
            "'maxdet', 'bait', 'lcmd', 'latent_novelty', 'entropy', 'query_by_committee', "
            "'hybrid', 'physics_residual', 'callable', 'strategy'",
        ),
        (
            {"query": [{"fraction": 1}]},
            "query.0.kind: missing; it must be one of 'bait', 'callable', 'core_set', "
            "'entropy', 'hybrid', 'kmeans_plus_plus', 'latent_novelty', 'latin_hypercube', "
            "'lcmd', 'maxdet', 'mix', 'physics_residual', 'query_by_committee', 'random', 'sbal', "
            "'sobol', 'strategy', 'top_k'",
        ),
        ({"surrogate": {"kind": "gp"}}, "surrogate.kind: got 'gp', but it must be 'ensemble'"),
        (
            {"surrogate": {"initial": {**RATE, "kind": "linear"}}},
            "surrogate.initial.kind: got 'linear', but it must be 'cosine' or 'exponential'",
        ),
        (
            {"solver": {"kind": "analytic", "problem": "wav"}},
            "solver.problem: got 'wav', but it must be 'wave', 'local', 'shock', 'cliff', "
            "'friedman', 'forrester' or 'forrester_low'",
        ),
        (
            {"parameters": {"length": {**SIDE, "scale": "cubic"}}},
            "parameters.length.scale: got 'cubic', but it must be 'linear' or 'log'",
        ),
    ],
)
def test_a_wrong_kind_is_named_with_all_that_are_allowed(
    changes: dict[str, Any], expected: str
) -> None:
    assert expected in problems(changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"seed": "x"}, "seed: got 'x', but it must be a whole number"),
        ({"seed": 1.5}, "seed: got 1.5, but it must be a whole number"),
        ({"seed": None}, "seed: got nothing, but it must be a whole number"),
        ({"seed": -1}, "seed: got -1, but it must be at least 0"),
        ({"name": 3}, "name: got 3, but it must be text (put it in quotes)"),
        ({"label": {"retries": 99}}, "label.retries: got 99, but it must be at most 10"),
        (
            {"label": {"timeout_seconds": math.inf}},
            "label.timeout_seconds: got inf, but it must be a finite number",
        ),
        ({"surrogate": {"energy": 1.5}}, "surrogate.energy: got 1.5, but it must be at most 1"),
        (
            {"stopping": {"target_error": 0}},
            "stopping.target_error: got 0, but it must be greater than 0",
        ),
        (
            {"stopping": {"plateau": {"improvement": 2}}},
            "stopping.plateau.improvement: got 2, but it must be less than 1",
        ),
        ({"query": []}, "query: got [], but it must be at least 1 long"),
        ({"query": ["sbal"]}, "query.0: got 'sbal', but it must be keys with values below it: "),
        (
            {"query": {"kind": "sbal"}},
            "query: got {'kind': 'sbal'}, but it must be a list, each entry after a dash",
        ),
        (
            {"query": [{"kind": "sbal", "fraction": 0}]},
            "query.0.fraction: got 0, but it must be greater than 0",
        ),
        (
            {"query": [{"kind": "sbal", "fraction": math.nan}]},
            "query.0.fraction: got nan, but it must be ",
        ),
        ({"solver": "analytic"}, "solver: got 'analytic', but it must be keys with values"),
        (
            {"solver": {"kind": "analytic", "fails_above": math.nan}},
            "solver.fails_above: got nan, but it must be a finite number",
        ),
        (
            {"solver": {"kind": "channel", "continuation": "maybe"}},
            "solver.continuation: got 'maybe', but it must be true or false",
        ),
        ({"label": None}, "label: got nothing, but it must be keys with values below it: alarm"),
        ({"parameters": None}, "parameters: got nothing, but it must be keys with values below"),
        ({"parameters": ["length"]}, "parameters: got ['length'], but it must be keys with "),
        ({"parameters": {}}, "parameters: got {}, but it must be at least 1 long"),
        (
            {"parameters": {"length": [0, 1]}},
            "parameters.length: got [0, 1], but it must be keys with values below it: high, low, ",
        ),
        (
            {"parameters": {"length": {"low": "a", "high": 1}}},
            "parameters.length.low: got 'a', but it must be a number",
        ),
        (
            {"parameters": {"length": {"low": math.nan, "high": 1}}},
            "parameters.length.low: got nan, but it must be a finite number",
        ),
        ({"parameters": {1: SIDE}}, "parameters.1: got 1, but it must be text (put it in quotes)"),
        (
            {"parameters": {"a b": SIDE}},
            "parameters.a b: got the parameter name 'a b'; use letters, digits and underscores",
        ),
        (
            {"solver": {"kind": "custom", "factory": "a:b", "options": {"x": [1]}}},
            "solver.options.x: got [1], but it must be true or false, or a whole number, or ",
        ),
    ],
)
def test_a_wrong_value_is_named_with_what_it_must_be(
    changes: dict[str, Any], expected: str
) -> None:
    (problem,) = problems(changes)
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        ("length < phase", "constraints: got 'length < phase', but it must be a list, each entry"),
        ([True], "constraints.0: got True, but it must be text (put it in quotes)"),
        (["length"], "constraints.0: the constraint 'length' is no comparison; write one"),
        (["length == phase"], "constraints.0: the constraint 'length == phase' compares with Eq"),
        (["length < phase", "1 < 2"], "constraints.1: the constraint '1 < 2' holds no parameter"),
        (["lenght < 1"], "constraints: the constraint 'lenght < 1' needs lenght, which is no "),
        (["length > 2"], "constraints: 0 of 16384 points of the parameters' box meet the "),
        (["max(length) > 2"], "constraints: the expression 'max(length)' has no value: "),
    ],
)
def test_a_constraint_that_cannot_be_used_is_explained(constraints: Any, expected: str) -> None:
    (problem,) = problems({"constraints": constraints})
    assert problem.startswith(expected)


@pytest.mark.parametrize("name", ["Wave", "wave one", "-wave", "", "w" * 64, "wave/two", "wäve"])
def test_a_bad_name_is_told_the_rule(name: str) -> None:
    (problem,) = problems({"name": name})
    assert problem.startswith(f"name: got {name!r}, but it must match ^[a-z0-9]")
    assert "lower-case letters, digits and dashes" in problem


@pytest.mark.parametrize("section", ["name", "parameters", "solver", "stopping"])
def test_a_missing_section_is_named_with_what_it_is_for(section: str) -> None:
    content = {key: value for key, value in WAVE.items() if key != section}
    description = CampaignConfig.model_fields[section].description
    assert description is not None
    expected = f"  {section}: missing; it has no default: "
    assert expected + " ".join(description.split()) in refused(content)


def test_a_missing_bound_is_named() -> None:
    (problem,) = problems({"parameters": {"length": {"low": 0}}})
    assert problem.startswith("parameters.length.high: missing; it has no default: Upper bound")


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ({"low": 1, "high": 0}, "low is 1 and high is 0; low must be below high: swap them"),
        ({"low": 1, "high": 1}, "low is 1 and high is 1; low must be below high: swap them"),
        ({"low": 0, "high": 1, "scale": "log"}, "scale is log and low is 0; a logarithm needs"),
        ({"low": -1, "high": 1, "scale": "log"}, "scale is log and low is -1; a logarithm needs"),
    ],
)
def test_impossible_bounds_are_named(parameter: dict[str, Any], expected: str) -> None:
    (problem,) = problems({"parameters": {"length": parameter, "phase": SIDE}})
    assert problem.startswith(f"parameters.length: {expected}")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"samples_per_step": 100},
            "samples_per_step is 100 but there are only 64 candidates; raise candidates or lower",
        ),
        (
            {"surrogate": {"members": 1}},
            "surrogate.members is 1, but the query hybrid needs the uncertainty of at least 2",
        ),
        (
            {"surrogate": {"initial": {**RATE, "end": 1}}},
            "surrogate.initial: end is 1 and start is 0.1; the learning rate must not rise",
        ),
    ],
)
def test_values_that_contradict_each_other_are_named(
    changes: dict[str, Any], expected: str
) -> None:
    (problem,) = problems(changes)
    assert problem.startswith(expected)


def test_an_ensemble_of_one_may_be_queried_at_random() -> None:
    parse({**WAVE, "surrogate": {"members": 1}, "query": [{"kind": "random"}]}, "wave.yaml")


def test_all_problems_are_said_at_once() -> None:
    found = problems({"sede": 1, "seed": "x", "stopping": {"max_steps": -1, "target_error": 0}})
    assert [line.partition(":")[0] for line in found] == [
        "seed",
        "stopping.max_steps",
        "stopping.target_error",
        "sede",
    ]


@pytest.mark.parametrize("kind", ["analytic", ["analytic"], {"analytic": 1}, None])
def test_a_solver_that_knows_its_parameters_is_not_told_them(kind: Any) -> None:
    (problem,) = problems({"solver": {"kind": kind, "parameters": {}}})
    assert problem.startswith(("solver.parameters: unknown key", "solver.kind: "))


COMMAND: dict[str, Any] = {"kind": "command", "command": ["solve"], "quantities": {"drag": "N"}}


def test_a_solver_without_parameters_of_its_own_is_told_those_of_the_campaign() -> None:
    parameters = {"length": {**SIDE, "unit": "m"}, "phase": SIDE}
    config = parse({**WAVE, "parameters": parameters, "solver": COMMAND}, "wave.yaml")
    assert config.solver.model_dump()["parameters"] == {"length": "m", "phase": "1"}
    again = CampaignConfig(**{name: getattr(config, name) for name in CampaignConfig.model_fields})
    assert again == config


def test_parameters_of_its_own_stay() -> None:
    own = {**COMMAND, "parameters": {"length": "km"}}
    config = parse({**WAVE, "solver": own}, "wave.yaml")
    assert config.solver.model_dump()["parameters"] == {"length": "km"}


@pytest.mark.parametrize("parameters", [None, [], {}, {"length": [0, 1]}, {1: SIDE}, "length"])
def test_wrong_parameters_are_said_once_whatever_the_solver(parameters: object) -> None:
    (problem,) = problems({"parameters": parameters, "solver": COMMAND})
    assert problem.startswith("parameters")


def test_a_wrong_unit_is_said_once() -> None:
    (problem,) = problems({"parameters": {"length": {**SIDE, "unit": 3}}, "solver": COMMAND})
    assert problem.startswith("parameters.length.unit: got 3, but it must be text")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"command": "solve --fast"}, ".command: got 'solve --fast', but it must be a list, each"),
        ({"command": []}, ".command: got [], but it must be at least 1 long"),
        ({"command": [""]}, ": command begins with ''; name an executable first"),
        ({"command": ["{input}"]}, ": command begins with '{input}'; name an executable first"),
        ({"command": ["a\0b"]}, ".command.0: got 'a\\x00b', but it must match "),
        ({"arguments": [3]}, ".arguments.0: got 3, but it must be text (put it in quotes)"),
        (
            {"arguments": ["{phase}"]},
            ": the arguments have the placeholders ['phase']; allowed are ['input', 'output', "
            "'ranks']. Parameters reach the command in input.json only",
        ),
        ({"numerics": {"tol": 1}}, ": no argument uses the numerics ['tol']; write {tol} where"),
        (
            {"numerics": {"output": 1}, "arguments": ["{output}"]},
            ": numerics has ['output'], which mean something else; rename it",
        ),
        ({"output": "../x.json"}, ".output: got '../x.json', but it must match "),
        ({"output": "a/x.json"}, ".output: got 'a/x.json', but it must match "),
        ({"output": "x.csv"}, ".output: got 'x.csv', but it must match "),
        ({"output": "outcome.json"}, ": output is outcome.json, which is another file; take an"),
        ({"quantities": {}}, ": neither quantities nor fields are given; say what the output"),
        ({"quantities": {"drag": 3}}, ".quantities.drag: got 3, but it must be keys with values"),
        ({"fields": {"u": "m/s"}}, ": fields need a place to live: give either mesh or grid"),
        ({"mesh": {}}, ": without fields there is no mesh: leave out mesh and grid"),
        (
            {"fields": {"u": "m/s"}, "grid": {"bounds": [[0, 1]], "shape": [2, 3]}},
            ".grid: bounds has 1 directions and shape 2; give both the same number",
        ),
        (
            {"fields": {"u": "m/s"}, "grid": {"bounds": [[1, 0]], "shape": [2]}},
            ".grid: bounds has (1.0, 0.0); the first must be below the last: swap them",
        ),
        (
            {"fields": {"u": {"unit": "m/s", "component": "r"}}, "mesh": {}},
            ".fields.u.component: got 'r', but it must be 'x', 'y', 'z' or 'magnitude'",
        ),
        ({"exit_codes": {0: "diverged"}}, ".exit_codes.0: got 0, but it must be at least 1"),
        ({"exit_codes": {3: "bad"}}, ".exit_codes.3: got 'bad', but it "),
        ({"environment": {"A=B": "1"}}, ".environment.A=B: got 'A=B', but it must match "),
        (
            {"environment": {"SOLVERLOOP_SOLVE": "1"}},
            ".environment.SOLVERLOOP_SOLVE: SOLVERLOOP_SOLVE is kept for solverloop",
        ),
        (
            {"input_layout": {"flow": ["phase"]}},
            ": input_layout places ['phase']; place each of ['length', 'phase'] once",
        ),
        (
            {"input_layout": {"flow": ["phase", "length"], "wall": ["phase"]}},
            ": input_layout places ['phase', 'length', 'phase']; place each of ",
        ),
    ],
)
def test_a_command_that_cannot_be_run_is_explained(changes: dict[str, Any], expected: str) -> None:
    (problem,) = problems({"solver": {**COMMAND, **changes}})
    assert problem.startswith(f"solver{expected}")


def test_a_long_value_is_cut() -> None:
    (problem,) = problems({"seed": "x" * 1000})
    assert len(problem) < 200


@pytest.mark.parametrize("content", [None, [], "name: wave", 3])
def test_what_is_no_tree_is_refused(content: object) -> None:
    assert "keys with values below it: candidates, " in refused(content)


def test_equal_fractions_are_fine() -> None:
    query = [{"kind": "sbal", "fraction": 0.5}] * 2
    assert len(parse({**WAVE, "query": query}, "wave.yaml").query) == 2


def overridden(path: Path, *changes: str) -> CampaignConfig:
    return load(wave_file(path / "wave.yaml", query=[{"kind": "sbal"}]), changes)


@pytest.mark.parametrize(
    ("change", "place", "value"),
    [
        ("seed=7", "seed", 7),
        ("description=two words", "description", "two words"),
        ("stopping.max_steps=9", "stopping.max_steps", 9),
        ("stopping.target_error=1e-2", "stopping.target_error", 0.01),
        ("stopping.plateau.steps=2", "stopping.plateau.steps", 2),
        ("stopping.plateau={steps: 4, improvement: 0.5}", "stopping.plateau.steps", 4),
        ("query.0.beta=2", "query.0.beta", 2.0),
        ("query=[{kind: random}]", "query.0.kind", "random"),
        ("parameters.length.high=3", "parameters.length.high", 3.0),
        ("surrogate.initial.length=5", "surrogate.initial.length", 5),
        ("solver.fails_above=null", "solver.fails_above", None),
        ("description=a=b", "description", "a=b"),
    ],
)
def test_set_changes_a_value(tmp_path: Path, change: str, place: str, value: object) -> None:
    found: Any = overridden(tmp_path, change).model_dump(mode="json")
    for name in place.split("."):
        found = found[int(name) if isinstance(found, list) else name]
    assert found == value


def test_set_goes_in_where_the_frozen_file_says_null(tmp_path: Path) -> None:
    start(tmp_path / "wave")
    config = load(tmp_path / "wave" / "campaign.yaml", ["stopping.plateau.steps=2"])
    assert config.stopping.plateau is not None
    assert config.stopping.plateau.steps == 2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("seed", "--set got 'seed'; write it as KEY.KEY=VALUE, e.g. seed=3"),
        ("=3", "--set got '=3'; write it as KEY.KEY=VALUE"),
        ("a..b=3", "--set got 'a..b=3'; write it as KEY.KEY=VALUE"),
        ("seed=[1", "--set seed=[1: the value is not YAML: while parsing a flow sequence"),
        ("seed.x=1", "--set seed.x=1: seed is 3 in the campaign file, with no key below it"),
        ("query.1.beta=1", "1 is not an entry of the campaign file's list there; it has 1, and"),
        ("query.first.beta=1", "first is not an entry of the campaign file's list there; it has"),
        ("query.-1.beta=1", "-1 is not an entry of the campaign file's list there"),
        ("query.5=1", "5 is not an entry of the campaign file's list there"),
        ("sede=3", "sede: unknown key; did you mean seed?"),
        ("seed=x", "seed: got 'x', but it must be a whole number"),
        ("seed=", "seed: got nothing, but it must be a whole number"),
        ("stopping.max_step=3", "stopping.max_step: unknown key; did you mean max_steps?"),
    ],
)
def test_a_malformed_set_is_explained(tmp_path: Path, change: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        overridden(tmp_path, change)
    assert expected in str(caught.value)
    assert change in str(caught.value)  # also where the key was changed on the command line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: [1, 2\nseed: 3\n", r"line 2, column 5 is not YAML: while parsing a flow sequence"),
        ("name: a: b\n", r"line 1, column 8 is not YAML: mapping values are not allowed here"),
        ("name: x\n\tseed: 3\n", r"line 2, column 1 is not YAML: .*cannot start any token"),
        ("seed: 1\nname: x\nseed: 2\n", r"line 3, column 1 .*the key seed is given twice"),
        ("stopping: {steps: 1, steps: 2}\n", r"line 1, column 22 .*steps is given twice"),
        ("", r"holds nothing, but a campaign file holds keys and values"),
        ("just words\n", r"holds a str, but a campaign file holds keys and values"),
        ("- 1\n", r"holds a list, but a campaign file holds keys and values"),
        ("!!python/object:os.system {}\n", r"line 1, column 1 is not YAML: could not determine"),
    ],
)
def test_what_is_not_a_campaign_file_is_explained(
    tmp_path: Path, text: str, expected: str
) -> None:
    file = tmp_path / "wave.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=expected) as caught:
        load(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"\xff\xfe\x00abc", "is not text in UTF-8"), (b"name: \x00\x01", "is not YAML")],
)
def test_a_binary_file_is_explained(tmp_path: Path, content: bytes, expected: str) -> None:
    file = tmp_path / "wave.yaml"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=expected):
        load(file)


def test_a_missing_file_and_a_directory_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.yaml: No such file.*such as examples/"):
        load(tmp_path / "missing.yaml")
    with pytest.raises(UsageError, match="Is a directory; give the path of a YAML file"):
        load(tmp_path)


def test_the_frozen_file_reads_as_the_same_campaign(tmp_path: Path) -> None:
    campaign = start(
        tmp_path / "wave", description="ä, °, and a: colon", query=[{"kind": "sobol"}]
    )
    assert load(tmp_path / "wave" / "campaign.yaml") == campaign.config


def test_every_shipped_campaign_is_valid() -> None:
    files = sorted(Path("examples").glob("*.yaml"))
    assert files
    for file in files:
        assert load(file).name == file.stem


def test_a_campaign_key_that_is_no_frozen_campaign_is_an_unknown_key(tmp_path: Path) -> None:
    file = tmp_path / "wave.yaml"
    file.write_text(yaml.safe_dump({**WAVE, "campaign": 3}))
    with pytest.raises(UsageError, match="campaign: unknown key"):
        load(file, ["seed=2"])


@pytest.mark.parametrize("text", ["name: {{ name }}", "? [a, b]\n: 1", "name: 2024-13-45"])
def test_yaml_that_python_cannot_hold_is_explained(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.yaml").write_text(f"{text}\n")
    with pytest.raises(UsageError, match=r"odd\.yaml"):
        load(tmp_path / "odd.yaml")


def test_a_date_that_is_none_is_explained_in_a_change(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--set name=2024-13-45: the value is not YAML"):
        load(wave_file(tmp_path / "wave.yaml"), ["name=2024-13-45"])
