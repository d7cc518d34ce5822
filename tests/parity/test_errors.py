"""Bad input that once passed, or raised another type of error than PyTorch's."""

from __future__ import annotations

import pytest

from support.expressions import check, lines

CALLS = """
T.where(T.ones(2) > 0, T.ones(3), 0)
T.where(T.ones(2, 1) > 0, T.ones(3, 3), T.ones(2))
T.dist(T.ones(2, 3), T.ones(2, 2))
T.ones(0, 2).amax((0, 0))
T.ones(0, 2).amax((1, 1))
T.ones(0, 2).amin((1, -1, 0))
T.quantile(T.ones(2), T.tensor([2.0]), 1)
T.quantile(T.ones(2), T.tensor([2.0]), 0)
T.tensor(1.0).diag_embed()
T.tensor(1.0).unflatten(0, (1,))
T.tensor(1.0).unflatten(1, (1,))
T.ones(2).repeat_interleave(T.ones(2, dtype=T.int16))
T.ones(2).repeat_interleave(T.ones(2))
T.nn.functional.conv1d(T.ones(1, 1, 3) > 0, T.ones(1, 1, 2))
T.nn.functional.conv1d(T.ones(1, 1, 3), T.ones(1, 1, 2) > 0)
T.nn.functional.conv1d(T.ones(1, 1, 3) > 0, T.ones(1, 1, 2) > 0, T.ones(1))
T.nn.functional.batch_norm(T.ones(4), T.ones(4), T.ones(4))
T.nn.functional.batch_norm(T.ones(4), None, None, training=True)
T.nn.functional.batch_norm(T.ones(2, 4), T.ones(4), None)
T.nn.functional.batch_norm(T.ones(2, 4), None, T.ones(4), training=True)
T.nn.functional.batch_norm(T.ones(2, 4), T.ones(4, requires_grad=True), None, training=True)
T.nn.functional.layer_norm(T.ones(2, 4), (4,), (1, 2))
T.nn.functional.dropout(T.ones(3, dtype=T.int64))
T.nn.functional.dropout(T.ones(3, dtype=T.int64), 1.0)
T.nn.functional.dropout1d(T.ones(2, 3, 4) > 0)
T.nn.functional.alpha_dropout(T.ones(3) > 0, 0.5, True)
T.nn.functional.kl_div(T.ones(3), T.ones(3, dtype=T.int64), reduction="sum")
T.nn.functional.kl_div(T.ones(3) > 0, T.ones(3), reduction="sum", log_target=True)
T.nn.functional.multi_margin_loss(T.ones(2, 3), T.zeros(3, dtype=T.int64))
T.nn.functional.multi_margin_loss(T.ones(3), T.zeros(2, 3, dtype=T.int64))
T.nn.functional.multi_margin_loss(T.ones(2, 3, 1), T.zeros(2, dtype=T.int64))
T.nn.functional.multi_margin_loss(T.tensor(1.0), T.tensor(0))
T.nn.functional.multi_margin_loss(T.ones(3), T.zeros(1, dtype=T.int64))
T.nn.functional.adaptive_avg_pool1d(T.tensor(1.0), 5)
T.nn.functional.adaptive_avg_pool2d(T.ones(4), 5)
T.nn.functional.adaptive_avg_pool2d(T.ones(4), (5, 5))
T.nn.functional.adaptive_avg_pool3d(T.ones(3, 3), (5, 5, None))
T.trapezoid(T.ones(3) > 0)
T.cumulative_trapezoid(T.ones(3), T.ones(3) > 0)
T.tensordot(T.ones(3), T.ones(3), "ab")
T.tensordot(T.ones(3), T.ones(3), None)
T.tensordot(T.ones(3), T.ones(3), 1.5)
T.tensordot(T.ones(2, 3), T.ones(3, 2), (1, 0))
T.tensordot(T.ones(3), T.ones(3), [[0], [0], [0]])
T.promote_types(T.ones(1), T.float32)
T.can_cast(T.float32, T.ones(1))
"""


@pytest.mark.parametrize("line", lines(CALLS))
def test_same_error(line: str) -> None:
    check(line)
