"""The printed text of tensors against PyTorch's, over dtypes, shapes, values and options."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from rushlight.arrays import formatting

torch = pytest.importorskip("torch")
tensor_str = pytest.importorskip("torch._tensor_str")

FLOATS = ("float16", "float32", "float64")
EXACT = ("int8", "int16", "int32", "int64", "uint8", "bool")
SPECIAL = (0.0, -0.0, float("nan"), float("inf"), -float("inf"), 5e-324, 6e-8, 1e-4, 1e8)


@st.composite
def arrays(draw: st.DrawFn, max_side: int = 4) -> NDArray[Any]:
    """Return an array of any dtype and up to four dims, none of them above ``max_side``."""
    dtype = np.dtype(draw(st.sampled_from(FLOATS + EXACT)))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=max_side))
    if dtype.kind != "f":
        return draw(hnp.arrays(dtype, shape))
    exponent = st.integers(-12, 12) if draw(st.booleans()) else st.just(draw(st.integers(-9, 9)))
    scaled = st.builds(lambda x, power: x * 10.0**power, st.floats(-10, 10), exponent)
    whole = st.integers(-(10 ** draw(st.integers(0, 10))), 100).map(float)
    anything = st.floats(width=8 * dtype.itemsize)
    element = draw(
        st.lists(
            st.sampled_from((scaled, whole, anything, st.sampled_from(SPECIAL))),
            min_size=1,
            max_size=2,
        ).map(st.one_of)
    )
    with np.errstate(over="ignore"):
        return np.asarray(draw(hnp.arrays(np.float64, shape, elements=element))).astype(dtype)


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 12),
        "threshold": st.integers(0, 60),
        "edgeitems": st.integers(0, 4),
        "linewidth": st.integers(0, 130),
        "profile": st.sampled_from(("default", "short", "full")),
        "sci_mode": st.sampled_from((True, False, None)),
    },
)


def step(tensor: Any, name: str) -> Any:
    """Return ``tensor`` as the result of a recorded step called ``name``."""
    body = {
        "forward": staticmethod(lambda ctx, x: x.clone()),
        "backward": staticmethod(lambda ctx, g: g),
    }
    function: Any = type(name, (torch.autograd.Function,), body)
    return function.apply(tensor)


def both(array: NDArray[Any], tensor: Any, prefix: str = "tensor(") -> tuple[str, str]:
    """Return our text and PyTorch's."""
    ours = formatting.tensor_repr(
        array,
        dtype_name=str(tensor.dtype),
        default_dtype_name=str(torch.get_default_dtype()),
        requires_grad=tensor.requires_grad,
        grad_fn_name=None if tensor.grad_fn is None else type(tensor.grad_fn).__name__,
        prefix=prefix,
    )
    assert str(tensor) == repr(tensor)
    return ours, repr(tensor)


def of(array: NDArray[Any]) -> Any:
    """Return the PyTorch tensor of the same values."""
    return torch.from_numpy(np.array(array, copy=True, order="C"))


@settings(max_examples=400, deadline=None)
@given(arrays(), OPTIONS, st.sampled_from(FLOATS))
def test_same_text(array: NDArray[Any], options: dict[str, Any], default: str) -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, default))
    try:
        with formatting.printoptions(**options), tensor_str.printoptions(**options):
            ours, theirs = both(array, of(array))
    finally:
        torch.set_default_dtype(before)
    assert ours == theirs


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from(FLOATS).map(np.dtype),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9),
        elements=st.integers(-9, 9) | st.sampled_from((0.5, -1.25)),
    ),
    st.integers(1, 60),
    st.integers(1, 30),
    st.integers(10, 100),
    st.sampled_from(("plain", "leaf", "step")),
)
def test_same_wrapping_of_facts(
    array: NDArray[Any], grad_name: int, class_name: int, linewidth: int, role: str
) -> None:
    tensor = of(array)
    if role != "plain":
        tensor.requires_grad_()
    if role == "step":
        tensor = step(tensor, "S" * grad_name)
    name = "T" * class_name
    with torch.no_grad():
        named = tensor.as_subclass(type(name, (torch.Tensor,), {}))
    assert named.grad_fn is None
    with (
        formatting.printoptions(linewidth=linewidth),
        tensor_str.printoptions(linewidth=linewidth),
    ):
        ours, theirs = both(array, tensor)
        assert ours == theirs
        ours, theirs = both(array, named, f"{name}(")
        assert ours == theirs


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(((1001,), (1000,), (7, 143), (2, 501), (6, 7, 30), (7, 6, 30), (11, 1, 1, 101), (1, 1200))),
    st.sampled_from(FLOATS + EXACT),
    st.integers(0, 2**32 - 1),
    st.sampled_from((1e-6, 1e-2, 1.0, 300.0, 1e7)),
    OPTIONS,
)
def test_same_summary(shape: tuple[int, ...], dtype: str, seed: int, scale: float, options: dict[str, Any]) -> None:
    values = np.random.default_rng(seed).standard_normal(shape) * scale
    with np.errstate(over="ignore", invalid="ignore"):
        array = values.astype(dtype)
    with formatting.printoptions(**options), tensor_str.printoptions(**options):
        ours, theirs = both(array, of(array))
    assert ours == theirs


