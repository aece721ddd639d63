"""Any executable as a solver: parameters in a JSON file in, JSON or HDF5 out.

Nothing of a sample reaches the command line or a path: its parameters are numbers in the input
file, and all files are in the attempt's directory under names that the campaign file declares.
"""

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pools.errors import SolverError, UsageError
from pools.files import digest
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Field, Mesh, Quantity, Solution
from solvers import command_answer
from solvers.cells import mesh_of_grid
from solvers.command_output import Reader, opened
from solvers.command_process import (
    LOG,
    executable_path,
    meaning,
    run,
    tail_of,
    whole_path,
)
from solvers.command_settings import INPUT, PLACEHOLDER, CommandSettings, Setting, placeholders
from solvers.signals import ended_below

_EXACT = 2**53  # beyond it a float has no place for ones

_DECIDES_NOTHING = {"parameters", "exit_codes", "ranks"}

FORMAT = 1  # raise it when what a command is given, or how it is read, changes


@dataclass(frozen=True, slots=True)
class CommandSolver:
    """Runs an executable for each sample.

    Attributes:
        settings: as declared.
        arguments: the command line, with whole paths; placeholders are still in it.
        digests: SHA-256 of the files that `command` and `mesh` name, by that name.
        known_mesh: the mesh of every sample; None where each answer has its own.
    """

    settings: CommandSettings
    arguments: tuple[str, ...]
    digests: Mapping[str, str]
    known_mesh: Mesh | None

    @classmethod
    def of(cls, settings: CommandSettings) -> Self:
        """Find the executable and the other files.

        Raises:
            UsageError: one cannot be found or read, or the settings name no parameter.
        """
        if not settings.parameters:
            raise UsageError(
                "solver.parameters is empty; give the unit of each parameter by its name"
            )
        program, *rest = _command_line(settings)
        arguments = (executable_path(program, settings.environment), *map(whole_path, rest))
        files = dict(zip(settings.command, arguments, strict=False))
        if settings.mesh is not None and settings.mesh.file is not None:
            files[settings.mesh.file] = str(Path.cwd() / settings.mesh.file)
        return cls(settings, arguments, _digests(files), _known_mesh(settings))

    @property
    def fingerprint(self) -> str:
        """What is declared, without what decides no answer.

        The executable counts as it is declared: its path and its digest differ between machines
        though its answers do not. Where they do, the user says so by `version`; the digest is in
        each answer's provenance.
        """
        declared = self.settings.model_dump(mode="json", exclude=_DECIDES_NOTHING)
        return f"command/{FORMAT} {json.dumps(declared, sort_keys=True)}"

    @property
    def parameters(self) -> Mapping[str, str]:
        return self.settings.parameters

    @property
    def quantities(self) -> Mapping[str, str]:
        return {name: value.unit for name, value in self.settings.quantities.items()}

    @property
    def fields(self) -> Mapping[str, str]:
        return {name: field.unit for name, field in self.settings.fields.items()}

    def mesh(self, sample: Sample) -> Mesh:
        """Return the mesh, where it is known without running the command.

        Raises:
            UsageError: only the command knows it.
        """
        if self.known_mesh is None:
            raise UsageError(
                f"the mesh of sample {sample.id} is only known once it is solved: it is in what "
                "the command writes. If all samples have the same, keep it in a file and name "
                "that as solver.mesh.file, or declare solver.grid"
            )
        return self.known_mesh

    def solve(
        self,
        sample: Sample,
        directory: Path,
        *,
        initial: Solution | None = None,  # noqa: ARG002 - a command begins anew
    ) -> Solution:
        (directory / self.settings.output).unlink(missing_ok=True)  # an answer is this run's
        self._write_input(sample, directory)
        exit_code = self._run(directory)
        try:
            with opened(directory / self.settings.output) as read:
                return self._solution(sample, read, exit_code)
        except command_answer.NotFiniteError as error:
            raise _failure(Outcome.DIVERGED, str(error), directory, exit_code) from error
        except ValueError as error:
            raise _failure(Outcome.BAD_OUTPUT, str(error), directory, exit_code) from error

    def _write_input(self, sample: Sample, directory: Path) -> None:
        content: dict[str, Any] = _numbers(sample, self.parameters)
        if self.settings.input_layout != "flat":
            groups = self.settings.input_layout.items()
            content = {group: {name: content[name] for name in names} for group, names in groups}
        text = json.dumps(content, indent=2, allow_nan=False)
        (directory / INPUT).write_text(f"{text}\n", encoding="utf-8")

    def _run(self, directory: Path) -> int:
        """Run the command and return its exit code, of those that mean success."""
        place, settings = directory.resolve(), self.settings
        files = {"input": str(place / INPUT), "output": str(place / settings.output)}
        values = {name: _word(value) for name, value in settings.numerics.items()} | files
        values["ranks"] = str(settings.ranks)
        line = [PLACEHOLDER.sub(lambda found: values[found[1]], each) for each in self.arguments]
        exit_code = run(line, place, settings.environment)
        outcome, how = meaning(exit_code, settings.exit_codes, tail_of(directory))
        if outcome is not Outcome.OK:
            raise _failure(outcome, how, directory, exit_code)
        return exit_code

    def _solution(self, sample: Sample, read: Reader, exit_code: int) -> Solution:
        settings = self.settings
        mesh = self.known_mesh
        if mesh is None:
            assert settings.mesh is not None
            mesh = command_answer.mesh(read, settings.mesh)
        shape = settings.grid.shape if settings.grid is not None else (len(mesh.points),)
        fields = {
            name: Field(command_answer.field(read, field.key or name, field, shape), field.unit)
            for name, field in settings.fields.items()
        }
        quantities = {
            name: Quantity(command_answer.scalar(read, value.key or name), value.unit)
            for name, value in settings.quantities.items()
        }
        provenance = {
            "solver": self.fingerprint,
            "files": dict(self.digests),
            "exit_code": exit_code,
        }
        return Solution(sample, mesh, fields, quantities, provenance)


