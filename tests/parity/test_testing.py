"""assert_close and make_tensor under both engines: the same errors word for word, the same numbers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import rushlight

CLOSE = """
T.testing.assert_close(T.tensor([1.,2,3]),T.tensor([1.,2,4]))
T.testing.assert_close(T.tensor([[1.,2],[3,5]]),T.tensor([[1.,2],[4,4]]))
T.testing.assert_close(T.tensor(1.),T.tensor(2.))
T.testing.assert_close(1.,2.)
T.testing.assert_close(1,2)
T.testing.assert_close(1.,2.,rtol=0.1,atol=0.1)
T.testing.assert_close(1.,2.,rtol=0,atol=0)
T.testing.assert_close(1.,2.,rtol=0.1)
T.testing.assert_close(True,False)
T.testing.assert_close([1.,2],[1.,3])
T.testing.assert_close({'a':T.tensor(1.)},{'a':T.tensor(2.)})
T.testing.assert_close({'a':T.tensor(1.)},{'b':T.tensor(2.)})
T.testing.assert_close([1.],[1.,2])
T.testing.assert_close(T.tensor([1,2,3]),T.tensor([1,2,4]))
T.testing.assert_close(T.tensor([1.,2,3]),T.tensor([1,2,4]))
T.testing.assert_close(T.tensor([1.,2,3]),T.tensor([1,2,4]),check_dtype=False)
T.testing.assert_close(T.tensor([1.,2,3]),T.tensor([1.,2]))
T.testing.assert_close(T.tensor([1.,2,3]),T.tensor([1.,2,nan]))
T.testing.assert_close(T.tensor([1.,2,nan]),T.tensor([1.,2,nan]))
T.testing.assert_close(T.tensor([1.,2,3]),T.tensor([1.,2,4]),msg='hi')
T.testing.assert_close(T.tensor([1.,2,3]),T.tensor([1.,2,4]),msg=lambda m:'hi '+m)
T.testing.assert_close(T.tensor([1.,2,3]),T.tensor([1.,2,4]),rtol=0.1,atol=0.)
T.testing.assert_close(T.tensor([1.,2,3]),[1.,2,4])
T.testing.assert_close('x','x')
T.testing.assert_close(None,None)
T.testing.assert_close(None,3.)
T.testing.assert_close(np.ones(2),np.zeros(2))
T.testing.assert_close(np.ones(2),T.tensor([1.,1]))
T.testing.assert_close(T.tensor([True,False]),T.tensor([True,True]))
T.testing.assert_close(T.ones(2,3).t(),T.ones(3,2),check_stride=True)
T.testing.assert_close(T.tensor([nan]),T.tensor([nan]),equal_nan=True)
T.testing.assert_close(T.tensor([inf]),T.tensor([1.]))
T.testing.assert_close(1, 1.0)
T.testing.assert_close(1, T.tensor(1))
T.testing.assert_close([T.tensor([1.,2])], [T.tensor([1.,3])])
T.testing.assert_close({'a':[1.,{'c':T.tensor([2])}]},{'a':[1.,{'c':T.tensor([3])}]})
T.testing.assert_close(T.tensor([1.,2,3]),T.tensor([1.,2,4]),rtol=0,atol=0)
T.testing.assert_close(T.tensor([]),T.tensor([]))
T.testing.assert_close(T.tensor([1.]).half(),T.tensor([1.5]).half())
T.testing.assert_close(nan,nan)
T.testing.assert_close(nan,1.0)
T.testing.assert_close((1.,),[1.])
T.testing.assert_close(T.tensor([1.],requires_grad=True),T.tensor([1.]))
T.testing.assert_close(T.tensor([0.]),T.tensor([1e-9]))
T.testing.assert_close(T.tensor([1.,2]), T.tensor([1.,2],dtype=T.float64), check_dtype=False)
T.testing.assert_close([1.,'x'],[1.,'x'])
T.testing.assert_close({'a':1},[1])
T.testing.assert_close(T.nn.Parameter(T.tensor([1.])), T.tensor([1.]), allow_subclasses=False)
T.testing.assert_close(T.nn.Parameter(T.tensor([1.])), T.tensor([1.]))
T.testing.assert_close(T.ones(3,4,dtype=T.uint8), T.zeros(3,4,dtype=T.uint8))
T.testing.assert_close(T.tensor([True]),T.tensor([1]))
T.testing.assert_close(T.tensor(1.),1.)
T.testing.assert_close([],[])
T.testing.assert_close('a','b')
T.testing.assert_close(np.float64(1.), 1.0)
T.testing.assert_close(np.float64(1.), 2.0)
T.testing.assert_close(T.tensor([[]]),T.tensor([[]]))
T.testing.assert_close(T.tensor([1.,1.5]).double(),T.tensor([1.,1.5000001]).double())
T.testing.assert_close([1.,2.],[3.,4.])
T.testing.assert_close([T.tensor([1.,2]),2.], [T.tensor([1.,3]),4.])
T.testing.assert_close(T.tensor([1,2],dtype=T.int8),T.tensor([1,2],dtype=T.int8), equal_nan=True)
T.testing.assert_close({'a':1.,'c':2.},{'a':1.,'b':2.})
T.testing.assert_close(T.tensor(3),T.tensor(4))
T.testing.assert_close(T.tensor([[3]]),T.tensor([[4]]))
T.testing.assert_close(T.tensor([1e30]),T.tensor([1.]))
T.testing.assert_close(T.tensor([0.]),T.tensor([0.1]))
T.testing.assert_close(T.tensor([1.]),T.tensor([0.]))
T.testing.assert_close(T.tensor([1]),T.tensor([0]))
T.testing.assert_close(0,1)
T.testing.assert_close(1,0)
T.testing.assert_close(1.,0.)
T.testing.assert_close(T.tensor(inf),T.tensor(-inf))
T.testing.assert_close(inf,inf)
T.testing.assert_close(T.tensor([1.,2.,nan,4]),T.tensor([1.,3.,3.,4]))
T.testing.assert_close(T.ones(2,0),T.ones(0,2))
T.testing.assert_close(T.tensor([2.0]),T.tensor([1.0]),rtol=0.5)
T.testing.assert_close(T.tensor([2.0]),T.tensor([1.0]),atol=0.5)
"""

MADE = """
T.testing.make_tensor((3,),dtype=T.float32,device='cpu')
T.testing.make_tensor(3,dtype=T.float64,device='cpu')
T.testing.make_tensor(2,3,dtype=T.int64,device='cpu')
T.testing.make_tensor((5,),dtype=T.uint8,device='cpu')
T.testing.make_tensor((5,),dtype=T.int8,device='cpu')
T.testing.make_tensor((5,),dtype=T.bool,device='cpu')
T.testing.make_tensor((5,),dtype=T.float16,device='cpu')
T.testing.make_tensor((5,),dtype=T.float32,device='cpu',low=-1,high=1)
T.testing.make_tensor((5,),dtype=T.int32,device='cpu',low=-1,high=2,exclude_zero=True)
T.testing.make_tensor((5,),dtype=T.float32,device='cpu',low=2,high=1)
T.testing.make_tensor((5,),dtype=T.float32,device='cpu',low=1,high=1)
T.testing.make_tensor((5,),dtype=T.int64,device='cpu',low=1,high=1)
T.testing.make_tensor((5,),dtype=T.float32,device='cpu',low=float('nan'))
T.testing.make_tensor((5,),dtype=T.float32,device='cpu',low=float('inf'))
T.testing.make_tensor((5,),dtype=T.int64,device='cpu',requires_grad=True)
T.testing.make_tensor((2,3),dtype=T.float32,device='cpu',noncontiguous=True).stride()
T.testing.make_tensor((1,3),dtype=T.float32,device='cpu',noncontiguous=True).stride()
T.testing.make_tensor((1,),dtype=T.float32,device='cpu',noncontiguous=True).stride()
T.testing.make_tensor((3,),dtype=T.float32,device='cpu',noncontiguous=True)
T.testing.make_tensor((),dtype=T.float32,device='cpu',noncontiguous=True).stride()
T.testing.make_tensor((0,),dtype=T.float32,device='cpu',noncontiguous=True).stride()
T.testing.make_tensor((2,2,2,2),dtype=T.float32,device='cpu',memory_format=T.channels_last,noncontiguous=True).stride()
T.testing.make_tensor((5,),dtype=T.bool,device='cpu',low=0,high=1)
T.testing.make_tensor((5,),dtype=T.bool,device='cpu',low=0,high=5)
T.testing.make_tensor((5,),dtype=T.uint8,device='cpu',low=-3,high=300)
T.testing.make_tensor((5,),dtype=T.float32,device='cpu',low=-1e50,high=1e50)
T.testing.make_tensor((5,),dtype=T.int64,device='cpu',low=0.5,high=3.7)
T.testing.make_tensor((5,),dtype=T.float32,device='cpu')
T.testing.make_tensor(dtype=T.float32,device='cpu')
T.testing.make_tensor((3,),dtype=T.float32)
T.testing.make_tensor((5,),dtype=T.float64,device='cpu',exclude_zero=True,low=0,high=1)
T.testing.make_tensor((5,),dtype=T.bool,device='cpu',exclude_zero=True)
T.testing.make_tensor((3,),dtype=T.float32,device='cpu',requires_grad=True)
T.testing.make_tensor((5,),dtype=T.float16,device='cpu',low=-1,high=1)
T.testing.make_tensor((5,),dtype=T.int16,device='cpu')
T.testing.make_tensor((5,),dtype=T.bool,device='cpu',low=0.9,high=1.5)
T.testing.make_tensor((5,),dtype=T.int64,device='cpu',low=3)
T.testing.make_tensor((5,),dtype=T.int64,device='cpu',low=30)
T.testing.make_tensor((5,),dtype=T.float32,device='cpu',low=-float('inf'),high=float('inf'))
"""


def outcome(line: str, engine: Any) -> Any:
    """Return what ``line`` gives, or its error in full."""
    engine.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            found = eval(line, {"T": engine, "np": np, "nan": float("nan"), "inf": float("inf")})
        except Exception as error:
            return type(error).__name__, str(error).replace("rushlight.nn.parameter", "torch.nn.parameter")
    return (str(found.dtype), found.stride(), found.tolist()) if isinstance(found, engine.Tensor) else found


@pytest.mark.parametrize("line", CLOSE.strip().splitlines())
def test_assert_close(line: str) -> None:
    ours, theirs = outcome(line, rushlight), outcome(line, torch)
    if isinstance(theirs, tuple) and theirs[0] == "TypeError":
        assert ours[1].split("<")[0] == theirs[1].split("<")[0]
        return
    assert ours == theirs


@pytest.mark.parametrize("line", MADE.strip().splitlines())
def test_make_tensor(line: str) -> None:
    ours, theirs = outcome(line, rushlight), outcome(line, torch)
    if theirs and theirs[0] == "TypeError":
        assert ours[0] == "TypeError"
        return
    assert ours == theirs