@settings(max_examples=100, deadline=None)
@given(arrays(max_side=7), st.integers(0, 3), st.booleans())
def test_same_text_of_views(array: NDArray[Any], edgeitems: int, cut: bool) -> None:
    options = {"edgeitems": edgeitems, "threshold": 2 if cut else 1000}
    looked = array.T[..., ::2] if array.ndim else array
    tensor = of(array)
    tensor = tensor.permute(*reversed(range(tensor.ndim)))[..., ::2] if array.ndim else tensor
    with formatting.printoptions(**options), tensor_str.printoptions(**options):
        ours, theirs = both(looked, tensor)
    assert ours == theirs


@pytest.mark.parametrize("shape", [(), (0, 3), (0,), (3,), (2, 3), (9, 9)])
@pytest.mark.parametrize("edgeitems", [0, 3])
def test_same_wrapping_at_every_linewidth(shape: tuple[int, ...], edgeitems: int) -> None:
    array = np.full(shape, 0.5, np.float64)
    tensor = step(of(array).requires_grad_(), "Swap")
    for linewidth in range(110):
        options = {"linewidth": linewidth, "edgeitems": edgeitems}
        with formatting.printoptions(**options), tensor_str.printoptions(**options):
            ours, theirs = both(array, tensor)
        assert ours == theirs, linewidth


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("border", [1e-4, 0.5, 1.0, 1000.0, 1e8])
def test_same_notation_at_the_borders(dtype: str, border: float) -> None:
    with np.errstate(over="ignore"):
        middle = np.array(border).astype(dtype)
        low, high = np.nextafter(middle, -middle), np.nextafter(middle, middle * 2)
    for value in (low, middle, high):
        for other in (1.0, 1.5, 1e-3, 0.0, -1e3, 250.0):
            array = np.array([value, other]).astype(dtype)
            ours, theirs = both(array, of(array))
            assert ours == theirs, (value, other)


@pytest.mark.parametrize("edgeitems", [0, 1, 2, 3])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_same_cut_at_the_borders(edgeitems: int, dtype: str) -> None:
    for shape in ((1,), (2,), (3,), (4,), (5,), (6,), (7,), (2, 3), (3, 2), (7, 1), (1, 7)):
        array = np.arange(int(np.prod(shape))).reshape(shape).astype(dtype) * 10
        for threshold in (array.size - 1, array.size, array.size + 1):
            options = {"edgeitems": edgeitems, "threshold": threshold}
            with formatting.printoptions(**options), tensor_str.printoptions(**options):
                ours, theirs = both(array, of(array))
            assert ours == theirs, (shape, threshold)


@pytest.mark.parametrize("requires_grad", [True, False])
def test_same_parameter(requires_grad: bool) -> None:
    array = np.linspace(-1, 1, 30, dtype=np.float32).reshape(2, 15)
    ours, _ = both(array, of(array).requires_grad_(requires_grad))
    theirs = torch.nn.Parameter(of(array), requires_grad=requires_grad)
    assert formatting.parameter_repr(ours) == repr(theirs)


def test_same_parameter_of_a_subclass() -> None:
    array = np.linspace(-1, 1, 30, dtype=np.float32)
    named = type("Mask", (torch.nn.Parameter,), {})(of(array))
    ours, _ = both(array, named, "Mask(")
    assert formatting.parameter_repr(ours, subclass=True) == repr(named)


@settings(max_examples=100, deadline=None)
@given(st.lists(OPTIONS, min_size=1, max_size=4))
def test_same_options(calls: list[dict[str, Any]]) -> None:
    with formatting.printoptions(), tensor_str.printoptions():
        for options in calls:
            formatting.set_printoptions(**options)
            tensor_str.set_printoptions(**options)
            assert formatting.get_printoptions() == tensor_str.get_printoptions()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"precision": "a"}, ValueError),
        ({"precision": -1}, ValueError),
        ({"precision": 2.0}, ValueError),
        ({"linewidth": "wide"}, TypeError),
        ({"linewidth": float("inf")}, OverflowError),
        ({"threshold": "many"}, TypeError),
        ({"edgeitems": 1.5, "threshold": 2}, TypeError),
        ({"edgeitems": -1, "threshold": 2}, RuntimeError),
    ],
)
def test_same_error_for_bad_options(options: dict[str, Any], error: type[Exception]) -> None:
    array = np.full((4, 4), 0.5, np.float32)
    tensor = of(array)
    with tensor_str.printoptions(**options), pytest.raises(error):
        repr(tensor)
    with formatting.printoptions(**options), pytest.raises(error):
        formatting.tensor_repr(array, dtype_name="torch.float32")
