"""Choosing 100 of many candidates by LCMD, against bmdal_reg 3.0.2 on the same features.

Both run on one thread and must pick the same indices. The features are drawn twice: independent
normal, where no candidate is near another, and from six parameters, as a surrogate's are. With
--full also a million candidates, ours alone, with its peak memory. bmdal_reg is the code of the
method's authors; it is no dependency: pip install --no-deps bmdal-reg==3.0.2 dill
"""

import argparse
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy loads its matrix products

import numpy as np
import torch

from strategies.clustering import largest_cluster_picks
from strategies.cover import Features, Indices

CLAIM = 5.0
"""Times faster than bmdal_reg."""
MILLION_SECONDS, MILLION_GIB = 60.0, 4.0
DIMENSIONS, LABELLED, BATCH, PARAMETERS = 512, 1000, 100, 6
_ROWS = 8192

Pick = Callable[[Features, Features], Indices]


@dataclass(frozen=True, slots=True)
class Pool:
    """Features of candidates, shape (n, D), and of labelled points, shape (m, D)."""

    name: str
    candidates: Features
    labelled: Features


def main() -> None:
    """Print the tables; exit with 1 where a claim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="a million candidates as well")
    parser.add_argument("--candidates", type=int, default=100_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    missed = [
        missing
        for draw in (independent, of_parameters)
        if (missing := compare(draw(options.candidates)))
    ]
    if options.full:
        missed += million(independent(1_000_000))
    if missed:
        raise SystemExit("; ".join(missed))


def compare(pool: Pool) -> str:
    """Print one comparison; return what was missed, in words."""
    ours, our_seconds = _timed(_ours, pool)
    theirs, their_seconds = _timed(_bmdal, pool)
    same, ratio = bool((ours == theirs).all()), their_seconds / our_seconds
    n = len(pool.candidates)
    print(f"{n} candidates, {pool.name}, {_setting()}; CPU seconds of one thread")
    print(f"  {'bmdal_reg 3.0.2':20}{their_seconds:8.2f} s")
    print(f"  {'ours':20}{our_seconds:8.2f} s   {'same' if same else 'OTHER'} picks")
    print(f"  {'ratio':20}{ratio:8.2f}     (claim: at least {CLAIM:g})", flush=True)
    if not same:
        return f"{pool.name}: the picks differ"
    return f"{pool.name}: {ratio:.1f} times faster, not {CLAIM:g}" if ratio < CLAIM else ""


def million(pool: Pool) -> list[str]:
    """Print time and memory of a million candidates; return what was missed, in words."""
    start = time.perf_counter()
    _, cpu = _timed(_ours, pool)
    seconds, peak = time.perf_counter() - start, _peak_gib()
    print(f"{len(pool.candidates)} candidates, {pool.name}, {_setting()}")
    print(f"  {'wall':20}{seconds:8.1f} s   (claim: under {MILLION_SECONDS:g})")
    print(f"  {'CPU':20}{cpu:8.1f} s")
    print(f"  {'peak memory':20}{peak:8.2f} GiB (claim: under {MILLION_GIB:g})")
    slow = [f"a million took {seconds:.0f} s"] if seconds >= MILLION_SECONDS else []
    return slow + ([f"a million took {peak:.1f} GiB"] if peak >= MILLION_GIB else [])


def independent(n: int) -> Pool:
    """Draw features without any structure."""
    rng = np.random.default_rng(0)
    shapes = (n, DIMENSIONS), (LABELLED, DIMENSIONS)
    return Pool("independent normal", *(rng.standard_normal(s, dtype=np.float32) for s in shapes))


def of_parameters(n: int) -> Pool:
    """Draw features that are smooth in a few parameters."""
    rng = np.random.default_rng(1)
    mixing = rng.standard_normal((PARAMETERS, DIMENSIONS), dtype=np.float32)
    points = rng.random((n + LABELLED, PARAMETERS), dtype=np.float32)
    features = np.tanh(points @ mixing)
    return Pool(f"of {PARAMETERS} parameters", features[:n], features[n:])


def _ours(candidates: Features, labelled: Features) -> Indices:
    return largest_cluster_picks(candidates, labelled, BATCH).indices


def _bmdal(candidates: Features, labelled: Features) -> Indices:
    vars(np).setdefault("Inf", np.inf)  # it was written for NumPy 1
    from bmdal_reg.bmdal.feature_data import TensorFeatureData
    from bmdal_reg.bmdal.feature_maps import IdentityFeatureMap
    from bmdal_reg.bmdal.features import Features as Peer
    from bmdal_reg.bmdal.selection import LargestClusterMaxDistSelectionMethod as Method

    identity = IdentityFeatureMap(DIMENSIONS)
    tensors = (TensorFeatureData(torch.from_numpy(rows)) for rows in (candidates, labelled))
    pool, train = (Peer(identity, tensor) for tensor in tensors)
    return np.asarray(Method(pool, train, verbosity=0).select(BATCH).numpy(), np.intp)


def _timed(pick: Pick, pool: Pool) -> tuple[Indices, float]:
    start = time.process_time()
    picks = pick(pool.candidates, pool.labelled)
    return picks, time.process_time() - start


def _setting() -> str:
    return f"D = {DIMENSIONS}, {LABELLED} labelled, batch {BATCH}"


def _peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    main()
