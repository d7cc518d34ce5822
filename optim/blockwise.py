"""Optimizers whose update treats each element alone: run in place on arrays, in blocks that stay in cache."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, ClassVar, overload

import numpy as np

from ..arrays.dtypes import default_numpy, float16, float32, float64
from ..autograd.grad_mode import enable_grad
from ..autograd.out_argument import assert_no_internal_overlap
from ..autograd.variable import Variable, as_ndarray, bump_version, wrap
from .optimizer import Loss, Optimizer, scalar

Array = Any
Update = Callable[..., None]

BLOCK = 32768
"""Elements updated at a time: few stay in the cache, many need few calls (``benchmarks/claims.py``)."""

_HALF, _SINGLE = float16.numpy, float32.numpy
_ONE = {kind: kind.type(1) for kind in (_SINGLE, float64.numpy)}


class Blockwise(Optimizer):
    """Base of optimizers that are one update on arrays.

    ``step`` hands every parameter with a gradient to :meth:`_change`, which a subclass writes with :meth:`_run`.
    """

    _since: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }
    """Options that older saved states may lack, with the values they had then.

    Subclasses add their own. Only the options that an optimizer has are added to its groups.
    """

    _scratch_count: ClassVar[int] = 2
    """How many arrays the update computes in."""

    _scratch: dict[tuple[tuple[int, ...], np.dtype[Any]], list[Array]]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self._since.items():
                if name in self.defaults:
                    group.setdefault(name, value)

    def _prepare(self) -> None:
        super()._prepare()
        self._scratch = {}

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], Loss]) -> Loss: ...

    def step(self, closure: Callable[[], Loss] | None = None) -> Loss | None:
        """Change every parameter by its gradient; return what ``closure`` returned, which recomputes the loss."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        name = type(self).__name__
        for group in self.param_groups:
            shared_in_group: dict[Any, Any] = {}
            for p in group["params"]:
                grad = p.grad
                if grad is not None:
                    self._change(p, as_ndarray(p), grad.array, group, shared_in_group)
                    bump_version(p, name)
        return loss

    def _change(self, p: Any, array: Array, grad: Array, group: dict[str, Any], cache: dict[Any, Any]) -> None:
        """Update one parameter, whose memory is ``array``, by its gradient; ``cache`` is the group's in this step."""
        raise NotImplementedError

    def _run(self, update: Update, constants: Any, array: Array, *others: Array) -> None:
        """Call ``update(constants, scratch, array, *others)``, for large arrays on one block after the other.

        ``others`` are the gradient and the kept arrays, all of the shape of ``array``; ``scratch`` is
        ``_scratch_count`` arrays to compute in. float16 is computed in float32.
        """
        size = array.size
        contiguous = array.flags.c_contiguous
        if not contiguous:
            assert_no_internal_overlap(array, type(self).__name__)
        if array.dtype == _HALF:
            wide = [one.astype(_SINGLE) for one in (array, *others)]
            self._run(update, constants, *wide)
            for one, result in zip((array, *others[1:]), (wide[0], *wide[2:]), strict=True):
                one[...] = result
            return
        if size <= BLOCK:
            update(constants, self._scratch_of(array.shape, array.dtype), array, *others)
            return
        if not (contiguous and all(one.flags.c_contiguous for one in others[1:])):
            scratch = [np.empty(array.shape, array.dtype) for _ in range(self._scratch_count)]  # too large to keep
            update(constants, scratch, array, *others)
            return
        flat = [one.reshape(-1) for one in (array, *others)]  # views; at most the gradient is copied
        scratch = self._scratch_of((BLOCK,), array.dtype)
        for low in range(0, size - size % BLOCK, BLOCK):
            high = low + BLOCK
            update(constants, scratch, *[one[low:high] for one in flat])
        rest = size % BLOCK
        if rest:
            update(constants, self._scratch_of((rest,), array.dtype), *[one[-rest:] for one in flat])

    def _scratch_of(self, shape: tuple[int, ...], kind: np.dtype[Any]) -> list[Array]:
        """Return arrays of at most ``BLOCK`` elements to compute in, kept for the next step.

        All shapes of a dtype share the memory of one block: what an update leaves there, no other reads.
        """
        try:
            return self._scratch[shape, kind]
        except KeyError:
            if shape == (BLOCK,):
                made = [np.empty(BLOCK, kind) for _ in range(self._scratch_count)]
            else:
                made = [block[: prod(shape)].reshape(shape) for block in self._scratch_of((BLOCK,), kind)]
            self._scratch[shape, kind] = made
            return made


