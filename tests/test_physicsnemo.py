"""A `physicsnemo.Module` as a learner, where NVIDIA's package is installed."""

from pathlib import Path

import pytest
from driver_examples import config, outcome, resumed, strategies, training

from phases.driver import Driver

MLP = pytest.importorskip(
    "physicsnemo.models.mlp",
    reason="physicsnemo is not installed: pip install 'solverloop[physicsnemo]'",
    exc_type=ImportError,
)


def test_a_physicsnemo_module_is_a_learner_as_any_other(tmp_path: Path) -> None:
    net = MLP.FullyConnected(in_features=2, layer_size=8, out_features=1, num_layers=1)
    done = Driver(config(tmp_path), net, strategies(), training())
    done.run()
    other = MLP.FullyConnected(in_features=2, layer_size=8, out_features=1, num_layers=1)
    again = resumed(tmp_path / "run", learner=other)
    assert outcome(again)["weights"] == outcome(done)["weights"]
    assert len(outcome(done)["pool"]) == 6 + 9
