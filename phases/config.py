"""The campaign file: one frozen tree, checked at the door."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from phases.campaign_file import override, read_yaml
from phases.explain import explain
from phases.runner_settings import RunnerSettings, ThreadsSettings
from pools.constraint import ConstraintText
from pools.domain import Domain
from pools.errors import UsageError
from pools.record import Setting
from pools.space import ParameterSpace
from solvers.changes import changed
from solvers.levels import Level, check_levels, nested_counts
from solvers.policy import LabelPolicy
from solvers.settings import SolverSettings
from strategies.hybrid_settings import HybridSettings
from strategies.level_settings import FineShareSettings
from strategies.settings import QuerySettings, SobolSettings, needs_several_members
from strategies.stopping import StoppingSettings
from surrogates.settings import EnsembleSettings

MAY_CHANGE = frozenset({"label", "runner", "stopping"})
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
    constraints: tuple[ConstraintText, ...] = ()
    """Comparisons of parameters that every sample meets, such as `thickness < 0.5 * camber`."""
    solver: SolverSettings
    """Who answers a sample."""
    levels: tuple[Level, ...] = ()
    """Levels of the solver, the cheapest first and the solver as declared last: each step asks
    some samples of a cheaper one. What is measured and predicted is always the last. Without any,
    every sample is asked of the solver as declared."""
    fine_share: FineShareSettings = FineShareSettings()
    """How much each step asks of the last of `levels` at least."""
    surrogate: EnsembleSettings = EnsembleSettings()
    """Who learns, and how it is trained."""
    initial_samples: Annotated[int, Field(ge=2)] = 16
    """Size of the initial design, from a scrambled Sobol' sequence."""
    samples_per_step: Annotated[int, Field(ge=1)] = 8
    """How many samples each step asks the solver for; the most, where `step_seconds` is set."""
    step_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Solver seconds that the samples of a step are expected to take together, all tries: of what
    the strategies choose only so many are asked for, at least one. Without it, what they take does
    not count."""
    test_samples: Annotated[int, Field(ge=2)] = 64
    """Size of the fixed independent test set, from a Sobol' sequence of its own."""
    candidates: Annotated[int, Field(ge=1)] = 4096
    """Size of the unlabeled pool that a query chooses from."""
    fresh_candidates: bool = True
    """Whether the unlabeled pool is drawn afresh each step, or once and used up."""
    query: Annotated[tuple[QuerySettings, ...], Field(min_length=1)] = (
        HybridSettings(fraction=0.9),
        SobolSettings(fraction=0.1),
    )
    """The query strategies and their shares of each step's samples."""
    label: LabelPolicy = LabelPolicy()
    """How samples are labelled."""
    runner: RunnerSettings = ThreadsSettings()
    """Where they are solved."""
    stopping: StoppingSettings
    """When the campaign has learnt enough, or more runs no longer pay."""

    @model_validator(mode="before")
    @classmethod
    def _fill_solver_parameters(cls, content: Any) -> Any:  # noqa: ANN401 - whatever is given
        """Tell a solver that declares no parameters of its own those of the campaign."""
        if not isinstance(content, Mapping):
            return content
        solver, units = _tree(content.get("solver")), _units(_tree(content.get("parameters")))
        if not _takes_parameters(solver) or solver.get("parameters", {}) != {}:
            return content
        return {**content, "solver": {**solver, "parameters": units}}

    @cached_property
    def domain(self) -> Domain:
        """Where samples may lie: the parameters' box, as far as the constraints are met."""
        return Domain.of(self.parameters, self.constraints)

    @model_validator(mode="after")
    def _check_constraints(self) -> Self:
        try:
            self.domain  # noqa: B018 - made here, so that what is wrong with it is said at the door
        except UsageError as error:
            raise ValueError(f"constraints: {error}") from None
        return self

    @property
    def choices(self) -> Mapping[str, Mapping[float, str]]:
        """The words that the numbers of parameters stand for, by name; of most solvers none."""
        return self.solver.choices if self.solver.kind == "openfoam" else {}

    @property
    def cheaper(self) -> tuple[Level, ...]:
        """The levels but the solver as declared, the cheapest first."""
        return self.levels[:-1]

    @property
    def level_names(self) -> tuple[str, ...]:
        """The names of the levels as samples have them, the finest first, whose name is empty."""
        return ("", *(level.name for level in reversed(self.cheaper)))

    def called(self, level: str) -> str:
        """Return what a sample's level is called in this file; nothing without levels."""
        return level or (self.levels[-1].name if self.levels else "")

    @property
    def level_changes(self) -> dict[str, dict[str, Setting]]:
        """What each cheaper level changes of the solver's settings, by name."""
        return {level.name: level.set for level in self.cheaper}

    @property
    def initial_counts(self) -> dict[str, int]:
        """Samples of the initial design by level, the finest first."""
        counts = reversed(nested_counts(self.levels, self.initial_samples))
        return dict(zip(self.level_names, counts, strict=True))

    @model_validator(mode="after")
    def _check_levels(self) -> Self:
        try:
            check_levels(self.levels, self.solver)
            nested_counts(self.levels, self.initial_samples)
        except ValueError as error:
            raise ValueError(f"levels: {error}") from None
        if self.levels and self.surrogate.members < 2:
            raise ValueError(
                "levels: surrogate.members is 1, but a level is chosen by how much members differ "
                "at each; raise surrogate.members to 2 or more, or leave levels out"
            )
        if self.levels and all(query.kind == "sobol" for query in self.query):
            raise ValueError(
                "levels: the only query is sobol, whose samples are always asked of the last "
                "level; add a query such as hybrid, or leave levels out"
            )
        return self

    @model_validator(mode="after")
    def _check_count(self) -> Self:
        designed = max(self.initial_counts.values())
        count, needed = self.domain.count, designed + self.test_samples
        if count is not None and count < needed:
            raise ValueError(
                f"parameters: they have {count} different points, but initial_samples is "
                f"{designed} and test_samples is {self.test_samples}; lower these, or "
                "let a parameter take more values"
            )
        return self

    @model_validator(mode="after")
    def _check_choices(self) -> Self:
        for name, words in self.choices.items():
            parameter = self.parameters.root.get(name)
            if parameter is None or parameter.count is None:
                raise ValueError(
                    f"solver.choices.{name} has words, but {name} is no parameter that takes "
                    "certain values only; give it type: categorical and values: "
                    f"[{', '.join(f'{each:g}' for each in words)}]"
                )
            lacking = [each for each in parameter.all_values if each not in words]
            if lacking:
                raise ValueError(
                    f"solver.choices.{name} has no word for {lacking[0]:g}, which the parameter "
                    "takes; add it, or leave it out of the parameter's values"
                )
        return self

    @model_validator(mode="after")
    def _check_candidates(self) -> Self:
        if self.samples_per_step > self.candidates:
            raise ValueError(
                f"samples_per_step is {self.samples_per_step} but there are only "
                f"{self.candidates} candidates; raise candidates or lower samples_per_step"
            )
        return self

    @model_validator(mode="after")
    def _check_recovery(self) -> Self:
        for rung in self.label.recovery:
            try:
                changed(self.solver, rung.set)
            except UsageError as error:
                raise ValueError(f"label.recovery, the rung {rung.name!r}: {error}") from None
            if self.solver.kind != "openfoam":
                continue
            if rung.low_fidelity and self.solver.convergence.accept != "marginal":
                raise ValueError(
                    f"label.recovery, the rung {rung.name!r} is of low fidelity: its answers are "
                    "marginal, which solver.convergence.accept: converged keeps out; set it to "
                    "marginal, or leave the rung out"
                )
            if rung.start and self.label.keep != "all":
                raise ValueError(
                    f"label.keep is {self.label.keep}, but the rung {rung.name!r} starts from "
                    "another sample's case; set label.keep: all, or leave the rung out"
                )
        return self

    @model_validator(mode="after")
    def _check_uncertainty(self) -> Self:
        asking = [query.kind for query in self.query if needs_several_members(query)]
        if asking and self.surrogate.members < 2:
            raise ValueError(
                f"surrogate.members is 1, but the query {asking[0]} needs the uncertainty of at "
                "least 2; raise surrogate.members, or query with random or sobol only"
            )
        return self


