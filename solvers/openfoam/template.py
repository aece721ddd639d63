"""A case template: what belongs to it, what it is worth as a digest, and what its files say."""

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pools.errors import UsageError
from solvers.openfoam.dimensions import field_file, unit_in

GENERATED = "system/solverloop"
"""The dictionary of parameters, derived values and numerics that is written for every attempt."""

_TIME = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?")
_LEFT_BEHIND = ("postProcessing", "dynamicCode", "VTK", "processor*", "log.*", "*.foam", ".*")
_MACRO = re.compile(r"\$\{?:?([A-Za-z_]\w*)")
_COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_LARGEST_DICTIONARY = 1 << 20


@dataclass(frozen=True, slots=True)
class Template:
    """A case directory that is copied for every attempt.

    Attributes:
        directory: where it is.
    """

    directory: Path

    def check(self) -> None:
        """Look whether it is a case.

        Raises:
            UsageError: it is not.
        """
        if not self.directory.is_dir():
            raise UsageError(
                f"solver.template is {self.directory}, which is no directory; give an OpenFOAM "
                "case, relative to where solverloop is started"
            )
        if not (self.directory / "system" / "controlDict").is_file():
            raise UsageError(
                f"solver.template {self.directory} has no system/controlDict; give the directory "
                "of an OpenFOAM case"
            )

    def files(self) -> Iterator[Path]:
        """Yield the files that belong to it, in order, relative to its directory."""
        for place in sorted(self.directory.rglob("*")):
            relative = place.relative_to(self.directory)
            if place.is_file() and not self._is_left_behind(relative):
                yield relative

    def digest(self) -> str:
        """Return a digest of all files' names and contents but the generated dictionary."""
        sha = hashlib.sha256()
        for file in self.files():
            if str(file) != GENERATED:
                content = (self.directory / file).read_bytes()
                sha.update(f"{file}\0{len(content)}\0".encode())
                sha.update(content)
        return sha.hexdigest()[:16]

    def copy(self, case: Path) -> None:
        """Make a case of it in an existing directory; without a `0`, `0.orig` becomes it."""
        for file in self.files():
            target = case / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.directory / file, target)
        if not (case / "0").exists() and (case / "0.orig").is_dir():
            shutil.copytree(case / "0.orig", case / "0")

    def macros(self) -> frozenset[str]:
        """Return the names that its dictionaries use as `$name`."""
        return frozenset(name for text in self._dictionaries() for name in _MACRO.findall(text))

    def includes_generated(self) -> bool:
        """Whether a dictionary includes the generated one."""
        name = Path(GENERATED).name
        return any(re.search(rf"#include\w*\s+\"[^\"]*{name}\"", t) for t in self._dictionaries())

    def application(self) -> str:
        """Return the solver that its controlDict names; nothing where it names none."""
        text = self._text(Path("system/controlDict"))
        found = re.search(r"^\s*application\s+([\w.]+)\s*;", text, re.MULTILINE)
        return found.group(1) if found else ""

    def is_steady(self) -> bool:
        """Whether its default time scheme is steadyState."""
        file = Path("system/fvSchemes")
        is_there = (self.directory / file).is_file()
        return is_there and bool(re.search(r"default\s+steadyState\s*;", self._text(file)))

    def unit(self, field: str) -> str | None:
        """Return the unit of one of its initial fields; None where it has no such field."""
        file = self.initial(field)
        return None if file is None else unit_in(file)

    def initial(self, field: str) -> Path | None:
        """Return the file of one of its initial fields; None where it has no such field."""
        places = (self.directory / "0", self.directory / "0.orig")
        files = (field_file(place, field) for place in places)
        return next((file for file in files if file is not None), None)

    def functions(self) -> str:
        """Return the text in which function objects may be declared."""
        return "\n".join(self._text(f) for f in self.files() if f.parts[0] == "system")

    def everything(self) -> str:
        """Return the text of all its dictionaries, without comments."""
        return "\n".join(self._dictionaries())

    def _dictionaries(self) -> Iterator[str]:
        for file in self.files():
            is_small = (self.directory / file).stat().st_size <= _LARGEST_DICTIONARY
            if is_small and str(file) != GENERATED and "polyMesh" not in file.parts:
                yield self._text(file)

    def _text(self, file: Path) -> str:
        content = (self.directory / file).read_bytes()
        return _COMMENTS.sub("", content.decode(errors="replace"))

    def _is_left_behind(self, relative: Path) -> bool:
        first = relative.parts[0]
        if _TIME.fullmatch(first) and float(first) > 0:
            return True  # a solution of somebody's trial
        return any(relative.match(p) or Path(first).match(p) for p in _LEFT_BEHIND)
