"""A stiff equation in time: exponential time differencing, Runge-Kutta of fourth order.

[Cox2002] S. M. Cox and P. C. Matthews, Exponential time differencing for stiff systems, Journal of
Computational Physics 176(2), 2002: the scheme.
[Kassam2005] A.-K. Kassam and L. N. Trefethen, Fourth-order time-stepping for stiff PDEs, SIAM
Journal on Scientific Computing 26(4), 2005: its coefficients without cancellation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Modes = NDArray[np.complex128]

_CIRCLE = np.exp(2j * np.pi * (np.arange(32) + 0.5) / 32)  # radius 1: the means are exact to 1e-15


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step of dv/dt = linear v + nonlinear(v), the linear part exact [Cox2002].

    Attributes:
        whole: growth of each mode by the linear part in the step, shape (k,).
        half: the same in half of it.
        middle: weight of the nonlinear part in the stages at half the step.
        first: its weight at the beginning of the step.
        inner: its weight in the middle, twice.
        last: its weight at the end.
    """

    whole: Modes
    half: Modes
    middle: Modes
    first: Modes
    inner: Modes
    last: Modes

    @classmethod
    def of(cls, linear: Modes, length: float) -> Self:
        """Return the step of this length; means over a circle avoid cancellation [Kassam2005].

        Args:
            linear: rate of each mode, shape (k,).
            length: of the step.
        """
        z = length * linear[:, np.newaxis] + _CIRCLE  # (k, 32)
        grown, cube = np.exp(z), z**3
        weights = (
            (np.exp(z / 2) - 1) / z,
            (-4 - z + grown * (4 - 3 * z + z**2)) / cube,
            (2 + z + grown * (z - 2)) / cube,
            (-4 - 3 * z - z**2 + grown * (4 - z)) / cube,
        )
        means = [length * weight.mean(1) for weight in weights]  # (k,) each
        return cls(np.exp(length * linear), np.exp(length * linear / 2), *means)

    def take(self, v: Modes, nonlinear: Callable[[Modes], Modes]) -> Modes:
        """Return the modes one step later, shape (k,)."""
        at_start = nonlinear(v)
        a = self.half * v + self.middle * at_start
        at_a = nonlinear(a)
        at_b = nonlinear(self.half * v + self.middle * at_a)
        at_end = nonlinear(self.half * a + self.middle * (2 * at_b - at_start))
        inner = 2 * (at_a + at_b)
        return self.whole * v + self.first * at_start + self.inner * inner + self.last * at_end
