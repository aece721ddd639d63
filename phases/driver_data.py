"""Batches of a pool: shuffled by epoch, and shared out among the processes that train."""

from typing import TYPE_CHECKING, Any

from torch.utils.data import DataLoader
from torch.utils.data.distributed import DistributedSampler

from pools.seeds import seed_for

if TYPE_CHECKING:
    from phases.driver import Driver


def batches(driver: "Driver", pool: Any, *, shuffle: bool) -> DataLoader[Any] | None:  # noqa: ANN401
    """Return a loader of a pool; None without a pool.

    The order depends on the run's seed, the step and the epoch alone, so that a resumed training
    sees the samples as an uninterrupted one does.
    """
    if pool is None:
        return None
    config, place = driver.config, driver.distribution
    seed = seed_for(config.seed or 0, driver.active_learning_step_idx, "batches") % 2**31
    sampler: DistributedSampler[Any] = DistributedSampler(
        pool, num_replicas=place.size, rank=place.rank, shuffle=shuffle, seed=seed
    )
    return DataLoader(
        pool,
        batch_size=config.batch_size,
        sampler=sampler,
        collate_fn=config.collate_fn,
        num_workers=config.num_dataloader_workers,
    )
