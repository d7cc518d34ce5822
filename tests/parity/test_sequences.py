"""Sequences of different lengths, padded and packed, against PyTorch."""

from typing import Any

import numpy as np
import pytest

from support.oracle import ENGINES, close, describe, same
from support.values import normals

normal = normals(np.random.default_rng(0))

SEQUENCES = """
R.pack_padded_sequence(T.arange(6).view(3, 2), [3, 2])
R.pack_padded_sequence(T.arange(6).view(3, 2), T.tensor([3.0, 1.0]))
R.pack_padded_sequence(T.arange(6).view(2, 3), [3, 2], batch_first=True)
R.pack_padded_sequence(T.arange(6).view(2, 3), [2, 3], True, False)
R.pack_padded_sequence(T.arange(24).view(4, 3, 2), T.tensor([1, 4, 2]), enforce_sorted=False)
R.pack_padded_sequence(T.arange(24).view(2, 3, 4).transpose(0, 1), [3, 1])
R.pack_padded_sequence(T.ones(3, 2, dtype=T.bool), [2, 2])
R.pad_packed_sequence(R.pack_padded_sequence(T.arange(6).view(3, 2), [2, 3], enforce_sorted=False))
R.pad_packed_sequence(R.pack_padded_sequence(T.arange(6).view(3, 2), [2, 3], enforce_sorted=False), True, -1.0, 5)
R.pad_packed_sequence(R.pack_padded_sequence(T.ones(3, 2, 2), [3, 1]), padding_value=float('inf'))
R.pad_packed_sequence(R.PackedSequence(T.ones(3), T.tensor([2, 1])), total_length=2)
R.pad_sequence([T.ones(2), T.ones(3)])
R.pad_sequence((T.ones(2, 2), T.ones(3, 2)), True, -1.0, 'left')
R.pad_sequence([T.ones(2), T.ones(3)], padding_side='left')
R.pad_sequence(T.ones(2, 3))
R.pad_sequence(x for x in [T.ones(2), T.ones(1)])
R.pad_sequence([T.ones(2).long(), T.ones(3).long()], padding_value=2.7)
R.pad_sequence([T.ones(2).double(), T.ones(3)])
R.pad_sequence([T.ones(2).long(), T.ones(3) * 1.5])
R.pad_sequence([T.ones(2, 2), T.ones(3, 1)])
R.pad_sequence([T.ones(0), T.ones(0)])
R.pad_sequence([T.ones(2, dtype=T.bool), T.ones(3, dtype=T.bool)])
R.unpad_sequence(R.pad_sequence([T.ones(2), T.ones(3)]), T.tensor([2, 3]))
R.unpad_sequence(T.arange(6).view(2, 3), T.tensor([2, 5]), True)
R.unpad_sequence(T.arange(12).view(2, 3, 2), T.tensor([0, 3]), batch_first=True)
R.pack_sequence([T.arange(3), T.arange(2)])
R.pack_sequence([T.ones(1, 2), T.ones(3, 2)], enforce_sorted=False)
R.pack_sequence(T.ones(2, 3))
R.unpack_sequence(R.pack_sequence([T.arange(2), T.arange(3)], enforce_sorted=False))
R.invert_permutation(T.tensor([2, 0, 1]))
R.invert_permutation(None)
R.PackedSequence((T.ones(3), T.tensor([2, 1])))
R.PackedSequence(T.ones(3), T.tensor([2, 1]), T.tensor([1, 0]))
R.PackedSequence(T.ones(3), T.tensor([2, 1]), T.tensor([1, 0])).to(T.float64)
R.PackedSequence(T.ones(3), T.tensor([2, 1])).double().long().int().short().char().byte()
R.PackedSequence(T.ones(3), T.tensor([2, 1])).half().float().cpu()
R.PackedSequence(T.ones(3), T.tensor([2, 1])).is_cuda
R.PackedSequence(T.ones(3), T.tensor([2, 1])).is_pinned()
R.PackedSequence._fields
"""


@pytest.mark.parametrize("code", SEQUENCES.strip().splitlines())
def test_sequences(code: str) -> None:
    ours, theirs = (eval(code, {"T": engine, "R": engine.nn.utils.rnn}) for engine in ENGINES)
    close(describe(ours), describe(theirs), 0.0)
    assert str(ours) == str(theirs)


@pytest.mark.parametrize("batch_first", [False, True])
def test_gradients_of_sequences(batch_first: bool) -> None:
    def code(T: Any, x: Any, a: Any, b: Any) -> Any:
        words = T.nn.utils.rnn
        packed = words.pack_padded_sequence(x, [1, 3, 2], batch_first, enforce_sorted=False)
        padded, _ = words.pad_packed_sequence(packed, not batch_first, total_length=4)
        joined = words.pad_sequence([a, b], batch_first, padding_side="left")
        apart = words.unpad_sequence(padded * 1, T.tensor([1, 3, 2]), not batch_first)
        return [packed.data, padded, joined, *apart, *words.unpack_sequence(packed)]

    same(code, normal(3, 3, 2), normal(2, 2), normal(3, 2))


def test_a_sequence_that_stays_is_itself() -> None:
    for engine in ENGINES:
        packed = engine.nn.utils.rnn.pack_sequence([engine.ones(2)])
        assert packed.to(engine.float32) is packed
        assert packed.cpu() is packed