def _tree(section: object) -> Mapping[str, Any]:
    """Return a section's keys; none where it has none, which its own check will say."""
    content = section.model_dump() if isinstance(section, BaseModel) else section
    return content if isinstance(content, Mapping) else {}


def _takes_parameters(solver: Mapping[str, Any]) -> bool:
    """Whether the settings of this kind of solver say what its parameters are."""
    kinds = get_args(get_args(SolverSettings)[0])  # the variants of the union
    taking = [kind for kind in kinds if "parameters" in kind.model_fields]
    return solver.get("kind") in [kind.model_fields["kind"].default for kind in taking]


def _units(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return each parameter's unit; what is no parameter is said elsewhere, not twice."""
    units = {name: _tree(parameter).get("unit", "1") for name, parameter in parameters.items()}
    return {str(name): unit if isinstance(unit, str) else "1" for name, unit in units.items()}


def load(path: Path, overrides: Sequence[str] = ()) -> CampaignConfig:
    """Read a campaign file.

    Args:
        path: the YAML file.
        overrides: changes such as `stopping.max_steps=2`, with values in YAML.

    Raises:
        UsageError: the file is missing or is not a campaign; it names the key, what it got and
            what is allowed.
    """
    content = read_yaml(path)
    frozen = content.get("campaign")  # a frozen campaign.yaml has its provenance beside it
    content = frozen if isinstance(frozen, dict) else content
    for change in overrides:
        override(content, change)
    return parse(content, " ".join([str(path), *(f"--set {change}" for change in overrides)]))


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
        schema = CampaignConfig.model_json_schema()
        problems = explain(error.errors(), content, schema)
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise UsageError(f"{source} is not a valid campaign:\n{lines}") from None
