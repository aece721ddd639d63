"""The campaign file: one frozen tree, checked at the door."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pools.errors import UsageError
from pools.space import ParameterSpace
from solvers.policy import LabelPolicy
from solvers.settings import SolverSettings
from strategies.settings import QuerySettings, SbalSettings, SobolSettings
from strategies.stopping import StoppingSettings
from surrogates.settings import EnsembleSettings

MAY_CHANGE = frozenset({"label", "stopping"})
"""Sections that may change when a campaign is resumed: they decide no sample and no weight."""


class CampaignConfig(BaseModel):
    """One active-learning experiment: what to vary, who answers, who learns, when to stop."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    """Name of the campaign: lower-case letters, digits and dashes. It names flow runs too."""
    description: str = ""
    """What the campaign is for, in a sentence; printed on its report."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Every random draw depends on this number and nothing else."""
    parameters: ParameterSpace
    """The design parameters to vary, with bounds, scale and unit."""
    solver: SolverSettings
    """Who answers a sample."""
    surrogate: EnsembleSettings = EnsembleSettings()
    """Who learns, and how it is trained."""
    initial_samples: Annotated[int, Field(ge=2)] = 16
    """Size of the initial design, from a scrambled Sobol' sequence."""
    samples_per_step: Annotated[int, Field(ge=1)] = 8
    """How many samples each step asks the solver for."""
    test_samples: Annotated[int, Field(ge=2)] = 64
    """Size of the fixed independent test set, from a Sobol' sequence of its own."""
    candidates: Annotated[int, Field(ge=1)] = 4096
    """Size of the unlabeled pool that a query chooses from; drawn afresh each step."""
    query: Annotated[tuple[QuerySettings, ...], Field(min_length=1)] = (
        SbalSettings(fraction=0.9),
        SobolSettings(fraction=0.1),
    )
    """The query strategies and their shares of each step's samples."""
    label: LabelPolicy = LabelPolicy()
    """How samples are labelled."""
    stopping: StoppingSettings
    """When the campaign has learnt enough, or more runs no longer pay."""

    @model_validator(mode="after")
    def _check_candidates(self) -> Self:
        if self.samples_per_step > self.candidates:
            raise ValueError(
                f"samples_per_step is {self.samples_per_step} but there are only "
                f"{self.candidates} candidates; raise candidates or lower samples_per_step"
            )
        return self


def load(path: Path, overrides: Sequence[str] = ()) -> CampaignConfig:
    """Read a campaign file.

    Args:
        path: the YAML file.
        overrides: changes such as `stopping.max_steps=2`, with values in YAML.

    Raises:
        UsageError: the file is missing or is not a campaign; it names the key, what it got and
            what is allowed.
    """
    content = _read(path)
    content = content.get("campaign", content)  # a frozen campaign.yaml has its provenance beside
    for override in overrides:
        _override(content, override)
    return parse(content, str(path))


def parse(content: Mapping[str, Any], source: str) -> CampaignConfig:
    """Check the content of a campaign file.

    Args:
        content: the file's content.
        source: where it is from, for the message of an error.

    Raises:
        UsageError: it is not a campaign.
    """
    try:
        return CampaignConfig.model_validate(content)
    except ValidationError as error:
        problems = "\n".join(f"  {_explain(problem)}" for problem in error.errors())
        raise UsageError(f"{source} is not a valid campaign:\n{problems}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise UsageError(
            f"cannot read the campaign file {path}: {error.strerror}; give the path of a YAML "
            "file such as examples/channel.yaml"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} holds {type(content).__name__}, not keys and values")
    return content


def _override(content: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise UsageError(f"--set got {override!r}; write it as KEY.KEY=VALUE, e.g. seed=3")
    place: Any = content
    *parents, last = key.split(".")
    for name in parents:
        place = _enter(place, name, override)
    try:
        place[_index(place, last)] = yaml.safe_load(text)
    except (TypeError, IndexError, ValueError) as error:
        raise UsageError(f"--set {override}: {last!r} is not in the file's list there") from error


def _enter(place: Any, name: str, override: str) -> Any:  # noqa: ANN401 - a tree of YAML
    try:
        inner = place.setdefault(name, {}) if isinstance(place, dict) else place[int(name)]
    except (TypeError, IndexError, ValueError):
        inner = None
    if not isinstance(inner, dict | list):
        raise UsageError(f"--set {override}: {name!r} has no keys below it in the campaign file")
    return inner


def _index(place: Any, name: str) -> str | int:  # noqa: ANN401 - a tree of YAML
    return int(name) if isinstance(place, list) else name


def _explain(problem: Any) -> str:  # noqa: ANN401 - pydantic's error details
    """Say one problem in a line: the key, what it got, what is allowed."""
    where = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        return f"{where}: unknown key; {_nearest(problem['loc'])}"
    if problem["type"] == "missing":
        return f"{where}: missing; it has no default"
    got = problem["input"]
    shown = "" if isinstance(got, dict) else f" (got {got!r})"
    return f"{where}: {message}{shown}" if where else message


def _nearest(location: Sequence[int | str]) -> str:
    """Name the allowed key that is nearest to an unknown one, or all keys."""
    allowed = _keys_at(location[:-1])
    near = difflib.get_close_matches(str(location[-1]), allowed, n=1)
    return f"did you mean {near[0]}?" if near else f"allowed are {', '.join(sorted(allowed))}"


def _keys_at(location: Sequence[int | str]) -> set[str]:
    """Return the keys that the schema allows at a place, whichever variant is meant."""
    schema = CampaignConfig.model_json_schema()
    nodes = [schema]
    for part in location:
        nodes = [inner for node in nodes for inner in _below(schema, node, part)]
    return {key for node in nodes for key in _resolve(schema, node).get("properties", {})}


def _below(root: dict[str, Any], node: dict[str, Any], part: int | str) -> list[dict[str, Any]]:
    node = _resolve(root, node)
    if isinstance(part, int):
        return _variants(node.get("items", {}))
    if part in node.get("properties", {}):
        return _variants(node["properties"][part])
    extra = node.get("additionalProperties")
    return _variants(extra) if isinstance(extra, dict) else [node]  # the tag of a variant


def _variants(node: dict[str, Any]) -> list[dict[str, Any]]:
    return node.get("oneOf") or node.get("anyOf") or [node]


def _resolve(root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    return node
