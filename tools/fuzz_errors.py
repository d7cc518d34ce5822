"""Call every function that both engines have with odd arguments, and tell where the outcomes differ.

    python tools/fuzz_errors.py [-n CALLS] [-s SEED] [WORD ...]

Each function runs in a process of its own, since PyTorch may crash. The classes: ``value`` (both answer, otherwise),
``refused`` (only rushlight raises), ``accepted`` (only PyTorch raises), ``type`` (both raise, other types).
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import random
import re
import resource
import signal
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.extend(str(Path(__file__).resolve().parents[1] / folder) for folder in ("tests", "tools"))
import rushlight
from support.oracle import close, describe, weight


def words(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()


TENSORS = """
T.tensor([[1.5, -2.0, 0.5], [3.0, 0.0, -1.0]])
T.tensor([[1.5, -2.0, 0.5], [3.0, 0.25, -1.0]], requires_grad=True)
T.tensor([[0.5, 0.25], [0.75, 0.125], [0.3, 0.9]]).t()
T.tensor([[0.5, 0.2, 0.7], [0.1, 0.9, 0.4]], dtype=T.float64)
T.tensor([[1, 2, 0], [0, 1, 2]])
T.tensor([[True, False, True], [False, False, True]])
T.tensor([[float("nan"), float("inf"), 1.0], [0.0, -float("inf"), 2.0]])
T.ones(1, 3).expand(2, 3)
T.tensor([2.0, 0.5, 1.5])
T.tensor([2.0, 0.5, 1.5], requires_grad=True)
T.tensor([0, 1, 1])
T.tensor([True, False, True])
T.tensor([1.0, 2.0])
T.tensor([0, 1])
T.tensor([0.5, 1.5, 2.5, 3.5, 4.5, 5.5])[::2]
T.tensor(1.5)
T.tensor(0.5, dtype=T.float64)
T.tensor(2)
T.tensor(True)
T.tensor(0.75, requires_grad=True)
T.zeros(0)
T.zeros(0, 3)
T.zeros(2, 0)
T.zeros(0, dtype=T.int64)
T.zeros(0, 3, requires_grad=True)
T.tensor([[2.0, 1.0], [1.0, 3.0]])
T.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
T.tensor([[1, 2], [3, 4]])
T.eye(3)
T.arange(12.0).reshape(2, 3, 2)
T.arange(12.0).reshape(2, 3, 2).requires_grad_()
T.arange(12.0).reshape(3, 2, 2).transpose(0, 1)
T.arange(32.0).reshape(1, 2, 4, 4)
T.arange(32.0).reshape(1, 2, 4, 4).requires_grad_()
T.arange(32.0).reshape(1, 2, 2, 2, 4)
T.arange(8.0).reshape(1, 2, 4)
T.tensor([[7, -1, 1]])
T.tensor([1, 2, 3], dtype=T.int32)
T.tensor([1, 200, 3], dtype=T.uint8)
T.tensor([1.0, 2.0, 3.0], dtype=T.float16)
T.zeros(1, 0, 4, 4)
T.zeros(0, 2, 4, 4)
T.zeros(2, 2, 4)
""".strip().splitlines()
INDICES = """
T.tensor([0, 1])
T.tensor([1, 0, 1])
T.tensor(1)
T.tensor([], dtype=T.int64)
T.tensor([[0, 1, 0], [1, 0, 1]])
T.tensor([[0], [1]])
T.tensor([-1])
T.tensor([7])
T.tensor([0, 1], dtype=T.int32)
T.tensor([0, 1], dtype=T.uint8)
T.tensor([0.0, 1.0])
T.tensor([True, False])
T.tensor([[1, 2], [3, 4]])
""".strip().splitlines()
DIMS = words("""
0 1 -1 -2 2 -3 3 7 -7 None () (0,) (1,) (0,1) (0,0) (0,-2) [1] [] 1.0 True T.tensor(1) 'a'
""")
SIZES = words("""
0 1 2 3 4 -1 -2 (2,3) (3,2) (6,) (2,) (1,) (-1,) (0,) (2,-1) (-1,-1) () (1,2) (2,2) (2,2,2) (1,1,1) (2,3,2)
[2,1] [1,0] (1,2,3,4) 1.0 2.5 None T.tensor(2) (True,) 'a'
""")
NUMBERS = words("""
0 1 2 3 -1 -2 0.0 0.5 1.0 2.5 -1.5 1e30 float('inf') -float('inf') float('nan') True False 10 None 'a'
T.tensor(2.0) T.tensor(1) np.float64(0.5) np.int64(2)
""")
FLAGS = words("""
True False True False True False None 1 'a'
""")
DTYPES = words("""
T.float32 T.float64 T.int64 T.int32 T.uint8 T.bool T.float16 None 'float' float np.float32
""")
WORDS = words("""
'mean' 'sum' 'none' 'max' 'mean' 'sum' 'none' 'batchmean' 'zz' None 1 'prod' 'amax' 'amin'
""")
MODES = words("""
'nearest' 'bilinear' 'linear' 'bicubic' 'trilinear' 'area' 'nearest-exact' 'constant' 'reflect' 'replicate'
'circular' 'zz' 'floor' 'trunc' 'tanh' 'max' 'mean' 'sum' 'reduced' 'complete' 'zeros' 'border' None
""")
JUNK = words("""
None 'a' [1,2] [1.0,2.0] [[1.0,2.0],[3.0,4.0]] np.ones(3) np.ones((2,3),np.float32) 1 2.5 True object() {}
(1,'a') T.float32
""")
LISTS = """
[T.ones(2, 3), T.ones(2, 3)]
[T.ones(2, 3), T.ones(3)]
(T.ones(2, 3), T.zeros(0))
[T.ones(3), T.ones(3, dtype=T.float64)]
[T.ones(3, requires_grad=True), T.tensor([1, 2, 3])]
[]
[T.tensor(1.0), T.tensor(2.0)]
[T.ones(3), 1]
[T.ones(2, 3)]
[T.ones(2, 3), T.ones(3, 2)]
T.ones(2, 3)
(T.tensor([0, 1]), T.tensor([1, 0]))
(T.tensor([0, 1]),)
[T.ones(2, 2), T.eye(2), T.ones(2, 2)]
""".strip().splitlines()
POOLS: dict[str, list[str]] = {}
POOLS |= dict.fromkeys(
    words("""
