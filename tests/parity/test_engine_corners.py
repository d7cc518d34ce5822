"""The engine's corners, each a small program that both engines run: the same values, the same refusals."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch as oracle
import torch.utils.checkpoint

import rushlight

Program = Callable[[Any], Any]


def plain(value: Any) -> Any:
    """Return ``value`` with lists in place of tensors."""
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value.tolist() if hasattr(value, "tolist") else value


def outcome(program: Program, engine: Any) -> Any:
    """Return what ``program`` gives, or the type of what it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(program(engine))
        except Exception as error:
            return type(error).__name__


def same(program: Program) -> Any:
    expected = outcome(program, oracle)
    assert outcome(program, rushlight) == expected
    return expected


def numbers(t: Any) -> Any:
    return t.arange(9.0).reshape(3, 3)


@pytest.mark.parametrize("name", ["add_", "sub_", "mul_", "div_", "copy_", "pow_", "fmod_", "remainder_", "atan2_"])
@pytest.mark.parametrize(
    ("place", "source"), [((1, 6), (0, 5)), ((0, 4), (2, 6)), ((0, 3), (3, 6)), ((0, 6), (0, 6)), ((1, 6), (0, 1))]
)
def test_a_write_from_memory_that_it_overwrites(name: str, place: Any, source: Any) -> None:
    def program(t: Any) -> Any:
        x = t.arange(6.0) + 1
        return getattr(x[slice(*place)], name)(x[slice(*source)])

    same(program)


WRITES: dict[str, Program] = {
    "transposed": lambda t: (b := numbers(t)).add_(b.t()),
    "into the transposed": lambda t: (b := numbers(t)).t().add_(b),
    "strided": lambda t: (x := t.arange(6.0))[::2].add_(x[1::2]),
    "a number of itself": lambda t: (x := t.arange(6.0)).sub_(x[0]),
    "item": lambda t: (x := t.arange(6.0)).__setitem__(slice(1, None), x[:-1]),
    "out": lambda t: t.add((x := t.arange(6.0))[:-1], 1, out=x[1:]),
    "out of one": lambda t: t.exp((x := t.arange(6.0))[:-1], out=x[1:]),
    "out of all": lambda t: t.exp(x := t.arange(3.0), out=x).shape,
    "lerp_": lambda t: (x := t.arange(6.0))[1:].lerp_(x[:-1], 0.5),
    "addcmul_": lambda t: (x := t.arange(6.0))[1:].addcmul_(x[:-1], x[:-1]),
    "clamp_": lambda t: (x := t.arange(6.0))[1:].clamp_(max=x[:-1]),
    "index_add_": lambda t: (x := t.arange(6.0)).index_add_(0, t.tensor([0, 1]), x[:2]),
    "index_fill_": lambda t: (x := t.arange(6.0)).index_fill_(0, t.tensor([1]), x[2]),
    "masked_fill_": lambda t: (x := t.arange(6.0)).masked_fill_(x > 3, x[1]),
}


@pytest.mark.parametrize("name", WRITES)
def test_overlapping_writes(name: str) -> None:
    same(WRITES[name])


def _matrices(t: Any) -> Any:
    return t.ones(2, 2), t.ones(2, 2) * 3, t.ones(2), t.ones(3, 2, 2)


OLD: dict[str, Program] = {
    "add_": lambda t: t.ones(2).add_(-0.1, t.ones(2)),
    "add": lambda t: t.add(t.ones(2), 2, t.ones(2)),
    "sub": lambda t: t.sub(t.ones(2), 2, t.ones(2)),
    "add wrong": lambda t: t.add(t.ones(2), t.ones(2), 2),
    "addcmul_": lambda t: t.ones(2).addcmul_(0.5, t.ones(2), t.ones(2)),
    "addcdiv_": lambda t: t.ones(2).addcdiv_(-0.5, t.ones(2), t.ones(2)),
    "addcmul": lambda t: t.addcmul(t.ones(2), 0.5, t.ones(2), t.ones(2)),
    "addmm": lambda t: [
        t.addmm(0.5, (m := _matrices(t))[0], 2, m[1], m[1]),
        t.addmm(0.5, m[0], m[1], m[1]),
        m[0].addmm(0.5, 2, m[1], m[1]),
        m[0].addmm(0.5, m[1], m[1]),
        m[0].addmm_(0.5, 2, m[1], m[1]),
    ],
    "addmv": lambda t: [t.addmv(0.5, (m := _matrices(t))[2], 2, m[1], m[2]), m[2].addmv(0.5, m[1], m[2])],
    "addr": lambda t: t.addr(0.5, (m := _matrices(t))[0], 2, m[2], m[2]),
    "addbmm": lambda t: t.addbmm(0.5, (m := _matrices(t))[0], 2, m[3], m[3]),
    "baddbmm": lambda t: t.baddbmm(0.5, (m := _matrices(t))[3], m[3], m[3]),
    "numbers": lambda t: [t.add(1, 1.0), t.sub(1, 2), t.mul(2, 3), t.div(1, 2), t.add(True, 2), t.floor_divide(5, 2)],
    "numbers' dtypes": lambda t: [str(f(1, 2).dtype).split(".")[1] for f in (t.add, t.div, t.mul)],
    "Variable": lambda t: (
        (x := t.autograd.Variable(t.ones(2), requires_grad=True)).requires_grad and type(x) is t.Tensor
    ),
    "Variable of a result": lambda t: t.autograd.Variable(t.autograd.Variable(t.ones(1), True) * 2).requires_grad,
    "Variable shares": lambda t: [x := t.ones(2), t.autograd.Variable(x).add_(1), x],
    "no Variable": lambda t: t.autograd.Variable([1.0]),
    "isinstance": lambda t: [isinstance(x, t.autograd.Variable) for x in (t.ones(1), t.nn.Parameter(t.ones(1)), 3)],
    "reversed": lambda t: [reversed(t.arange(3)), reversed(numbers(t)), reversed(t.tensor(1.0))],
    "index without dims": lambda t: [t.arange(5)[t.tensor(1, dtype=d)] for d in (t.int8, t.int16, t.int32, t.int64)],
    "index of bytes": lambda t: t.arange(5)[t.tensor([1, 0], dtype=t.int16)],
    "broadcast_shapes": lambda t: t.broadcast_shapes((1, -1)),
    "a smaller out": lambda t: t.add(t.ones(2), 1, out=(o := t.zeros(4))[:3]) + o[:2],
    "bmm into a view": lambda t: t.bmm(t.ones(2, 2, 2), t.ones(2, 2, 2), out=t.zeros(2, 2, 4)[..., ::2]),
}


