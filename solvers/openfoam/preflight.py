"""What can be known to be wrong before any solver starts."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pools import expression
from pools.errors import UsageError
from solvers.openfoam.command import Command
from solvers.openfoam.dimensions import class_in
from solvers.openfoam.installation import (
    Installation,
    dictionary_value,
    find_installation,
    mpi_words,
    program,
)
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.openfoam.sources import CrossingSource
from solvers.openfoam.template import GENERATED, Template
from solvers.openfoam.values import entry_value, named, numbers_in, values_of

_VECTORS = frozenset({"volVectorField"})


def problems(
    settings: OpenFOAMSettings, samples: Sequence[Mapping[str, float]] = ()
) -> Iterator[str]:
    """Yield what is wrong with a declaration, its template or this machine, in words.

    Args:
        settings: the declaration.
        samples: parameters of a few samples, at which every expression must have a value.
    """
    template = Template(Path(settings.template))
    try:
        installation = find_installation()
        template.check()
    except UsageError as error:
        yield str(error)
        return
    check = _Check(settings, template, installation)
    yield from check.commands()
    yield from check.ranks()
    yield from check.names()
    yield from check.entries()
    yield from check.fields()
    yield from check.quantities()
    yield from check.patches()
    yield from check.values(samples)


def remarks(settings: OpenFOAMSettings) -> Iterator[str]:
    """Yield what need not be wrong but looks so, of a declaration without problems, in words."""
    yield from _Check(settings, Template(Path(settings.template)), find_installation()).numerics()


@dataclass(frozen=True, slots=True)
class _Check:
    """One look at a declaration; each method yields what it finds wrong."""

    settings: OpenFOAMSettings
    template: Template
    installation: Installation

    def commands(self) -> Iterator[str]:
        """Every program is there."""
        application = self.template.application()
        if not (self.settings.commands or application):
            yield (
                "solver.commands is empty and system/controlDict names no application; give the "
                "commands, such as [blockMesh, checkMesh, simpleFoam]"
            )
            return
        before = (command for start in self.settings.starts.values() for command in start)
        for command in (*self.settings.stages(application), *before):
            yield from self._command(command)

    def _command(self, command: Command) -> Iterator[str]:
        first = command.words[0]
        if not first.startswith("./"):
            yield from _said_by(lambda: program(first))
            return
        script = self.template.directory / first
        if not (script.is_file() and os.access(script, os.X_OK)):
            yield (
                f"solver.commands: the template has no executable {first}; add it, or make it "
                f"executable with chmod +x {script}"
            )

    def ranks(self) -> Iterator[str]:
        """There is an mpirun, and the ranks fit the template's decomposition."""
        ranks = self.settings.ranks
        if ranks == 1:
            return
        yield from _said_by(lambda: mpi_words(ranks))
        declared = self._entry("system/decomposeParDict", "numberOfSubdomains")
        if declared is not None and declared != str(ranks):
            yield (
                f"solver.ranks is {ranks}, but the template's system/decomposeParDict has "
                f"numberOfSubdomains {declared}; make them equal, or leave the file out"
            )

    def names(self) -> Iterator[str]:
        """Every parameter is used, and what is generated is included."""
        used = self._used_names()
        for name in self.settings.parameters:
            if name not in used:
                yield (
                    f"the parameter {name} decides nothing: no expression, entry or ${name} of "
                    "the template uses it; use it or leave it out"
                )
        generated = {*self.settings.parameters, *self.settings.derived}
        if generated & self.template.macros() and not self.template.includes_generated():
            yield (
                f"the template uses ${sorted(generated & self.template.macros())[0]}, but no "
                f'dictionary includes the generated one; add #include "$FOAM_CASE/{GENERATED}" '
                "to the top of each that does"
            )

    def numerics(self) -> Iterator[str]:
        """Every numeric is used; a rung or a person would change it in vain."""
        used, text = self._used_names(), self.template.everything() if self._has_script() else ""
        unused = [n for n in self.settings.flat_numerics if n not in used]
        for name in unused:
            if not _has_word(text, name):  # a script reads what it likes
                others = [n for n in self.settings.flat_numerics if n not in unused]
                yield (
                    f"numerics: {name} changes nothing: no expression, entry or ${name} of the "
                    f"template uses it; used are {', '.join(others) or 'none'}; correct its name, "
                    "use it, or leave it out"
                )

    def entries(self) -> Iterator[str]:
        """Every entry that is to be set is there."""
        for file, entries in self.settings.entries.items():
            if not (self.template.directory / file).is_file():
                yield f"solver.entries: the template has no file {file}"
                continue
            for entry in entries:
                if self._entry(file, entry) is None:
                    yield (
                        f"solver.entries: {file} has no entry {entry}; name one that is there, "
                        "nested ones as solvers/p/tolerance"
                    )

    def fields(self) -> Iterator[str]:
        """Every field has its unit, and a component where it is a vector."""
        for name, source in self.settings.fields.items():
            file = self.template.initial(source.field)
            if file is None:
                if source.unit is None:
                    yield (
                        f"solver.fields.{name}: the template has no initial field {source.field}; "
                        "correct its name, or declare its unit if the case makes it"
                    )
                continue
            unit = self.template.unit(source.field)
            if source.unit is not None and unit is not None and source.unit != unit:
                yield (
                    f"solver.fields.{name} is declared in {source.unit}, but the dimension set of "
                    f"{source.field} is {unit}; correct one of the two (kinematic pressure is in "
                    "m2/s2)"
                )
            is_vector = class_in(file) in _VECTORS
            if is_vector != (source.component is not None):
                wanted = (
                    "give its component: x, y, z or magnitude" if is_vector else "leave it out"
                )
                yield (
                    f"solver.fields.{name}: {source.field} is a {class_in(file)} and component is "
                    f"{source.component}; {wanted}"
                )

    def quantities(self) -> Iterator[str]:
        """Every function object is declared somewhere below `system`."""
        text = self.template.functions()
        for name, source in self.settings.quantities.items():
            if isinstance(source, CrossingSource) or self._has_script():
                continue
            if not _has_word(text, source.function):
                yield (
                    f"solver.quantities.{name}: no dictionary below system/ has a function object "
                    f"{source.function}; declare it under `functions` in system/controlDict"
                )

    def patches(self) -> Iterator[str]:
        """Every patch is named by the template."""
        region = self.settings.region
        wanted = {} if region == "internal" else {f"region: {patch}": patch for patch in region}
        for name, source in self.settings.quantities.items():
            if isinstance(source, CrossingSource):
                wanted[f"quantities.{name}.patch"] = source.patch
        text = self.template.everything()
        for key, patch in wanted.items():
            if not _has_word(text, patch):
                yield f"solver.{key}: the template names no patch {patch} anywhere; correct it"

    def values(self, samples: Sequence[Mapping[str, float]]) -> Iterator[str]:
        """Every expression has a value at the samples."""
        for parameters in samples:
            fault = next(_said_by(partial(self._evaluate, parameters)), "")
            if fault:
                yield fault
                return

    def _evaluate(self, parameters: Mapping[str, float]) -> None:
        values = values_of(self.settings, parameters)
        for name, source in self.settings.quantities.items():
            with named(f"quantities.{name}.scale"):
                expression.evaluate(source.scale, numbers_in(values))
        for file, entries in self.settings.entries.items():
            for entry, wanted in entries.items():
                with named(f"entries.{file}.{entry}"):
                    entry_value(wanted, values)

    def _used_names(self) -> frozenset[str]:
        expressions = [
            *self.settings.derived.values(),
            *(text for entries in self.settings.entries.values() for text in entries.values()),
            *(source.scale for source in self.settings.quantities.values()),
        ]
        used = set(self.template.macros())
        for text in expressions:
            try:
                used |= expression.names_in(text)
            except UsageError:  # a word for an entry
                continue
        return frozenset(used)

    def _has_script(self) -> bool:
        return any(command.words[0].startswith("./") for command in self.settings.commands)

    def _entry(self, file: str, entry: str) -> str | None:
        directory = self.template.directory.resolve()
        if not (directory / file).is_file():
            return None
        environment = self.installation.environment(directory, system_operations=True)
        return dictionary_value(directory, file, entry, environment)


def _said_by(look: Callable[[], object]) -> Iterator[str]:
    try:
        look()
    except UsageError as error:
        yield str(error)


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(word)}(?![\w])", text) is not None
