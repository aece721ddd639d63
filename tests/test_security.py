"""What docs/security.md promises of campaign files, parameters, solvers and Prefect's runs.

Of a campaign's directory, see tests/test_security_directory.py; of the server, test_services.py.
"""

import ast
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from campaign_examples import WAVE, Refused, wave_file
from compose_file import ROOT
from plain_campaigns import QUICK, start
from plain_campaigns import solve as solve_picks
from prefect import Flow, Task

import flows
import tasks
from flows.plain_console import PlainConsole
from flows.retry import retry_failed_samples
from phases.config import load, parse
from pools.errors import UsageError
from pools.pick import Pick
from pools.sample import Sample
from solvers.changes import changed
from solvers.command import CommandSolver
from solvers.command_settings import CommandSettings
from solvers.openfoam.settings import OpenFOAMSettings

ROOMS = ("flows", "tasks", "reports", "phases", "strategies", "solvers", "surrogates", "pools")
PROGRAM = Path(__file__).with_name("command_program.py")


def refusal(path: Path, text: str) -> str:
    """Return why a campaign file that holds a text is refused."""
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load(path)
    return str(caught.value)


@pytest.mark.parametrize("name", ["../up", "/etc", "a/b", "..", "", "a\n", "a\0b", "~", "$HOME"])
def test_a_campaigns_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        parse({**WAVE, "name": name}, "test")


@pytest.mark.parametrize("name", ["../x", "a/b", "a b", "a;b", "$(b)", "1x", "a'", ""])
def test_a_parameters_name_is_a_word(name: str) -> None:
    with pytest.raises(UsageError, match="parameters"):
        parse({**WAVE, "parameters": {name: {"low": 0, "high": 1}}}, "test")


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system",
        "!!python/name:os.system",
        "!!python/module:os",
        "!!python/object/new:subprocess.Popen",
    ],
)
def test_yaml_makes_no_object_of_a_program(tmp_path: Path, tag: str) -> None:
    text = f"name: {tag} ['touch {tmp_path}/made']\n"
    assert "could not determine a constructor" in refusal(tmp_path / "c.yaml", text)
    assert not (tmp_path / "made").exists()


def test_aliases_that_stand_for_gigabytes_are_refused_before_anything_is_made(
    tmp_path: Path,
) -> None:
    lines = ["a0: &a0 [laugh, laugh, laugh, laugh, laugh, laugh, laugh, laugh, laugh]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    text = "\n".join([*lines, "description: *a11"])
    assert "with its aliases written out it is of" in refusal(tmp_path / "c.yaml", text)


def test_a_list_that_holds_itself_is_refused(tmp_path: Path) -> None:
    assert "without end" in refusal(tmp_path / "c.yaml", "name: &a [*a]\n")


def test_what_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    assert "nested too deeply" in refusal(tmp_path / "c.yaml", "name: " + "{a: " * 5000)


def test_an_alias_that_is_used_as_meant_is_read(tmp_path: Path) -> None:
    shared = "parameters: {a: &range {low: 0, high: 1}, b: *range}\nname: x\n"
    text = f"{shared}solver: {{kind: analytic, problem: wave}}\nstopping: {{max_steps: 1}}\n"
    (tmp_path / "c.yaml").write_text(text)
    assert load(tmp_path / "c.yaml").parameters.names == ("a", "b")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true') < 1",
        "length.__class__ < 1",
        "(lambda: 1)() < 2",
        "open('/etc/passwd') < 1",
        "[x for x in (1,)] < 1",
        "length < 9**9**9**9**9",
        "length if phase else 1 < 2",
    ],
)
def test_a_constraint_is_arithmetic_and_no_program(text: str) -> None:
    with pytest.raises(UsageError, match="constraints"):
        parse({**WAVE, "constraints": [text]}, "test")


HOSTILE = (
    "; touch made",
    "$(touch made)",
    "`touch made`",
    "| touch made",
    "&& touch made",
    "> made",
)


@pytest.mark.parametrize("word", HOSTILE)
def test_a_command_gets_words_as_they_are_since_there_is_no_shell(
    tmp_path: Path, word: str
) -> None:
    settings = CommandSettings.model_validate(
        {
            "command": [sys.executable, str(PROGRAM)],
            "arguments": ["--record", "--say", "{word}"],
            "numerics": {"word": word},
            "parameters": {"x": "1", "y": "1"},
            "quantities": {"sum": "1"},
        }
    )
    CommandSolver.of(settings).solve(Sample.of({"x": 1.0, "y": 2.0}, "any"), tmp_path)
    assert json.loads((tmp_path / "called.json").read_text())["arguments"][-1] == word
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("output", ["../out.json", "/tmp/out.json", "a/b.json", "input.json"])  # noqa: S108
def test_what_a_command_writes_is_in_its_own_directory(output: str) -> None:
    solver = {"kind": "command", "command": ["true"], "output": output, "quantities": {"q": "1"}}
    with pytest.raises(UsageError, match="output"):
        parse({**WAVE, "solver": solver}, "test")


