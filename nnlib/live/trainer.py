"""Runs one figure's training: records its step for the page, and takes the same steps in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnlib.live.inputs import Inputs
from nnlib.live.parts import array, parameters
from nnlib.live.programs import Pool, call, record, tensor
from nnlib.live.training_plan import Training


class Trainer:
    """A training together with the inputs of its figure."""

    def __init__(self, plan: Training, inputs: Inputs):
        self.plan, self.inputs = plan, inputs

    @property
    def names(self) -> set[str]:
        """Names that the page itself provides while it trains."""
        tracked = {f"history_{name}" for name in self.plan.track}
        return {"step", "seed", "history_step", "history_loss"} | tracked

    def step(self, env: Mapping[str, Any], batch: Any = None) -> dict:
        """One step; raises ValueError if the step omits a state or changes a state's shape."""
        plan, scope = self.plan, self._scope(env, batch)
        names = parameters(plan.step, list(scope), "the training step")
        results = call(plan.step, {k: scope[k] for k in names}, "the training step")
        missing = sorted({*plan.state, plan.loss} - set(results))
        if missing:
            raise ValueError(f"the training step returned {sorted(results)}, but lacks {missing}.")
        for key in plan.state:
            if tuple(results[key].shape) != tuple(env[key].shape):
                raise ValueError(
                    f"the step turns {key} of shape {tuple(env[key].shape)} into "
                    f"{tuple(results[key].shape)}: a state's shape must not change."
                )
        return results

    def _scope(self, env: Mapping[str, Any], batch: Any) -> dict:
        """The step's arguments: inputs and state, and the data (or its batch)."""
        scope = dict(env)
        for key, value in self.plan.data.items():
            values = array(value)
            dtype = self.inputs.dtype if values.dtype.kind == "f" else str(values.dtype)
            full = tensor(values, dtype)
            scope[key] = full if batch is None else full[batch]
        if batch is not None:
            scope["batch"] = batch
        return scope

    def spec(self, env: Mapping[str, Any]) -> dict[str, Any]:
        """The training's spec, with the step recorded for each choice of static inputs."""
        plan, static = self.plan, self.inputs.static
        names = plan.arguments(list(env))
        static_inputs = [k for k in static if k in names]
        tensors = {k: v for k, v in env.items() if k not in static}
        if plan.batch:
            tensors["batch"] = tensor(np.arange(plan.batch))
        recorded = dict.fromkeys([*plan.state, plan.loss, *plan.track])
        programs, pool = {}, Pool()
        for key, chosen in self.inputs.combinations(static_inputs):

            def run(**arguments: Any) -> dict:
                batch = arguments.pop("batch", None)
                results = self.step({**arguments, **chosen}, batch)  # noqa: B023 (called at once)
                # the state's new values, under other names than the old ones
                return {f"new_{k}": results[k] for k in recorded if k in results}

            programs[key] = pool.take(record(run, tensors))
        spec = {**plan.spec(), "loss": f"new_{plan.loss}"}
        spec |= {"static_inputs": static_inputs, "programs": programs}
        return {**spec, "pool": pool.items} if pool.items else spec

    def run(self, steps: int, seed: int | None, values: Mapping[str, Any]) -> dict[str, Any]:
        """Runs steps in Python from the seed's state, with the inputs' JSON values `values`."""
        plan = self.plan
        seed = plan.seed if seed is None else seed
        env = self.inputs.arguments(values)
        state = {k: tensor(v, self.inputs.dtype) for k, v in plan.initial(seed).items()}
        losses = []
        for step in range(steps):
            batch = tensor(plan.batch_at(seed, step)) if plan.batch else None
            results = self.step({**env, **state}, batch)
            state = {k: results[k].detach() for k in plan.state}
            losses.append(array(results[plan.loss]).item())
        return {"loss": np.asarray(losses), **{k: array(v) for k, v in state.items()}}
