"""An external program for tests: reads `input.json`, and does what its arguments say.

Run as `python command_program.py --input FILE --output FILE [what to do]`. By default it answers
in the format that the output's name asks for.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
TRIANGLES = [[0, 1, 2], [0, 2, 3]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--gain", type=float, default=1.0)
    parser.add_argument("--say", default="")
    parser.add_argument("--write", help="this text instead of an answer")
    parser.add_argument("--without", help="the answer without this key")
    parser.add_argument("--record", action="store_true", help="note how it was called")
    parser.add_argument("--sleep", type=float, default=0.0)
    parser.add_argument("--signal", type=int)
    parser.add_argument("--exit", type=int, default=0)
    parser.add_argument("--fails-above", type=float, default=float("inf"))
    options = parser.parse_args()
    sys.stdout.write(f"{options.say}\n")
    sys.stdout.flush()
    asked = json.loads(options.input.read_text())
    if options.record:
        called = {"arguments": sys.argv, "environment": dict(os.environ), "cwd": os.getcwd()}  # noqa: PTH109
        Path("called.json").write_text(json.dumps(called))
    time.sleep(options.sleep)
    if options.signal is not None:
        os.kill(os.getpid(), options.signal)
    if "x" in asked and asked["x"] > options.fails_above:
        sys.exit(3)
    if options.write is None:
        write(options.output, answer(asked, options.gain), options.without)
    elif options.write:
        options.output.write_text(options.write)
    sys.exit(options.exit)


def answer(asked: dict[str, float], gain: float) -> dict[str, object]:
    x, y = asked.get("x", 0.0), asked.get("y", 0.0)
    speed = [[gain * x * px, y * py, 1.0] for px, py in SQUARE]
    heat = [x + gain * y * px for px, _ in SQUARE]
    sums = {"sum": gain * (x + y), "forces": {"lift": x * y}}
    return {**sums, "points": SQUARE, "cells": TRIANGLES, "speed": speed, "heat": heat}


def write(file: Path, content: dict[str, object], without: str | None) -> None:
    kept = {key: value for key, value in content.items() if key != without}
    if file.suffix == ".json":
        file.write_text(json.dumps(kept))
        return
    import h5py

    forces = kept.pop("forces", {})
    with h5py.File(file, "w") as stream:
        for key, value in [*kept.items(), *((f"forces/{k}", v) for k, v in forces.items())]:
            stream[key] = value


if __name__ == "__main__":
    main()
