"""The processes that train one learner together, or the only one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

_PATIENCE = timedelta(days=365)


def over_ranks(value: float, model: object) -> float:
    """Return the mean of a value over the ranks that train a model together."""
    if not isinstance(model, DistributedDataParallel):
        return value
    mean = torch.tensor([value], dtype=torch.float64, device=next(model.parameters()).device)
    distributed.all_reduce(mean, group=model.process_group)
    return float(mean) / distributed.get_world_size(model.process_group)


@dataclass(frozen=True, slots=True)
class Distribution:
    """This process among those that train together.

    Attributes:
        rank: its number, from 0.
        size: how many there are.
        device: where it trains; None where that is left to the configuration.
        group: who waits for each other; torch's own group, which gives up after minutes, if None.
    """

    rank: int = 0
    size: int = 1
    device: torch.device | None = None
    group: Any = None

    @classmethod
    def of(cls, manager: Any = None) -> "Distribution":  # noqa: ANN401 - anything with rank and size
        """Return this process's place.

        Args:
            manager: anything with `rank`, `world_size` and `device`, such as physicsnemo's
                DistributedManager; torch's process group, where it is initialised, if None.
        """
        if manager is not None:
            return cls(int(manager.rank), int(manager.world_size), torch.device(manager.device))
        if distributed.is_available() and distributed.is_initialized():
            return cls(distributed.get_rank(), distributed.get_world_size())
        return cls()

    @property
    def is_first(self) -> bool:
        """Whether this process does what is done once."""
        return self.rank == 0

    def patient(self) -> "Distribution":
        """Return it with a group that waits as long as the first process labels, be it for days.

        All processes call this. The group works in main memory, whatever the learner trains on.
        """
        if self.size == 1:
            return self
        return replace(self, group=distributed.new_group(backend="gloo", timeout=_PATIENCE))

    def barrier(self) -> None:
        """Wait for the others."""
        if self.size > 1:
            distributed.barrier(group=self.group)

    def wrapped(self, learner: Any) -> Any:  # noqa: ANN401 - any torch module
        """Return a learner whose gradients are averaged over the processes."""
        if self.size == 1:
            return learner
        on_gpu = self.device is not None and self.device.type == "cuda"
        return DistributedDataParallel(learner, device_ids=[self.device] if on_gpu else None)

    def on_first(self, work: Callable[[], object]) -> None:
        """Do something on the first process alone, while the others wait for it.

        Raises:
            RuntimeError: on the others, where the first one raised; there the error itself.
        """

        def done() -> bytes:
            work()
            return b""

        self.from_first(done)

    def from_first(self, work: Callable[[], bytes]) -> bytes:
        """Do something on the first process alone, and return on all what it returned there.

        Raises:
            RuntimeError: on the others, where the first one raised; there the error itself.
        """
        if self.size == 1:
            return work()
        content, fault = b"", None
        if self.is_first:
            try:
                content = work()
            except BaseException as error:  # noqa: BLE001 - the others must not wait for ever
                fault = error
        length = torch.tensor([-1 if fault else len(content)], device="cpu")
        distributed.broadcast(length, 0, group=self.group)
        if fault is not None:
            raise fault
        if (size := int(length.item())) < 0:
            raise RuntimeError("the first process has failed; see its log")
        if size == 0:
            return b""
        buffer = torch.empty(size, dtype=torch.uint8, device="cpu")
        if self.is_first:
            buffer.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        distributed.broadcast(buffer, 0, group=self.group)
        return bytes(buffer.numpy().tobytes())
