"""A table of a model's layers: shapes, parameters, multiply-adds, bytes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..arrays.dtypes import as_numpy, default_numpy
from ..autograd.grad_mode import no_grad
from ..autograd.variable import Variable, as_ndarray, bump_version, wrap
from ..tensors.random.generator import get_rng_state, set_rng_state
from ..tensors.tensor.methods import Tensor
from .modules.batchnorm import _NormBase
from .modules.conv import _ConvNd
from .modules.linear import Bilinear, Linear
from .modules.module import Module
from .modules.normalization import GroupNorm, LayerNorm, RMSNorm
from .modules.sparse import Embedding
from .parameter import is_lazy


@dataclass(frozen=True)
class Row:
    """One place in the tree of modules.

    path: the names from the model down to the module, with dots between them.
    name: the last of these names.
    kind: the name of the class.
    depth: how many names ``path`` has.
    output_shape: a tuple of numbers for a tensor, lists and dicts of them for an output of that structure; None
        without a call.
    parameters: the number of elements of the module's own parameters, without those that an earlier row counted.
    trainable: how many of these require grad.
    mult_adds: multiply-adds of all calls; None if not known.
    calls: how often the module was called.
    reused: whether the module is at an earlier place too.
    shares: whether an earlier row counted some of its parameters.
    """

    path: str
    name: str
    kind: str
    depth: int
    output_shape: Any
    parameters: int
    trainable: int
    mult_adds: int | None
    calls: int
    reused: bool
    shares: bool


@dataclass(frozen=True)
class Summary:
    """The result of :func:`summary`: rows and totals as plain data, and a table as its text.

    rows: one for each place in the tree of modules, parents before children.
    parameters, trainable: how many elements all parameters have, and how many of these require grad.
    parameter_bytes, buffer_bytes, input_bytes: bytes of the parameters, the buffers and the input.
    activation_bytes: bytes of the outputs of modules without children, of every call.
    mult_adds: multiply-adds of all modules but the uncounted ones.
    uncounted: the paths of modules with weights whose multiply-adds are not known.
    depth: how deep the table goes; None for all of it.
    """

    rows: tuple[Row, ...]
    parameters: int
    trainable: int
    parameter_bytes: int
    buffer_bytes: int
    input_bytes: int
    activation_bytes: int
    mult_adds: int
    uncounted: tuple[str, ...]
    depth: int | None = None

    def __str__(self) -> str:
        """Return the table."""
        return _table(self)

    __repr__ = __str__


def summary(
    model: Any,
    input_data: Any = None,
    input_size: Any = None,
    *,
    dtypes: Any = None,
    depth: int | None = None,
    mode: str = "eval",
) -> Summary:
    """Return a table of the modules of ``model``: output shapes, parameters, multiply-adds, bytes.

    ``input_data`` is what the model is called with: a tensor, a tuple or list of arguments, or a dict of keyword
    arguments. Or ``input_size`` gives the shape of each, to be filled with zeros of ``dtypes`` (one for all, or one for
    each). Without either nothing is run, and what needs shapes is left out. ``depth`` is how deep the text goes; deeper
    modules are then counted with their parent. ``mode`` is "eval", "train" or "same".

    Shared parameters count once. A multiply-add is one product of an element of a weight with one of an input: linear
    layers, convolutions and bilinear ones have them; a bias, a normalization, a table of embeddings have none. The
    model is run without gradients on copies of the input; then its modes, its buffers, its hooks and the random state
    are as before, even if it raised. The like of the package torchinfo.

    >>> import rushlight as torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> print(torch.nn.summary(model, input_size=(16, 4)))
    Layer        Output shape  Parameters  Mult-adds
    ------------------------------------------------
    Sequential   [16, 2]                -          -
      0: Linear  [16, 8]               40        512
      1: ReLU    [16, 8]                -          -
      2: Linear  [16, 2]               18        256
    ------------------------------------------------
    Parameters: 58 (58 trainable), 232 bytes
    Mult-adds: 768
    Input: 256 bytes, activations: 1,152 bytes
    """
    if mode not in {"eval", "train", "same"}:
        raise ValueError(f'mode must be "eval", "train" or "same", not {mode!r}')
    if input_data is not None and input_size is not None:
        raise ValueError("summary takes input_data or input_size, not both")
    if any(is_lazy(x) for x in (*model.parameters(), *model.buffers())):
        raise ValueError("summary needs a model whose shapes are known: call the lazy modules with a first batch")
    if input_size is not None:
        input_data = _zeros(input_size, dtypes)
    run = _Run(model)
    if input_data is not None:
        run.call(_mapped(lambda x: x.detach().clone(), input_data), mode)
    return run.summary(input_data, depth)


# ------------------------------------------------------------------ input


def _is_shape(size: Any) -> bool:
    return isinstance(size, tuple | list) and all(isinstance(n, int) for n in size)


def _zeros(size: Any, dtypes: Any) -> Any:
    """Return inputs of zeros, in the structure of ``size``."""
    if isinstance(size, dict):
        by_name = dtypes if isinstance(dtypes, dict) else dict.fromkeys(size, dtypes)
        return {name: _zeros(shape, by_name.get(name)) for name, shape in size.items()}
    if _is_shape(size):
        return wrap(Tensor, np.zeros(tuple(size), default_numpy() if dtypes is None else as_numpy(dtypes)))
    if not isinstance(size, tuple | list):
        raise TypeError(f"input_size is a shape, or several in a list, tuple or dict, not {type(size).__name__}")
    per_input = list(dtypes) if isinstance(dtypes, tuple | list) else [dtypes] * len(size)
    if len(per_input) != len(size):
        raise ValueError(f"{len(per_input)} dtypes for {len(size)} inputs")
    return tuple(_zeros(shape, dtype) for shape, dtype in zip(size, per_input, strict=True))


def _mapped(fn: Any, tree: Any) -> Any:
    """Return a copy of ``tree`` with each tensor replaced by ``fn`` of it."""
    if isinstance(tree, Variable):
        return fn(tree)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[_mapped(fn, item) for item in tree])
    if isinstance(tree, tuple | list):
        return type(tree)(_mapped(fn, item) for item in tree)
    if isinstance(tree, dict):
        return {name: _mapped(fn, item) for name, item in tree.items()}
    return tree


def _bytes(tree: Any) -> int:
    """Return the bytes of all tensors in ``tree``."""
    sizes: list[int] = []
    _mapped(lambda x: sizes.append(x.nbytes), tree)
    return sum(sizes)


def _shape(tree: Any) -> Any:
    """Return the shapes in ``tree``: a tuple for a tensor, lists and dicts of them, None for anything else."""
    if isinstance(tree, Tensor):
        return tuple(tree.shape)
    if isinstance(tree, tuple | list):
        return [_shape(item) for item in tree]
    if isinstance(tree, dict):
        return {name: _shape(item) for name, item in tree.items()}
    return None


# ------------------------------------------------------------------ one run


@dataclass
class _ModuleCall:
    """One call of a module.

    shape: the shape of the output, as in :class:`Row`.
    mult_adds: its multiply-adds; None if not known.
    bytes: the bytes of its output.
    """

    shape: Any
    mult_adds: int | None
    bytes: int


class _Run:
    """One run of a model.

    calls: the calls of each module, by its id.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.calls: dict[int, list[_ModuleCall]] = {}

    def call(self, data: Any, mode: str) -> None:
        """Call the model on ``data``, then restore modes, buffers, hooks and the random state."""
        modules = list(self.model.modules())
        state, modes = get_rng_state(), [module.training for module in modules]
        buffers = [(m, n, b, None if b is None else np.array(b.array)) for m in modules for n, b in m._buffers.items()]
        handles = [m.register_forward_hook(self._record_call, prepend=True, with_kwargs=True) for m in modules]
        try:
            if mode != "same":
                self.model.train(mode == "train")
            with no_grad():
                if isinstance(data, dict):
                    self.model(**data)
                else:
                    self.model(*(data if isinstance(data, tuple | list) else (data,)))
        finally:
            for handle in handles:
                handle.remove()
            for module, training in zip(modules, modes, strict=True):
                module.training = training
            for module, name, buffer, values in buffers:
                _restore(module, name, buffer, values)
            set_rng_state(state)

    def _record_call(self, module: Any, args: Any, kwargs: Any, output: Any) -> None:
        inputs = [x for x in (*args, *kwargs.values()) if isinstance(x, Variable)]
        call = _ModuleCall(_shape(output), _mult_adds(module, inputs, output), _bytes(output))
        self.calls.setdefault(id(module), []).append(call)

    def summary(self, data: Any, depth: int | None) -> Summary:
        """Return rows and totals."""
        counted: set[int] = set()
        places: dict[int, int] = {}
        totals = {id(m): sum(1 for _, other in _places(self.model) if other is m) for m in self.model.modules()}
        rows, uncounted = [], []
        for path, module in _places(self.model):
            place = places[id(module)] = places.get(id(module), -1) + 1
            row = self._row(path, module, place, totals[id(module)], counted)
            rows.append(row)
            if row.mult_adds is None:
                uncounted.append(path)
        parameters, leaves = list(self.model.parameters()), [m for m in self.model.modules() if not any(m.children())]
        return Summary(
            rows=tuple(rows),
            parameters=sum(p.numel() for p in parameters),
            trainable=sum(p.numel() for p in parameters if p.requires_grad),
            parameter_bytes=sum(p.nbytes for p in parameters),
            buffer_bytes=sum(b.nbytes for b in self.model.buffers()),
            input_bytes=_bytes(data),
            activation_bytes=sum(call.bytes for m in leaves for call in self.calls.get(id(m), ())),
            mult_adds=sum(row.mult_adds or 0 for row in rows),
            uncounted=tuple(uncounted),
            depth=depth,
        )

    def _row(self, path: str, module: Any, place: int, places: int, counted: set[int]) -> Row:
        calls = self.calls.get(id(module), [])
        # A module at several places: each place shows one call, in order, and the last place the rest.
        calls_here = calls[place : place + 1] if place < places - 1 else calls[place:]
        own = [p for p in module._parameters.values() if p is not None]
        new = [p for p in own if id(p) not in counted]
        counted.update(id(p) for p in own)
        mult_adds = [call.mult_adds for call in calls_here]
        return Row(
            path=path,
            name=path.rpartition(".")[2],
            kind=module._get_name(),
            depth=path.count(".") + 1 if path else 0,
            output_shape=calls_here[-1].shape if calls_here else None,
            parameters=sum(p.numel() for p in new),
            trainable=sum(p.numel() for p in new if p.requires_grad),
            mult_adds=None if None in mult_adds else sum(n for n in mult_adds if n is not None),
            calls=len(calls_here),
            reused=place > 0,
            shares=len(new) < len(own),
        )


