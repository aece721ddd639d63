"""Draws fields with pyvista, off-screen: `python -m reports.render FILE.vtkhdf PANELS.json DIR`.

A process of its own: on a machine with neither EGL nor OSMesa, VTK dies of a segmentation fault.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.image import imread
from numpy.typing import NDArray

from pools.sample import Sample
from pools.solution import Field, Mesh, Solution
from pools.vtkhdf import write_solution

Array = NDArray[np.float64]

_PIXELS = 1400  # along the longer side
_PATIENCE = 180.0  # seconds; the first picture on a busy machine takes a few


@dataclass(frozen=True, slots=True)
class Colours:
    """How values become colours: the range, and the name of matplotlib's colour map."""

    low: float
    high: float
    map: str


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One picture of a field: values at the mesh's points, shape (p,), and their colours."""

    values: Array
    colours: Colours


@dataclass(frozen=True, slots=True, eq=False)
class Rendering:
    """One image for each panel; or none, and why in words."""

    images: tuple[NDArray[Any], ...] = ()
    trouble: str = ""


def is_planar(mesh: Mesh) -> bool:
    """Whether the mesh lies in the plane of x and y."""
    return bool(np.ptp(mesh.points[:, 2]) == 0)


def render(mesh: Mesh, panels: Sequence[Panel]) -> Rendering:
    """Draw panels in a process of its own; a planar mesh fills its images exactly."""
    with tempfile.TemporaryDirectory(prefix="solverloop-render-") as name:
        directory = Path(name)
        file, plan = directory / "fields.vtkhdf", directory / "panels.json"
        fields = {_called(i): Field(panel.values, "1") for i, panel in enumerate(panels)}
        write_solution(file, Solution(Sample("picture", {}), mesh, fields, {}))
        plan.write_text(json.dumps([asdict(panel.colours) for panel in panels]))
        command = [sys.executable, "-m", "reports.render", *map(str, (file, plan, directory))]
        if trouble := _trouble(command):
            return Rendering(trouble=trouble)
        images = [imread(directory / f"{_called(i)}.png") for i in range(len(panels))]
        return Rendering(tuple(images))


def _called(index: int) -> str:
    return f"panel-{index:03d}"


def _trouble(command: Sequence[str]) -> str:
    """Run a command and say what went wrong, in words; nothing when it went well."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {_PATIENCE:g} s"
    if done.returncode < 0:
        return f"it was ended by signal {-done.returncode}"
    last = done.stderr.strip().rpartition("\n")[2]
    return f"it failed: {last}" if done.returncode else ""


def _draw_all(file: Path, plan: Path, directory: Path) -> None:
    import pyvista  # noqa: PLC0415 - only this process may load VTK's OpenGL

    grid, panels = pyvista.read(file), json.loads(plan.read_text())
    size = _size(grid.bounds)
    plotter = pyvista.Plotter(off_screen=True, window_size=size)
    plotter.set_background("white")
    plotter.enable_anti_aliasing("ssaa")
    for index, colours in enumerate(panels):
        plotter.clear_actors()
        _add(plotter, grid, _called(index), colours)
        _look_at(plotter, grid.bounds)
        plotter.screenshot(directory / f"{_called(index)}.png")
    plotter.close()


def _add(plotter: Any, grid: Any, array: str, colours: Mapping[str, Any]) -> None:  # noqa: ANN401 - pyvista is untyped here
    plotter.add_mesh(
        grid,
        scalars=array,
        clim=(colours["low"], colours["high"]),
        cmap=colours["map"],
        lighting=False,
        show_scalar_bar=False,
        point_size=8,
    )


def _size(bounds: Sequence[float]) -> tuple[int, int]:
    """Return pixels across and up: square ones for a planar mesh."""
    x, y, z = (bounds[1] - bounds[0], bounds[3] - bounds[2], bounds[5] - bounds[4])
    if z or not (x and y):
        return _PIXELS, _PIXELS * 3 // 4
    longer = max(x, y)
    return max(round(_PIXELS * x / longer), 2), max(round(_PIXELS * y / longer), 2)


def _look_at(plotter: Any, bounds: Sequence[float]) -> None:  # noqa: ANN401 - pyvista is untyped here
    if bounds[5] > bounds[4]:
        plotter.camera_position = "iso"
        plotter.reset_camera()
        return
    plotter.view_xy()
    plotter.enable_parallel_projection()
    plotter.camera.parallel_scale = (bounds[3] - bounds[2]) / 2


if __name__ == "__main__":
    _draw_all(*map(Path, sys.argv[1:4]))
