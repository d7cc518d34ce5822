"""Wrong and rare arguments that no other table has: the same values, or the same kind of error."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

import rushlight
from rushlight.autograd.primitive import PRIMITIVES
from support.expressions import check, lines

BAGS = """
F.embedding_bag(ids, T.ones(5, 2), T.tensor([0.0]))
F.embedding_bag(ids, T.ones(5, 2), T.tensor([], dtype=T.int64), include_last_offset=True)
F.embedding_bag(ids, T.ones(5, 2), T.tensor([1, 2]))
F.embedding_bag(ids, T.ones(5, 2), T.tensor([0, 9]))
F.embedding_bag(ids, T.ones(5, 2), T.tensor([0, 2, 4]), mode="max")
F.embedding_bag(ids, T.arange(10.0).view(5, 2), T.tensor([0, 2, 2]), mode="max")
F.embedding_bag(T.zeros(0, dtype=T.int64), T.ones(5, 2), T.tensor([0, 0]), mode="max")
T.nn.EmbeddingBag(3, 2, padding_idx=3)
T.nn.EmbeddingBag(3, 2, padding_idx=-4)
T.nn.EmbeddingBag(3, 2, padding_idx=-1).padding_idx
T.nn.EmbeddingBag(3, 2, _weight=T.ones(2, 2))
T.nn.EmbeddingBag(3, 2, _weight=T.ones(3, 2))(T.tensor([[0, 1]])).detach()
T.nn.EmbeddingBag.from_pretrained(T.ones(3))
T.nn.EmbeddingBag.from_pretrained(T.ones(3, 2)).weight.requires_grad
T.nn.EmbeddingBag(3, 2, max_norm=1.0, scale_grad_by_freq=True, mode="sum", padding_idx=0).extra_repr()
T.nn.Embedding(3, 2, padding_idx=3)
T.nn.Embedding(3, 2, padding_idx=-4)
T.nn.Embedding(3, 2, _weight=T.ones(2, 2))
T.nn.Embedding(3, 2, _weight=T.ones(3, 2))(T.tensor([0, 2]))
T.nn.Embedding.from_pretrained(T.ones(3))
T.nn.Embedding.from_pretrained(T.ones(3, 2), freeze=False).weight.requires_grad
T.nn.Embedding(3, 2, max_norm=1.0, norm_type=1.0, padding_idx=1, scale_grad_by_freq=True).extra_repr()
"""

LOSSES = """
F.multi_margin_loss(T.ones(2, 3), T.tensor([0, 1]), p=3)
F.multi_margin_loss(T.ones(2, 3), T.tensor([0, 3]))
F.multi_margin_loss(T.ones(2, 3), T.tensor([0, 1, 2]))
F.multi_margin_loss(T.ones(3), T.tensor(1))
F.multi_margin_loss(T.ones(3), T.tensor([1]))
F.multi_margin_loss(T.tensor(1.0), T.tensor(0))
F.cosine_embedding_loss(T.ones(2, 3), T.ones(2, 3), T.ones(2, 1))
F.cosine_embedding_loss(T.ones(3), T.ones(3), T.ones(1))
F.cosine_embedding_loss(T.ones(3), T.ones(3), T.tensor(1.0))
F.triplet_margin_loss(T.ones(2, 3), T.ones(2, 3), T.zeros(2, 3), margin=0)
F.triplet_margin_with_distance_loss(T.ones(2, 3), T.ones(2, 3), T.zeros(2, 3), margin=-1.0)
F.gaussian_nll_loss(T.ones(2), T.ones(2), T.tensor([1.0, -1.0]))
F.gaussian_nll_loss(T.ones(2, 3), T.ones(2, 3), T.ones(3, 2))
F.multilabel_margin_loss(T.ones(2, 3), T.tensor([0, 1]))
F.multilabel_margin_loss(T.ones(3), T.tensor([0, 5, -1]))
F.multilabel_soft_margin_loss(T.ones(2, 3), T.ones(2, 2))
"""

ATTENTION = """
mha(4, 2)(T.ones(2, 1, 3), T.ones(2, 1, 3), T.ones(2, 1, 3))
mha(4, 2)(T.ones(2, 1, 4), T.ones(3, 1, 4), T.ones(2, 1, 4))
mha(4, 2, kdim=3, vdim=3)(T.ones(2, 1, 4), T.ones(3, 1, 3), T.ones(2, 1, 3))
mha(4, 2, kdim=3, vdim=3)(T.ones(2, 1, 4), T.ones(2, 1, 2), T.ones(2, 1, 3))
mha(4, 2)(T.ones(2, 1, 4), T.ones(2, 1, 4), T.ones(2, 1, 4), attn_mask=T.ones(2))
mha(4, 2)(T.ones(2, 1, 4), T.ones(2, 1, 4), T.ones(2, 1, 4), attn_mask=T.ones(2, 3))
mha(4, 2)(T.ones(2, 1, 4), T.ones(2, 1, 4), T.ones(2, 1, 4), attn_mask=T.ones(3, 2, 2))
mha(4, 2)(T.ones(4), T.ones(2, 4), T.ones(2, 4))
mha(4, 3)
"""

PARTS = """
prune.l1_unstructured(T.nn.Linear(2, 3), "weight", 7)
prune.l1_unstructured(T.nn.Linear(2, 3), "weight", 1.5)
prune.l1_unstructured(T.nn.Linear(2, 3), "weight", -1)
prune.l1_unstructured(T.nn.Linear(2, 3), "weight", "a")
prune.random_structured(T.nn.Linear(2, 3), "bias", 1, 0)
prune.random_structured(T.nn.Linear(2, 3), "weight", 0, 0).weight_mask
prune.l1_unstructured(T.nn.Linear(2, 3), "weight", 0).weight_mask
prune.remove(T.nn.Linear(2, 3), "weight")
prune.global_unstructured([T.nn.Linear(2, 3).weight], prune.L1Unstructured, amount=1)
prune.global_unstructured([(linear, "weight")], prune.RandomStructured, amount=1)
T.func.functional_call(linear, {"weight": T.ones(3, 2), "bias": T.zeros(3)}, T.ones(2))
T.func.functional_call(linear, {"weight": T.ones(3, 2), "nothing": T.zeros(3)}, T.ones(2), strict=True)
T.func.functional_call(linear, {"weight": T.ones(3, 2)}, T.ones(2), strict=True)
T.func.functional_call(linear, {"in_features": T.ones(3, 2)}, T.ones(2))
"""


def names(engine: Any) -> dict[str, Any]:
    engine.manual_seed(0)
    return {
        "F": engine.nn.functional,
        "prune": import_module(f"{engine.__name__}.nn.utils.prune"),
        "ids": engine.tensor([1, 2, 4, 1]),
        "mha": engine.nn.MultiheadAttention,
        "linear": engine.nn.Linear(2, 3),
    }


@pytest.mark.parametrize("line", [*lines(BAGS), *lines(LOSSES), *lines(ATTENTION), *lines(PARTS)])
def test_rare(line: str) -> None:
    check(line, names)


GRADCHECK = """
T.autograd.gradcheck(lambda x: x * x, x, check_backward_ad=False)
T.autograd.gradcheck(lambda x: (x * x, x.exp()), x, check_batched_grad=True)
T.autograd.gradcheck(lambda x: x * x, x, check_grad_dtypes=True)
T.autograd.gradcheck(lambda x: x.detach() * 0 + 1, x)
T.autograd.gradcheck(lambda x: x.detach() * 2, x)
T.autograd.gradcheck(lambda x: x.detach() * 2, x, raise_exception=False)
T.autograd.gradcheck(lambda x: x * x, 3.0)
T.autograd.gradcheck(lambda x: x * x, x.detach())
T.autograd.gradgradcheck(lambda x: x * x * x, x, grad_outputs=T.ones(2, dtype=T.float64, requires_grad=True))
T.autograd.gradgradcheck(lambda x: x * x * x, x, grad_outputs=T.ones(2, dtype=T.float64))
T.autograd.gradgradcheck(lambda x: x * x * x, x, gen_non_contig_grad_outputs=True)
T.autograd.gradgradcheck(lambda x: x * x * x, x, check_rev_over_rev=False, check_fwd_over_rev=False)
T.autograd.gradcheck(lambda x: Deaf.apply(x), x)
T.autograd.gradcheck(lambda x: Wide.apply(x), x)
T.autograd.gradcheck(lambda x: Fussy.apply(x), x)
T.autograd.gradcheck(lambda x: Fussy.apply(x), x, check_undefined_grad=False)
T.autograd.gradcheck(lambda x: x[: 1 + int(x[0] > 0.5)] * 1, x)
"""


def functions(engine: Any) -> dict[str, Any]:
    class Deaf(engine.autograd.Function):  # type: ignore[misc, name-defined]
        """Gives 1 for a gradient of zeros."""

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g + 1 if not g.any() else g

    class Wide(Deaf):
        """Gives a gradient of another shape."""

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return engine.cat([g, g])

    class Fussy(Deaf):
        """Does not bear that one of its results gets no gradient."""

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, a: Any, b: Any) -> Any:
            if a is None or b is None:
                raise RuntimeError("a gradient is missing")
            return 2 * a + 3 * b

    x = engine.tensor([0.5, -1.5], dtype=engine.float64, requires_grad=True)
    return {"x": x, "Deaf": Deaf, "Wide": Wide, "Fussy": Fussy}


@pytest.mark.parametrize("line", lines(GRADCHECK))
def test_gradcheck(line: str) -> None:
    try:
        check(line, functions)
    except AssertionError as error:
        if str(error).count("GradcheckError(") != 2:  # each engine has its own class, of one name
            raise


def test_kernels_are_what_is_written_in_their_place() -> None:
    """Where a kernel is one ufunc the generated function calls that; the kernel itself says the same."""
    values, seen = np.array([0.25, 0.5, 0.75]), 0
    for name, op in PRIMITIVES.items():
        place = op.kernel.__module__.rsplit(".", 1)[-1]
        if place not in {"unary", "compare"} or list(op.params) not in [["input"], ["input", "other"]]:
            continue
        args = [values, values[::-1].copy()][: len(op.params)]
        found = op.function(*(rushlight.tensor(each) for each in args))
        np.testing.assert_array_equal(found.numpy(), op.kernel(*args), err_msg=name)
        seen += 1
    assert seen > 20
