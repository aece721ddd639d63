"""The classes of the documentation page, as printed; only their import lines are other ones."""

# mypy: ignore-errors

import json
import subprocess
from pathlib import Path
from queue import Queue

import torch
from torch.utils.data import DataLoader

from strategies.protocols import AbstractQueue, LabelStrategy, QueryStrategy


class UncertaintyQueryStrategy:
    """Select samples where model predictions are most uncertain."""

    __protocol_name__ = "UncertaintyQuery"

    def __init__(self, max_samples: int, batch_size: int = 32):
        self.max_samples = max_samples
        self.batch_size = batch_size
        self.driver = None

    def attach(self, driver):
        """Attach to the active learning driver."""
        # this will be called by ``Driver.attach_strategies``
        self.driver = driver

    @property
    def is_attached(self) -> bool:
        """Check if attached to a driver."""
        # this is mainly used for exception handling
        return self.driver is not None

    def sample(self, query_queue: AbstractQueue, *args, **kwargs):
        """Select most uncertain samples from unlabeled pool."""
        # Create dataloader for unlabeled pool; this isn't necessarily
        # best practice, but transparent for this example
        unlabeled_loader = DataLoader(
            self.driver.unlabeled_pool, batch_size=self.batch_size, shuffle=False
        )

        # Compute uncertainty scores for all unlabeled samples
        uncertainties = []
        indices = []
        self.driver.learner.eval()
        # this model uses entropy from classification, but it can also be
        # based on query-by-committee or other forms of uncertainty
        # quantification
        with torch.no_grad():
            for idx, batch in enumerate(unlabeled_loader):
                # Run inference
                predictions = self.driver.learner(batch)
                # Compute uncertainty (e.g., entropy for classification)
                probs = torch.softmax(predictions, dim=-1)
                entropy = -torch.sum(probs * torch.log(probs + 1e-10), dim=-1)
                uncertainties.append(entropy)
                indices.extend(range(idx * self.batch_size, idx * self.batch_size + len(batch)))

        # Concatenate all uncertainties
        all_uncertainties = torch.cat(uncertainties)

        # Select top-k most uncertain samples
        top_k_indices = torch.topk(
            all_uncertainties, k=min(self.max_samples, len(all_uncertainties))
        ).indices

        # Enqueue selected samples
        for idx in top_k_indices:
            sample = self.driver.unlabeled_pool[indices[idx]]
            query_queue.put(sample)

        self.logger.info(f"Queried {len(top_k_indices)} samples for labeling")


