"""Whether seeds tell a strategy from its baseline, and what remains when many are asked.

[Wilcoxon1945] F. Wilcoxon, Individual comparisons by ranking methods, Biometrics Bulletin 1(6),
1945.
[Holm1979] S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal
of Statistics 6(2), 1979.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

Array = NDArray[np.float64]


def signed_rank(differences: Array) -> float:
    """Return the two-sided p-value of paired differences, shape (s,), about 0 [Wilcoxon1945].

    It is exact without ties. With five seeds it is never below 0.0625, with one it is 1.
    """
    if not differences.any():
        return 1.0
    return float(wilcoxon(differences).pvalue)


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """Return p-values that are corrected for how many strategies were tested [Holm1979].

    Args:
        values: p-value of each strategy.
    """
    ascending = sorted(values, key=lambda name: values[name])
    corrected, so_far = {}, 0.0
    for place, name in enumerate(ascending):
        so_far = max(so_far, min(1.0, (len(values) - place) * values[name]))
        corrected[name] = so_far
    return {name: corrected[name] for name in values}
