"""What fields a surrogate predicts must be like before a solver looks at them."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from pools.errors import UsageError


def check_predicted(fields: NDArray[np.float64], points: int, names: Collection[str]) -> None:
    """Check that predicted fields are such as a solver answers.

    Args:
        fields: the predicted fields, shape (p, c) if all is well.
        points: points of the sample's mesh.
        names: the solver's fields, in order.

    Raises:
        UsageError: they have another shape, or are not finite.
    """
    if fields.shape != (points, len(names)):
        raise UsageError(
            f"the fields have shape {fields.shape}; the residual needs {', '.join(names)} at "
            f"the mesh's points, shape ({points}, {len(names)})"
        )
    if not np.isfinite(fields).all():
        raise UsageError(
            "the predicted fields are not finite; the training of the surrogate diverged: lower "
            "its learning rate, or look for non-finite values in the training pool"
        )
