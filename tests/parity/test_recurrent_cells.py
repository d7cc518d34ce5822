"""Recurrent cells against PyTorch, as modules and as functions."""

from typing import Any

import numpy as np
import pytest

from support.oracle import ENGINES, same, same_with_leaves
from support.values import normals

normal = normals(np.random.default_rng(0))

CELLS = ["RNNCell", "LSTMCell", "GRUCell"]
CELL_OPTIONS = [
    *[(name, options) for name in CELLS for options in ("", "bias=False")],
    ("RNNCell", "nonlinearity='relu'"),
]


def cell(engine: Any, name: str, options: str) -> Any:
    return eval(f"T.nn.{name}(3, 4, {options}{options and ', '}dtype=T.float64)", {"T": engine})


@pytest.mark.parametrize(("name", "options"), CELL_OPTIONS)
@pytest.mark.parametrize("batch", [(), (0,), (1,), (2,), (5,)])
def test_cell(name: str, options: str, batch: tuple[int, ...]) -> None:
    def code(T: Any, x: Any, *given: Any) -> Any:
        module = cell(T, name, options)
        out = module(x, given if len(given) > 1 else given[0]) if given else module(x)
        return list(out) if isinstance(out, tuple) else [out], module.parameters()

    same_with_leaves(code, normal(*batch, 3))
    same_with_leaves(code, normal(*batch, 3), *[normal(*batch, 4) for _ in range(2 if name == "LSTMCell" else 1)])


@pytest.mark.parametrize("name", CELLS)
def test_cell_unrolled(name: str) -> None:
    def code(T: Any, x: Any, *given: Any) -> Any:
        module = cell(T, name, "")
        state = given if len(given) > 1 else given[0]
        for row in x:
            state = module(row, state)
        return list(state) if isinstance(state, tuple) else [state], module.parameters()

    same_with_leaves(code, normal(4, 2, 3), *[normal(2, 4) for _ in range(2 if name == "LSTMCell" else 1)])


@pytest.mark.parametrize("which", [0, 1])
def test_one_result_of_a_cell_is_used(which: int) -> None:
    def code(T: Any, x: Any) -> Any:
        module = cell(T, "LSTMCell", "")
        return [module(x)[which]], module.parameters()

    same_with_leaves(code, normal(2, 3))


@pytest.mark.parametrize("name", CELLS)
def test_results_of_cells_may_be_written(name: str) -> None:
    """PyTorch holds results of the others; with the cell's own copies here nothing need be refused."""

    def code(T: Any, x: Any) -> Any:
        module = cell(T, name, "")
        out = module(x)
        outs = list(out) if isinstance(out, tuple) else [out]
        if T is ENGINES[0]:
            for one in outs:
                one.mul_(3.0)
            return outs, module.parameters()
        return [one * 3.0 for one in outs], module.parameters()

    same_with_leaves(code, normal(2, 3))


FUNCTIONS = {"lstm_cell": 4, "gru_cell": 3, "rnn_tanh_cell": 1, "rnn_relu_cell": 1}


def weights(name: str, kind: str = "float64") -> list[np.ndarray]:
    rows = 4 * FUNCTIONS[name]
    return [normal(*shape, kind=kind) for shape in ((rows, 3), (rows, 4), (rows,), (rows,))]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("biases", [(True, True), (False, True), (True, False), (False, False)])
def test_function(name: str, biases: tuple[bool, bool]) -> None:
    def code(T: Any, x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
        state = (h, c) if name == "lstm_cell" else h
        b_ih, b_hh = b_ih if biases[0] else None, b_hh if biases[1] else None
        return getattr(T, name)(x, state, w_ih, w_hh, b_ih, b_hh)

    same(code, normal(2, 3), normal(2, 4), normal(2, 4), *weights(name))
    single = (normal(2, 3, kind="float32"), normal(2, 4, kind="float32"), normal(2, 4, kind="float32"))
    same(code, *single, *weights(name, "float32"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_of_odd_input(name: str) -> None:
    """Biases that broadcast, cells of another dtype, integers."""

    def code(T: Any, x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, *biases: Any) -> Any:
        return getattr(T, name)(x, (h, c) if name == "lstm_cell" else h, w_ih, w_hh, *biases)

    x, h, c = normal(2, 3), normal(2, 4), normal(2, 4)
    w_ih, w_hh, b_ih, _ = weights(name)
    same(code, x, h, c, w_ih, w_hh, normal(1), normal())
    same(code, x, h, c, w_ih, w_hh, normal(1, len(b_ih)))
    single = [a.astype("float32") for a in (x, h, w_ih, w_hh)]
    same(code, single[0], single[1], c.astype("float16"), single[2], single[3])
    same(code, *[np.ones(a.shape, np.int64) for a in (x, h, c, w_ih, w_hh)], grad=False)
    same(code, *[a.astype("float16") for a in (x, h, c, w_ih, w_hh)], grad=False)
    same(code, single[0], h, c, w_ih, w_hh)
    same(code, x, h, c, w_ih, w_hh, np.ones(len(b_ih), np.int64), grad=False)


@pytest.mark.parametrize("name", ["gru_cell", "rnn_tanh_cell", "rnn_relu_cell"])
def test_names_of_steps(name: str) -> None:
    def code(T: Any, x: Any, h: Any, w_ih: Any, w_hh: Any) -> Any:
        return getattr(T, name)(x, h, w_ih, w_hh)

    same(code, normal(2, 3), normal(2, 4), *weights(name)[:2], names=True)