dim dim0 dim1 dim2 axis axis0 axis1 start_dim end_dim start end diagonal offset source destination dimension
length step
"""),
    DIMS,
)
POOLS |= dict.fromkeys(
    words("""
size shape size_ kernel_size stride padding dilation output_size repeats dims sections split_size
split_size_or_sections indices_or_sections shifts chunks sizes normalized_shape pad output_padding groups
num_groups upscale_factor downscale_factor scale_factor split_sizes num_classes output_ratio N n k correction
kernel shape_ num_samples blank
"""),
    SIZES,
)
POOLS |= dict.fromkeys(
    words("""
alpha beta value eps p min max exponent lambd margin number fill_value weight_ rtol atol tol lower upper delta
threshold bins momentum std mean low high step base decimals q nan posinf neginf ord norm_type maxnorm
max_norm tau rcond hermitian dropout_p scale label_smoothing ignore_index padding_idx steps minlength sigma
"""),
    NUMBERS,
)
POOLS |= dict.fromkeys(
    words("""
dtype
"""),
    DTYPES,
)
POOLS |= dict.fromkeys(
    words("""
reduction reduce
"""),
    WORDS,
)
POOLS |= dict.fromkeys(
    words("""
mode rounding_mode padding_mode approximate interpolation driver indexing
"""),
    MODES,
)
POOLS |= dict.fromkeys(
    words("""
index indices
"""),
    INDICES,
)
POOLS |= dict.fromkeys(
    words("""
