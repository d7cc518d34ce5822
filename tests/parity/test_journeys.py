"""Modules whose insides libraries touch, state that is frozen or copied: the same programs under both engines."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections import OrderedDict
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from support.oracle import ENGINES


def layer(T: Any, value: float = 1.0) -> Any:
    """Return a layer that multiplies by ``value``."""
    made = T.nn.Linear(1, 1, bias=False)
    made.weight.data.fill_(value)
    return made


def parameter(T: Any, value: float) -> Any:
    return T.nn.Parameter(T.full((1, 1), float(value)))


def weights(T: Any, value: float) -> dict[str, Any]:
    return {"weight": parameter(T, value), "bias": None}


class Case:
    """A layer, and what the programs below make of it."""

    def __init__(self, T: Any) -> None:
        self.T, self.m, self.x = T, layer(T), T.ones(1, 1)

    def of(self, *values: Any) -> list[Any]:
        """Return what the layer and other modules compute."""
        return [float(each(self.x)) if callable(each) else each for each in (self.m, *values)]


def put_past_setattr(c: Case) -> Any:
    object.__setattr__(c.m, "_parameters", weights(c.T, 2))
    return c.of(float(c.m.weight))


def put_and_changed_later(c: Case) -> Any:
    items = weights(c.T, 2)
    c.m._parameters = items
    items["weight"] = parameter(c.T, 3)
    return c.of(c.m._parameters is items)


def copied_shallow(c: Case) -> Any:
    n = copy.copy(c.m)
    n._parameters["weight"] = parameter(c.T, 3)
    seen = c.of(n)
    c.m.weight = parameter(c.T, 4)
    return seen + c.of(n)


def dict_copied(c: Case) -> Any:
    n = layer(c.T)
    n.__dict__ = c.m.__dict__.copy()
    n._parameters = c.m._parameters.copy()
    n._parameters["weight"] = parameter(c.T, 5)
    seen = c.of(n)
    c.m._parameters["weight"] = parameter(c.T, 6)
    return seen + c.of(n)


def dict_updated(c: Case) -> Any:
    n = type(c.m).__new__(type(c.m))
    n.__dict__.update(c.m.__dict__)
    c.m._parameters["weight"] = parameter(c.T, 7)
    seen = c.of(n)
    n.weight = parameter(c.T, 8)
    return seen + c.of(n)


def written_into_the_dict(c: Case) -> Any:
    attributes = vars(c.m)
    attributes["_parameters"] = weights(c.T, 9)
    seen = c.of()
    attributes["_parameters"] = weights(c.T, 10)
    return seen + c.of()


def hidden_by_an_attribute(c: Case) -> Any:
    object.__setattr__(c.m, "weight", c.T.full((1, 1), 2.0))
    c.m._parameters["weight"] = parameter(c.T, 3)
    seen = c.of(float(c.m._parameters["weight"]))
    del c.m.__dict__["weight"]
    return seen + c.of()


def replica(c: Case) -> Any:
    n = c.m._replicate_for_data_parallel()
    n.weight, n.bias = c.T.full((1, 1), 2.0), None
    return c.of(n, list(n._parameters), [name for name, _ in n.named_parameters()])


def a_tensor_in_place_of_the_parameter(c: Case) -> Any:
    c.m._parameters["weight"] = c.T.full((1, 1), 2.0)
    seen = c.of()
    del c.m._parameters["weight"]
    c.m.weight = c.T.full((1, 1), 3.0)
    return seen + c.of(list(c.m._parameters))


def only_in_the_dict(c: Case) -> Any:
    n = c.T.nn.Module()
    object.__setattr__(n, "_parameters", {})
    n._parameters["w"] = parameter(c.T, 2)
    n._buffers = {"b": c.T.ones(1)}
    n._modules = {"m": c.m}
    return [float(n.w), float(n.b), n.m is c.m, list(n.state_dict()), sorted(n._modules)]


def seen_from_outside(c: Case) -> Any:
    names = {"weight", "bias", "training", "_parameters", "forward"}
    return [sorted(vars(c.m)), sorted(names & set(dir(c.m))), *c.of()]


def hidden_module(c: Case) -> Any:
    n = c.T.nn.Sequential(layer(c.T, 2.0))
    n.__dict__["hidden"] = c.m
    n.more = layer(c.T, 3.0)
    return [len(list(n.parameters())), n.hidden is c.m, *c.of(n, n.more)]


def copies_of_containers(c: Case) -> Any:
    one = c.T.nn.Sequential(layer(c.T), layer(c.T, 2.0))
    other = copy.copy(one)
    other.append(layer(c.T, 3.0))
    seen = [list(one._modules), list(other._modules)]
    one.insert(0, layer(c.T, 4.0))
    del other[0]
    return [*seen, list(one._modules), list(other._modules)]


def pickled_and_changed(c: Case) -> Any:
    n, k = pickle.loads(pickle.dumps(c.m)), copy.deepcopy(c.m)
    n._parameters["weight"], k.weight = parameter(c.T, 2), parameter(c.T, 3)
    return c.of(n, k)


def deleted(c: Case) -> Any:
    del c.m.weight
    return hasattr(c.m, "weight"), "weight" in c.m._parameters


def a_narrow_register_buffer(c: Case) -> Any:
    class Narrow(c.T.nn.Module):
        def register_buffer(self, name: str, value: Any) -> None:
            super().register_buffer("_" + name, value)

    n = Narrow()
    n.b = c.T.nn.Buffer(c.T.ones(1))
    return list(n.state_dict())


def a_narrow_register_buffer_of_another_kind(c: Case) -> Any:
    class Narrow(c.T.nn.Module):
        def register_buffer(self, name: str, value: Any) -> None:
            super().register_buffer(name, value)

    Narrow().b = c.T.nn.Buffer(c.T.ones(1), persistent=False)


def materialized_by_a_number(c: Case) -> Any:
    p = c.T.nn.parameter.UninitializedParameter()
    p.materialize(10)
    return tuple(p.shape)


def flags_of_hooks(c: Case) -> Any:
    def tables() -> Any:
        m = c.m
        named = m._forward_hooks_with_kwargs, m._forward_hooks_always_called, m._forward_pre_hooks_with_kwargs
        return [len(each) for each in named]

    handles = [
        c.m.register_forward_hook(lambda *_: None, with_kwargs=True, always_call=True),
        c.m.register_forward_hook(lambda *_: None, always_call=True),
        c.m.register_forward_pre_hook(lambda *_: None, with_kwargs=True),
    ]
    seen = [tables(), handles[0].hooks_dict_ref() is c.m._forward_hooks]
    for handle in handles:
        handle.remove()
    return [*seen, tables()]


def hooks_thrown_away(c: Case) -> Any:
    c.m.register_forward_hook(lambda *_: 3.0)
    c.m._forward_hooks = OrderedDict()
    seen = c.of()
    handles = [c.m.register_forward_hook(lambda m, i, o, k=k: o * 2 + k, prepend=k == 1) for k in (0, 1)]
    seen += c.of()
    handles[0].remove()
    return seen + c.of()


def old_backward_hooks(c: Case) -> Any:
    seen = []
    model = c.T.nn.Sequential(layer(c.T, 2.0), c.T.nn.ReLU())
    model.register_backward_hook(lambda m, gi, go: seen.append((type(m).__name__, float(gi[0]), float(go[0]))))
    model[1].register_backward_hook(lambda m, gi, go: (gi[0] * 5,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model(c.x).sum().backward()
    return seen, float(model[0].weight.grad), model._is_full_backward_hook


def old_backward_hooks_warn(c: Case) -> Any:
    told = []
    for model in (c.T.nn.Sequential(layer(c.T), c.T.nn.ReLU()), c.T.nn.ReLU(), c.T.nn.LSTM(1, 1)):
        model.register_backward_hook(lambda *_: None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", FutureWarning)
            model(c.x.clone().requires_grad_())
        told.append([str(each.message).split(" is deprecated")[0] for each in caught])
    return told


def old_and_new_hooks(c: Case) -> Any:
    c.m.register_backward_hook(print)
    c.m.register_full_backward_hook(print)


def new_and_old_hooks(c: Case) -> Any:
    c.m.register_full_backward_hook(print)
    c.m.register_backward_hook(print)


def old_hooks_of_all_modules(c: Case) -> Any:
    seen = []
    module = import_module(f"{c.T.__name__}.nn.modules.module")
    handle = module.register_module_backward_hook(lambda m, gi, go: seen.append(type(m).__name__))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            model = c.T.nn.Sequential(layer(c.T), c.T.nn.ReLU())
            model(c.x).sum().backward()
    finally:
        handle.remove()
        if hasattr(module, "_global_is_full_backward_hook"):
            module._global_is_full_backward_hook = None  # PyTorch never forgets
    return seen


def weights_of_a_recurrent_layer(c: Case) -> Any:
    m = c.T.nn.LSTM(2, 2)
    x = c.T.ones(3, 1, 2)
    zeros = [c.T.zeros_like(w) for w in m._flat_weights]
    m._flat_weights = zeros
    seen = [all(a is b for a, b in zip(m._flat_weights, zeros, strict=True)), float(m(x)[0].abs().sum())]
    again = copy.deepcopy(m)
    seen.append(float(again(x)[0].abs().sum()) > 0)
    m.weight_ih_l0 = c.T.nn.Parameter(c.T.ones(8, 2))
    return [*seen, m._flat_weights[0] is m.weight_ih_l0]


def frozen_before_the_walk(c: Case) -> Any:
    w, model = c.T.ones(2, requires_grad=True), c.T.nn.Sequential(layer(c.T), layer(c.T))
    loss, out = (w * 2).sum(), model(c.x)
    w.requires_grad_(False)
    model[0].requires_grad_(False)
    loss.backward()
    out.backward()
    return w.grad, [p.grad is None for p in model.parameters()]


def frozen_with_a_gradient(c: Case) -> Any:
    w = c.T.ones(2, requires_grad=True)
    (w * 3).sum().backward()
    loss, kept = (w * 2).sum(), (w * 7).sum()
    w.requires_grad = False
    loss.backward()
    seen = [w.grad.tolist()]
    w.requires_grad = True
    kept.backward()
    return [*seen, w.grad.tolist()]


def detached_before_the_walk(c: Case) -> Any:
    w = c.T.ones(2, requires_grad=True)
    loss = (w * 2).sum()
    w.detach_()
    loss.backward()
    return w.grad


def frozen_with_hooks(c: Case) -> Any:
    w, seen = c.T.ones(2, requires_grad=True), []
    w.register_hook(lambda g: seen.append(g.tolist()))
    w.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad))
    loss = (w * 2).sum()
    w.requires_grad_(False)
    loss.backward()
    return seen, w.grad


def switched(c: Case, name: str) -> Any:
    """Return what conversions and loading do to a parameter while a switch is on."""
    switch, seen = getattr(c.T.__future__, name), []
    switch(True)
    try:
        for change in (
            lambda m: m.double(),
            lambda m: m.load_state_dict({"weight": c.T.full((1, 1), 3.0)}),
            lambda m: m.load_state_dict({"weight": c.T.full((1, 1), 3.0, dtype=c.T.float64)}, assign=True),
        ):
            m = layer(c.T)
            before, loss = m.weight, m(c.x).sum()
            before.grad = c.T.ones(1, 1)
            change(m)
            after = m.weight
            seen.append([after is before, str(after.dtype), str(before.dtype), float(after), after.grad is None])
            try:
                loss.backward()
                seen.append(before.grad is None)
            except RuntimeError as error:
                seen.append(str(error)[:80])
    finally:
        switch(False)
    return seen


def overwritten_by_conversions(c: Case) -> Any:
    return switched(c, "set_overwrite_module_params_on_conversion")


def swapped_by_conversions(c: Case) -> Any:
    return switched(c, "set_swap_module_params_on_conversion")


def swapped(c: Case) -> Any:
    x, y = c.T.ones(2, requires_grad=True), parameter(c.T, 3.0)
    x.tag, x.grad = 1, c.T.zeros(2)
    c.T.utils.swap_tensors(x, y)
    (y * 2).sum().backward()
    return [type(x).__name__, type(y).__name__, float(x), hasattr(x, "tag"), y.tag, x.grad, y.grad.tolist()]


PROGRAMS: list[Callable[[Case], Any]] = [
    put_past_setattr, put_and_changed_later, copied_shallow, dict_copied, dict_updated, written_into_the_dict,
    hidden_by_an_attribute, replica, a_tensor_in_place_of_the_parameter, only_in_the_dict, seen_from_outside,
    hidden_module, copies_of_containers, pickled_and_changed, deleted, a_narrow_register_buffer,
    a_narrow_register_buffer_of_another_kind, materialized_by_a_number, flags_of_hooks, hooks_thrown_away,
    old_backward_hooks, old_backward_hooks_warn, old_and_new_hooks, new_and_old_hooks, old_hooks_of_all_modules,
    weights_of_a_recurrent_layer, frozen_before_the_walk, frozen_with_a_gradient, detached_before_the_walk,
    frozen_with_hooks, overwritten_by_conversions, swapped_by_conversions, swapped,
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad:UserWarning")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_programs(program: Callable[[Case], Any]) -> None:
    def seen(T: Any) -> Any:
        try:
            return program(Case(T))
        except Exception as error:
            return type(error).__name__, str(error)

    ours, theirs = (seen(T) for T in ENGINES)
    assert ours == theirs
