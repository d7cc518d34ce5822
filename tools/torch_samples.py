"""PyTorch's own sample inputs of its ops, run through both engines: values, dtypes, first and second gradients.

    python tools/torch_samples.py [--dtype float64] [names of ops]

PyTorch keeps for its tests a list of about 700 ops with inputs that reach their corners (``torch.testing._internal``,
not a public part, which needs the package expecttest). What rushlight lacks, and what it does otherwise on purpose, is
told apart; what is left is printed. Exit status 1 if there is any.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db

import rushlight

KINDS = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
DTYPES = {getattr(torch, name): getattr(rushlight, name) for name in KINDS}

DRAWN = "random numbers that depend on the build of PyTorch"
ORDER = "which of equal elements, or which sign of a vector, is left open"
WRAPPED = "PyTorch's list calls something else under this name"
EXCUSED = {
    **dict.fromkeys(
        "normal randn randint rand_like randn_like randint_like bernoulli multinomial empty empty_like new_empty "
        "empty_strided new_empty_strided nn.functional.rrelu nn.functional.dropout nn.functional.dropout2d "
        "nn.functional.dropout3d nn.functional.alpha_dropout nn.functional.feature_alpha_dropout "
        "nn.functional.fractional_max_pool2d nn.functional.fractional_max_pool3d "
        "nn.functional.scaled_dot_product_attention nn.functional.multi_head_attention_forward".split(),
        DRAWN,
    ),
    **dict.fromkeys("kthvalue median nanmedian mode topk sort argsort svd linalg.svd linalg.eigh".split(), ORDER),
    **dict.fromkeys(
        "as_strided einsum polygamma special.polygamma where gather real __rdiv__ bool double float half int long "
        "short T H mT mH zero_ nn.functional.embedding linalg.pinv linalg.lstsq "
        "nn.functional.triplet_margin_with_distance_loss".split(),
        WRAPPED,
    ),
    **dict.fromkeys("to byte char".split(), "memory formats are not there"),
    "nn.functional.embedding_bag": "sparse gradients are not there",
    "nn.functional.linear_cross_entropy": "PyTorch drops its second derivative",
    "nn.functional.interpolate": "integer images are resized by the nearest element only",
    "nn.functional.upsample_bilinear": "integer images are resized by the nearest element only",
    "nn.functional.batch_norm": "an empty vector is no batch",
    "index_add": "an alpha that does not fit the dtype",
    "linalg.slogdet": "of no element",
}
"""Ops that differ, and why that is no fault."""


class AbsentError(Exception):
    """Something that rushlight does not have on purpose: a dtype, a layout, a generator of another kind."""


def ours(value: Any) -> Any:
    """Return an argument of PyTorch as one of rushlight."""
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided or value.dtype not in DTYPES or value.ndim > 64:
            raise AbsentError
        made = rushlight.from_numpy(np.array(value.detach().numpy(force=True), copy=True, order="K"))
        return made.requires_grad_(value.requires_grad)
    if isinstance(value, torch.dtype):
        if value not in DTYPES:
            raise AbsentError
        return DTYPES[value]
    if isinstance(value, complex | torch.Generator | torch.layout):
        raise AbsentError
    if isinstance(value, torch.device):
        return "cpu"
    if isinstance(value, torch.memory_format):
        return getattr(rushlight, str(value).rsplit(".", maxsplit=1)[-1])
    if isinstance(value, list | tuple):
        return type(value)([ours(one) for one in value])
    return {name: ours(one) for name, one in value.items()} if isinstance(value, dict) else value


def found(op: Any) -> Any:
    """Return rushlight's function for an op of the list, or None."""
    if op.name.startswith("__"):
        return lambda x, *args: getattr(x, op.name)(*args)
    try:
        return reduce(getattr, op.name.split("."), rushlight)
    except AttributeError:
        return getattr(rushlight.Tensor, op.name, None)


