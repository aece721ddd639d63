"""The combined equation on a circle: Burgers', the heat equation and Korteweg-de Vries' in one.

    u_t + (alpha u^2 - beta u_x + gamma u_xx)_x = 0 [Brandstetter2022]

by Fourier modes, free of aliasing by the two-thirds rule [Orszag1971].

[Brandstetter2022] J. Brandstetter, D. Worrall and M. Welling, Message passing neural PDE solvers,
ICLR 2022.
[Orszag1971] S. A. Orszag, On the elimination of aliasing in finite-difference schemes by filtering
high-wavenumber components, Journal of the Atmospheric Sciences 28, 1971.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.etdrk4 import Modes, Step

Array = NDArray[np.float64]

LENGTH = 16.0
"""Of the circle, as in [Brandstetter2022]."""


@dataclass(frozen=True, slots=True)
class CombinedEquation:
    """The equation with its coefficients [Brandstetter2022].

    Attributes:
        alpha: of the steepening u^2: 3 in Korteweg-de Vries', 1/2 in Burgers' equation.
        beta: of the diffusion; below 0 it is no equation.
        gamma: of the dispersion.
    """

    alpha: float
    beta: float
    gamma: float

    def solve(self, initial: Array, duration: float, steps: int) -> Modes:
        """Return the modes of u at the end, shape (p // 2 + 1,); not finite where it blew up.

        Args:
            initial: u at the beginning, at `places(p)`, shape (p,).
            duration: time from the beginning to the end.
            steps: how many equal steps lead there.
        """
        points = len(initial)
        index = np.arange(points // 2 + 1)
        kept, slopes = index < points / 3, 2j * np.pi / LENGTH * index  # [Orszag1971]
        rates = self.beta * slopes**2 - self.gamma * slopes**3
        flux = -self.alpha * slopes * kept

        def steepening(modes: Modes) -> Modes:
            return flux * np.fft.rfft(np.fft.irfft(modes, points) ** 2)

        step, modes = Step.of(rates * kept, duration / steps), np.fft.rfft(initial) * kept
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(steps):
                modes = step.take(modes, steepening)
        return modes


def places(points: int) -> Array:
    """Return the coordinates of evenly spaced points of the circle, shape (p,)."""
    return np.linspace(0.0, LENGTH, points, endpoint=False)


def tail(modes: Modes) -> float:
    """Return the largest of the shortest waves that are resolved, over the largest of all.

    What is not small was not resolved: the solution is as good as this number, about.
    """
    sizes = np.abs(modes)
    last = (2 * (len(modes) - 1) - 1) // 3  # the shortest that the two-thirds rule keeps
    return float(sizes[last - last // 8 : last + 1].max() / sizes.max())