tensors arrays matrices
"""),
    LISTS,
)
SKIPPED = words("""
save load from_dlpack seed initial_seed manual_seed set_rng_state get_rng_state set_default_dtype
set_default_device set_grad_enabled inference_mode no_grad enable_grad autocast set_printoptions Tensor
Generator is_anomaly_enabled device dtype layout memory_format finfo iinfo Size typename get_default_device
empty empty_like empty_strided new_empty new new_empty_strided share_memory_ data_ptr frombuffer register_hook
register_post_accumulate_grad_hook resize_ FloatTensor DoubleTensor IntTensor LongTensor ByteTensor BoolTensor
CharTensor ShortTensor HalfTensor LinAlgError as_subclass resize_as_ cuda is_pinned set_ is_storage asarray
linear_cross_entropy storage_offset geometric_ cauchy_ log_normal_
""")


Params = list[tuple[str, Any, bool]]


def places() -> dict[str, tuple[Any, Any]]:
    """Return, by the text that calls it, every function that both engines have, ours and PyTorch's."""
    found: dict[str, tuple[Any, Any]] = {}
    for text, path in (("T.", ""), (".", "Tensor"), ("T.nn.functional.", "nn.functional"), ("T.linalg.", "linalg")):
        ours, theirs = rushlight, torch
        for part in path.split(".") if path else ():
            ours, theirs = getattr(ours, part), getattr(theirs, part)
        for name in dir(theirs):
            pair = getattr(ours, name, None), getattr(theirs, name)
            twin = found.get("T." + name)
            known = twin is not None and (text == "." or twin[1] is pair[1])
            if all(map(callable, pair)) and not (name.startswith("_") or name in SKIPPED or known):
                found[text + name] = pair
    return found


def parameters(call: str, function: Any) -> Params:
    """Return the name, default and keyword-only-ness of each parameter, from the function or its twin."""
    name = call.rpartition(".")[2]
    plain = name.rstrip("_")
    twins = [getattr(rushlight, n, None) for n in (name, plain)]
    for each in (function, *twins, getattr(rushlight.Tensor, plain, None)):
        try:
            given = inspect.signature(each).parameters.values()
        except (TypeError, ValueError):
            continue
        if not any(p.kind is p.VAR_KEYWORD for p in given):
            skip = {"out", "generator", "device", "layout", "pin_memory", "memory_format", "names", "axis"}
            return [(p.name, p.default, p.kind is p.KEYWORD_ONLY) for p in given if p.name not in skip]
    return [("self", inspect.Parameter.empty, False), ("other", None, False)]


def pool(name: str, default: Any, rules: Any) -> list[str]:
    """Return what may stand for the parameter ``name``."""
    if name in rules and name not in ("index", "indices", "tensors"):
        return TENSORS
    if name in POOLS:
        return POOLS[name]
    if isinstance(default, bool):
        return FLAGS
    if isinstance(default, int | float):
        return NUMBERS
    return TENSORS


def draw(dice: random.Random, call: str, params: Params, rules: Any) -> tuple[list[str], dict[str, str]]:
    """Return texts of positional and keyword arguments, the most of them of the right kind."""
    first = dice.choice(TENSORS)
    args: list[str] = []
    named: dict[str, str] = {}
    for number, (name, default, only) in enumerate(params):
        choices = pool(name, default, rules)
        text = dice.choice(choices)
        if choices in (DIMS, SIZES, NUMBERS) and dice.random() < 0.5:
            text = dice.choice(choices[:7])
        if choices is TENSORS and dice.random() < 0.5:
            text = first
        if number == 0 and call.startswith("."):
            args.append(first if choices is TENSORS else dice.choice(TENSORS))
            continue
        if dice.random() < 0.04:
            text = dice.choice(JUNK)
        if default is not inspect.Parameter.empty and dice.random() < (0.5 if number < 3 else 0.8):
            continue
        if only or named or dice.random() < 0.08 or len(args) < number:
            named[name] = text
        else:
            args.append(text)
    if dice.random() < 0.01:
        named["wrong"] = "1"
    if dice.random() < 0.01 and len(args) > 1:
        args.pop()
    return args, named


def outcome(function: Any, engine: Any, args: list[str], named: dict[str, str]) -> tuple[Any, Exception | None]:
    """Return what a user sees after the call, and the error if it raised."""
    scope = {"T": engine, "np": np}
    given = [eval(text, scope) for text in args]
    words = {name: eval(text, scope) for name, text in named.items()}
    engine.manual_seed(0)
    try:
        out = function(*given, **words)
        outs = list(out) if isinstance(out, tuple | list) else [out]
        seen = [full(o) for o in outs] + [full(g) for g in given if isinstance(g, engine.Tensor)]
    except Exception as error:  # any error is a result
        return None, error
    leaves = [g for g in [*given, *words.values()] if isinstance(g, engine.Tensor) and g.requires_grad and g.is_leaf]
    roots = [o for o in outs if isinstance(o, engine.Tensor) and o.requires_grad and not o.is_leaf]
    if leaves and roots:
        try:
            engine.autograd.backward(roots, [weight(engine, o) for o in roots])
            seen += [None if leaf.grad is None else full(leaf.grad)[:1] for leaf in leaves]
        except Exception as error:
            seen.append(f"backward: {type(error).__name__}")
    return seen, None


