"""Published values that OpenFOAM's labels are compared with, and where each is from.

None of the papers was at hand: the numbers are those of transcriptions in public repositories that
agree with one another. What a source itself has wrong is kept as published and left out of the
comparison (`Profile.doubtful`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SOURCES: Mapping[str, str] = {
    "Ghia1982": "U. Ghia, K. N. Ghia, C. T. Shin, High-Re solutions for incompressible flow using "
    "the Navier-Stokes equations and a multigrid method, J. Comput. Phys. 48 (1982) 387-411, "
    "tables I and II. The transcriptions differ in one digit: v at Reynolds 1000, x = 0.9063 is "
    "-0.51550 (also in LLNL-TR-403164) or -0.51500.",
    "Erturk2008": "E. Erturk, Numerical solutions of 2-D steady incompressible flow over a "
    "backward-facing step, Part I, Comput. Fluids 37 (2008) 633-655. As in benchmark-data.txt of "
    "github.com/chaos-polymtl/lethe.",
    "Gartling1990": "D. K. Gartling, A test problem for outflow boundary conditions, Int. J. "
    "Numer. Meth. Fluids 11 (1990) 953-967: 6.10 channel heights, the inlet in the step's plane.",
    "Williamson1989": "C. H. K. Williamson, Oblique and parallel modes of vortex shedding in the "
    "wake of a circular cylinder at low Reynolds numbers, J. Fluid Mech. 206 (1989) 579-627: "
    "measured, and fitted for Reynolds 49 to 178.",
    "Qu2013": "L. Qu, C. Norberg, L. Davidson, S.-H. Peng, F. Wang, Quantitative numerical "
    "analysis of flow past a circular cylinder at Reynolds number between 50 and 200, J. Fluids "
    "Struct. 39 (2013) 347-370, table 1, which has Park 1998 (drag 1.33, lift rms 0.235) and "
    "Posdziech 2007 (1.325, 0.228) beside it.",
    "SchaeferTurek1996": "M. Schaefer, S. Turek, Benchmark computations of laminar flow around a "
    "cylinder, Notes Numer. Fluid Mech. 52 (1996) 547-566, case 2D-1, with the digits of later "
    "computations.",
    "NASA-TMR": "NASA Langley turbulence modelling resource, 2D NACA 0012 validation: CFL3D with "
    "the k-omega SST model at Reynolds 6e6 (n0012clcd_cfl3d_sst.dat). The sharp trailing edge "
    "there is got by scaling, which leaves a thickness of 0.11894.",
    "Ladson1988": "C. L. Ladson, NASA TM 4074 (1988): measured at Reynolds 6e6 with 80-grit "
    "trips; between the angles 8.30 and 10.12 interpolated.",
    "Kang1999": "S. Kang, H. Choi, S. Lee, Laminar flow past a rotating circular cylinder, Phys. "
    "Fluids 11 (1999) 3312-3321, eq. 11: at Reynolds 100 the mean lift is -2.48 times the spin "
    "ratio, up to 1.",
}
"""What the keys stand for."""


@dataclass(frozen=True, slots=True)
class Value:
    """One published number.

    Attributes:
        family: which campaign: `examples/FAMILY/FAMILY.yaml`.
        parameters: the design point.
        quantity: name of the campaign's quantity.
        value: what was published.
        source: key of `SOURCES`.
        note: what a reader of the table should know.
    """

    family: str
    parameters: Mapping[str, float]
    quantity: str
    value: float
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """Published values of a field along a line of one coordinate.

    Attributes:
        family: which campaign.
        parameters: the design point.
        field: name of the campaign's field.
        along: 0 for a line along x, 1 along y.
        at: the other coordinate, in metres.
        positions: where, in metres.
        values: what was published there.
        source: key of `SOURCES`.
        doubtful: positions whose values are held to be wrong in the source itself.
    """

    family: str
    parameters: Mapping[str, float]
    field: str
    along: int
    at: float
    positions: tuple[float, ...]
    values: tuple[float, ...]
    source: str
    doubtful: frozenset[float] = field(default_factory=frozenset)


def strouhal(reynolds: float) -> float:
    """Return Williamson's fit of the shedding frequency over U/D [Williamson1989]."""
    return -3.3265 / reynolds + 0.1816 + 1.6e-4 * reynolds


# fmt: off
_Y = (1.0, 0.9766, 0.9688, 0.9609, 0.9531, 0.8516, 0.7344, 0.6172, 0.5,
      0.4531, 0.2813, 0.1719, 0.1016, 0.0703, 0.0625, 0.0547, 0.0)
_X = (1.0, 0.9688, 0.9609, 0.9531, 0.9453, 0.9063, 0.8594, 0.8047, 0.5,
      0.2344, 0.2266, 0.1563, 0.0938, 0.0781, 0.0703, 0.0625, 0.0)
