"""LCMD-TP by bmdal_reg 3.0.2, the code of the method's authors: an oracle, not a dependency."""

from functools import partial

import numpy as np
import pytest
import torch

from strategies.cover import Features, Indices


def oracle_picks(candidates: Features, labelled: Features, k: int) -> Indices:
    """Return what bmdal_reg picks; skip the test, and say so, where it is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "Inf", np.inf, raising=False)  # it was written for NumPy 1
        bmdal = "bmdal_reg.bmdal."
        reason = "the oracle of LCMD is not installed: pip install bmdal-reg==3.0.2"
        need = partial(pytest.importorskip, reason=reason, exc_type=ImportError)
        selection, feature = need(bmdal + "selection"), need(bmdal + "features")
        maps, data = need(bmdal + "feature_maps"), need(bmdal + "feature_data")
        identity = maps.IdentityFeatureMap(candidates.shape[1])
        pool, train = (
            feature.Features(identity, data.TensorFeatureData(torch.from_numpy(rows)))
            for rows in (candidates, labelled)
        )
        method = selection.LargestClusterMaxDistSelectionMethod(pool, train, verbosity=0)
        return np.asarray(method.select(k).numpy(), np.intp)