def _command_line(settings: CommandSettings) -> list[str]:
    """Return what is declared, with the reference interface where no placeholder says other."""
    declared = [*settings.command, *settings.arguments]
    if placeholders(declared) & {"input", "output"}:
        return declared
    files = ("--input", "{input}", "--output", "{output}")
    return [*settings.command, *files, *settings.arguments]


def _known_mesh(settings: CommandSettings) -> Mesh | None:
    """Return the mesh that is known without running the command."""
    if settings.grid is not None:
        return mesh_of_grid(settings.grid.bounds, settings.grid.shape)
    if settings.mesh is None:
        return Mesh.of_point()
    if settings.mesh.file is None:
        return None
    try:
        with opened(Path(settings.mesh.file)) as read:
            return command_answer.mesh(read, settings.mesh)
    except ValueError as error:
        raise UsageError(
            f"solver.mesh.file is {settings.mesh.file!r}, which holds no mesh: {error}; give a "
            "file in JSON or HDF5, relative to the working directory, and the keys in it"
        ) from error


def _digests(paths: Mapping[str, str]) -> dict[str, str]:
    """Return the digest of each of these that is a file which may be read."""
    files = {name: Path(path) for name, path in paths.items() if Path(path).is_absolute()}
    readable = {name: f for name, f in files.items() if f.is_file() and os.access(f, os.R_OK)}
    return {name: digest(file) for name, file in readable.items()}


def _numbers(sample: Sample, parameters: Iterable[str]) -> dict[str, float | int]:
    """Return the parameters of a sample, in the solver's order; whole ones without a point.

    Raises:
        UsageError: they are not those that the solver has, or not finite numbers.
    """
    given, names = sample.parameters, list(parameters)
    if set(given) != set(names) or not all(math.isfinite(value) for value in given.values()):
        raise UsageError(
            f"sample {sample.id} has {dict(given)}; give a finite number for each of {names}"
        )
    return {name: _plain(float(given[name])) for name in names}


def _plain(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def _word(value: Setting) -> str:
    """Return a value of the numerics as it stands in an argument."""
    return json.dumps(value) if not isinstance(value, str) else value


def _failure(outcome: Outcome, reason: str, directory: Path, exit_code: int) -> SolverError:
    """Say in the log too why there is no solution."""
    with (directory / LOG).open("a", encoding="utf-8") as log:
        log.write(f"\nsolverloop: {reason}\n")
    evidence = {"exit_code": exit_code, "signal": ended_below(exit_code)}
    return SolverError(outcome, reason, directory, tail_of(directory), evidence)
