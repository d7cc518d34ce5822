"""The printed text of tensors: golden strings, as PyTorch 2.13 prints the same values."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rushlight.arrays import formatting
from rushlight.arrays.formatting import parameter_repr, tensor_repr


def case(name: str, array: Any, expected: str, options: dict[str, Any] | None = None, **facts: Any) -> Any:
    """Return a test case: what prints under these options and facts, and as what."""
    return pytest.param(array, expected, options or {}, facts, id=name)


GOLDEN = [
    case("scalar", np.float32(3), "tensor(3.)"),
    case("negative scalar", np.float32(-1.25), "tensor(-1.2500)"),
    case("int scalar", np.int64(7), "tensor(7)"),
    case("bool scalar", np.bool_(True), "tensor(True)"),
    case("NaN scalar", np.float64("nan"), "tensor(nan, dtype=torch.float64)"),
    case("whole floats", np.array([1, -2, 300], "f4"), "tensor([  1.,  -2., 300.])"),
    case("fractions", np.array([1, -2.5, 300], "f4"), "tensor([  1.0000,  -2.5000, 300.0000])"),
    case("negative zero", np.array([-0.0, 0.0, 1.0], "f4"), "tensor([-0., 0., 1.])"),
    case(
        "NaN and infinities alone",
        np.array([np.nan, np.inf, -np.inf, 0], "f4"),
        "tensor([nan, inf, -inf, 0.])",
    ),
    case("NaN among whole numbers", np.array([np.nan, 1, -np.inf], "f4"), "tensor([nan, 1., -inf])"),
    case(
        "NaN among fractions",
        np.array([np.nan, 0.5, -np.inf], "f4"),
        "tensor([   nan, 0.5000,   -inf])",
    ),
    case("ratio of 1000", np.array([1.5, 1500], "f4"), "tensor([   1.5000, 1500.0000])"),
    case("ratio above 1000", np.array([1.5, 1501], "f4"), "tensor([1.5000e+00, 1.5010e+03])"),
    case(
        "whole, ratio above 1000",
        np.array([1, 1001, 0, -np.inf], "f4"),
        "tensor([1.0000e+00, 1.0010e+03, 0.0000e+00,       -inf])",
    ),
    case("at 1e8", np.array([1e8], "f4"), "tensor([100000000.])"),
    case("above 1e8", np.array([2e8], "f4"), "tensor([2.0000e+08])"),
    case("float32 1e-4 lies below", np.array([1e-4], "f4"), "tensor([1.0000e-04])"),
    case("float64 1e-4", np.array([1e-4], "f8"), "tensor([0.0001], dtype=torch.float64)"),
    case(
        "smallest over largest",
        np.array([5e-324, 1.7e308]),
        "tensor([4.9407e-324, 1.7000e+308], dtype=torch.float64)",
    ),
    case("half", np.array([0.1, 2], "f2"), "tensor([0.1000, 2.0000], dtype=torch.float16)"),
    case("half, largest", np.array([65504], "f2"), "tensor([65504.], dtype=torch.float16)"),
    case("float32 digits", np.array([0.1], "f4"), "tensor([0.100000001490])", {"precision": 12}),
    case("int8", np.array([-128, 127], "i1"), "tensor([-128,  127], dtype=torch.int8)"),
    case("int16", np.array([1], "i2"), "tensor([1], dtype=torch.int16)"),
    case("int32", np.array([1], "i4"), "tensor([1], dtype=torch.int32)"),
    case("int64", np.array([-(2**63), 0]), "tensor([-9223372036854775808,                    0])"),
    case("uint8", np.array([0, 255], "u1"), "tensor([  0, 255], dtype=torch.uint8)"),
    case("bool", np.array([True, False]), "tensor([ True, False])"),
    case("empty", np.zeros(0, "f4"), "tensor([])"),
    case("empty with size", np.zeros((0, 3), "f4"), "tensor([], size=(0, 3))"),
    case("empty int64", np.zeros(0, "i8"), "tensor([], dtype=torch.int64)"),
    case("empty bool with size", np.zeros((2, 0), "?"), "tensor([], size=(2, 0), dtype=torch.bool)"),
    case(
        "empty leaf",
        np.zeros((1, 0), "f8"),
        "tensor([], size=(1, 0), dtype=torch.float64, requires_grad=True)",
        requires_grad=True,
    ),
    case("matrix", np.array([[1, -2], [3, 4]]), "tensor([[ 1, -2],\n        [ 3,  4]])"),
    case(
        "cube",
        np.arange(8).reshape(2, 2, 2),
        "tensor([[[0, 1],\n         [2, 3]],\n\n        [[4, 5],\n         [6, 7]]])",
    ),
    case(
        "four dims",
        np.arange(4.0).reshape(2, 2, 1, 1),
        "tensor([[[[0.]],\n\n         [[1.]]],\n\n\n        [[[2.]],\n\n         [[3.]]]])",
        default_dtype_name="torch.float64",
    ),
    case("leaf", np.ones(2, "f4"), "tensor([1., 1.], requires_grad=True)", requires_grad=True),
    case(
        "step",
        np.ones(2, "f4"),
        "tensor([1., 1.], grad_fn=<AddBackward0>)",
        grad_fn_name="AddBackward0",
    ),
    case(
        "dtype and step",
        np.ones(2),
        "tensor([1., 1.], dtype=torch.float64, grad_fn=<AddBackward0>)",
        grad_fn_name="AddBackward0",
    ),
    case(
        "dtype on a new line",
        np.full(9, 0.5),
        "tensor([0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000],\n       dtype=torch.float64)",
        {"linewidth": 80},
    ),
    case(
        "step on a new line",
        np.full(8, 0.5, "f4"),
        "tensor([0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000],\n       grad_fn=<MulBackward0>)",
        grad_fn_name="MulBackward0",
    ),
    case(
        "two new lines",
        np.full(3, 0.5),
        "tensor([0.5000, 0.5000, 0.5000],\n       dtype=torch.float64,\n       grad_fn=<MulBackward0>)",
        {"linewidth": 32},
        grad_fn_name="MulBackward0",
    ),
    case(
        "step on a new line of a matrix",
        np.full((2, 8), 0.25, "f4"),
        "tensor([[0.2500, 0.2500, 0.2500, 0.2500, 0.2500, 0.2500, 0.2500, 0.2500],\n"
        "        [0.2500, 0.2500, 0.2500, 0.2500, 0.2500, 0.2500, 0.2500, 0.2500]],\n"
        "       grad_fn=<AddmmBackward0>)",
        grad_fn_name="AddmmBackward0",
    ),
    case(
        "facts that just fit",
        np.zeros((0, 3)),
        "tensor([], size=(0, 3), dtype=torch.float64, grad_fn=<AddBackward0>)",
        {"linewidth": 69},
        grad_fn_name="AddBackward0",
    ),
    case(
        "facts one column too long",
        np.zeros((0, 3)),
        "tensor([], size=(0, 3), dtype=torch.float64,\n       grad_fn=<AddBackward0>)",
        {"linewidth": 68},
        grad_fn_name="AddBackward0",
    ),
    case(
        "new line that just fits",
        np.full(5, 0.5),
        "tensor([0.5000, 0.5000, 0.5000, 0.5000, 0.5000],\n       dtype=torch.float64, grad_fn=<AddBackward0>)",
        {"linewidth": 50},
        grad_fn_name="AddBackward0",
    ),
    case(
        "new line one column too long",
        np.full(5, 0.5),
        "tensor([0.5000, 0.5000, 0.5000, 0.5000, 0.5000],\n       dtype=torch.float64,\n       grad_fn=<AddBackward0>)",
        {"linewidth": 49},
        grad_fn_name="AddBackward0",
    ),
    case(
        "wrapped row",
        np.arange(20.0, dtype="f4") / 2,
        "tensor([0.0000, 0.5000, 1.0000, 1.5000, 2.0000, 2.5000, 3.0000, 3.5000, 4.0000,\n"
        "        4.5000, 5.0000, 5.5000, 6.0000, 6.5000, 7.0000, 7.5000, 8.0000, 8.5000,\n"
        "        9.0000, 9.5000])",
    ),
    case(
        "wrapped rows",
        np.arange(12).reshape(2, 6),
        "tensor([[ 0,  1,  2,\n          3,  4,  5],\n        [ 6,  7,  8,\n          9, 10, 11]])",
        {"linewidth": 20},
    ),
    case("one a line", np.arange(3), "tensor([0,\n        1,\n        2])", {"linewidth": 0}),
    case("summary", np.arange(1001), "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    case("at the threshold", np.arange(4), "tensor([0, 1, 2, 3])", {"threshold": 4, "edgeitems": 1}),
    case(
        "summary of a matrix",
        np.arange(56.0).reshape(7, 8),
        "tensor([[ 0.,  1.,  ...,  6.,  7.],\n"
        "        [ 8.,  9.,  ..., 14., 15.],\n"
        "        ...,\n"
        "        [40., 41.,  ..., 46., 47.],\n"
        "        [48., 49.,  ..., 54., 55.]], dtype=torch.float64)",
        {"threshold": 5, "edgeitems": 2},
    ),
    case(
        "summary of a cube",
        np.arange(60).reshape(5, 4, 3),
        "tensor([[[ 0,  ...,  2],\n"
        "         ...,\n"
        "         [ 9,  ..., 11]],\n"
        "\n"
        "        ...,\n"
        "\n"
        "        [[48,  ..., 50],\n"
        "         ...,\n"
        "         [57,  ..., 59]]])",
        {"threshold": 5, "edgeitems": 1},
    ),
    case(
        "short dim stays whole",
        np.arange(20).reshape(2, 10),
        "tensor([[ 0,  1,  2,  ...,  7,  8,  9],\n        [10, 11, 12,  ..., 17, 18, 19]])",
        {"threshold": 5},
    ),
    case(
        "width by what is shown",
        np.array([1, 2, 10**9, 3, 4]),
        "tensor([1,  ..., 4])",
        {"threshold": 2, "edgeitems": 1},
    ),
    case(
        "no edges",
        np.arange(6).reshape(2, 3),
        "tensor([...], size=(2, 3))",
        {"threshold": 0, "edgeitems": 0},
    ),
    case(
        "no edges, all shown",
        np.arange(3.0, dtype="f4"),
        "tensor([0., 1., 2.], size=(3,))",
        {"edgeitems": 0},
    ),
    case(
        "forced scientific",
        np.array([1, 0, -2.5], "f4"),
        "tensor([ 1.0000e+00,  0.0000e+00, -2.5000e+00])",
        {"sci_mode": True},
    ),
    case("forced scientific, only zeros", np.zeros(2, "f4"), "tensor([0., 0.])", {"sci_mode": True}),
    case(
        "forbidden scientific",
        np.array([1e-6, 1e6], "f4"),
        "tensor([      0.0000, 1000000.0000])",
        {"sci_mode": False},
    ),
    case("no digits", np.array([1.5, 2], "f4"), "tensor([2, 2])", {"precision": 0}),
    case(
        "short profile",
        np.arange(0.5, 1001),
        "tensor([5.00e-01, 1.50e+00,  ..., 1.00e+03, 1.00e+03], dtype=torch.float64)",
        {"profile": "short"},
    ),
    case(
        "profile overridden",
        np.array([0.125], "f4"),
        "tensor([0.125])",
        {"profile": "short", "precision": 3},
    ),
    case("default float64", np.array([0.5]), "tensor([0.5000])", default_dtype_name="torch.float64"),
    case(
        "float32 beside it",
        np.array([0.5], "f4"),
        "tensor([0.5000], dtype=torch.float32)",
        default_dtype_name="torch.float64",
    ),
    case(
        "empty int64 beside it",
        np.zeros(0, "i8"),
        "tensor([], dtype=torch.int64)",
        default_dtype_name="torch.float64",
    ),
]


def text(array: Any, **facts: Any) -> str:
    """Return the text of ``array`` under its own dtype's name."""
    array = np.asarray(array)
    return tensor_repr(array, dtype_name=f"torch.{array.dtype}", **facts)


