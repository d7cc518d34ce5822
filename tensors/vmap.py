"""``vmap``: a function of one sample becomes one of a batch. Here it is called once for each sample."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from ..arrays.trees import broadcast_prefix, filled, flat
from ..autograd.transforms import inside
from ..autograd.variable import Variable, as_ndarray, wrap
from .doors import doors
from .ops.shape.join import stack
from .ops.shape.split import unbind
from .ops.shape.views import narrow
from .random.generator import get_rng_state, set_rng_state

Function = Callable[..., Any]

_RANDOM = (
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
    "randomness flags on vmap or perform the randomness operation out of vmap"
)


@doors("torch")
def vmap(
    func: Function, in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *, chunk_size: int | None = None
) -> Function:
    """Return a function that maps ``func`` over a dim of its arguments and stacks the results.

    ``in_dims`` says which dim of each tensor counts the samples, None where all samples share an argument: one int, or
    a tuple nested as the arguments. ``out_dims`` says where that dim is in the results. ``func`` is called once for
    each sample, so it may look at values; ``chunk_size`` changes nothing. ``randomness``: with "error" RuntimeError if
    ``func`` draws random numbers, with "same" all samples draw the same, with "different" each its own.

    Keyword arguments are shared. ValueError for dims and arguments that do not fit together.

    https://pytorch.org/docs/stable/generated/torch.func.vmap.html

    >>> import rushlight as torch
    >>> torch.vmap(torch.dot, in_dims=(0, None))(torch.eye(2), torch.tensor([3.0, 4.0]))
    tensor([3., 4.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    name = getattr(func, "__name__", repr(func))

    @wraps(func)
    def batched(*args: Any, **kwargs: Any) -> Any:
        dims = _dims(name, in_dims, args)
        leaves = flat(args)
        size = _size(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>)", dims, leaves)
        if not size:  # the results' shapes can only be seen on a sample
            leaves = [x if d is None else _one_more(x, d) for x, d in zip(leaves, dims, strict=True)]
        columns = [x if d is None else unbind(x, d) for x, d in zip(leaves, dims, strict=True)]
        before = get_rng_state()
        results = []
        for number in range(max(size, 1)):
            if randomness == "same":
                set_rng_state(before)
            sample = [x if d is None else x[number] for x, d in zip(columns, dims, strict=True)]
            with inside():
                results.append(func(*filled(args, sample), **kwargs))
        if randomness == "error" and not np.array_equal(get_rng_state().array, before.array):
            set_rng_state(before)
            raise RuntimeError(_RANDOM)
        return _stacked(name, results, out_dims, empty=not size)

    return batched


def _dims(name: str, in_dims: Any, args: tuple[Any, ...]) -> list[Any]:
    """Return the dim to map over for each leaf of ``args``."""
    what = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, int | tuple):
        raise ValueError(
            f"{what}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, "
            f"got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a "
            "function with no inputs. The latter is unsupported."
        )
    try:
        return broadcast_prefix(in_dims, args)
    except ValueError:
        raise ValueError(f"{what}: in_dims is not compatible with the structure of `inputs`") from None


def _size(what: str, dims: list[Any], leaves: list[Any]) -> int:
    """Return the number of samples; ValueError if the tensors do not agree on one."""
    sizes = []
    for dim, x in zip(dims, leaves, strict=True):
        if dim is None:
            continue
        if not isinstance(dim, int):
            raise ValueError(
                f"{what}: Got in_dim={dim} for an input but in_dim must be either an integer dimension or None."
            )
        if not isinstance(x, Variable):
            raise ValueError(
                f"{what}: Got in_dim={dim} for an input but the input is of type {type(x)}. We cannot vmap over "
                "non-Tensor arguments, please use None as the respective in_dim"
            )
        ndim = x.array.ndim
        if not -ndim <= dim < ndim:
            raise ValueError(
                f"{what}: Got in_dim={dim} for some input, but that input is a Tensor of dimensionality {ndim} so "
                f"expected in_dim to satisfy -{ndim} <= in_dim < {ndim}."
            )
        sizes.append(x.array.shape[dim])
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if len(set(sizes)) > 1:
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the "
            "mapped dimension"
        )
    return int(sizes[0])


def _one_more(x: Any, dim: int) -> Any:
    """Return zeros of the shape of ``x``, which has no sample along ``dim``, with one."""
    shape = list(x.array.shape)
    shape[dim] = 1
    return wrap(x.result, np.zeros(shape, x.array.dtype))


def _stacked(name: str, results: list[Any], out_dims: Any, empty: bool) -> Any:
    """Return the results of all samples as one, nested as each of them."""
    if any(d is not None and not isinstance(d, int) for d in flat(out_dims)):
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python collection of ints "
            "representing where in the outputs the vmapped dimension should appear."
        )
    try:
        dims = broadcast_prefix(out_dims, results[0])
    except ValueError:
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure of "
            "`outputs`"
        ) from None
    made = []
    for dim, column in zip(dims, zip(*map(flat, results), strict=True), strict=True):
        if dim is None:
            made.append(_shared(name, column))
            continue
        if not all(isinstance(one, Variable) for one in column):
            raise ValueError(
                f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(column[0])}. Did you mean to "
                "set out_dims= to None for output?"
            )
        whole = stack(column, dim)
        made.append(narrow(whole, dim, 0, 0) if empty else whole)
    return filled(results[0], made)


def _shared(name: str, column: tuple[Any, ...]) -> Any:
    """Return what all samples gave alike; ValueError if they did not."""
    first, *rest = [as_ndarray(one) if isinstance(one, Variable) else one for one in column]
    if not all(np.array_equal(first, one) for one in rest):
        raise ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
    return column[0]
