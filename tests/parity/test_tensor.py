"""What a tensor is and how it meets Python, against PyTorch."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch

import rushlight
from support.expressions import check, lines, prepare
from support.oracle import ENGINES

FACTS = lines("""
T.Size([2,3])+(4,)
(4,)+T.Size([2,3])
T.Size([2,3])*2
2*T.Size([2,3])
T.Size([2,3])[1:]
T.Size([2,3])[0]
T.Size([2,3])[-1]
T.Size([2,3])+[1]
T.Size(3)
T.Size()
T.Size([2.5])
T.Size(['a'])
[int(n) for n in T.Size([T.tensor(2),np.int64(3)])]
T.Size([2,3]).numel()
T.Size([]).numel()
T.Size([2,3])==(2,3)
T.Size([-1])
hash(T.Size([2,3]))==hash((2,3))
copy.copy(T.Size([2]))
copy.deepcopy(T.Size([2]))
pickle.loads(pickle.dumps(T.Size([2])))
repr(T.ones(2,3).shape)
T.ones(2,3).shape[1:]
T.ones(2,3).size(0)
T.ones(2,3).size(dim=-1)
T.ones(2,3).size(2)
T.ones(()).size(0)
T.ones(()).shape
T.ones(2,3).stride()
T.ones(2,3).stride(0)
T.ones(2,3).stride(-1)
T.ones(2,3).stride(2)
T.ones(2,3).t().stride()
T.ones(2,0,3).stride()
T.ones(()).stride()
T.ones(1,3).expand(4,3).stride()
T.ones(4)[1:].storage_offset()
T.ones(4,3)[1:,2].storage_offset()
T.ones(4)[::2].stride()
T.ones(2).is_contiguous(memory_format=T.contiguous_format)
T.ones(2,3).t().is_contiguous()
T.ones(2,3).t().contiguous().is_contiguous()
str(T.ones(2).layout)
repr(T.ones(2).device)
T.ones(2).device.type
repr(T.device('cpu'))
repr(T.device('cuda'))
repr(T.device('cuda:1'))
T.device('cuda',1).index
T.device('cpu')==T.device('cpu:0')
T.device('cpu')=='cpu'
T.device('foo')
T.device('cpu:x')
repr(T.device(type='cpu',index=0))
T.device(1.5)
str(T.device('cpu'))
repr(T.device(T.device('cpu')))
hash(T.device('cpu'))==hash(T.device('cpu'))
repr(pickle.loads(pickle.dumps(T.device('cuda:1'))))
T.ones(2).cuda()
T.ones(2).to('cuda')
T.ones(2).get_device()
repr(T.get_default_device())
T.ones(2).dim()
T.ones(2,3).ndim
T.ones(2,3).ndimension()
T.ones(2,3).numel()
T.ones(2,3).nelement()
T.ones(2,3,dtype=T.float64).nbytes
T.ones(2).element_size()
T.ones(2,dtype=T.int16).itemsize
T.ones(2).is_signed()
T.ones(2,dtype=T.uint8).is_signed()
T.ones(2,dtype=T.bool).is_signed()
T.ones(2).is_floating_point()
T.ones(2).is_complex()
T.ones(2).is_inference()
T.ones(2).is_cuda
T.ones(2).is_cpu
T.ones(2).is_sparse
T.ones(2).is_quantized
T.ones(2).is_meta
T.ones(2).is_pinned()
T.ones(2).is_shared()
T.ones(2).real
T.ones(2).imag
T.is_tensor(T.ones(2))
T.is_tensor([1])
T.is_storage(T.ones(2))
T.is_floating_point(T.ones(2))
T.is_floating_point(1)
T.is_complex(T.ones(2))
T.is_signed(T.ones(2))
T.is_conj(T.ones(2))
T.is_neg(T.ones(2))
T.is_inference(T.ones(2))
T.is_nonzero(T.tensor([0.]))
T.is_nonzero(T.ones(2))
T.is_nonzero(T.ones(0))
T.is_same_size(T.ones(2),T.ones(3))
T.is_same_size(T.ones(2),T.zeros(2))
T.numel(T.ones(2,3))
T.numel([1])
T.get_device(T.ones(2))
T.typename(T.ones(2))
T.typename(1)
repr(T.finfo(T.float16))
repr(T.finfo(T.float32))
repr(T.finfo(T.float64))
repr(T.finfo())
T.finfo(T.float32).tiny
T.finfo(T.float32).smallest_normal
T.finfo(T.float32).resolution
T.finfo(T.float32).eps
T.finfo(T.float32).bits
T.finfo(T.float32).dtype
T.finfo(T.float32)==T.finfo(T.float32)
T.finfo(T.float32)==T.finfo(T.float64)
T.finfo(T.int64)
T.finfo('float32')
repr(T.iinfo(T.int8))
repr(T.iinfo(T.uint8))
repr(T.iinfo(T.int64))
T.iinfo(T.int64).bits
T.iinfo(T.int64).dtype
T.iinfo(T.float32)
T.iinfo(T.bool)
T.iinfo()
str(T.result_type(T.ones(2),1))
str(T.result_type(T.ones(2,dtype=T.int64),1.5))
str(T.result_type(1,2.5))
str(T.result_type(T.ones(1),T.ones((),dtype=T.float64)))
str(T.result_type(T.ones((),dtype=T.int64),T.ones(1,dtype=T.int8)))
str(T.result_type(T.ones(1,dtype=T.uint8),T.ones(1,dtype=T.int8)))
str(T.result_type(T.ones(1,dtype=T.bool),2))
T.result_type('a',1)
T.inf
T.pi
T.e
T.newaxis
T.nan!=T.nan
""")
VALUES = lines("""
x.item()
T.ones(1,1,requires_grad=True).item()
T.ones(0).item()
T.tensor(True).item()
T.tensor(3,dtype=T.uint8).item()
T.ones(2).tolist()
T.tensor(2).tolist()
T.tensor([[True],[False]]).tolist()
T.ones(0,2).tolist()
x.tolist()
x.numpy()
x.numpy(force=True).tolist()
x.detach().numpy().tolist()
float(x)
float(T.ones(1,1))
float(T.tensor(2))
int(T.tensor(2.7))
int(T.tensor(-2.7))
int(T.tensor(float('nan')))
int(T.tensor(float('inf')))
int(T.tensor([1,2]))
T.tensor(2.5).__index__()
T.tensor(2).__index__()
T.tensor([2]).__index__()
T.tensor(True).__index__()
T.tensor([2,3]).__index__()
[5,6,7][T.tensor(1)]
list(range(T.tensor(3)))
bool(T.ones(2))
bool(T.ones(0))
bool(T.ones(1))
bool(T.zeros(1,1))
bool(T.tensor(float('nan')))
complex(T.tensor(2.))
complex(T.ones(2))
len(T.ones(()))
len(T.ones(3,2))
1 in T.ones(2)
5 in T.ones(2)
T.ones(2) in T.ones(2,2)
'a' in T.ones(2)
None in T.ones(2)
f"{T.tensor(2.5):.2f}"
f"{T.tensor(2.5,requires_grad=True):.2f}"
f"{T.tensor(3):5d}"
f"{T.ones(2):.2f}"
f"{T.ones(2)}"
f"{T.tensor(2.5)}"
hash(x)==hash(x)
len({x, y, x})
list(T.ones(2))
iter(T.ones(()))
list(reversed(T.tensor([1,2,3])))
round(float(T.tensor(2.567)),2)
repr(x)
repr(y)
str(y)
repr(y.detach())
repr(T.ones(2,2,dtype=T.float64,requires_grad=True)*2)
repr(x.sum())
repr(T.zeros(0,3))
""")
GRAPH = lines("""
y.grad
x.grad
y.is_leaf
x.is_leaf
x.grad_fn
y.grad_fn.name()
y.output_nr
y._version
x._base
y[0]._base is y
y[0]._is_view()
y._is_view()
y.detach()._is_view()
y[0:1].detach()._is_view()
y.data._is_view()
T.ones(2).register_hook(lambda g:g)
y.register_post_accumulate_grad_hook(lambda g:g)
T.ones(2).register_post_accumulate_grad_hook(lambda g:g)
T.ones(2).retain_grad()
x.retain_grad()
x.retains_grad
y.retains_grad
keep(y).retains_grad
y.detach().requires_grad
y.detach_().requires_grad
y[0:1].detach_()
x.detach_().requires_grad
T.ones(2).backward()
set_(T.ones(2),'grad',T.ones(2)).grad
set_(T.ones(2),'grad',T.ones(3))
set_(T.ones(2),'grad',T.ones(2,dtype=T.float64))
set_(T.ones(2),'grad',1)
set_(T.ones(2),'grad',None).grad
set_(x,'grad',x)
set_(y,'grad',T.ones(2)).grad
set_(T.ones(2,dtype=T.int64),'grad',T.ones(2,dtype=T.int64)).grad
set_(x,'data',T.ones(3))
set_(x,'data',T.ones(3))._version
set_(x,'data',T.ones(3)).is_leaf
set_(x,'data',T.ones(3,dtype=T.float64))
set_(x,'data',T.ones(3,dtype=T.int64))
set_(T.ones(2),'data',T.ones(3,dtype=T.int64))
set_(T.ones(2),'data',[1,2])
set_(y,'data',T.ones(3))
set_(T.ones(2),'shape',(2,))
set_(T.ones(2),'requires_grad',True)
set_(T.ones(2),'requires_grad',1)
set_(T.ones(2,dtype=T.int64),'requires_grad',True)
set_(y,'requires_grad',False)
set_(y,'requires_grad',True)
y.requires_grad_(False)
y.requires_grad_(True).requires_grad
T.ones(2,dtype=T.int64).requires_grad_()
T.ones(2,dtype=T.int64).requires_grad_(False)
copy.deepcopy(y)
copy.deepcopy(x)
copy.copy(x)
copy.copy(y)
pickle.loads(pickle.dumps(y))
pickle.loads(pickle.dumps(x))
pickle.loads(pickle.dumps(T.tensor([[1,2]],dtype=T.int8)))
pickle.loads(pickle.dumps(T.ones(2,3).t()))
""")


@pytest.mark.parametrize("line", [*FACTS, *VALUES, *GRAPH])
def test_same_as_pytorch(line: str) -> None:
    check(line, prepare)


def test_grad_accumulates_in_what_was_assigned() -> None:
    for T in ENGINES:
        x = T.ones(2, requires_grad=True)
        x.grad = held = T.full((2,), 3.0)
        (x * 2).sum().backward()
        assert x.grad is held
        assert held.tolist() == [5.0, 5.0]
        x.grad = None
        (x * 2).sum().backward()
        assert x.grad.tolist() == [2.0, 2.0]
        x.requires_grad_(False)
        assert x.grad.tolist() == [2.0, 2.0]
        x.requires_grad_(True)
        (x * 2).sum().backward()
        assert x.grad.tolist() == [4.0, 4.0]
        del x.grad
        assert x.grad is None


def test_a_leaf_on_new_data_gets_gradients_of_its_new_shape() -> None:
    for T in ENGINES:
        x = T.ones(2, requires_grad=True)
        (x * 2).sum().backward()
        x.grad = None
        x.data = T.ones(3, dtype=T.float64)
        (x * 2).sum().backward()
        assert x.grad.shape == (3,)
        assert x.grad.dtype == T.float64


def test_data_shares_memory_and_counts_nothing() -> None:
    for T in ENGINES:
        x = T.ones(2, requires_grad=True)
        y = x * x
        x.data.mul_(3)
        assert x.tolist() == [3.0, 3.0]
        assert x._version == 0
        y.sum().backward()  # not noticed, as PyTorch does not
        z = x * x
        x.detach().mul_(2)
        assert x._version == 1
        with pytest.raises(RuntimeError, match="modified by an inplace"):
            z.sum().backward()


def test_hooks() -> None:
    for T in ENGINES:
        x = T.ones(2, requires_grad=True)
        y = x * 2
        seen: list[Any] = []
        y.retain_grad()
        first = y.register_hook(lambda g: g * 3)
        x.register_hook(lambda g, seen=seen: seen.append(g.tolist()))
        x.register_post_accumulate_grad_hook(lambda t, seen=seen: seen.append(t.grad.tolist()))
        y.sum().backward()
        assert seen == [[6.0, 6.0], [6.0, 6.0]]
        assert y.grad.tolist() == [3.0, 3.0]
        first.remove()
        (x * 2).sum().backward()
        assert x.grad.tolist() == [8.0, 8.0]


def test_copies() -> None:
    for T in ENGINES:
        x = T.ones(2, requires_grad=True)
        x.note = ["kept"]
        (x * 2).sum().backward()
        deep, shallow, pickled = copy.deepcopy(x), copy.copy(x), pickle.loads(pickle.dumps(x))
        for made in (deep, shallow, pickled):
            assert made.requires_grad
            assert made.is_leaf
            assert made.tolist() == x.tolist()
            assert made.note == ["kept"]
        assert deep.grad.tolist() == [2.0, 2.0]
        assert deep.grad is not x.grad
        assert deep.note is not x.note
        assert shallow.grad is None
        with T.no_grad():
            x[0] = 7
        assert shallow.tolist() == [7.0, 1.0]
        assert deep.tolist() == [1.0, 1.0]
        one, two = copy.deepcopy([x, x])
        assert one is two


def test_inference_tensors() -> None:
    for T in ENGINES:
        with T.inference_mode():
            x = T.ones(2)
            assert x.is_inference()
            assert (x * 2).is_inference()
            with pytest.raises(RuntimeError, match="version"):
                _ = x._version
        assert not T.ones(2).is_inference()


def test_subclass_of_tensor_can_be_made() -> None:
    for T in ENGINES:

        class Mine(T.Tensor):  # type: ignore[name-defined,misc]
            extra = 3

        x = Mine([1.0, 2.0])
        assert isinstance(x, Mine)
        assert isinstance(x, T.Tensor)
        assert repr(x) == "Mine([1., 2.])"
        assert (x + 1).tolist() == [2.0, 3.0]
        assert T.ones(2).as_subclass(Mine).extra == 3
        leaf = Mine([1.0, 2.0]).requires_grad_()
        (leaf * leaf).sum().backward()
        assert leaf.grad.tolist() == [2.0, 4.0]
        assert T.Tensor._make_subclass(Mine, T.ones(2), True).requires_grad


def test_names_are_alike() -> None:
    for name in ("float32", "int64", "bool", "uint8"):
        assert repr(getattr(rushlight, name)) == repr(getattr(torch, name))
    assert repr(rushlight.strided) == repr(torch.strided)
    assert repr(rushlight.contiguous_format) == repr(torch.contiguous_format)