_U = {
    100: (1.0, 0.84123, 0.78871, 0.73722, 0.68717, 0.23151, 0.00332, -0.13641, -0.20581,
          -0.21090, -0.15662, -0.10150, -0.06434, -0.04775, -0.04192, -0.03717, 0.0),
    400: (1.0, 0.75837, 0.68439, 0.61756, 0.55892, 0.29093, 0.16256, 0.02135, -0.11477,
          -0.17119, -0.32726, -0.24299, -0.14612, -0.10338, -0.09266, -0.08186, 0.0),
    1000: (1.0, 0.65928, 0.57492, 0.51117, 0.46604, 0.33304, 0.18719, 0.05702, -0.06080,
           -0.10648, -0.27805, -0.38289, -0.29730, -0.22220, -0.20196, -0.18109, 0.0),
}
_V = {
    100: (0.0, -0.05906, -0.07391, -0.08864, -0.10313, -0.16914, -0.22445, -0.24533, 0.05454,
          0.17527, 0.17507, 0.16077, 0.12317, 0.10890, 0.10091, 0.09233, 0.0),
    400: (0.0, -0.12146, -0.15663, -0.19254, -0.22847, -0.23827, -0.44993, -0.38598, 0.05186,
          0.30174, 0.30203, 0.28124, 0.22965, 0.20920, 0.19713, 0.18360, 0.0),
    1000: (0.0, -0.21388, -0.27669, -0.33714, -0.39188, -0.51550, -0.42665, -0.31966, 0.02526,
           0.32235, 0.33075, 0.37095, 0.32627, 0.30353, 0.29012, 0.27485, 0.0),
}
_REATTACHMENT = {100: 2.922, 200: 4.982, 400: 8.237, 600: 10.349, 800: 11.834}
# fmt: on

_DOUBTFUL = {400: frozenset({0.9063})}
"""v at Reynolds 400 breaks the curve there by 0.14: a misprint, as many have noted."""

PROFILES: tuple[Profile, ...] = tuple(
    profile
    for reynolds in (100, 400, 1000)
    for parameters in ({"reynolds": float(reynolds), "aspect": 1.0},)
    for profile in (
        Profile("cavity", parameters, "u", 1, 0.5, _Y, _U[reynolds], "Ghia1982"),
        Profile(
            "cavity", parameters, "v", 0, 0.5, _X, _V[reynolds], "Ghia1982",
            _DOUBTFUL.get(reynolds, frozenset()),
        ),
    )
)  # fmt: skip
"""Fields along lines."""

CIRCLE: Mapping[str, float] = {
    "reynolds": 20.0,
    "semi_axis_a": 0.05,
    "semi_axis_b": 0.05,
    "angle": 0.0,
    "height": 0.2,
}
"""The case 2D-1 of Schaefer and Turek."""

NACA0012: dict[str, float] = {
    "camber": 0.0,
    "position": 0.4,
    "thickness": 0.12,
    "reynolds": 6e6,
}

VALUES: tuple[Value, ...] = (
    *(
        Value("obstacle", CIRCLE, quantity, value, "SchaeferTurek1996")
        for quantity, value in (
            ("drag", 5.5795),
            ("lift", 0.010619),
            ("pressure_difference", 0.11752),
        )
    ),
    Value("aerofoil", NACA0012 | {"angle": 0.0}, "drag", 0.00809, "NASA-TMR"),
    Value("aerofoil", NACA0012 | {"angle": 10.0}, "lift", 1.0778, "NASA-TMR"),
    Value("aerofoil", NACA0012 | {"angle": 10.0}, "drag", 0.01236, "NASA-TMR"),
    Value("aerofoil", NACA0012 | {"angle": 0.0}, "drag", 0.00809, "Ladson1988"),
    Value("aerofoil", NACA0012 | {"angle": 10.0}, "lift", 1.059, "Ladson1988"),
    Value("aerofoil", NACA0012 | {"angle": 10.0}, "drag", 0.01191, "Ladson1988"),
    *(
        Value("step", {"reynolds": float(re), "step": 1.0}, "reattachment", length, "Erturk2008")
        for re, length in _REATTACHMENT.items()
    ),
    Value(
        "step", {"reynolds": 800.0, "step": 1.0}, "reattachment", 12.20, "Gartling1990",
        "inlet in the step's plane",
    ),
    *(
        Value(
            "cylinder", {"reynolds": re, "spin": 0.0}, "strouhal", strouhal(re), "Williamson1989"
        )
        for re in (80.0, 100.0, 150.0)
    ),
    Value("cylinder", {"reynolds": 100.0, "spin": 0.0}, "drag", 1.319, "Qu2013"),
    Value("cylinder", {"reynolds": 100.0, "spin": 0.0}, "lift_rms", 0.225, "Qu2013"),
    Value("cylinder", {"reynolds": 100.0, "spin": 0.5}, "lift", -1.24, "Kang1999"),
)  # fmt: skip
"""Quantities at design points."""
