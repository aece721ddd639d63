"""Writes the NACA 4-digit surface: expressions into `aerofoil.yaml`, macros into the case.

The surface is a spline through points whose coordinates are arithmetic of camber, position and
thickness. There are too many of them to write by hand:

    python examples/aerofoil/make_template.py

[Jacobs1933] E. N. Jacobs, K. E. Ward, R. M. Pinkerton, The characteristics of 78 related airfoil
sections from tests in the variable-density wind tunnel, NACA report 460, 1933.
"""

import math
from pathlib import Path

HERE = Path(__file__).parent
CAMPAIGN = HERE / "aerofoil.yaml"
SURFACE = HERE / "case" / "system" / "surface"

STATIONS = 28
"""Points of each side, without the leading and the trailing edge."""
SPLIT = 14
"""The station where the block around the nose ends and those of the two sides begin."""
SPAN = 1
"""Distance of the two planes in metres; the flow does not depend on it."""

_BEGIN = "    # Written by make_template.py, a line for each station of the surface.\n"
_END = "    # End of what make_template.py wrote.\n"


def main() -> None:
    """Write both files anew."""
    text = CAMPAIGN.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN, 1)
    _, after = rest.split(_END, 1)
    CAMPAIGN.write_text(before + derived() + after, encoding="utf-8")
    SURFACE.write_text(surface(), encoding="utf-8")


def derived() -> str:
    """Return the surface as expressions, one station a line."""
    lines = "".join(f"    {_station(k)}\n" for k in range(1, STATIONS + 1))
    return _BEGIN + lines + _END


def surface() -> str:
    """Return the lists of the surface's points, by their names in the generated dictionary."""
    nose = [*_side("l", range(SPLIT - 1, 0, -1)), "(0 0 {z})", *_side("u", range(1, SPLIT))]
    upper = list(_side("u", range(SPLIT + 1, STATIONS + 1)))
    lower = list(_side("l", range(SPLIT + 1, STATIONS + 1)))
    lists = {"nose": nose, "upper": upper, "lower": lower}
    return "// Written by make_template.py; included by blockMeshDict.\n" + "".join(
        _list(f"{name}_{plane}", points, z)
        for name, points in lists.items()
        for plane, z in (("back", 0), ("front", SPAN))
    )


def _position(station: int) -> float:
    """Return the share of the chord: the square of even steps, so that the nose has most."""
    return (station / (STATIONS + 1)) ** 2


def _half_thickness(x: float) -> float:
    """Return half the thickness over t, with the trailing edge closed [Jacobs1933]."""
    polynomial = 0.2969 * math.sqrt(x) - 0.1260 * x - 0.3516 * x**2 + 0.2843 * x**3
    return 5 * (polynomial - 0.1036 * x**4)


def _station(k: int) -> str:
    """Return a station's expressions; the camber line is two parabolas that meet at its top."""
    x, half = f"{_position(k):.8f}", f"{_half_thickness(_position(k)):.8f}"
    expressions = {
        f"w{k}": f"aft + step(position - {x})*(fore - aft)",
        f"g{k}": f"2*camber*(position - {x})/w{k}",
        f"c{k}": f"camber*(1 - (position - {x})**2/w{k})",
        f"h{k}": f"{half}*thickness/sqrt(1 + g{k}**2)",
        f"xu{k}": f"{x} - h{k}*g{k}",
        f"yu{k}": f"c{k} + h{k}",
        f"xl{k}": f"{x} + h{k}*g{k}",
        f"yl{k}": f"c{k} - h{k}",
    }
    return "".join(f"{name}: {text}, " for name, text in expressions.items()).rstrip()


def _side(side: str, stations: range) -> list[str]:
    return [f"($x{side}{k} $y{side}{k} {{z}})" for k in stations]


def _list(name: str, points: list[str], z: float) -> str:
    lines = "".join(f"    {point.format(z=z)}\n" for point in points)
    return f"\n{name}\n(\n{lines});\n"


if __name__ == "__main__":
    main()
