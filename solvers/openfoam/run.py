"""One run of a case, from the template to its last command."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pools.errors import SolverError, UsageError
from pools.outcome import Outcome
from solvers.openfoam.command import Command
from solvers.openfoam.failure import failure_of
from solvers.openfoam.installation import (
    Installation,
    dictionary_value,
    mpi_words,
    program,
    set_dictionary_value,
)
from solvers.openfoam.log import Log, read_log
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.openfoam.stage import Ended, run_stage
from solvers.openfoam.start import begin_from, last_time
from solvers.openfoam.template import GENERATED, Template
from solvers.openfoam.values import (
    Value,
    entry_value,
    foam_text,
    generated_dictionary,
    named,
    values_of,
)

_UNIFORM = re.compile(r"uniform\s+([^\s()]+|\([^()]*\))")
_ONE_ITERATION = """
// Written by solverloop: one iteration from the initial fields, for its residuals.
startFrom startTime;
startTime 0;
stopAt endTime;
endTime $deltaT;
"""


@dataclass
class CaseRun:
    """One attempt at a sample: a copy of the template and the commands on it.

    Attributes:
        settings: the declaration.
        case: the case's directory.
        parameters: the sample's.
        installation: the OpenFOAM that runs.
        source: a solved case to start from.
        ended: the commands that were run.
    """

    settings: OpenFOAMSettings
    case: Path
    parameters: Mapping[str, float]
    installation: Installation
    source: Path | None = None
    ended: list[Ended] = field(default_factory=list)

    @cached_property
    def values(self) -> dict[str, Value]:
        """All names that the template may use, with their values; worked out once."""
        return values_of(self.settings, self.parameters)

    def prepare(self) -> None:
        """Make the case: the template, the generated dictionary, the entries.

        Raises:
            UsageError: an expression has no value here, an entry is not there, or the directory
                holds a case already: what an earlier run left there would be taken for this one's.
        """
        if (self.case / "system").exists():
            raise UsageError(
                f"{self.case} holds a case already; give each attempt its own directory"
            )
        Template(Path(self.settings.template)).copy(self.case)
        self._write_values(self.values)
        self._set_entries()
        if self.settings.ranks > 1:
            self._write_decomposition()

    def mesh(self) -> None:
        """Run the commands that make the mesh."""
        for command in self._commands():
            if command.role == "mesh":
                self._run(command)

    def solve(self) -> None:
        """Run all commands.

        Raises:
            SolverError: one did not do what it was for.
        """
        is_begun, is_decomposed = False, False
        for command in self._commands():
            if command.role in {"solve", "prepare"} and not is_begun:
                self._begin()
                is_begun = True
            if command.role == "solve" and self.settings.ranks > 1 and not is_decomposed:
                self._run(Command(run="decomposePar -force", role="prepare"))
                is_decomposed = True
            if command.role == "post" and is_decomposed:
                self._reconstruct()
                is_decomposed = False
            self._run(command)
        if is_decomposed:
            self._reconstruct()

    def uniform_value(self, field: str) -> str:
        """Return the inner value of an initial field as OpenFOAM reads it: `uniform (1 0 0)`.

        Raises:
            UsageError: there is no such field, or it is not uniform.
        """
        place = f"0/{field}"
        text = dictionary_value(self.case, place, "internalField", self._environment()) or ""
        if not _UNIFORM.fullmatch(text):
            raise UsageError(
                f"the template's {place} has no uniform internalField (a number or a vector), "
                "which predicted fields are put into; give it one, or query with hybrid, which "
                "needs no residuals"
            )
        return text

    def iterate_once(self) -> Log:
        """Run one iteration of the template's solver on the mesh, and return its log.

        What else the case runs would change the fields that it begins from, or its answer.
        """
        with (self.case / "system" / "controlDict").open("a") as file:
            file.write(_ONE_ITERATION)
        application = Template(Path(self.settings.template)).application()
        self._run(Command(run=f"{application} -noFunctionObjects", role="solve"))
        return self.ended[-1].log

    @property
    def solver_log(self) -> Log:
        """The log of the solver that ran last; a script's is found among those that it wrote."""
        solved = [e.log for e in self.ended if e.role == "solve" and e.log.iterations]
        if solved:
            return solved[-1]
        others = sorted(self.case.glob("log.*"), key=lambda file: file.stat().st_mtime)
        logs = [read_log(file) for file in others]
        iterated = [log for log in logs if log.iterations]
        return iterated[-1] if iterated else Log()

    @property
    def last_time(self) -> Path | None:
        """The directory of the last time that was written."""
        return last_time(self.case)

    @property
    def evidence(self) -> dict[str, object]:
        """What is recorded of the commands: how each ended, what it took, what it warned of."""
        last = {"signal": self.ended[-1].signal} if self.ended and self.ended[-1].signal else {}
        return {"commands": [ended.facts for ended in self.ended], **last}

    def error(self, outcome: Outcome, reason: str) -> SolverError:
        """Return the error that carries this run's evidence."""
        telling = self.ended[-1].log.telling if self.ended else ""
        tail = f"{telling}\n{reason}".strip()
        return SolverError(outcome, reason, self.case, tail, self.evidence)

    def _commands(self) -> Sequence[Command]:
        return self.settings.stages(Template(Path(self.settings.template)).application())

    def _begin(self) -> None:
        if self.source is None:
            return
        if (command := begin_from(self.source, self.case)) is not None:
            self._run(command)

    def _reconstruct(self) -> None:
        self._run(Command(run="reconstructPar -latestTime", role="post"))

    def _run(self, command: Command) -> None:
        if command.set:
            changed = with_numerics(self.settings, command.set)
            self._write_values(values_of(changed, self.parameters))
        ended = run_stage(
            self._words(command),
            self.case,
            command.role,
            self._environment(),
            name=command.name,
            heartbeat_seconds=self.settings.heartbeat_seconds,
        )
        self.ended.append(ended)
        if command.set:
            self._write_values(self.values)
        if (failure := failure_of(ended, self.settings)) is not None:
            raise self.error(failure.outcome, failure.reason)

    def _words(self, command: Command) -> list[str]:
        first, *others = command.words
        if first.startswith("./"):
            return [str(self.case / first), *others]
        if command.role == "solve" and self.settings.ranks > 1:
            return [*mpi_words(self.settings.ranks), program(first), *others, "-parallel"]
        return [program(first), *others]

    def _write_values(self, values: Mapping[str, Value]) -> None:
        file = self.case / GENERATED
        file.parent.mkdir(exist_ok=True)
        file.write_text(generated_dictionary(values))

    def _set_entries(self) -> None:
        values, environment = self.values, self._environment()
        for file, entries in self.settings.entries.items():
            for entry, wanted in entries.items():
                if dictionary_value(self.case, file, entry, environment) is None:
                    raise UsageError(
                        f"solver.entries: {file} of the template has no entry {entry}; name one "
                        "that is there, nested ones as solvers/p/tolerance"
                    )
                with named(f"entries.{file}.{entry}"):
                    text = foam_text(entry_value(wanted, values))
                if fault := set_dictionary_value(self.case, file, (entry, text), environment):
                    raise UsageError(f"solver.entries: cannot set {entry} of {file}: {fault}")

    def _write_decomposition(self) -> None:
        """Declare the ranks; what the template says of how to cut stays, if it is for as many."""
        file = self.case / "system" / "decomposeParDict"
        if file.exists():
            return
        file.write_text(
            "FoamFile { version 2.0; format ascii; class dictionary; object decomposeParDict; }\n"
            f"numberOfSubdomains {self.settings.ranks};\nmethod hierarchical;\n"
            f"coeffs {{ n ({self.settings.ranks} 1 1); order xyz; delta 0.001; }}\n"
            f"hierarchicalCoeffs {{ n ({self.settings.ranks} 1 1); order xyz; delta 0.001; }}\n"
        )

    def _environment(self) -> dict[str, str]:
        allowed = self.settings.allow_system_operations
        return self.installation.environment(self.case, system_operations=allowed)


def with_numerics(settings: OpenFOAMSettings, changes: Mapping[str, Value]) -> OpenFOAMSettings:
    """Return the settings with other numerics: `scheme`, or `relaxation.U` for a nested one."""
    numerics: dict[str, object] = {**settings.numerics}
    for key, value in changes.items():
        group, _, name = key.partition(".")
        if name and isinstance(inner := numerics.get(group), dict):
            numerics[group] = {**inner, name: value}
        else:
            numerics[key] = value
    return settings.model_copy(update={"numerics": numerics})