def _places(model: Any, path: str = "") -> Any:
    """Yield path and module of every place in the tree, a shared module at each of its places."""
    yield path, model
    for name, child in model._modules.items():
        if isinstance(child, Module):
            yield from _places(child, f"{path}.{name}" if path else name)


def _restore(module: Any, name: str, buffer: Any, values: Any) -> None:
    """Give ``module`` its buffer back, with the values from before."""
    if module._buffers.get(name) is not buffer:
        module._buffers[name] = buffer
    if buffer is not None and not np.array_equal(buffer.array, values, equal_nan=values.dtype.kind == "f"):
        as_ndarray(buffer)[...] = values
        bump_version(buffer, "summary")


def _mult_adds(module: Any, inputs: list[Any], output: Any) -> int | None:
    """Return the multiply-adds of one call; None if the module has weights and they are not known."""
    if isinstance(module, Linear | Bilinear | _ConvNd) and isinstance(output, Tensor):
        return _count_products(module, inputs, output)
    has_none = isinstance(module, _NormBase | LayerNorm | GroupNorm | RMSNorm | Embedding)
    weights = [p for p in module._parameters.values() if p is not None and p.ndim > 1]
    return None if weights and not has_none else 0


def _count_products(module: Any, inputs: list[Any], output: Any) -> int:
    if isinstance(module, Linear):
        return int(output.numel() * module.weight.shape[1])
    if isinstance(module, Bilinear):
        return int(output.numel() * prod(module.weight.shape[1:]))
    pixels = inputs[0] if module.transposed else output  # each is multiplied with a whole kernel
    return int(pixels.numel() * prod(module.weight.shape[1:]))


