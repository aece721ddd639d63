"""Draws fields with pyvista, off-screen: `python -m reports.render DIRECTORY`.

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
Image = NDArray[Any]  # shape (height, width, colours), from 0 to 1

_SCENE, _PANEL = "scene-{:03d}", "panel-{:03d}"
_PIXELS = 1000  # along the longer side
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
class Scene:
    """Pictures on one mesh."""

    mesh: Mesh
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True, eq=False)
class Rendering:
    """For each scene one image a panel; or no image at all, and why in words."""

    images: Sequence[Sequence[Image]]
    trouble: str = ""


def is_planar(mesh: Mesh) -> bool:
    """Whether the mesh lies in the plane of x and y."""
    return bool(np.ptp(mesh.points[:, 2]) == 0)


def render(scenes: Sequence[Scene]) -> Rendering:
    """Draw scenes in a process of their own; a planar mesh fills its images exactly."""
    with tempfile.TemporaryDirectory(prefix="solverloop-render-") as name:
        directory = Path(name)
        for index, scene in enumerate(scenes):
            _write(directory / _SCENE.format(index), scene)
        command = [sys.executable, "-m", "reports.render", str(directory)]
        if trouble := _trouble(command):
            return Rendering([[] for _ in scenes], trouble)
        return Rendering([_read(directory / _SCENE.format(i)) for i in range(len(scenes))])


def _write(directory: Path, scene: Scene) -> None:
    """Write a scene for the other process to read."""
    fields = {_PANEL.format(i): Field(p.values, "1") for i, p in enumerate(scene.panels)}
    solution = Solution(Sample("picture", {}), scene.mesh, fields, {})
    write_solution(directory / "fields.vtkhdf", solution)
    colours = [asdict(panel.colours) for panel in scene.panels]
    (directory / "colours.json").write_text(json.dumps(colours))


def _read(directory: Path) -> list[Image]:
    return [imread(file) for file in sorted(directory.glob("*.png"))]


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


def _draw(directory: Path) -> None:
    """Draw one scene, in this process."""
    import pyvista  # only this process may load VTK's OpenGL

    grid = pyvista.read(directory / "fields.vtkhdf")
    for index, colours in enumerate(json.loads((directory / "colours.json").read_text())):
        plotter: Any = pyvista.Plotter(off_screen=True, window_size=_size(grid.bounds))
        plotter.set_background("white")
        plotter.enable_anti_aliasing("ssaa")
        _add(plotter, grid, _PANEL.format(index), colours)
        _look_at(plotter, grid.bounds)
        plotter.screenshot(directory / f"{_PANEL.format(index)}.png")
        plotter.close()  # used again it would have another camera


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


def _size(bounds: Sequence[float]) -> list[int]:
    """Return pixels across and up: square ones for a planar mesh."""
    x, y, z = (bounds[1] - bounds[0], bounds[3] - bounds[2], bounds[5] - bounds[4])
    if z or not (x and y):
        return [_PIXELS, _PIXELS * 3 // 4]
    longer = max(x, y)
    return [max(round(_PIXELS * side / longer), 2) for side in (x, y)]


def _look_at(plotter: Any, bounds: Sequence[float]) -> None:  # noqa: ANN401 - pyvista is untyped here
    if bounds[5] > bounds[4]:
        plotter.camera_position = "iso"
        plotter.reset_camera()
        return
    plotter.view_xy()
    plotter.enable_parallel_projection()
    plotter.camera.parallel_scale = (bounds[3] - bounds[2]) / 2


if __name__ == "__main__":
    for scene_directory in sorted(Path(sys.argv[1]).iterdir()):
        _draw(scene_directory)