@pytest.mark.parametrize("name", OLD)
def test_calls_that_pytorch_takes_and_refuses(name: str) -> None:
    same(OLD[name])


@pytest.mark.parametrize("format", ["channels_last", "contiguous_format", "preserve_format"])
def test_memory_formats_are_taken(format: str) -> None:
    def program(t: Any) -> Any:
        x, f = t.arange(24.0).reshape(1, 2, 3, 4), getattr(t, format)
        made = [x.to(t.float64, memory_format=f), x.clone(memory_format=f), x.double(memory_format=f)]
        empty = t.empty(1, 2, 3, 4, memory_format=f if format != "preserve_format" else t.contiguous_format)
        return [*made, t.zeros_like(x, memory_format=f), empty.shape, x.is_contiguous()]

    same(program)


@pytest.mark.parametrize("dtype", ["int64", "bool", "float32", "uint8"])
def test_bernoulli_into_any_dtype(dtype: str) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(3)
        return t.bernoulli(t.full((9,), 0.4), out=t.zeros(9, dtype=getattr(t, dtype)))

    same(program)


def _made(t: Any) -> Any:
    with t.inference_mode():
        return t.ones(2)


INFERENCE: dict[str, Program] = {
    name: (lambda t, use=use: use(t, _made(t)))  # type: ignore[misc]
    for name, use in {
        "add_": lambda t, x: x.add_(1),
        "item": lambda t, x: x.__setitem__(0, 1.0),
        "copy_": lambda t, x: x.copy_(t.ones(2)),
        "out": lambda t, x: t.add(x, 1, out=x),
        "fill_": lambda t, x: x.fill_(1),
        "zero_": lambda t, x: x.zero_(),
        "t_": lambda t, x: x.t_(),
        "normal_": lambda t, x: x.normal_(),
        "requires_grad_": lambda t, x: x.requires_grad_(),
        "requires_grad": lambda t, x: setattr(x, "requires_grad", True),
        "Parameter": lambda t, x: t.nn.Parameter(x),
        "view": lambda t, x: [x.view(2, 1).requires_grad, x.view(2, 1).is_inference()],
        "saved": lambda t, x: t.ones(2, requires_grad=True) * x,
        "added": lambda t, x: (t.ones(2, requires_grad=True) + x).requires_grad,
        "clone": lambda t, x: x.clone().is_inference(),
    }.items()
}


@pytest.mark.parametrize("name", INFERENCE)
def test_inference_tensors_outside(name: str) -> None:
    same(INFERENCE[name])


def test_inference_tensors_inside() -> None:
    def program(t: Any) -> Any:
        leaf = t.ones(2, 3, requires_grad=True)
        with t.inference_mode():
            made = t.ones(2).add_(1)
            made.zero_()
            made[0] = 3
            return leaf.transpose_(0, 1).shape, made, made.requires_grad_().requires_grad

    same(program)


def test_numpy_under_no_grad() -> None:
    def program(t: Any) -> Any:
        with t.no_grad():
            return t.ones(2, requires_grad=True).numpy()

    same(program)
    same(lambda t: t.ones(2, requires_grad=True).numpy())