class CFDSolverLabelStrategy:
    """Label samples by running an external CFD solver."""

    __protocol_name__ = "CFDSolverLabel"
    __is_external_process__ = True
    __provides_fields__ = {"pressure", "velocity"}

    def __init__(
        self,
        solver_executable: str,
        working_dir: Path,
        timeout: int = 3600,
    ):
        """
        Initialize the CFD solver label strategy.

        Parameters
        ----------
        solver_executable : str
            Path to the external solver executable
        working_dir : Path
            Directory for solver input/output files
        timeout : int
            Maximum time (seconds) to wait for solver completion
        """
        self.solver_executable = solver_executable
        self.working_dir = Path(working_dir)
        self.timeout = timeout
        self.driver = None

        # Ensure working directory exists
        self.working_dir.mkdir(parents=True, exist_ok=True)

    def label(
        self,
        queue_to_label: AbstractQueue,
        serialize_queue: AbstractQueue,
    ) -> None:
        """
        Label queued samples by running external CFD solver.

        For each sample in the queue, this method:
        1. Writes solver input files with sample parameters
        2. Invokes the external solver via subprocess
        3. Parses solver output to extract labels
        4. Enqueues labeled data for training integration

        Parameters
        ----------
        queue_to_label : AbstractQueue
            Queue containing unlabeled samples from query strategies
        serialize_queue : AbstractQueue
            Queue for enqueuing labeled samples
        """
        sample_idx = 0
        while not queue_to_label.empty():
            sample = queue_to_label.get()

            # Create unique directory for this sample
            sample_dir = self.working_dir / f"sample_{sample_idx}"
            sample_dir.mkdir(exist_ok=True)

            # Write solver input files (format depends on your solver)
            input_file = sample_dir / "input.json"
            with open(input_file, "w") as f:
                json.dump(sample, f)

            # Invoke external solver
            try:
                result = subprocess.run(
                    [
                        self.solver_executable,
                        "--input",
                        str(input_file),
                        "--output",
                        str(sample_dir / "output.json"),
                    ],
                    cwd=sample_dir,
                    timeout=self.timeout,
                    capture_output=True,
                    text=True,
                    check=True,
                )
                self.logger.info(
                    f"Solver completed for sample {sample_idx} (return code: {result.returncode})"
                )
            except subprocess.TimeoutExpired:
                self.logger.error(f"Solver timeout for sample {sample_idx} after {self.timeout}s")
                continue
            except subprocess.CalledProcessError as e:
                self.logger.error(f"Solver failed for sample {sample_idx}: {e.stderr}")
                continue

            # Parse solver output and create labeled sample
            output_file = sample_dir / "output.json"
            if output_file.exists():
                with open(output_file) as f:
                    solver_output = json.load(f)

                # Combine input sample with solver-generated labels
                labeled_sample = {
                    **sample,
                    "pressure": solver_output["pressure"],
                    "velocity": solver_output["velocity"],
                }

                # Enqueue for integration into training pool
                serialize_queue.put(labeled_sample)

            sample_idx += 1

    def attach(self, driver) -> None:
        """Attach to the active learning driver."""
        self.driver = driver

    @property
    def is_attached(self) -> bool:
        """Check if attached to a driver."""
        return self.driver is not None


class DummyLabelStrategy(LabelStrategy):
    """Pass-through labeling for pre-computed datasets."""

    __is_external_process__ = False

    def label(self, queue_to_label: Queue, serialize_queue: Queue) -> None:
        """Transfer samples from query queue to serialize queue."""
        while not queue_to_label.empty():
            sample = queue_to_label.get()
            serialize_queue.put(sample)


class SolverLabelStrategy(LabelStrategy):
    def __init__(self, solver_path: str, working_dir: Path):
        self.solver_path = solver_path
        self.working_dir = Path(working_dir)
        self.working_dir.mkdir(parents=True, exist_ok=True)

    def label(self, queue_to_label: Queue, serialize_queue: Queue) -> None:
        sample_id = 0

        while not queue_to_label.empty():
            sample = queue_to_label.get()

            # Create isolated directory for this sample
            sample_dir = self.working_dir / f"sample_{sample_id:06d}"
            sample_dir.mkdir(exist_ok=True)

            # Run solver and parse results
            labeled_data = self._run_solver(sample, sample_dir)

            serialize_queue.put(labeled_data)
            sample_id += 1

    def _run_solver(self, sample: dict, sample_dir: Path) -> dict:
        """Execute solver and return labeled data."""
        # Serialize sample parameters to solver input format
        input_file = sample_dir / "input.json"
        with open(input_file, "w") as f:
            json.dump(
                {
                    "geometry": sample["geometry_params"],
                    "flow_conditions": sample["boundary_conditions"],
                },
                f,
            )

        # Construct solver command with parameterized arguments
        output_file = sample_dir / "output.json"
        cmd = [
            self.solver_path,
            "--input",
            str(input_file),
            "--output",
            str(output_file),
            "--mesh-size",
            "fine",
            "--convergence-tol",
            "1e-6",
        ]

        # Execute solver with timeout
        result = subprocess.run(
            cmd,
            cwd=sample_dir,
            capture_output=True,
            text=True,
            timeout=3600,
        )

        if result.returncode != 0:
            self.logger.error(f"Solver failed: {result.stderr}")
            raise RuntimeError("Solver execution failed")

        # Parse and structure solver output
        with open(output_file) as f:
            solver_results = json.load(f)

        return {
            **sample,
            "pressure": solver_results["p"],
            "velocity": solver_results["U"],
        }