FOAM: dict[str, Any] = {
    "template": "case",
    "parameters": {"length": "1"},
    "numerics": {"scheme": "linear"},
    "quantities": {"drag": {"kind": "coefficient", "function": "forces"}},
}
INJECTED = (
    "#codeStream {code #{ #};}",
    "#calc",
    "linear; #include",
    '"x"',
    "a;",
    "$x",
    "a\nb",
    "{",
)


@pytest.mark.parametrize("word", INJECTED)
def test_no_word_of_a_campaign_file_or_a_retry_ends_an_entry_of_a_case(word: str) -> None:
    with pytest.raises(ValueError, match="plain word"):
        OpenFOAMSettings.model_validate({**FOAM, "numerics": {"scheme": word}})
    with pytest.raises(UsageError, match="plain word"):
        changed(OpenFOAMSettings.model_validate(FOAM), {"scheme": word})


def environment_of_a_solver(directory: Path) -> dict[str, str]:
    """Solve a sample by a command in a campaign, and return what the command inherited."""
    solver = {
        "kind": "command",
        "command": [sys.executable, str(PROGRAM)],
        "arguments": ["--record"],
        "quantities": {"sum": "1"},
    }
    xy = {"x": {"low": 0, "high": 1}, "y": {"low": 0, "high": 1}}
    campaign = start(directory, solver=solver, parameters=xy)
    sample = Sample.of({"x": 0.5, "y": 0.5}, campaign.fingerprint)
    assert solve_picks(campaign, 0, [Pick(sample, "test")]) == {}
    (called,) = directory.rglob("called.json")
    inherited: dict[str, str] = json.loads(called.read_text())["environment"]
    called.unlink()
    return inherited


def test_no_solver_sees_prefects_password_and_none_is_kept_in_the_campaign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "operator:hush-hush")
    monkeypatch.setenv("PREFECT_API_KEY", "hush-hush")
    monkeypatch.setenv("LICENSE_OF_THE_SOLVER", "port@host")
    inherited = environment_of_a_solver(tmp_path / "c")
    assert inherited["LICENSE_OF_THE_SOLVER"] == "port@host"
    assert not any(name.startswith("PREFECT_") for name in inherited)
    files = [file for file in (tmp_path / "c").rglob("*") if file.is_file()]
    assert len(files) > 5
    assert not any(b"hush-hush" in file.read_bytes() for file in files)


def test_a_message_shows_control_characters_instead_of_obeying_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    PlainConsole(width=80).print(
        "\x1b]0;renamed\x07 \x9b2J cleared \x08\r\tkept\nkept", markup=False
    )
    said = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\x9b", "\x08", "\r"}.intersection(said)
    assert "renamed" in said
    assert said.count("kept") == 2


def test_a_retry_of_what_is_no_campaign_is_refused() -> None:
    with pytest.raises(UsageError, match="is not a campaign's directory"):
        retry_failed_samples.fn(Path("/etc"))


def test_a_file_of_secrets_is_not_quoted_where_it_is_no_campaign(
    tmp_path: Path, refused: Refused
) -> None:
    file = tmp_path / "id_rsa"
    file.write_text("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    assert "c2VjcmV0" not in refused(2, "run", file)


def modules_of(package: Any) -> list[Any]:
    found = pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    return [importlib.import_module(module.name) for module in found]


def test_what_prefect_keeps_of_a_run_is_json_and_no_pickle() -> None:
    values = [v for each in (flows, tasks) for m in modules_of(each) for v in vars(m).values()]
    kept = [v for v in values if isinstance(v, Flow | Task) and v.persist_result]
    assert kept
    assert {each.result_serializer for each in kept} == {"json"}


FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "compile",
    "os.system",
    "os.popen",
    "torch.load",
    "yaml.unsafe_load",
}


def test_the_code_unpickles_nothing_and_runs_no_text() -> None:
    trees = [ast.parse(f.read_text()) for room in ROOMS for f in (ROOT / room).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imports = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    imports |= {n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module}
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    assert len(calls) > 1000
    assert not FORBIDDEN_MODULES & {name.partition(".")[0] for name in imports}
    assert not FORBIDDEN_CALLS & {ast.unparse(call.func) for call in calls}
    assert not [c for c in calls for k in c.keywords if k.arg == "shell"]


def test_a_file_that_names_code_is_imported_only_by_commands_that_run_it(tmp_path: Path) -> None:
    """A campaign file is read and checked without importing what it names."""
    (tmp_path / "hostile.py").write_text("import pathlib\npathlib.Path('made').touch()\n")
    solver = {"kind": "custom", "factory": "hostile:Solver"}
    file = wave_file(tmp_path / "c.yaml", **{**QUICK, "solver": solver})
    program = (
        "import sys, pathlib; from phases.config import load; load(pathlib.Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    told = [sys.executable, "-c", program, str(file)]
    subprocess.run(told, cwd=tmp_path, env=environment, check=True)
    assert not (tmp_path / "made").exists()
