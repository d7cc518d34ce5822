"""What programs set and ask before they compute: as under a PyTorch without a GPU."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import torch

import rushlight
from support.oracle import builtin

ASKED = """
T.cuda.is_available()
T.cuda.device_count()
T.cuda.is_initialized()
T.cuda.is_bf16_supported()
T.cuda.manual_seed(1)
T.cuda.manual_seed_all(1)
T.cuda.seed_all()
T.cuda.empty_cache()
T.cuda.memory_allocated()
T.cuda.max_memory_allocated()
T.cuda.memory_reserved()
T.cuda.max_memory_reserved()
T.cuda.synchronize()
T.cuda.current_device()
T.cuda.get_device_name(0)
T.accelerator.is_available()
T.accelerator.device_count()
T.accelerator.current_accelerator()
T.accelerator.synchronize()
T.backends.cudnn.is_available()
T.backends.cudnn.version()
T.backends.cudnn.enabled
T.backends.cudnn.deterministic
T.backends.cudnn.benchmark
T.backends.cuda.is_built()
T.backends.mps.is_available()
T.backends.mps.is_built()
T.version.cuda
T.version.hip
T.version.debug
T.is_autocast_enabled()
T.set_num_threads(0)
T.set_num_threads(1.5)
T.set_num_threads(True)
T.set_num_threads('1')
T.set_num_interop_threads(0)
T.set_num_interop_threads('1')
T.use_deterministic_algorithms(1)
T.use_deterministic_algorithms(True, warn_only=1)
T.are_deterministic_algorithms_enabled()
T.is_deterministic_algorithms_warn_only_enabled()
T.get_deterministic_debug_mode()
T.set_deterministic_debug_mode('loud')
T.set_deterministic_debug_mode(5)
T.set_deterministic_debug_mode(-1)
T.set_deterministic_debug_mode(None)
T.set_float32_matmul_precision(1)
T.get_float32_matmul_precision()
""".strip().splitlines()


def told(line: str, T: Any) -> Any:
    try:
        return eval(line, {"T": T})
    except Exception as error:
        return error


@pytest.mark.parametrize("line", ASKED)
def test_the_answer_is_that_of_a_pytorch_without_gpu(line: str) -> None:
    mine, other = told(line, rushlight), told(line, torch)
    if isinstance(other, Exception):
        assert isinstance(mine, builtin(other)), repr(mine)
    else:
        assert mine == other


SETTINGS = [
    ("set_num_threads(3)", "get_num_threads()"),
    ("use_deterministic_algorithms(True)", "get_deterministic_debug_mode()"),
    ("use_deterministic_algorithms(True, warn_only=True)", "get_deterministic_debug_mode()"),
    ("use_deterministic_algorithms(True, warn_only=True)", "is_deterministic_algorithms_warn_only_enabled()"),
    ("set_deterministic_debug_mode('warn')", "is_deterministic_algorithms_warn_only_enabled()"),
    ("set_deterministic_debug_mode(2)", "are_deterministic_algorithms_enabled()"),
    ("set_float32_matmul_precision('high')", "get_float32_matmul_precision()"),
]


@pytest.mark.parametrize(("change", "question"), SETTINGS)
def test_a_setting_is_remembered(change: str, question: str) -> None:
    answers = []
    for T in (rushlight, torch):
        threads = T.get_num_threads()
        try:
            eval(f"T.{change}", {"T": T})
            answers.append(eval(f"T.{question}", {"T": T}))
        finally:
            T.set_num_threads(threads)
            T.use_deterministic_algorithms(False)
            T.set_float32_matmul_precision("highest")
    assert answers[0] == answers[1]


def test_an_unknown_precision_warns_and_changes_nothing() -> None:
    with pytest.warns(UserWarning, match="precision"):
        rushlight.set_float32_matmul_precision("low")
    assert rushlight.get_float32_matmul_precision() == "highest"


def test_compile_gives_back_what_it_was_given() -> None:
    layer = rushlight.nn.Linear(2, 2)
    assert rushlight.compile(layer) is layer
    assert rushlight.compile(mode="max-autotune", fullgraph=True)(layer) is layer
    with pytest.raises(RuntimeError, match="mode=wild"):
        rushlight.compile(layer, mode="wild")
    with pytest.raises(AssertionError, match="callable"):
        rushlight.compile(3)  # type: ignore[arg-type]


IMPORTS = [
    "accelerator",
    "amp",
    "backends.cuda",
    "backends.cudnn",
    "backends.mps",
    "cuda",
    "cuda.amp",
    "special",
    "version",
]


@pytest.mark.parametrize("path", IMPORTS)
def test_modules_can_be_imported_and_hold_nothing_that_pytorch_lacks(path: str) -> None:
    mine, other = import_module(f"rushlight.{path}"), import_module(f"torch.{path}")
    public = [
        n
        for n, v in vars(mine).items()
        if not n.startswith("_") and getattr(v, "__module__", "").startswith("rushlight")
    ]
    assert all(hasattr(other, name) for name in public)
    if hasattr(mine, "__all__"):
        assert set(mine.__all__) <= set(other.__all__)


@pytest.mark.parametrize("name", rushlight.special.__all__)
def test_special_functions(name: str) -> None:
    more = {"multigammaln": (1,), "softmax": (0,), "log_softmax": (0,), "logsumexp": (0,)}
    results = []
    for T in (rushlight, torch):
        x = T.tensor([0.1, 0.5, 0.75], dtype=T.float64, requires_grad=True)
        y = T.tensor([1.5, 2.5, 3.5], dtype=T.float64)
        args = (1, x) if name == "polygamma" else (x, *more.get(name, ()))
        if name in {"xlogy", "xlog1py"}:
            args = x, x
        elif name in {"gammainc", "gammaincc", "zeta"}:  # of two tensors, the first without a gradient
            args = y, x + 2 if name == "zeta" else x
        elif "polynomial" in name:
            args = x.detach(), 3
        out = getattr(T.special, name)(*args)
        if out.requires_grad:
            out.sum().backward()
        results.append((out.detach().tolist(), [] if x.grad is None else x.grad.tolist()))
    for mine, other in zip(*results, strict=True):
        assert mine == pytest.approx(other, rel=1e-8)  # PyTorch's trigamma is off by 4e-10: that of 0.5 is pi ** 2 / 2