# ------------------------------------------------------------------ text


def _shape_text(shape: Any) -> str:
    if isinstance(shape, tuple):
        return str(list(shape))
    if isinstance(shape, list):
        return "(" + ", ".join(_shape_text(item) for item in shape) + ")"
    if isinstance(shape, dict):
        return "{" + ", ".join(f"{name}: {_shape_text(item)}" for name, item in shape.items()) + "}"
    return "-"


def _number_text(value: int | None, unknown: str = "?") -> str:
    return unknown if value is None else f"{value:,}" if value else "-"


def _visible_rows(result: Summary) -> list[tuple[Row, int, int | None]]:
    """Return the rows to show, their parameters and multiply-adds; deeper rows are counted with the one above."""
    rows: list[tuple[Row, int, int | None]] = []
    for row in result.rows:
        if result.depth is None or row.depth <= result.depth:
            rows.append((row, row.parameters, row.mult_adds))
        else:
            above, parameters, mult_adds = rows[-1]
            total = None if mult_adds is None or row.mult_adds is None else mult_adds + row.mult_adds
            rows[-1] = above, parameters + row.parameters, total
    return rows


def _table(result: Summary) -> str:
    cells = [["Layer", "Output shape", "Parameters", "Mult-adds"]]
    for row, parameters, mult_adds in _visible_rows(result):
        label = f"{row.name}: {row.kind}" if row.depth else row.kind
        label += " (reused)" if row.reused else " (shared weights)" if row.shares else ""
        label += f" x{row.calls}" if row.calls > 1 else ""
        cells.append(
            ["  " * row.depth + label, _shape_text(row.output_shape), _number_text(parameters), _number_text(mult_adds)]
        )
    widths = [max(len(line[i]) for line in cells) for i in range(4)]
    lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip() for a, b, c, d in cells]
    rule = "-" * (sum(widths) + 6)
    buffers = f", buffers: {result.buffer_bytes:,} bytes" if result.buffer_bytes else ""
    lines = [lines[0], rule, *lines[1:], rule]
    trained = f"({result.trainable:,} trainable), {result.parameter_bytes:,} bytes"
    lines.append(f"Parameters: {result.parameters:,} {trained}{buffers}")
    if any(row.calls for row in result.rows):
        uncounted = ", ".join(path or "the model" for path in result.uncounted)
        lines.append(f"Mult-adds: {result.mult_adds:,}" + (f", without {uncounted}" if uncounted else ""))
        lines.append(f"Input: {result.input_bytes:,} bytes, activations: {result.activation_bytes:,} bytes")
    return "\n".join(lines)
