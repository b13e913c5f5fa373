"""Schedules of the learning rate (`torch.optim.lr_scheduler`): call step() after each epoch.

A schedule is a formula for the rate at epoch t, which it writes into the optimiser's groups.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from nnlib.optim.optimizer import Optimizer


class LRScheduler:
    """The base class of schedules: it counts the epochs, and sets each epoch's rates.

    Subclasses define ``get_lr()``, which returns the rates of this epoch, often computed from those
    of the previous one.  Raises TypeError if `optimizer` is not an Optimizer, KeyError if a
    schedule is resumed and a group has no "initial_lr".  Like
    ``torch.optim.lr_scheduler.LRScheduler``.

    >>> import nnlib
    >>> class Halving(nnlib.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [base * 0.5**self.last_epoch for base in self.base_lrs]
    >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = Halving(opt)
    >>> schedule.step()
    >>> opt.param_groups[0]["lr"]
    4.0
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    "param 'initial_lr' is not specified in a group when resuming an optimizer "
                    "with last_epoch >= 0"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self.step()

    def get_lr(self) -> list[float]:
        """The rates of this epoch, one for each group.

        Subclasses define it; the base class raises NotImplementedError.

        >>> import nnlib
        >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
        >>> schedule = nnlib.optim.lr_scheduler.LambdaLR(opt, lambda t: 1 / (1 + t))
        >>> schedule.get_lr()
        [8.0]
        """
        raise NotImplementedError

    def get_last_lr(self) -> list[float]:
        """The rates that were set last.

        >>> import nnlib
        >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
        >>> nnlib.optim.lr_scheduler.StepLR(opt, 2, gamma=0.5).get_last_lr()
        [8.0]
        """
        return self._last_lr

    def step(self) -> None:
        """Begin the next epoch, and set its rates.

        >>> import nnlib
        >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
        >>> schedule = nnlib.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
        >>> schedule.step()
        >>> opt.param_groups[0]["lr"]
        4.0
        """
        self.last_epoch += 1
        self._set(self.get_lr())

    def _set(self, rates: Sequence[float]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = list(rates)

    def _current(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """All attributes except the optimizer.

        >>> import nnlib
        >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
        >>> nnlib.optim.lr_scheduler.StepLR(opt, 2).state_dict()["step_size"]
        2
        """
        return {k: v for k, v in vars(self).items() if k != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue a saved schedule.

        >>> import nnlib
        >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
        >>> schedule = nnlib.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
        >>> schedule.load_state_dict({"last_epoch": 3})
        >>> schedule.last_epoch
        3
        """
        vars(self).update(state_dict)


class LambdaLR(LRScheduler):
    """base · λ(t), with a function λ for all groups or one for each.

    Raises ValueError for a wrong number of functions.  Like ``torch.optim.lr_scheduler.LambdaLR``.

    >>> import nnlib
    >>> opt = nnlib.optim.SGD([nnlib.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = nnlib.optim.lr_scheduler.LambdaLR(opt, lambda t: 1 / (1 + t))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        groups = len(optimizer.param_groups)
        several = isinstance(lr_lambda, (list, tuple))
        self.lr_lambdas: list[Callable[[int], float]] = (
            list(lr_lambda) if several else [lr_lambda] * groups
        )
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [b * f(self.last_epoch) for b, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        del state["lr_lambdas"]  # functions are not data
        return state


class StepLR(LRScheduler):
    """base · gamma^⌊t / step_size⌋.

    Like ``torch.optim.lr_scheduler.StepLR``.

    >>> import nnlib
    >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = nnlib.optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(round(opt.param_groups[0]["lr"], 3))
    ...     schedule.step()
    >>> rates
    [8.0, 8.0, 4.0, 4.0, 2.0]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0 or self.last_epoch % self.step_size:
            return self._current()
        return [lr * self.gamma for lr in self._current()]


class MultiStepLR(LRScheduler):
    """Multiplies the rate by gamma at each of the epochs `milestones`.

    Like ``torch.optim.lr_scheduler.MultiStepLR``.

    >>> import nnlib
    >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = nnlib.optim.lr_scheduler.MultiStepLR(opt, milestones=[1, 4], gamma=0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(round(opt.param_groups[0]["lr"], 3))
    ...     schedule.step()
    >>> rates
    [8.0, 4.0, 4.0, 4.0, 2.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.milestones = Counter(self.milestones)  # a saved state may be an ordinary dict

    def get_lr(self) -> list[float]:
        return [lr * self.gamma ** self.milestones[self.last_epoch] for lr in self._current()]


class ExponentialLR(LRScheduler):
    """base · gamma^t.

    Like ``torch.optim.lr_scheduler.ExponentialLR``.

    >>> import nnlib
    >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = nnlib.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(round(opt.param_groups[0]["lr"], 3))
    ...     schedule.step()
    >>> rates
    [8.0, 4.0, 2.0, 1.0, 0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._current()
        return [lr * self.gamma for lr in self._current()]


class ConstantLR(LRScheduler):
    """base · factor for the first `total_iters` epochs, then base.

    Raises ValueError for a factor outside of [0, 1].  Like ``torch.optim.lr_scheduler.ConstantLR``.

    >>> import nnlib
    >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = nnlib.optim.lr_scheduler.ConstantLR(opt, factor=0.5, total_iters=3)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(round(opt.param_groups[0]["lr"], 3))
    ...     schedule.step()
    >>> rates
    [4.0, 4.0, 4.0, 8.0, 8.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 <= factor <= 1:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return [lr * self.factor for lr in self._current()]
        if self.last_epoch == self.total_iters:
            return [lr / self.factor for lr in self._current()]
        return self._current()


class LinearLR(LRScheduler):
    """base · a factor that changes linearly from start_factor to end_factor in total_iters epochs.

    Raises ValueError for factors outside of [0, 1].  Like ``torch.optim.lr_scheduler.LinearLR``.

    >>> import nnlib
    >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = nnlib.optim.lr_scheduler.LinearLR(opt, start_factor=0.25, total_iters=3)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(round(opt.param_groups[0]["lr"], 3))
    ...     schedule.step()
    >>> rates
    [2.0, 4.0, 6.0, 8.0, 8.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal "
                "to 1."
            )
        if not 0 <= end_factor <= 1:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return [lr * self.start_factor for lr in self._current()]
        if self.last_epoch > self.total_iters:
            return self._current()
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return [lr * (1 + rise / before) for lr in self._current()]


class CosineAnnealingLR(LRScheduler):
    """eta_min + (base - eta_min) · (1 + cos(π t / T_max)) / 2: half a cosine wave.

    As in PyTorch, each rate is computed from the previous epoch's.  Loshchilov and Hutter, 2017.

    >>> import nnlib
    >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = nnlib.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=4)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(round(opt.param_groups[0]["lr"], 3))
    ...     schedule.step()
    >>> rates
    [8.0, 6.828, 4.0, 1.172, 0.0]
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        t, n, low = self.last_epoch, self.T_max, self.eta_min
        if t == 0:
            return self._current()
        if (t - 1 - n) % (2 * n) == 0:
            rise = (1 - math.cos(math.pi / n)) / 2
            return [
                lr + (base - low) * rise
                for lr, base in zip(self._current(), self.base_lrs, strict=True)
            ]
        ratio = (1 + math.cos(math.pi * t / n)) / (1 + math.cos(math.pi * (t - 1) / n))
        return [ratio * (lr - low) + low for lr in self._current()]


class OneCycleLR(LRScheduler):
    """Rises from max_lr/div_factor to max_lr in a fraction pct_start of the steps, then falls.

    Call step() after every batch.  The last rate is max_lr / div_factor / final_div_factor.
    Momentum (or Adam's beta1) decreases and then increases.  Smith and Topin, 2018.  Raises
    ValueError for invalid settings, and after more than `total_steps` steps.  Like
    ``torch.optim.lr_scheduler.OneCycleLR``.

    >>> import nnlib
    >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = nnlib.optim.lr_scheduler.OneCycleLR(opt, max_lr=8.0, total_steps=5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(round(opt.param_groups[0]["lr"], 3))
    ...     schedule.step()
    >>> rates
    [0.32, 7.604, 4.89, 1.506, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Any,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError(
                    "You must define either total_steps OR (epochs AND steps_per_epoch)"
                )
            total_steps = epochs * steps_per_epoch
        if total_steps <= 0:
            raise ValueError(f"Expected positive integer total_steps, but got {total_steps}")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self.total_steps, self.anneal_strategy = total_steps, anneal_strategy
        self.cycle_momentum = cycle_momentum
        self._phases = _phases(total_steps, pct_start, three_phase)
        groups = optimizer.param_groups
        max_lrs = list(max_lr) if isinstance(max_lr, (list, tuple)) else [max_lr] * len(groups)
        for group, group_max_lr in zip(groups, max_lrs, strict=True):
            group["initial_lr"] = group["lr"] = group_max_lr / div_factor
            group["max_lr"] = group_max_lr
            group["min_lr"] = group["initial_lr"] / final_div_factor
            if cycle_momentum:
                group["max_momentum"], group["base_momentum"] = max_momentum, base_momentum
        if cycle_momentum and not {"momentum", "betas"} & set(optimizer.defaults):
            raise ValueError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
            )
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"Tried to step {self.last_epoch} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        ends = [end for end, *_ in self._phases]
        current = [i for i, end in enumerate(ends[:-1]) if self.last_epoch <= end]
        index = current[0] if current else len(ends) - 1
        start = ends[index - 1] if index else 0.0
        end, first_lr, last_lr, first_momentum, last_momentum = self._phases[index]
        fraction = (self.last_epoch - start) / (end - start)
        groups = self.optimizer.param_groups
        for group in groups if self.cycle_momentum else ():
            momentum = self._between(group[first_momentum], group[last_momentum], fraction)
            self._set_momentum(group, momentum)
        return [self._between(group[first_lr], group[last_lr], fraction) for group in groups]

    def _between(self, start: float, end: float, fraction: float) -> float:
        if self.anneal_strategy == "linear":
            return (end - start) * fraction + start
        return end + (start - end) / 2.0 * (1 + math.cos(math.pi * fraction))

    def _set_momentum(self, group: dict[str, Any], value: float) -> None:
        if "betas" in group:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


def _phases(
    total_steps: int, pct_start: float, three_phase: bool
) -> list[tuple[float, str, str, str, str]]:
    """For each phase its last step, and the groups' keys of its first and last lr and momentum."""
    peak = pct_start * total_steps - 1
    first = (peak, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    if not three_phase:
        return [first, (total_steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
    return [
        first,
        (2 * peak, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
        (total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
    ]


class SequentialLR(LRScheduler):
    """One schedule after the other: the next one starts at each of the epochs `milestones`.

    Raises ValueError unless there is one milestone fewer than schedules, and for schedules of
    another optimiser.  Like ``torch.optim.lr_scheduler.SequentialLR``.

    >>> import nnlib
    >>> from nnlib.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR
    >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
    >>> parts = [ConstantLR(opt, factor=0.5, total_iters=9), ExponentialLR(opt, gamma=0.5)]
    >>> schedule = SequentialLR(opt, parts, milestones=[2])
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(opt.param_groups[0]["lr"])
    ...     schedule.step()
    >>> rates
    [4.0, 4.0, 8.0, 4.0, 2.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        if not schedulers:
            raise ValueError("SequentialLR expects at least one scheduler to be chained")
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than "
                f"the number of milestone points, but got number of schedulers {len(schedulers)} "
                f"and the number of milestones to be equal to {len(milestones)}"
            )
        if any(s.optimizer is not optimizer for s in schedulers):
            raise ValueError("SequentialLR expects all schedulers to belong to the same optimizer")
        self.optimizer, self._schedulers = optimizer, list(schedulers)
        self._milestones, self.last_epoch = list(milestones), last_epoch + 1
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        for scheduler in self._schedulers:
            scheduler.last_epoch -= 1
        self._schedulers[0].step()
        self._last_lr = self._schedulers[0].get_last_lr()

    def step(self) -> None:
        self.last_epoch += 1
        index = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[index]
        if index > 0 and self._milestones[index - 1] == self.last_epoch:
            for group in self.optimizer.param_groups:  # the next one starts from the initial rate
                group["lr"] = group["initial_lr"]
            scheduler.last_epoch = -1
        scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        state["_schedulers"] = [s.state_dict() for s in self._schedulers]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        state = dict(state_dict)
        for scheduler, saved in zip(self._schedulers, state.pop("_schedulers"), strict=True):
            scheduler.load_state_dict(saved)
        vars(self).update(state)


class ReduceLROnPlateau(LRScheduler):
    """Multiplies the rate by `factor` after more than `patience` epochs without a better metric.

    Call step(metric) after every epoch.  Like ``torch.optim.lr_scheduler.ReduceLROnPlateau``.
    Raises ValueError for a factor of 1 or more, and for an unknown mode.

    >>> import nnlib
    >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = nnlib.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=1)
    >>> rates = []
    >>> for loss in [3.0, 2.0, 2.0, 2.0, 2.0]:
    ...     schedule.step(loss)
    ...     rates.append(opt.param_groups[0]["lr"])
    >>> rates
    [8.0, 8.0, 8.0, 4.0, 4.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: Any = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError("Factor should be < 1.0.")
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.cooldown, self.eps = cooldown, eps
        several = isinstance(min_lr, (list, tuple))
        self.min_lrs = list(min_lr) if several else [min_lr] * len(optimizer.param_groups)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = self._current()

    def step(self, metrics: Any) -> None:  # type: ignore[override]
        """End an epoch, given its metric, and reduce the rate if necessary.

        >>> import nnlib
        >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
        >>> schedule = nnlib.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=0)
        >>> for loss in [1.0, 2.0]:
        ...     schedule.step(loss)
        >>> opt.param_groups[0]["lr"]
        0.8
        """
        value = float(metrics)
        self.last_epoch += 1
        if self.is_better(value, self.best):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._current()

    def _reduce(self) -> None:
        for group, min_lr in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            new_lr = max(group["lr"] * self.factor, min_lr)
            if group["lr"] - new_lr > self.eps:
                group["lr"] = new_lr

    def is_better(self, a: float, best: float) -> bool:
        """Whether `a` improves on `best` by more than the threshold.

        >>> import nnlib
        >>> opt = nnlib.optim.SGD([nnlib.zeros(1, requires_grad=True)], lr=8.0)
        >>> schedule = nnlib.optim.lr_scheduler.ReduceLROnPlateau(opt)
        >>> schedule.is_better(0.9, 1.0), schedule.is_better(1.0, 1.0)
        (True, False)
        """
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            return sign * a > sign * best * (1 + sign * self.threshold)
        return sign * a > sign * best + self.threshold


__all__ = [
    "ConstantLR", "CosineAnnealingLR", "ExponentialLR", "LRScheduler", "LambdaLR", "LinearLR",
    "MultiStepLR", "OneCycleLR", "ReduceLROnPlateau", "SequentialLR", "StepLR",
]  # fmt: skip
