"""Making tensors, against PyTorch: values, dtypes, shapes, text, and the type of every error."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import rushlight
from support.expressions import check, lines
from support.oracle import same

DATA = lines("""
T.tensor([[1,2],[3]])
T.tensor([[1],[2,3]])
T.tensor([1,[2]])
T.tensor([[1],2])
T.tensor([1.,[2]])
T.tensor([1,[2]],dtype=T.int64)
T.tensor([1.,[2]],dtype=T.float32)
T.tensor([[],[]])
T.tensor([])
T.tensor([[[]]])
T.tensor([],dtype=T.int64)
T.tensor([1,2.5])
T.tensor([True,2])
T.tensor([True,2.0])
T.tensor([True,False])
T.tensor(True)
T.tensor(2)
T.tensor(2.5)
T.tensor(2**63)
T.tensor([2**63])
T.tensor(-2**63-1)
T.tensor(-2**63)
T.tensor(2**63,dtype=T.float32)
T.tensor(2**70,dtype=T.float32)
T.tensor(300,dtype=T.uint8)
T.tensor([300],dtype=T.uint8)
T.tensor([300],dtype=T.int8)
T.tensor([40000,-40000],dtype=T.int16)
T.tensor([2**31],dtype=T.int32)
T.tensor(-1,dtype=T.uint8)
T.tensor(-255,dtype=T.uint8)
T.tensor(-256,dtype=T.uint8)
T.tensor(-1.0,dtype=T.uint8)
T.tensor(70000.,dtype=T.float16)
T.tensor(1e300,dtype=T.float32)
T.tensor(2.5,dtype=T.int64)
T.tensor([-2.5,2.5],dtype=T.int32)
T.tensor(float('nan'),dtype=T.int64)
T.tensor([float('inf')],dtype=T.int32)
T.tensor(2.5,dtype=T.bool)
T.tensor(2,dtype=T.bool)
T.tensor([0.5,0,float('nan')],dtype=T.bool)
T.tensor('a')
T.tensor(['a'])
T.tensor(['a'],dtype=T.float32)
T.tensor(b'ab')
T.tensor([1,'a'])
T.tensor(None)
T.tensor([None])
T.tensor([None],dtype=T.float32)
T.tensor([1,None],dtype=T.int64)
T.tensor([object()])
T.tensor({1:2})
T.tensor({},dtype=T.float32)
T.tensor({1,2})
T.tensor((1,2))
T.tensor(range(3))
T.tensor(((1,2),[3,4]))
T.tensor(T.ones(2))
T.tensor(T.ones(2,requires_grad=True))
T.tensor([T.tensor(1),T.tensor(2)])
T.tensor([T.tensor(1),T.tensor(2.5,dtype=T.float64)])
T.tensor([T.tensor(1),2.5])
T.tensor([T.tensor([1]),2.5])
T.tensor([[T.tensor(1.),2],[3,T.tensor(4)]])
T.tensor([T.ones(2),T.ones(2)])
T.tensor([T.ones(2),[1,2]])
T.tensor([np.float64(1.5)])
T.tensor([np.float32(1.5)])
T.tensor([np.float16(1.5)])
T.tensor([np.int32(1)])
T.tensor([np.int8(1)])
T.tensor([np.bool_(1)])
T.tensor(np.float64(1.5))
T.tensor(np.float32(1.5))
T.tensor(np.int32(1))
T.tensor(np.array(2.5))
T.tensor(np.ones(2))
T.tensor([np.float64(1.5),2])
T.tensor([2,np.float64(1.5)])
T.tensor([2,np.float32(1.5)])
T.tensor([True,np.float64(2.)])
T.tensor(np.arange(6).reshape(2,3).T)
T.tensor(np.arange(6).reshape(2,3).T).stride()
T.tensor([1,2],requires_grad=True)
T.tensor([1.,2],requires_grad=True)
T.tensor([1.,2],dtype=float)
T.tensor([1.,2],dtype=int)
T.tensor([1.,2],dtype=bool)
T.tensor([1.,2],dtype='float32')
T.tensor([1.,2],dtype=np.float32)
T.tensor(np.ones(2)[::-1])
T.tensor(np.ones(2,dtype='>f8'))
T.tensor(np.array(['a']))
T.tensor([1.0],device='cpu')
T.tensor([1.0],device='cuda')
T.tensor([1.0],pin_memory=False)
T.tensor([1.0],names=None)
T.tensor()
T.tensor(data=[1])
T.tensor([1],[2])
T.as_tensor([1.,2])
T.as_tensor(np.ones(2))
T.as_tensor(np.ones(2),dtype=T.float32)
T.as_tensor(2.5)
T.as_tensor(T.ones(2,requires_grad=True),dtype=T.float64)
T.as_tensor(np.ones(2)[::-1])
T.asarray([1,2])
T.asarray(np.ones(2))
T.asarray(np.ones(2),copy=True)
T.asarray(T.ones(2),copy=True)
T.asarray([1.],copy=False)
T.asarray(np.float32(1))
T.asarray([1.,2],requires_grad=True)
T.asarray(T.ones(2),dtype=T.float64)
T.from_numpy(np.ones(2)[::-1])
T.from_numpy(np.ones(2,dtype='>f8'))
T.from_numpy(np.array(['a']))
T.from_numpy([1])
T.from_numpy(np.float32(1))
T.from_numpy(np.array(1.5))
T.from_numpy(np.broadcast_to(np.ones(2),(3,2)))
T.scalar_tensor(2)
T.scalar_tensor(True)
T.scalar_tensor(2,dtype=T.int8)
T.scalar_tensor(T.ones(2))
T.frombuffer(bytearray(b'abcd'),dtype=T.uint8)
T.frombuffer(bytearray(b'abcdefgh'),dtype=T.float32,count=1,offset=4)
T.frombuffer(bytearray(b'abc'),dtype=T.float32)
T.frombuffer(bytearray(b''),dtype=T.float32)
T.frombuffer(bytearray(b'abcd'),dtype=T.uint8,count=9)
T.frombuffer(bytearray(b'abcd'),dtype=T.uint8,offset=9)
T.frombuffer(bytearray(b'abcd'),dtype=T.uint8,count=0)
""")
FILLED = lines("""
T.zeros(2,3)
T.zeros((2,3))
T.zeros([2,3])
T.zeros(T.Size([2,3]))
T.zeros(size=(2,3))
T.zeros()
T.zeros(())
T.zeros(0,3)
T.zeros(2,'a')
T.zeros(2.5)
T.zeros(-1)
T.zeros(2,-1)
T.zeros((2,2.5))
T.zeros(T.tensor(2),3)
T.zeros(np.int64(2))
T.zeros((T.tensor(2),3))
T.zeros(True)
T.zeros(None)
T.zeros(2,3,None)
T.zeros(2,dtype=int)
T.zeros(2,dtype=np.float32)
T.zeros(2,out=T.ones(2))
T.zeros(2,out=T.ones(3))
T.zeros(2,out=T.ones(2,dtype=T.int64))
T.zeros(2,out=T.ones(2),dtype=T.int64)
T.zeros(2,requires_grad=True)
T.zeros(2,requires_grad=True,dtype=T.int64)
T.zeros(2,layout=T.strided)
T.zeros(2,memory_format=T.contiguous_format)
T.empty(2,memory_format=T.contiguous_format).shape
T.empty(2,3,dtype=T.int16).dtype
T.empty_strided((2,3),(1,2)).stride()
T.empty_strided((2,3),(1,))
T.ones(2,3,requires_grad=True)
T.ones(2,foo=1)
T.ones(2,device=T.device('cpu'))
T.ones(2,device='cpu:0').device
T.ones(2,device='cuda')
T.ones(2,device='mps:0') if False else 0
T.ones(2,device=0)
T.ones(2,device=None)
T.ones(2,pin_memory=True)
T.full((2,),3)
T.full((2,),3.)
T.full((2,),True)
T.full(2,3)
T.full((),2.5)
T.full((2,),T.tensor(3.))
T.full((2,),T.tensor(3))
T.full((2,),T.ones(2))
T.full((2,),3,dtype=T.bool)
T.full((2,),300,dtype=T.uint8)
T.full((2,),-1,dtype=T.uint8)
T.full((2,),-256,dtype=T.uint8)
T.full((2,),-1.5,dtype=T.uint8)
T.full((2,),2.7,dtype=T.int64)
T.full((2,),1e300)
T.full((2,),1e300,dtype=T.float64)
T.full((2,),70000.,dtype=T.float16)
T.full((2,),2**63)
T.full((2,),2**63,dtype=T.float32)
T.full((2,),float('nan'))
T.full((2,),float('nan'),dtype=T.int64)
T.full((2,),float('inf'),dtype=T.bool)
T.full(size=(2,),fill_value=1)
T.full((2,),'a')
T.full((2,),None)
T.full((2,),2,out=T.ones(2))
T.eye(2)
T.eye(2,3,dtype=T.int64)
T.eye(3,2)
T.eye(0)
T.eye(-1)
T.eye(2,-1)
T.eye(2.)
T.eye(2,m=3)
T.eye(2,dtype=T.bool)
T.zeros_like(T.ones(2,requires_grad=True))
T.zeros_like(T.ones(2),requires_grad=True)
T.ones_like(T.ones(2,3).t()).stride()
T.ones_like(T.ones(1,3).expand(4,3)).stride()
T.ones_like(T.ones(2,3).t(),memory_format=T.contiguous_format).stride()
T.ones_like(T.ones(2,3,4).permute(1,2,0)).stride()
T.ones_like(T.ones(4,6)[::2,::2].t()).stride()
T.ones_like(T.tensor(2))
T.zeros_like([1])
T.zeros_like(T.tensor([1]),dtype=float)
T.full_like(T.tensor([1]),2.7)
T.full_like(T.tensor([1]),2.7,dtype=T.float64)
T.full_like(T.tensor([1.]),True)
T.full_like(T.ones(2),1e300)
T.empty_like(T.tensor([1.])).shape
""")
OLD = lines("""
T.Tensor(2,3).shape
T.Tensor([1,2])
T.Tensor([[1,2],[3,4]])
T.Tensor()
T.Tensor((2,3))
T.Tensor(T.Size([2,3])).shape
T.Tensor(3.5)
T.Tensor(True)
T.Tensor(T.ones(2))
T.Tensor(T.ones(2,dtype=T.float64))
T.Tensor(np.ones(2))
T.Tensor('a')
T.Tensor(-1)
T.Tensor([1],device='cpu')
T.FloatTensor([1,2])
T.LongTensor([1,2])
T.LongTensor(2,3).shape
T.LongTensor([1.5])
T.LongTensor(T.ones(2))
T.BoolTensor([1,0])
T.ByteTensor([1,0])
T.DoubleTensor(2).dtype
T.HalfTensor([1.5])
T.IntTensor([1])
T.ShortTensor([1])
T.CharTensor([1])
T.FloatTensor.dtype
isinstance(T.ones(2),T.FloatTensor)
isinstance(T.ones(2),T.LongTensor)
""")


@pytest.mark.parametrize("line", [*DATA, *FILLED, *OLD])
def test_same_as_pytorch(line: str) -> None:
    check(line)


numbers = st.one_of(st.booleans(), st.integers(-100, 100), st.floats(-100, 100, width=32))


@given(st.lists(st.lists(numbers, min_size=2, max_size=2), max_size=4))
def test_nested_lists(data: Any) -> None:
    same(lambda T: T.tensor(data))


def test_memory_is_shared_where_pytorch_shares_it() -> None:
    for T in (rushlight, torch):
        array = np.ones(3, np.float32)
        made = [T.from_numpy(array), T.as_tensor(array), T.asarray(array)]
        array[0] = 5
        assert [m[0].item() for m in made] == [5, 5, 5]
        made[0][1] = 7
        assert array[1] == 7
        copies = [T.tensor(array), T.asarray(array, copy=True), T.as_tensor(array, dtype=T.float64)]
        array[0] = 9
        assert [m[0].item() for m in copies] == [5, 5, 5]
        scalar = np.array(1.5)
        zero_d = T.from_numpy(scalar)
        scalar[()] = 2.5
        assert zero_d.item() == 2.5
        x = T.ones(2, requires_grad=True)
        assert T.as_tensor(x) is x
        buffer = bytearray(b"abcd")
        seen = T.frombuffer(buffer, dtype=T.uint8)
        buffer[0] = 0
        assert seen[0].item() == 0


def test_read_only_memory_gives_a_warning() -> None:
    for T in (rushlight, torch):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            T.frombuffer(b"ab", dtype=T.uint8)
        assert [w.category for w in seen] in ([UserWarning], [])  # PyTorch warns once in a process
    array = np.ones(2)
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="not writable"):
        made = rushlight.from_numpy(array)
    with pytest.raises(ValueError, match="read-only"):
        made.zero_()


def test_default_dtype_is_followed() -> None:
    for T in (rushlight, torch):
        T.set_default_dtype(T.float64)
        try:
            assert T.tensor([1.5]).dtype == T.zeros(1).dtype == T.arange(1.0).dtype == T.rand(1).dtype == T.float64
            assert T.Tensor([1]).dtype == T.full((1,), 1.0).dtype == T.eye(1).dtype == T.float64
        finally:
            T.set_default_dtype(T.float32)


@pytest.mark.filterwarnings("ignore:Creating a tensor from a list:UserWarning")
def test_list_of_arrays() -> None:
    same(lambda T: T.tensor([np.ones(2), [1, 2]]), grad=False)
    same(lambda T: T.tensor([np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)]), grad=False)
    same(lambda T: T.tensor([[np.ones(2, np.int8)], [np.zeros(2, np.int8)]]), grad=False)


def test_a_number_beside_an_empty_list_is_not_lost() -> None:
    """PyTorch drops the 1 without a word."""
    with pytest.raises(ValueError, match="length 0 at dim 1"):
        rushlight.tensor([[], [1]])


def test_no_complex_numbers() -> None:
    for data in (1 + 2j, [1j], np.ones(2, complex)):
        with pytest.raises(TypeError, match="complex"):
            rushlight.tensor(data)
    with pytest.raises(TypeError, match="complex128"):
        rushlight.from_numpy(np.ones(2, complex))