def full(value: Any) -> Any:
    """Return a result with all that can be seen of it."""
    if isinstance(value, torch.Tensor | rushlight.Tensor):
        return [describe(value), f"requires_grad {value.requires_grad}", value.is_contiguous()]
    if isinstance(value, tuple | list):
        return [full(v) for v in value]
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def builtins(error: Exception) -> type:
    return next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")


def compare(ours: tuple[Any, Any], theirs: tuple[Any, Any]) -> tuple[str, str]:
    """Return the class and a text of the difference, or two empty texts."""
    if ours[1] is None and theirs[1] is None:
        try:
            close(ours[0], theirs[0], 1e-4)
        except AssertionError as error:
            kind = "layout" if re.match("rushlight (True|False), PyTorch", str(error)) else "value"
            kind = "backward" if "'backward" in str(theirs[0]) else kind
            return kind, " ".join(str(error).split())[:300]
        return "", ""
    said = [f"{type(e[1]).__name__}: {str(e[1]).strip().splitlines()[:1]}" if e[1] else "-" for e in (theirs, ours)]
    text = f"PyTorch {said[0][:200]} | rushlight {said[1][:160]}"
    if theirs[1] is None:
        return "refused", text
    parser = isinstance(theirs[1], TypeError)
    if ours[1] is None:
        return "accepted-parser" if parser else "accepted", text
    if isinstance(ours[1], builtins(theirs[1])) or isinstance(theirs[1], builtins(ours[1])):
        return "", ""
    return "type-parser" if parser else "type", text


def line(call: str, args: list[str], named: dict[str, str]) -> str:
    words = [f"{name}={text}" for name, text in named.items()]
    if call.startswith("."):
        return f"{args[0]}{call}({', '.join(args[1:] + words)})"
    return f"{call}({', '.join(args + words)})"


def hunt(call: str, pair: tuple[Any, Any], calls: int, seed: int, report: Any) -> None:
    """Write one line of JSON for each difference of another kind."""
    dice = random.Random(f"{call} {seed}")
    params = parameters(call, pair[0])
    rules = getattr(getattr(pair[0], "primitive", None), "rules", {})
    met: dict[Any, tuple[str, str]] = {}
    count = 0
    for _ in range(calls):
        args, named = draw(dice, call, params, rules)
        print(line(call, args, named), file=sys.stderr, flush=True)
        ours, theirs = (outcome(f, e, args, named) for f, e in zip(pair, (rushlight, torch), strict=True))
        count += theirs[1] is None
        kind, text = compare(ours, theirs)
        said = "".join(f"{type(e[1]).__name__} {'' if 'parser' in kind else str(e[1])[:50]}" for e in (theirs, ours))
        key = kind, re.sub(r"[\d.,\-\[\]() TFa-z]{3,}", "#", said if kind != "value" else text[:60])
        shown = line(call, args, named)
        if kind and (key not in met or len(shown) < len(met[key][0])):
            met[key] = shown, text
    for (kind, _), (shown, text) in met.items():
        print(json.dumps([kind, call, shown, text]), file=report, flush=True)
    print(json.dumps(["ran", call, count, calls]), file=report, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=200)
    parser.add_argument("-s", type=int, default=0)
    parser.add_argument("-o", default="/tmp/fuzz_errors.jsonl")
    parser.add_argument("words", nargs="*")
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    with Path(given.o).open("w") as report:
        for call, pair in places().items():
            if given.words and call.lstrip(".") not in given.words and call.rpartition(".")[2] not in given.words:
                continue
            if child := os.fork():
                _, status = os.waitpid(child, 0)
                if status:
                    last = Path(given.o + ".last").read_text().splitlines()[-1]
                    print(json.dumps(["crash", call, last, str(status)]), file=report, flush=True)
                continue
            signal.alarm(40)
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
            os.dup2(os.open(given.o + ".last", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            hunt(call, pair, given.n, given.s, report)
            os._exit(0)
    found = [json.loads(text) for text in Path(given.o).read_text().splitlines()]
    print(Counter(kind for kind, *_ in found))


if __name__ == "__main__":
    main()
