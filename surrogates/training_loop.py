"""The loop over epochs that trains any torch module, or any learner with a step of its own."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from pools.errors import IntegrityError, UsageError
from surrogates.distribution import Distribution, over_ranks
from surrogates.epochs import Epochs
from surrogates.optimization import update_of
from surrogates.precision import device_named, dtype_named, place, precision_of
from surrogates.progress_bars import batch_bar, epoch_bar
from surrogates.static_capture import captured, check_options
from surrogates.step_functions import Step, name_of, training_step, unwrapped, validation_step
from surrogates.training_checkpoint import load_groups, save_groups
from surrogates.training_history import TrainingHistory
from surrogates.training_length import Length, length_of

Thing = TypeVar("Thing")
Result = TypeVar("Result")

Batches = Iterable[Any]
"""Walked once an epoch: a DataLoader, a list."""


class DefaultTrainingLoop:
    """Trains a model: one backward pass and one step of the optimizer a batch.

    An optimizer that asks for the loss itself, as LBFGS does, makes as many passes as it likes.

    The loss comes from a function called with model and batch, or from the learner's own
    `training_step`, called with a batch. A learner that states `automatic_optimization = False`
    calls `backward` and steps its optimizer itself.

    Attributes:
        checkpoint_frequency: epochs between two checkpoints within a training; 0 for none.
        checkpoint_base_dir: where those are written, as `epoch_<n>`; None for none.
        history: the course of the last training.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the published signature
        self,
        train_step_fn: Step | None = None,
        validate_step_fn: Step | None = None,
        enable_static_capture: bool = True,  # noqa: FBT001, FBT002 - the published signature
        use_progress_bars: bool = True,  # noqa: FBT001, FBT002 - the published signature
        device: str | torch.device | None = None,
        dtype: str | torch.dtype | None = None,
        checkpoint_frequency: int = 0,
        **capture_kwargs: Any,  # noqa: ANN401 - options of torch.compile
    ) -> None:
        """Keep what every training has in common; all of it can be given to a call instead.

        Args:
            train_step_fn: called with model and batch; returns the loss, a tensor of one number.
            validate_step_fn: called with model and batch; a number that it returns is averaged.
            enable_static_capture: compile the step functions where a CUDA device computes.
            use_progress_bars: show bars where the standard error is a terminal.
            device: where to compute; None for where the model is.
            dtype: float32 or float64 for model and data; float16 or bfloat16 for mixed precision
                with weights in float32; None for what the model's parameters are.
            checkpoint_frequency: epochs between two checkpoints within a training; 0 for none.
            capture_kwargs: options of `torch.compile`.

        Raises:
            UsageError: an argument cannot be used.
        """
        check_options(capture_kwargs)
        _check_functions(train_step_fn=train_step_fn, validate_step_fn=validate_step_fn)
        self.train_step_fn = train_step_fn
        self.validate_step_fn = validate_step_fn
        self.enable_static_capture = enable_static_capture
        self.use_progress_bars = use_progress_bars
        self.device = device_named(device)
        self.dtype = dtype_named(dtype)
        self.checkpoint_frequency = checkpoint_frequency
        self.checkpoint_base_dir: Path | None = None
        self.capture_kwargs = capture_kwargs
        self.history = TrainingHistory()

    @property
    def _args(self) -> dict[str, Any]:
        """Class and arguments as JSON; functions by their names, which make no loop again."""
        functions = {
            "train_step_fn": self.train_step_fn,
            "validate_step_fn": self.validate_step_fn,
        }
        return {
            "__name__": type(self).__qualname__,
            "__module__": type(self).__module__,
            "__args__": {
                **{name: f if f is None else name_of(f) for name, f in functions.items()},
                "enable_static_capture": self.enable_static_capture,
                "use_progress_bars": self.use_progress_bars,
                "device": None if self.device is None else str(self.device),
                "dtype": None if self.dtype is None else str(self.dtype),
                "checkpoint_frequency": self.checkpoint_frequency,
                **self.capture_kwargs,
            },
        }

    def __call__(  # noqa: PLR0913, PLR0917 - the published signature
        self,
        model: Any,  # noqa: ANN401 - a module, or a learner with parameters
        optimizer: Optimizer,
        train_dataloader: Batches,
        max_epochs: int | None = None,
        validation_dataloader: Batches | None = None,
        train_step_fn: Step | None = None,
        validate_step_fn: Step | None = None,
        lr_scheduler: LRScheduler | None = None,
        device: str | torch.device | None = None,
        dtype: str | torch.dtype | None = None,
        *args: Any,  # noqa: ANN401 - the step functions' own
        max_train_steps: int | None = None,
        max_val_steps: int | None = None,
        first_epoch: int = 1,
        on_epoch_end: Callable[[int], object] | None = None,
        **kwargs: Any,  # noqa: ANN401 - the step functions' own
    ) -> TrainingHistory:
        """Train the epochs from `first_epoch` to `max_epochs`, or for `max_train_steps` batches.

        Args:
            model: a torch module, or whatever has `parameters`, `train`, `eval`, `state_dict` and
                `load_state_dict`; it stays in training mode.
            optimizer: of the model's parameters.
            train_dataloader: batches; walked anew every epoch.
            max_epochs: number of the last epoch.
            validation_dataloader: batches to validate on after every epoch, without gradients.
            train_step_fn: instead of the one given to the constructor.
            validate_step_fn: instead of the one given to the constructor; without either, the
                learner's `validation_step`; without that, there is no validation.
            lr_scheduler: stepped once an epoch; `ReduceLROnPlateau` looks at the validation's
                mean, or else at the training's.
            device: instead of the one given to the constructor.
            dtype: instead of the one given to the constructor.
            args: passed to the step functions after the batch.
            max_train_steps: batches of the whole training, instead of `max_epochs`; the batches of
                epochs before the first one count.
            max_val_steps: at most so many batches of validation; None for all.
            first_epoch: number of the first epoch, above 1 where a training goes on.
            on_epoch_end: called with an epoch's number when all else of the epoch is done.
            kwargs: passed to the step functions.

        Returns:
            The losses; they are in `history` too, already while the training runs.

        Raises:
            UsageError: an argument cannot be used, there is no batch, or a step returns no loss.
            CampaignError: a checkpoint cannot be written.
        """
        _check_functions(train_step_fn=train_step_fn, validate_step_fn=validate_step_fn)
        length = length_of(max_epochs, max_train_steps, first_epoch, train_dataloader)
        epochs = self._epochs(
            model,
            optimizer,
            (
                _first(train_step_fn, self.train_step_fn),
                _first(validate_step_fn, self.validate_step_fn),
            ),
            (_first(device_named(device), self.device), _first(dtype_named(dtype), self.dtype)),
            (args, kwargs),
        )
        self.history = TrainingHistory(first_epoch)
        with epochs.bar:
            for epoch in self._numbers(length):
                left = length.left(self.history.steps)
                loss, steps = epochs.train(train_dataloader, epoch, left)
                score = epochs.validate(validation_dataloader, max_val_steps)
                _advance(lr_scheduler, loss if score is None else score, model)
                self.history = self.history.extended(loss, score, steps)
                self._checkpoint(model, optimizer, lr_scheduler, epoch)
                if on_epoch_end is not None:
                    on_epoch_end(epoch)
        return self.history

    def save_training_checkpoint(
        self,
        checkpoint_dir: Path,
        model: Any,  # noqa: ANN401 - whatever has a state_dict
        optimizer: Optimizer,
        lr_scheduler: LRScheduler | None = None,
        training_epoch: int | None = None,
    ) -> None:
        """Save a training between two epochs, as safetensors and JSON.

        Of several processes that train together the first one saves; what it saves fits the
        learner without its wrapper, too.

        Args:
            checkpoint_dir: a directory of its own; made if need be.
            model: whose weights.
            optimizer: whose state.
            lr_scheduler: whose state, if there is one.
            training_epoch: number of the last epoch that was trained.

        Raises:
            UsageError: a state holds something else than data.
            CampaignError: the directory cannot be written.
        """
        if not Distribution.of().is_first:
            return
        groups = {"learner": unwrapped(model).state_dict(), "optimizer": optimizer.state_dict()}
        if lr_scheduler is not None:
            groups["scheduler"] = lr_scheduler.state_dict()
        save_groups(checkpoint_dir, groups, {"training_epoch": training_epoch})

    @staticmethod
    def load_training_checkpoint(
        checkpoint_dir: Path,
        model: Any,  # noqa: ANN401 - whatever has a load_state_dict
        optimizer: Optimizer,
        lr_scheduler: LRScheduler | None = None,
    ) -> int | None:
        """Load a training into a model, an optimizer and a scheduler of the same kind.

        Returns:
            The last epoch that was trained: go on with the next one as `first_epoch`.

        Raises:
            IntegrityError: a file is missing, damaged, edited, or of another format.
            UsageError: there is no scheduler in it, but one is to be loaded.
        """
        groups, description = load_groups(checkpoint_dir)
        if lacking := [name for name in ("learner", "optimizer") if name not in groups]:
            raise IntegrityError(
                f"{checkpoint_dir} holds {', '.join(groups)} and lacks {', '.join(lacking)}: it "
                "was not saved by save_training_checkpoint; give the directory of one that was"
            )
        if lr_scheduler is not None and "scheduler" not in groups:
            raise UsageError(
                f"{checkpoint_dir} holds {', '.join(groups)} but no scheduler; leave lr_scheduler "
                "out, and set the new one to where it should be"
            )
        unwrapped(model).load_state_dict(groups["learner"])
        optimizer.load_state_dict(groups["optimizer"])
        if lr_scheduler is not None:
            lr_scheduler.load_state_dict(groups["scheduler"])
        epoch: int | None = description.get("training_epoch")
        return epoch

    def _epochs(
        self,
        model: Any,  # noqa: ANN401 - a module, or a learner
        optimizer: Optimizer,
        functions: tuple[Step | None, Step | None],
        where: tuple[torch.device | None, torch.dtype | None],
        extra: tuple[tuple[Any, ...], dict[str, Any]],
    ) -> Epochs:
        """Choose the step functions, move the model, and return what an epoch does."""
        precision = precision_of(model, *where)
        capture = partial(self._captured, device=precision.device)
        step = training_step(model, functions[0], capture)
        check = validation_step(model, functions[1], capture)
        place(model, optimizer, *where)
        update = update_of(
            replace(step, call=precision.around(step.call)), optimizer, model, precision.scaler()
        )
        return Epochs(
            model,
            _with_extra(update, extra),
            None if check is None else _with_extra(precision.around(check), extra),
            precision,
            batch_bar(shown=self.use_progress_bars),
        )

    def _captured(self, step: Step, device: torch.device) -> Step:
        return captured(step, device, self.capture_kwargs) if self.enable_static_capture else step

    def _numbers(self, length: Length) -> Iterator[int]:
        """Count the epochs, with a progress bar."""
        first = self.history.first_epoch
        total = None if length.epochs is None else max(length.epochs - first + 1, 0)
        with epoch_bar(total, shown=self.use_progress_bars) as bar:
            for epoch in count(first):
                if not length.goes_on(epoch, self.history.steps):
                    return
                yield epoch
                if bar.update():
                    bar.set_postfix(loss=self.history.losses[-1])

    def _checkpoint(
        self,
        model: Any,  # noqa: ANN401 - whatever has a state_dict
        optimizer: Optimizer,
        lr_scheduler: LRScheduler | None,
        epoch: int,
    ) -> None:
        """Save where an epoch's number is a multiple of the frequency."""
        base, frequency = self.checkpoint_base_dir, self.checkpoint_frequency
        if base is not None and frequency > 0 and epoch % frequency == 0:
            place = Path(base) / f"epoch_{epoch}"
            self.save_training_checkpoint(place, model, optimizer, lr_scheduler, epoch)


def _advance(scheduler: LRScheduler | None, loss: float, model: object) -> None:
    """Step a scheduler once, after an epoch; on all ranks by the same loss."""
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(over_ranks(loss, model))
    elif scheduler is not None:
        scheduler.step()


def _check_functions(**functions: object) -> None:
    for name, function in functions.items():
        if function is not None and not callable(function):
            raise UsageError(
                f"{name} is {function!r} ({type(function).__qualname__}); give a function called "
                "with model and batch (a configuration's file keeps its name alone, and names no "
                "code that is run: give the function again)"
            )


def _first(given: Thing | None, kept: Thing | None) -> Thing | None:
    """Return what a call was given, or else what the loop keeps."""
    return kept if given is None else given


def _with_extra(
    function: Callable[..., Result], extra: tuple[tuple[Any, ...], dict[str, Any]]
) -> Callable[[Any], Result]:
    """Return a function of the batch alone."""
    args, kwargs = extra
    return (lambda batch: function(batch, *args, **kwargs)) if args or kwargs else function