def test_a_gradient_inside_of_a_checkpointed_function() -> None:
    def program(t: Any) -> Any:
        x = t.tensor([1.0, 2.0], requires_grad=True)

        def penalty(x: Any) -> Any:
            (g,) = t.autograd.grad((x**3).sum(), x, create_graph=True)
            return (g**2).sum() + x.exp().sum() * 0

        t.utils.checkpoint.checkpoint(penalty, x, use_reentrant=False).backward()
        return x.grad

    assert same(program) == [36.0, 288.0]


@pytest.mark.parametrize("hooks", ["pre", "post", "both"])
@pytest.mark.parametrize("end", ["leaf", "middle", "leaf and middle", "grad"])
def test_hooks_where_a_walk_ends(hooks: str, end: str) -> None:
    def program(t: Any) -> Any:
        a, seen = t.tensor([1.0, 2.0], requires_grad=True), []
        b = a * 2
        loss = (b * 3).sum()
        for node in (b.grad_fn, b.grad_fn.next_functions[0][0]):
            if hooks != "post":
                node.register_prehook(lambda g: seen.append(("pre", plain(g))) or (g[0] * 10,))
            if hooks != "pre":
                node.register_hook(lambda *g: seen.append(("post", plain(g[1]))))
        a.register_post_accumulate_grad_hook(lambda x: seen.append(("done", plain(x.grad))))
        b.retain_grad()
        if end == "grad":
            return t.autograd.grad(loss, (a, b)), seen
        loss.backward(inputs={"leaf": (a,), "middle": (b,), "leaf and middle": (a, b)}[end])
        return a.grad, b.grad, [[kind, value] for kind, value in seen]

    same(program)


def test_a_post_accumulate_hook_returns_nothing() -> None:
    def program(t: Any) -> Any:
        a = t.ones(2, requires_grad=True)
        a.register_post_accumulate_grad_hook(lambda x: x.grad)
        a.sum().backward()

    assert same(program) == "RuntimeError"


@pytest.mark.parametrize("depth", [50, 300, 2000])
def test_a_walk_in_a_walk(depth: int) -> None:
    def program(t: Any) -> Any:
        class Deep(t.autograd.Function):  # type: ignore[misc]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                with t.enable_grad():
                    ctx.x = t.autograd.Variable(x.detach(), requires_grad=True) - 1
                return ctx.x.detach()

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                if ctx.x >= 0:
                    with t.enable_grad():
                        Deep.apply(ctx.x).sum().backward()
                return g

        x = t.tensor(float(depth), requires_grad=True)
        Deep.apply(x).sum().backward()
        return x.grad

    assert same(program) == 1.0


@pytest.mark.parametrize("kind", ["dirty", "both", "materialize", "keep"])
def test_corners_of_function(kind: str) -> None:
    def program(t: Any) -> Any:
        class Twice(t.autograd.Function):  # type: ignore[misc]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                y, mask = x * 2, x > 0
                if kind == "dirty":
                    ctx.mark_dirty(y)
                ctx._materialize_non_diff_grads = kind != "materialize"
                ctx.mark_non_differentiable(mask)
                return y, mask

            @staticmethod
            def backward(ctx: Any, g: Any, other: Any) -> Any:
                seen.append(other is None)
                return g * 2

            if kind == "both":
                vjp = staticmethod(lambda ctx, *g: g[0])

        seen: list[bool] = []
        x = t.ones(2, requires_grad=True)
        Twice.apply(x)[0].sum().backward()
        return x.grad, seen

    same(program)


def test_saved_tensor_hooks_entered_in_a_backward_end_with_it() -> None:
    def program(t: Any) -> Any:
        class Enters(t.autograd.Function):  # type: ignore[misc]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                return x * 2

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                t.autograd.graph.saved_tensors_hooks(lambda x: packed.append(1), lambda x: x).__enter__()
                return g

        packed: list[int] = []
        x = t.ones(2, requires_grad=True)
        Enters.apply(x).sum().backward()
        y = x.exp()
        with t.no_grad():
            y.add_(1)
        assert not packed
        y.sum().backward()

    assert outcome(program, rushlight) == "RuntimeError"


@pytest.mark.parametrize(
    "write",
    [
        lambda t, y, v: y.__setitem__(t.tensor([1, 1, 0]), v),
        lambda t, y, v: y.index_put_((t.tensor([1, 1, 0]),), v),
        lambda t, y, v: y.index_copy_(0, t.tensor([1, 1, 0]), v),
        lambda t, y, v: y.scatter_(0, t.tensor([1, 1, 0]), v),
        lambda t, y, v: y.put_(t.tensor([1, 1, 0]), v),
    ],
)
def test_what_was_overwritten_has_no_gradient(write: Any) -> None:
    """PyTorch gives it the gradient of the one that took its place."""
    t = rushlight
    x, v = t.zeros(3), t.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x.clone()
    write(t, y, v)
    assert y.tolist() == [3.0, 2.0, 0.0]
    (g,) = t.autograd.grad((y * t.tensor([5.0, 7.0, 9.0])).sum(), v, create_graph=True)
    assert g.tolist() == [0.0, 7.0, 5.0]


def test_detect_anomaly_says_that_it_is_on() -> None:
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        rushlight.autograd.detect_anomaly()