class Counted(Blockwise):
    """Base of blockwise optimizers that count the steps of each parameter and keep arrays of its shape.

    A subclass says which arrays (:meth:`_kept`), what one step multiplies by (:meth:`_constants`), and the update.
    """

    _scalars: ClassVar[tuple[str, ...]] = ("step",)
    """Kept values without dims; states saved long ago hold them as numbers."""

    _update: ClassVar[Update]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for kept in self.state.values():
            for name in self._scalars:
                if name in kept and not isinstance(kept[name], Variable):
                    kept[name] = kept_scalar(self.param_groups[0]["params"][0], kept[name])

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the arrays kept for each parameter of ``group``, in the order ``_update`` takes them."""
        raise NotImplementedError

    def _constants(self, group: dict[str, Any], step: float) -> dict[str, Any]:
        """Return what the ``step``-th step multiplies by, by name; None and flags are left as they are."""
        raise NotImplementedError

    def _begin(self, state: dict[str, Any], p: Any, array: Array, group: dict[str, Any]) -> None:
        """Fill the state of ``p`` before its first step."""
        state["step"] = kept_scalar(p, 0)
        for name in self._kept(group):
            state[name] = wrap(p.result, np.zeros_like(array))

    def _change(self, p: Any, array: Array, grad: Array, group: dict[str, Any], cache: dict[Any, Any]) -> None:
        state = self.state[p]
        if not state:
            self._begin(state, p, array, group)
        constants = self._prepared(state, group, array.dtype, cache)
        self._run(self._update, constants, array, grad, *[as_ndarray(state[name]) for name in self._kept(group)])

    def _prepared(self, state: dict[str, Any], group: dict[str, Any], kind: Any, cache: dict[Any, Any]) -> Constants:
        """Count a step and return its constants, the same for all parameters of a group that are at the same step."""
        step = count_step(state, group)
        constants: Constants | None = cache.get((step, kind))
        if constants is None:
            constants = cache[step, kind] = Constants(kind, self._constants(group, step))
        return constants


class Constants:
    """What one step multiplies by, as arrays without dims: beside an array they cost half as much as Python's numbers.

    Their dtype is that of the parameter, for float16 the float32 it is computed in.
    """

    def __init__(self, kind: Any, values: dict[str, Any]) -> None:
        kind = _SINGLE if kind == _HALF else kind
        for name, value in values.items():
            self.__dict__[name] = np.array(value, kind) if type(value) is not bool and value is not None else value

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"no constant is called {name}")


def kept_scalar(p: Any, value: float) -> Any:
    """Return a number as it is kept: a tensor of float32, or of float64 if that is the default."""
    return wrap(p.result, (float64.numpy if default_numpy() == float64.numpy else _SINGLE).type(value))


def count_step(state: dict[str, Any], group: dict[str, Any]) -> float:
    """Count one step in ``state`` and return the new number."""
    if group.get("capturable"):
        raise AssertionError("If capturable=True, params and state_steps must be on supported devices: not the CPU")
    step = state["step"]
    if not isinstance(step, Variable):
        raise TypeError(f"the state's step must be a tensor, not {type(step).__name__}: {step!r}")
    array = step.array
    if type(array) is np.ndarray:
        array += 1
    else:
        step.array = array = array + _ONE[array.dtype]
    return float(array)


def decays(group: dict[str, Any]) -> dict[str, Any]:
    """Return the constants ``shrink``, of decoupled weight decay, and ``decay``, of decay added to the gradient."""
    decay = scalar(group["weight_decay"])
    decoupled = group.get("decoupled_weight_decay", False)
    return {
        "shrink": 1 - scalar(group["lr"]) * decay if decay and decoupled else None,
        "decay": decay if decay and not decoupled else None,
        "maximize": group["maximize"],
    }


def decayed(c: Any, g: Array, free: Array, p: Array) -> Array:
    """Return the gradient to descend along, negated and with the decay of ``p`` if asked for; ``free`` is written."""
    if c.decay is not None:
        np.multiply(p, c.decay, free)
        return np.subtract(free, g, free) if c.maximize else np.add(free, g, free)
    return np.negative(g, free) if c.maximize else g
