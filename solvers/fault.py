"""What is wrong with the answer of a solver; nobody vouches for that of a user's own."""

from collections.abc import Iterator, Mapping

import numpy as np

from pools.sample import Sample
from pools.solution import Mesh, Solution
from solvers.protocol import Solver

_GRADES = frozenset({"", "converged", "marginal"})


def fault(solver: Solver, sample: Sample, solution: Solution) -> str:
    """Say what is wrong with a solver's answer, in words; empty where nothing is.

    Args:
        solver: says which quantities and fields the answer has, and in which units.
        sample: the question.
        solution: whatever the solver returned.
    """
    try:
        return next(_faults(solver, sample, solution), "")
    except (AttributeError, TypeError, ValueError) as error:
        return (
            f"the solver's answer, of the type {type(solution).__name__}, cannot be read as a "
            f"pools.solution.Solution: {type(error).__name__}: {error}"
        )


def _faults(solver: Solver, sample: Sample, solution: Solution) -> Iterator[str]:
    """Yield what is wrong; what comes later takes for granted what came before."""
    if solution.sample.id != sample.id:
        yield f"answered the sample {solution.sample.id}, but was asked for {sample.id}"
    quantities = {name: quantity.unit for name, quantity in solution.quantities.items()}
    fields = {name: field.unit for name, field in solution.fields.items()}
    if quantities != dict(solver.quantities):
        yield f"answered the quantities {quantities}, expected {dict(solver.quantities)}"
    if fields != dict(solver.fields):
        yield f"answered the fields {fields}, expected {dict(solver.fields)}"
    if solution.grade not in _GRADES:
        yield (
            f"the answer's grade is {solution.grade!r}, expected converged, marginal or nothing; "
            "an answer that the solver rejects is a SolverError"
        )
    yield from _mesh_faults(solution.mesh)
    points = len(solution.mesh.points)
    numbers = {name: quantity.value for name, quantity in solution.quantities.items()}
    yield from _value_faults("quantity", numbers, ())
    values = {name: field.values for name, field in solution.fields.items()}
    yield from _value_faults("field", values, (points,))


def _value_faults(
    kind: str, values: Mapping[str, object], shape: tuple[int, ...]
) -> Iterator[str]:
    for name, value in values.items():
        array = np.asarray(value)
        if array.shape != shape:
            yield f"the {kind} {name} has the shape {array.shape}, expected {shape}"
        if bad := np.count_nonzero(~np.isfinite(array)):
            yield f"the {kind} {name} is not finite: {bad} of {array.size} values, expected none"


def _mesh_faults(mesh: Mesh) -> Iterator[str]:
    points, weights = len(mesh.points), mesh.weights
    if np.shape(mesh.points) != (points, 3) or not points:
        yield f"the mesh's points have the shape {np.shape(mesh.points)}, expected (p, 3)"
    if not np.isfinite(mesh.points).all():
        yield "the mesh's points are not finite, expected coordinates in metres"
    if np.shape(weights) != (points,):
        yield f"the mesh's weights have the shape {np.shape(weights)}, expected {(points,)}"
    if not (np.isfinite(weights).all() and np.min(weights) >= 0 and np.sum(weights) > 0):
        yield (
            f"the mesh's weights go from {np.min(weights)} to {np.max(weights)} and sum to "
            f"{np.sum(weights)}, expected finite shares that are not negative and sum to 1"
        )
    yield from _cell_faults(mesh, points)


def _cell_faults(mesh: Mesh, points: int) -> Iterator[str]:
    used, offsets, cells = mesh.connectivity, mesh.offsets, len(mesh.types)
    if len(used) and not (np.min(used) >= 0 and np.max(used) < points):
        yield (
            f"the mesh's connectivity goes from {np.min(used)} to {np.max(used)}, expected "
            f"indices from 0 to {points - 1}"
        )
    if len(offsets) != cells + 1 or offsets[0] != 0 or offsets[-1] != len(used):
        yield (
            f"the mesh's {len(offsets)} offsets go from {offsets[:1]} to {offsets[-1:]}, expected "
            f"{cells + 1} from 0 to {len(used)}: one more than the {cells} types of cells"
        )
    if np.any(np.diff(offsets) < 0):
        yield "the mesh's offsets decrease, expected where each cell begins, in order"