@pytest.mark.parametrize(("array", "expected", "options", "facts"), GOLDEN)
def test_golden(array: Any, expected: str, options: dict[str, Any], facts: dict[str, Any]) -> None:
    with formatting.printoptions(**options):
        assert text(array, **facts) == expected


def test_dtype_is_named_as_told() -> None:
    array = np.ones(1, "f4")
    assert tensor_repr(array, dtype_name="torch.half") == "tensor([1.], dtype=torch.half)"
    assert tensor_repr(array, dtype_name="a", default_dtype_name="a") == "tensor([1.])"


def test_subclass_sets_the_indent() -> None:
    array = np.arange(4.0, dtype="f4").reshape(2, 2)
    assert text(array, prefix="Mask(") == "Mask([[0., 1.],\n      [2., 3.]])"


def test_parameter() -> None:
    inner = text(np.ones(2, "f4"), requires_grad=True)
    assert parameter_repr(inner) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    inner = text(np.ones(1, "f4"), prefix="Mask(")
    assert parameter_repr(inner, subclass=True) == "Parameter containing:\nParameter(Mask([1.]))"


def test_array_is_left_alone() -> None:
    array = np.arange(12.0).reshape(3, 4)[:, ::2]
    array.flags.writeable = False
    assert text(array, default_dtype_name="torch.float64") == (
        "tensor([[ 0.,  2.],\n        [ 4.,  6.],\n        [ 8., 10.]])"
    )


