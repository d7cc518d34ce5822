"""Tensors in another dtype, new tensors like one, other memory, against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.expressions import check, lines, prepare
from support.oracle import DTYPES, same

OTHER = lines("""
x.to(T.float64)
x.to(T.int64)
x.to(T.float32) is x
x.to(x) is x
x.to(T.ones(1,dtype=T.float64))
x.to('cpu') is x
x.to('cpu',T.float64)
x.to(device='cpu',dtype=T.float64)
x.to(dtype=T.float64,copy=True)
x.to(T.float32,copy=True) is x
x.to(T.float32,copy=True)
x.to(T.float32,False,True)
x.to('cpu',T.float32,False,True) is x
x.to(other=T.ones(1))
x.to(T.device('cpu')) is x
x.to(memory_format=T.contiguous_format) is x
T.ones(2,3).t().to(memory_format=T.contiguous_format).stride()
T.ones(2,3).t().to(T.float64).stride()
T.ones(2,3).t().to(T.float64,memory_format=T.contiguous_format).stride()
T.ones(2,3).t().to(T.float32,copy=True,memory_format=T.contiguous_format).stride()
x.to()
x.to(3)
x.to(float)
x.to('float32')
x.to(None) is x
x.to(1,2,3,4,5,6)
x.float() is x
x.double()
x.half()
x.int()
x.long()
x.bool()
x.char()
x.byte()
x.short()
x.cpu() is x
x.type()
T.ones(2,dtype=T.bool).type()
x.type(T.float64)
x.type('torch.DoubleTensor')
x.type(T.DoubleTensor)
x.type(T.float32) is x
x.type('foo')
x.type_as(T.ones(1,dtype=T.float64))
x.type_as(T.ones(1)) is x
T.tensor([-1.5,300.,1e10,float('nan'),float('inf')]).int()
T.tensor([-3.7,1e10,-1e10,70000,float('nan'),float('inf')]).short()
T.tensor([-3.7,1e10,-1e10,70000,float('nan'),float('inf')]).byte()
T.tensor([-3.7,1e10,-1e10,70000,float('nan'),float('inf')]*5).char()
T.tensor([-3.7,1e10,-1e10,70000,float('nan'),float('inf')]).long()
T.tensor([-3.7,1e10,-1e10,70000],dtype=T.float64).char()
T.tensor([-1.5,0.,float('nan')]).bool()
T.tensor([300,-1]).byte()
T.tensor(300).char()
T.tensor(1e10).short()
T.tensor(-1.5).byte()
x.new_tensor([1,2])
x.new_tensor([1.,2])
T.ones(1,dtype=T.int64).new_tensor([1.5])
T.ones(1,dtype=T.float64).new_tensor([1,2])
x.new_tensor([1,2],dtype=T.float64,requires_grad=True)
x.new_tensor(T.ones(2))
x.new_zeros(2,3)
x.new_zeros((2,3),dtype=T.int64)
x.new_zeros(size=(2,))
x.new_zeros(())
x.new_ones(2,requires_grad=True)
x.new_full((2,),3)
T.ones(1,dtype=T.int64).new_full((2,),3.7)
x.new_full((2,),1e300)
x.new_empty(2,3).shape
x.new_empty(()).shape
x.new(2,3).shape
x.new([1,2])
x.new_zeros(-1)
T.ones(2).resize_(3).shape
T.ones(2).resize_(1)
T.ones(2).resize_((1,2))
T.ones(2,2).t().resize_(4)
T.ones(2).resize_(-1)
T.ones(2).resize_()
T.arange(3)[1:].resize_(1)
x.resize_(3)
T.ones(3).resize_as_(T.ones(2))
T.ones(2).set_(T.ones(3))
T.ones(2).set_(T.ones(3,dtype=T.int64))
x.set_(T.ones(3))
T.ones(4).set_()
T.ones(2).as_subclass(int)
""")


@pytest.mark.parametrize("line", OTHER)
def test_same_as_pytorch(line: str) -> None:
    check(line, prepare)


@pytest.mark.parametrize("target", DTYPES)
@pytest.mark.parametrize("source", DTYPES)
def test_every_conversion(source: str, target: str) -> None:
    values = np.array([0, 1, 2, 100, 5]).astype(source)

    def code(T: Any, x: Any) -> Any:
        kind = getattr(T, target)
        return [x.to(kind), x.type(kind), x[:1].to(dtype=kind), x[0].to(kind)]

    same(code, values)
    same(lambda T, x: x.to(getattr(T, target)), values, names=True)
