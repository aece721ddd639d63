#!/usr/bin/env python3
"""Stands for any external program: heat carried by laminar flow between two plates.

It knows nothing of solverloop. It reads its parameters from a JSON file and writes a JSON file:

    command_solver.py --input input.json --output output.json --substeps 8

The flow is developed and enters cold; from `start` on, both plates are warm. The temperature is
marched downstream, implicitly. Where the warm layers are too thin for the grid, it ends with the
exit code 4.
"""

import argparse
import json
import sys
from pathlib import Path

LENGTH, HEIGHT = 0.05, 0.01  # m
DIFFUSIVITY = 1.4e-7  # m2/s, water
COLUMNS, ROWS = 65, 25  # points along and across
TOO_COARSE = 4  # exit code


def main() -> int:
    """Read, solve, write; return the exit code."""
    parser = argparse.ArgumentParser(description="Heat in laminar flow between plates")
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--substeps", type=int, default=8, help="steps from column to column")
    options = parser.parse_args()
    asked = json.loads(options.input.read_text(encoding="utf-8"))
    speed, warm, start = asked["flow"]["speed"], asked["wall"]["warmth"], asked["wall"]["start"]
    layer = (9 * DIFFUSIVITY * (LENGTH - start) * HEIGHT / (6 * speed)) ** (1 / 3)
    if layer < 4 * HEIGHT / (ROWS - 1):
        sys.stderr.write(f"warm layers of {layer:.2g} m are too thin for {ROWS} points\n")
        return TOO_COARSE
    columns = march(speed, warm, start, options.substeps)
    bulk = mean(columns[-1])
    answer = {
        "temperature": columns,
        "outlet": {"bulk": bulk, "nusselt": 2 * HEIGHT * slope(columns[-1]) / (warm - bulk)},
    }
    options.output.write_text(json.dumps(answer), encoding="utf-8")
    return 0


def march(speed: float, warm: float, start: float, substeps: int) -> list[list[float]]:
    """Return the temperature at every point, column by column."""
    step = LENGTH / (COLUMNS - 1) / substeps
    columns = [[0.0] * ROWS]
    for column in range(1, COLUMNS):
        temperature = columns[-1]
        for substep in range(substeps):
            x = ((column - 1) * substeps + substep + 1) * step
            temperature = advance(temperature, warm if x >= start else 0.0, speed, step)
        columns.append(temperature)
    return columns


def advance(old: list[float], wall: float, speed: float, step: float) -> list[float]:
    """Go one step downstream: a tridiagonal system across, solved by elimination."""
    across = (HEIGHT / (ROWS - 1)) ** 2
    upper, right = [0.0], [wall]
    for row in range(1, ROWS - 1):
        carried = speed * profile(row) * across / (DIFFUSIVITY * step)
        pivot = carried + 2 - upper[-1]
        upper.append(1 / pivot)
        right.append((carried * old[row] + right[-1]) / pivot)
    new = [wall]
    for row in range(ROWS - 2, 0, -1):
        new.append(right[row] + upper[row] * new[-1])
    return [*new, wall]  # the flow is symmetric, and so is what was solved from the far wall


def profile(row: int) -> float:
    """Return the speed at a point across, over the mean speed."""
    y = row / (ROWS - 1)
    return 6 * y * (1 - y)


def mean(column: list[float]) -> float:
    """Return the temperature of what flows through a column, mixed."""
    return sum(profile(row) * value for row, value in enumerate(column)) / sum(
        profile(row) for row in range(ROWS)
    )


def slope(column: list[float]) -> float:
    """Return the temperature's gradient at the wall, in K/m."""
    step = HEIGHT / (ROWS - 1)
    return (3 * column[0] - 4 * column[1] + column[2]) / (2 * step)


if __name__ == "__main__":
    sys.exit(main())