def leaves(value: Any, kind: Any) -> Iterator[Any]:
    """Yield the tensors in nested containers."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from leaves(one, kind)
    elif isinstance(value, dict):
        yield from leaves(list(value.values()), kind)


def differs(mine: Any, other: Any, tol: float) -> str:
    """Return how two results differ, or ''."""
    if isinstance(other, torch.Tensor):
        if not isinstance(mine, rushlight.Tensor):
            return f"a {type(mine).__name__}, not a tensor"
        if str(mine.array.dtype) != str(other.dtype).rsplit(".", maxsplit=1)[-1]:
            return f"{mine.array.dtype}, not {other.dtype}"
        if tuple(mine.shape) != tuple(other.shape) or mine.requires_grad != other.requires_grad:
            return f"{mine.shape} {mine.requires_grad}, not {other.shape} {other.requires_grad}"
        return far(mine, other, tol)
    if isinstance(other, list | tuple):
        if len(mine) != len(other):
            return f"{len(mine)} results, not {len(other)}"
        return next((text for pair in zip(mine, other, strict=True) if (text := differs(*pair, tol))), "")
    if isinstance(other, float):
        return "" if np.allclose(mine, other, rtol=tol, equal_nan=True) else f"{mine}, not {other}"
    return "" if mine == other or not isinstance(other, int | bool | str) else f"{mine!r}, not {other!r}"


def far(mine: Any, other: Any, tol: float) -> str:
    """Return both values if they are not near each other; None stands for zeros."""
    x, y = (np.zeros(()) if t is None else np.asarray(t.detach().numpy(force=True), np.float64) for t in (mine, other))
    scale = max(1.0, float(np.abs(y[np.isfinite(y)]).max(initial=0)))
    return (
        "" if np.allclose(x, y, rtol=tol, atol=tol * scale, equal_nan=True) else f"{x.ravel()[:4]}, not {y.ravel()[:4]}"
    )


def weights(tensors: list[Any], T: Any, seed: int) -> list[Any]:
    """Return a random gradient for each tensor, as a leaf."""
    rng = np.random.default_rng(seed)
    made = [T.from_numpy(np.asarray(rng.normal(size=tuple(t.shape)))) for t in tensors]
    return [w.to(t.dtype).detach().requires_grad_() for w, t in zip(made, tensors, strict=True)]


def slopes(T: Any, out: Any, given: Any, twice: bool) -> tuple[list[Any], list[Any]]:
    """Return the gradients of ``given`` and, if ``twice``, those of these gradients."""
    kind = T.Tensor
    outs = [t for t in leaves(out, kind) if t.requires_grad]
    inputs = [t for t in leaves(given, kind) if t.requires_grad]
    by = weights(outs, T, 0)
    first = T.autograd.grad(outs, inputs, by, create_graph=twice, allow_unused=True)
    again = [g for g in first if g is not None and g.requires_grad]
    if not again:
        return list(first), []
    second = T.autograd.grad(again, inputs + by, weights(again, T, 1), allow_unused=True)
    return list(first), list(second)


def outcome(op: Any, function: Any, sample: Any, tol: float) -> str:  # noqa: PLR0911 - one answer for each way to end
    """Return how both engines differ on one sample: '' if they agree, '~...' where there is nothing to compare."""
    theirs = (sample.input, *sample.args), sample.kwargs
    try:
        args, kwargs = ours(theirs[0]), ours(theirs[1])
    except AbsentError:
        return "~not there on purpose"
    torch.manual_seed(0)
    try:
        right = op.op(*theirs[0], **theirs[1])
    except Exception:
        return "~PyTorch refuses its sample"
    rushlight.manual_seed(0)
    try:
        mine = function(*args, **kwargs)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if text := differs(mine, right, tol):
        return text
    if not any(t.requires_grad for t in leaves(right, torch.Tensor)):
        return ""
    try:
        right_slopes = slopes(torch, right, theirs, op.supports_gradgrad)
    except Exception:
        return "~PyTorch has no gradient"
    try:
        my_slopes = slopes(rushlight, mine, (args, kwargs), op.supports_gradgrad)
    except Exception as error:
        return f"gradient: {type(error).__name__}: {error}"
    for order, (some, others) in enumerate(zip(my_slopes, right_slopes, strict=True), 1):
        for one, other in zip(some, others, strict=False):
            if other is not None and not other.isfinite().all():
                return "~PyTorch's gradient is not finite"
            if text := far(one, other, 1e-5):
                return f"gradient of order {order}: {text}"
    return ""


def main() -> int:
    """Run the samples; return how to exit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--dtype", default="float64", choices=KINDS)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    kind = getattr(torch, given.dtype)
    tol = {"float64": 1e-6, "float16": 2e-2}.get(given.dtype, 1e-3)
    tally, absent, bad = Counter[str](), 0, set[tuple[str, str]]()
    for op in op_db:
        if (given.names and op.name not in given.names) or not op.supports_dtype(kind, "cpu"):
            continue
        function = found(op)
        if function is None:
            absent += 1
            continue
        asks = given.dtype == "float64" and op.supports_autograd
        for sample in op.sample_inputs("cpu", kind, requires_grad=asks):
            text = outcome(op, function, sample, tol)
            excuse = EXCUSED.get(op.name, "differ")
            if excuse is DRAWN and sample.kwargs.get("dropout_p", 1) == 0:
                excuse = "differ"
            reason = text[1:] if text.startswith("~") else excuse if text else "agree"
            tally[reason] += 1
            if reason == "differ" and (op.name, text[:30]) not in bad:
                bad.add((op.name, text[:30]))
                print(f"{op.name} {op.variant_test_name}: {text}\n    {str(sample)[:300]}", flush=True)
    for reason, times in tally.most_common():
        print(f"{times:6}  {reason}")
    print(f"{absent} ops of the list are not here")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
