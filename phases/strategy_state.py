"""What a strategy knows by itself, for checkpoints: its records and its random generators."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def state_of(strategy: object) -> dict[str, Any]:
    """Return what a checkpoint keeps of a strategy.

    That is its `records`, its generators (of numpy, torch and Python's `random`) wherever they are
    among its attributes, and what its own `state_dict()` returns, where it has one with
    `load_state_dict`.
    """
    state: dict[str, Any] = {"kind": type(strategy).__qualname__}
    if hasattr(strategy, "state_dict") and hasattr(strategy, "load_state_dict"):
        state["own"] = strategy.state_dict()
    if isinstance(records := getattr(strategy, "records", None), list):
        state["records"] = list(records)
    generators = {
        name: written
        for name, value in getattr(strategy, "__dict__", {}).items()
        if (written := _written(value)) is not None
    }
    return {**state, "generators": generators}


def restore(strategy: Any, state: Mapping[str, Any]) -> None:  # noqa: ANN401 - any strategy
    """Give a strategy what `state_of` kept; one of another class keeps what it has."""
    if state["kind"] != type(strategy).__qualname__:
        return
    if "own" in state:
        strategy.load_state_dict(state["own"])
    if "records" in state:
        strategy.records = list(state["records"])
    for name, written in state["generators"].items():
        _read(getattr(strategy, name, None), written)


def _written(value: object) -> Any:  # noqa: ANN401 - each generator its own
    match value:
        case np.random.Generator():
            return dict(value.bit_generator.state)
        case random.Random():
            return value.getstate()
        case torch.Generator():
            return value.get_state()
        case _:
            return None


def _read(generator: object, written: Any) -> None:  # noqa: ANN401 - each generator its own
    match generator:
        case np.random.Generator():
            generator.bit_generator.state = written
        case random.Random():
            generator.setstate(written)
        case torch.Generator():
            generator.set_state(written)
        case _:
            pass  # the strategy that is given now has none of this name
