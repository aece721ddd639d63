"""The OpenFOAM of this machine: where it is, which it is, and how its versions differ.

What differs between versions is here and nowhere else. Tried: openfoam.com v1912 (Debian's). Known
of the others from their documentation: openfoam.com since v1806 and openfoam.org since 7.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pools.errors import UsageError

_USUAL = (
    "/usr/share/openfoam",
    "/usr/lib/openfoam/*",
    "/opt/openfoam*",
    "/opt/OpenFOAM/OpenFOAM-*",
)
_KEPT = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "SHELL", "LOGNAME")
_KEPT_PREFIXES = ("WM_", "FOAM_", "MPI_", "OMPI_", "PMIX_", "PRTE_", "SLURM_", "I_MPI_")
_OURS = "SOLVERLOOP_"  # by these tokens the supervisor finds what a solve started
_SYSTEM_OPERATIONS_OFF = "InfoSwitches\n{\n    allowSystemOperations 0;\n}\n"

FORCE_FILES = ("force.dat", "forces.dat")
"""Names of the forces record: openfoam.com since v1812, and openfoam.org."""
COEFFICIENT_FILES = ("coefficient.dat", "forceCoeffs.dat")
"""Names of the coefficients' record, likewise."""


@dataclass(frozen=True, slots=True)
class Installation:
    """One OpenFOAM.

    Attributes:
        project: its WM_PROJECT_DIR.
        flavour: `com` (years, as v1912), or `org` (numbers, as 11).
        version: as it names itself.
        build: the line that its programs print.
    """

    project: Path
    flavour: Literal["com", "org"]
    version: str
    build: str

    @property
    def provenance(self) -> dict[str, str]:
        """What is recorded with every answer."""
        return {
            "flavour": f"openfoam.{self.flavour}",
            "version": self.version,
            "build": self.build,
        }

    def environment(self, case: Path, *, system_operations: bool) -> dict[str, str]:
        """Return the environment of a case's programs: small, so that no secret travels.

        Args:
            case: the case's directory.
            system_operations: whether the case may run programs.
        """
        prefixes = (*_KEPT_PREFIXES, _OURS)
        kept = {n: v for n, v in os.environ.items() if n in _KEPT or n.startswith(prefixes)}
        ours = {
            "WM_PROJECT_DIR": str(self.project),
            "PWD": str(case),  # OpenFOAM believes it more than the directory it is in
            "FOAM_SIGFPE": "true",
            "OMP_NUM_THREADS": "1",
        }
        if not system_operations:
            ours["WM_PROJECT_SITE"] = str(forbid_system_operations(case))
        return {**kept, **ours}


def forbid_system_operations(case: Path) -> Path:
    """Write the site settings that keep a case from running programs, and return their place."""
    site = case / ".site"
    file = site / "etc" / "controlDict"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_SYSTEM_OPERATIONS_OFF)
    return site


@lru_cache(maxsize=1)
def find_installation() -> Installation:
    """Return the OpenFOAM that is to be used: WM_PROJECT_DIR's, or the one in a usual place.

    Raises:
        UsageError: there is none, or its programs do not start.
    """
    if shutil.which("foamDictionary") is None:
        raise UsageError(
            "OpenFOAM is not there: foamDictionary is not on the PATH; install it (Debian and "
            "Ubuntu: apt-get install openfoam) or source its etc/bashrc, then run the same "
            "command again"
        )
    project = _project()
    return _identify(project, _banner(project))


def program(name: str) -> str:
    """Return where a program is.

    Raises:
        UsageError: it is not on the PATH.
    """
    if (found := shutil.which(name)) is None:
        raise UsageError(
            f"the program {name} is not on the PATH; correct solver.commands, or install what "
            "brings it"
        )
    return found


def mpi_words(ranks: int) -> list[str]:
    """Return the launcher of `ranks` ranks and its options.

    Open MPI binds every job to the first cores and spins while it waits: two jobs at once were
    ten times slower than one after the other, which the options mend.
    """
    words = [program("mpirun"), "-np", str(ranks)]
    if "Open MPI" in _mpi_version():
        words += ["--bind-to", "none", "--oversubscribe", "--mca", "mpi_yield_when_idle", "1"]
        words += ["--allow-run-as-root"] if os.geteuid() == 0 else []
    return words


@lru_cache(maxsize=1)
def _mpi_version() -> str:
    words = [program("mpirun"), "--version"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def _project() -> Path:
    if given := os.environ.get("WM_PROJECT_DIR"):
        return Path(given)
    found = [place for pattern in _USUAL for place in sorted(_glob(pattern), reverse=True)]
    if not found:
        raise UsageError(
            "OpenFOAM's programs are on the PATH, but its directory is in no usual place; set "
            "WM_PROJECT_DIR to the directory that has its etc/controlDict"
        )
    return found[0]


def _glob(pattern: str) -> list[Path]:
    places = Path("/").glob(pattern.lstrip("/"))
    return [place for place in places if (place / "etc" / "controlDict").is_file()]


def _banner(project: Path) -> str:
    environment = {**os.environ, "WM_PROJECT_DIR": str(project)}
    words = ["foamDictionary", "-help"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    if ended.returncode != 0:
        raise UsageError(
            f"OpenFOAM does not start with WM_PROJECT_DIR={project}: {_last_line(ended.stderr)}; "
            "set WM_PROJECT_DIR to the directory that has its etc/controlDict"
        )
    return ended.stdout


def _identify(project: Path, banner: str) -> Installation:
    """Read which OpenFOAM it is off the banner of a program's help."""
    build = re.search(r"^Build\s*:\s*(.*)$", banner, re.MULTILINE)
    using = re.search(r"Using:\s*OpenFOAM-?\s*\(?v?(\w+)\)?", banner)
    version = os.environ.get("WM_PROJECT_VERSION") or (using.group(1) if using else "unknown")
    is_com = "openfoam.com" in banner or bool(re.fullmatch(r"v?\d{4}", version))
    return Installation(
        project=project,
        flavour="com" if is_com else "org",
        version=f"v{version.lstrip('v')}" if is_com else version,
        build=build.group(1).strip() if build else "",
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it says nothing"


def dictionary_value(
    case: Path, file: str, entry: str, environment: Mapping[str, str]
) -> str | None:
    """Return an entry of a case's file as OpenFOAM reads it; None where there is none."""
    ended = _foam_dictionary(case, ["-entry", entry, "-value", file], environment)
    return ended.stdout.strip() if ended.returncode == 0 else None


def set_dictionary_value(
    case: Path, file: str, assignment: tuple[str, str], environment: Mapping[str, str]
) -> str:
    """Set an entry of a case's file; return what went wrong, in words, or nothing."""
    entry, value = assignment
    ended = _foam_dictionary(case, ["-entry", entry, "-set", value, file], environment)
    return "" if ended.returncode == 0 else _last_line(ended.stderr)


def _foam_dictionary(
    case: Path, arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("foamDictionary"), *arguments],
        cwd=case,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