@pytest.mark.parametrize("array", [np.ones(2, complex), np.array(["a"]), np.array([None])])
def test_other_arrays_are_refused(array: NDArray[Any]) -> None:
    with pytest.raises(TypeError, match=str(array.dtype)):
        text(array)


def test_negative_edgeitems_are_refused() -> None:
    with (
        formatting.printoptions(edgeitems=-1, threshold=1),
        pytest.raises(RuntimeError, match="edgeitems is -1"),
    ):
        text(np.arange(4))


def test_defaults() -> None:
    with formatting.printoptions(profile="default"):
        assert formatting.get_printoptions() == {
            "precision": 4,
            "threshold": 1000,
            "edgeitems": 3,
            "linewidth": 80,
            "sci_mode": None,
        }


def test_profile_full_never_cuts() -> None:
    with formatting.printoptions(profile="full"):
        assert "..." not in text(np.arange(2000))
    assert "..." in text(np.arange(2000))


def test_sci_mode_is_forgotten_at_the_next_call() -> None:
    with formatting.printoptions(sci_mode=True):
        formatting.set_printoptions(precision=2)
        assert formatting.get_printoptions()["sci_mode"] is None


def test_unknown_profile_changes_nothing() -> None:
    with formatting.printoptions(precision=7):
        formatting.set_printoptions(profile="wide")
        assert formatting.get_printoptions()["precision"] == 7


def test_options_are_restored_after_an_error() -> None:
    before = formatting.get_printoptions()
    with pytest.raises(KeyError), formatting.printoptions(profile="short", linewidth=3):
        raise KeyError
    assert formatting.get_printoptions() == before


def test_unknown_option_is_refused_and_changes_nothing() -> None:
    before = formatting.get_printoptions()
    with pytest.raises(TypeError, match="colour"), formatting.printoptions(precision=9, colour=1):
        pass
    assert formatting.get_printoptions() == before


def test_options_are_a_copy() -> None:
    formatting.get_printoptions()["precision"] = 9
    assert formatting.get_printoptions()["precision"] != 9
