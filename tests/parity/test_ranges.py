"""Numbers in a row, against PyTorch: most of them bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import rushlight
from support.expressions import check, lines
from support.oracle import same

ROWS = lines("""
T.arange(3)
T.arange(3.)
T.arange(1,3)
T.arange(1,3,0.5)
T.arange(0,1,0.1)
T.arange(1,0.)
T.arange(3,1)
T.arange(3,1,-1)
T.arange(3,1,0)
T.arange(3,3)
T.arange(0,float('inf'))
T.arange(0,float('nan'))
T.arange()
T.arange('a')
T.arange(None)
T.arange(0,None)
T.arange(end=3)
T.arange(start=1,end=3)
T.arange(1,end=3)
T.arange(1,3,step=2)
T.arange(start=1)
T.arange(10,dtype=T.float32,start=2)
T.arange(0,3,1,T.float32)
T.arange(3,dtype=T.uint8)
T.arange(3,dtype=T.float16)
T.arange(3,dtype=T.bool)
T.arange(300,dtype=T.uint8)[-1]
T.arange(0.5,3,dtype=T.int64)
T.arange(-2.5,5,1.5,dtype=T.int32)
T.arange(1,10,2.5,dtype=T.int64)
T.arange(1.7,10,2.5,dtype=T.uint8)
T.arange(5,0.5,-1.5,dtype=T.int64)
T.arange(5,0.5,-1.5,dtype=T.int16)
T.arange(0,1e20,1e19,dtype=T.int64)
T.arange(True)
T.arange(T.tensor(3))
T.arange(T.tensor(3.))
T.arange(T.ones(2))
T.arange(np.int64(3))
T.arange(np.float32(3))
T.arange(2.5,out=T.empty(0,dtype=T.int64))
T.arange(-0.)
T.arange(1,3,requires_grad=True)
T.arange(1.,3,requires_grad=True)
T.arange(2**62,2**62+2)
T.linspace(0,1,5)
T.linspace(0,1,1)
T.linspace(0,1,0)
T.linspace(0,1,-1)
T.linspace(0,1)
T.linspace(0,10,5,dtype=T.int64)
T.linspace(-9,9,6,dtype=T.int32)
T.linspace(0,255,4,dtype=T.uint8)
T.linspace(0.5,9.7,4,dtype=T.int64)
T.linspace(0,1,steps=3)
T.linspace(start=0,end=1,steps=3)
T.linspace(T.tensor(0.),T.tensor(1.),3)
T.linspace(T.ones(2),1,3)
T.linspace(0,1,2.)
T.linspace(0,1,True)
T.linspace(0,float('inf'),3)
T.linspace(3,1,3)
T.linspace(0,1,3,dtype=T.bool)
T.linspace(0,1,5,dtype=T.float16)
T.linspace(0,1,3,out=T.empty(3,dtype=T.float64))
T.logspace(0,2,3)
T.logspace(0,2,3,base=2)
T.logspace(-1,1,5,base=0)
T.logspace(0,3,4,base=-2)
T.logspace(0,2,1)
T.logspace(0,2,-1)
T.logspace(0,2,3,dtype=T.int64)
T.logspace(0,1.5,4,base=10,dtype=T.int64)
T.range(1,3)
T.range(1,3,0.5)
T.range(3,1)
T.range(0.5,3,dtype=T.int64)
T.range(1,5,2,dtype=T.int64)
""")


@pytest.mark.parametrize("line", ROWS)
def test_same_as_pytorch(line: str) -> None:
    check(line)


@given(st.floats(-9, 9), st.floats(0, 60), st.floats(0.05, 3), st.booleans())
def test_arange_of_floats(start: float, length: float, step: float, double: bool) -> None:
    name = "float64" if double else "float32"
    same(lambda T: T.arange(start, start + length, step, dtype=getattr(T, name)), tol=1e-7)


@given(st.integers(-99, 99), st.integers(-99, 99), st.integers(-9, 9).filter(bool))
def test_arange_of_integers(start: int, end: int, step: int) -> None:
    same(lambda T: T.arange(start, end, step))


@given(
    st.floats(-50, 50), st.floats(-50, 50), st.integers(0, 70), st.sampled_from(["float32", "float64", "int64", "int8"])
)
def test_linspace_bit_for_bit(start: float, end: float, steps: int, name: str) -> None:
    ours, theirs = (T.linspace(start, end, steps, dtype=getattr(T, name)).numpy() for T in (rushlight, torch))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_arange_bit_for_bit_where_common(name: str) -> None:
    for args in [(0, 1, 0.1), (0.0, 2.0, 0.01), (-1, 1, 0.2), (100.0,), (0.5, 7), (3, -3, -0.25)]:
        ours, theirs = (T.arange(*args, dtype=getattr(T, name)).numpy() for T in (rushlight, torch))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-16 if name == "float64" else 0)
