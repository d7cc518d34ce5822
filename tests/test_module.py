"""Modules: what PyTorch cannot be asked about. The rest is in parity/test_nn.py."""

import copy
import gc
import pickle
import weakref

import pytest

import rushlight as torch
from rushlight import nn


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([1.0]))
        self.inner = nn.Identity()

    def forward(self, x):
        return self.inner(x) * self.w


def test_a_module_is_part_of_no_cycle() -> None:
    gc.disable()
    try:
        model = nn.Sequential(Layer(), nn.ReLU())
        model(torch.tensor([1.0])).backward()
        known = weakref.ref(model), weakref.ref(model[0].w)
        del model
        assert [one() for one in known] == [None, None]
    finally:
        gc.enable()


def mirrored(layer: nn.Module) -> bool:
    """Whether what is registered can be read without ``__getattr__``, and reads as the registries say."""
    found = {**layer._modules, **layer._buffers, **layer._parameters}
    return all(object.__getattribute__(layer, name) is value for name, value in found.items())


@pytest.mark.parametrize(
    "change",
    [
        lambda m, p: m._parameters.update(a=p, b=None),
        lambda m, p: m._parameters.update([("a", p)]),
        lambda m, p: m._parameters.setdefault("a", p),
        lambda m, p: m._parameters.setdefault("w", p),
        lambda m, p: m._parameters.pop("w"),
        lambda m, p: m._parameters.pop("nope", None),
        lambda m, p: m._parameters.popitem(),
        lambda m, p: m._parameters.clear(),
        lambda m, p: m._parameters.__ior__({"a": p}),
        lambda m, p: m._modules.clear(),
        lambda m, p: m._modules.__delitem__("inner"),
        lambda m, p: setattr(m, "inner", p),
        lambda m, p: setattr(m, "w", None),
        lambda m, p: m.register_buffer("x", torch.tensor([1.0])),
    ],
)
def test_attributes_follow_the_registry(change) -> None:
    layer = Layer()
    change(layer, nn.Parameter(torch.tensor([2.0])))
    assert mirrored(layer)
    for name in ("a", "b", "w", "inner", "x"):
        registered = any(name in each for each in (layer._parameters, layer._buffers, layer._modules))
        assert hasattr(layer, name) == registered


@pytest.mark.parametrize("again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_read_as_fast(again) -> None:
    layer = again(Layer())
    assert mirrored(layer)
    assert mirrored(again(layer))
    children = nn.Sequential(layer, nn.ReLU(), nn.Tanh())
    del children[0]
    children.insert(0, layer)
    assert mirrored(children)
    dir(layer), repr(layer), copy.copy(layer), list(layer.named_modules()), layer.state_dict()
    assert mirrored(layer)


def test_popitem_of_nothing() -> None:
    with pytest.raises(KeyError):
        nn.Identity()._parameters.popitem()


def test_numbers_of_loaded_hooks_are_not_given_out_again() -> None:
    layer = Layer()
    handle = layer.register_forward_hook(weakref.ref, with_kwargs=True)  # any function that pickles
    far = handle.id + 1000  # as another process might have counted
    layer._forward_hooks = type(layer._forward_hooks)({far: weakref.ref})
    layer._forward_hooks_with_kwargs = {far: True}
    again = pickle.loads(pickle.dumps(layer))
    assert list(again._forward_hooks) == [far]
    assert again._forward_hooks_with_kwargs == {far: True}
    assert again.register_forward_hook(print).id > far


def test_a_wrapper_may_ask_its_base_for_what_is_missing() -> None:
    class Wrapper(nn.Module):
        def __init__(self, module: nn.Module) -> None:
            super().__init__()
            self.module = module

        def __getattr__(self, name: str):
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(self.module, name)

    wrapped = Wrapper(Layer())
    assert wrapped.w is wrapped.module.w
    with pytest.raises(AttributeError, match="'Layer' object has no attribute 'nope'"):
        _ = wrapped.nope


def test_a_subclass_that_keeps_plain_dicts() -> None:
    class Plain(Layer):
        def __setstate__(self, state) -> None:
            self.__dict__.update(state)

    again = Plain.__new__(Plain)
    again.__setstate__({**vars(Layer()), "_parameters": {}})
    again.v = nn.Parameter(torch.tensor([3.0]))
    assert again.v is again._parameters["v"]
