"""Layers beyond the common ones against PyTorch: text, state, values, gradients, in training and in evaluation."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

from support.oracle import ENGINES, same
from support.values import normals

RNG = np.random.default_rng(0)
normal = normals(RNG)


def positive(*shape: int) -> np.ndarray:
    return RNG.random(shape) + 0.2


def classes(high: int, *shape: int) -> np.ndarray:
    return RNG.integers(0, high, shape)


SIGNS = np.array([1.0, -1.0, 1.0, 1.0])
PADS = [
    (f"{kind}Pad{dims}d({size})", [normal(2, 2, *(4, 5, 6)[:dims])])
    for kind in ("Circular", "Reflection", "Replication", "Zero")
    for dims in (1, 2, 3)
    for size in ("2", str(tuple(range(2 * dims))[:6]).replace("4", "2").replace("5", "1"))
]
LAYERS: list[tuple[str, list[Any]]] = [
    *PADS,
    ("ConstantPad1d(2, 3.5)", [normal(2, 3, 4)]),
    ("ConstantPad1d((1, -1), 3)", [normal(2, 4)]),
    ("ConstantPad2d((1, 0, 2, -1), -1.5)", [normal(2, 3, 4, 4)]),
    ("ConstantPad3d(1, 2)", [normal(1, 2, 2, 3, 2)]),
    ("ChannelShuffle(2)", [normal(2, 4, 3)]),
    ("PixelShuffle(2)", [normal(2, 4, 3, 2)]),
    ("PixelUnshuffle(2)", [normal(2, 2, 4, 2)]),
    ("Upsample(size=(3, 5))", [normal(1, 2, 2, 4)]),
    ("Upsample(scale_factor=2, mode='bilinear')", [normal(1, 2, 2, 4)]),
    ("Upsample(scale_factor=(1.5, 2), mode='bicubic', align_corners=True)", [normal(1, 2, 4, 4)]),
    ("Upsample(scale_factor=1.7, mode='linear', recompute_scale_factor=True)", [normal(1, 2, 5)]),
    ("UpsamplingNearest2d(scale_factor=2)", [normal(1, 2, 2, 3)]),
    ("UpsamplingBilinear2d((5, 4))", [normal(1, 2, 2, 3)]),
    ("Unfold(2)", [normal(1, 2, 3, 4)]),
    ("Unfold((2, 1), dilation=2, padding=1, stride=(1, 2))", [normal(2, 3, 4)]),
    ("Fold((3, 4), 2)", [normal(1, 8, 6)]),
    ("Fold(4, (2, 2), stride=2)", [normal(4, 4)]),
    ("LPPool1d(2, 3)", [positive(2, 3, 7)]),
    ("LPPool2d(1.5, (2, 3), stride=1)", [positive(2, 3, 4, 5)]),
    ("LPPool3d(2, 2, ceil_mode=True)", [positive(2, 3, 3, 5)]),
    ("FractionalMaxPool2d(2, output_size=3)", [normal(2, 3, 6, 7)]),
    ("FractionalMaxPool2d((2, 3), output_ratio=(0.5, 0.6), return_indices=True)", [normal(3, 6, 7)]),
    ("FractionalMaxPool3d(2, output_size=(2, 3, 2))", [normal(2, 2, 5, 6, 4)]),
    ("FractionalMaxPool3d((1, 2, 2), output_ratio=0.5, return_indices=True)", [normal(2, 5, 6, 4)]),
    ("LocalResponseNorm(3)", [normal(2, 4, 3)]),
    ("LocalResponseNorm(2, alpha=0.5, beta=0.5, k=2)", [normal(2, 4, 3, 2)]),
    ("RReLU()", [normal(4, 5)]),
    ("RReLU(0.2, 0.9)", [normal(2, 3, 4)]),
    ("SyncBatchNorm(3)", [normal(4, 3)]),
    ("SyncBatchNorm(3, momentum=None, affine=False)", [normal(2, 3, 2, 2)]),
    ("SyncBatchNorm(3, track_running_stats=False, bias=False)", [normal(2, 3, 4)]),
    ("CosineSimilarity()", [normal(3, 4), normal(3, 4)]),
    ("CosineSimilarity(dim=0, eps=1e-3)", [normal(3), normal(3)]),
    ("PairwiseDistance()", [normal(3, 4), normal(3, 4)]),
    ("PairwiseDistance(p=1, eps=0.0, keepdim=True)", [normal(4), normal(3, 4)]),
    ("CosineEmbeddingLoss(margin=0.2)", [normal(4, 3), normal(4, 3), SIGNS]),
    ("HingeEmbeddingLoss(margin=2, reduction='sum')", [normal(4), SIGNS]),
    ("MarginRankingLoss(0.5, reduction='none')", [normal(4), normal(4), SIGNS]),
    ("SoftMarginLoss()", [normal(3, 4), SIGNS.astype(int)]),
    ("MultiMarginLoss()", [normal(4, 5), classes(5, 4)]),
    ("MultiMarginLoss(2, 0.7, T.tensor([1.0, 2, 3, 4, 5]).double(), reduction='none')", [normal(4, 5), classes(5, 4)]),
    ("MultiLabelMarginLoss()", [normal(2, 4), np.array([[3, 0, -1, 1], [1, 2, 0, 3]])]),
    ("MultiLabelMarginLoss(reduction='none')", [normal(2, 4), np.array([[-1, 0, -1, 1], [1, 1, -1, 3]])]),
    ("MultiLabelSoftMarginLoss()", [normal(3, 4), classes(2, 3, 4).astype(float)]),
    ("MultiLabelSoftMarginLoss(T.tensor([1.0, 2, 3, 4]).double(), reduction='sum')",
     [normal(3, 4), classes(2, 3, 4).astype(float)]),
    ("TripletMarginLoss()", [normal(3, 4), normal(3, 4), normal(3, 4)]),
    ("TripletMarginLoss(0.5, p=1, eps=1e-3, swap=True, reduction='none')", [normal(3, 4), normal(3, 4), normal(3, 4)]),
    ("TripletMarginWithDistanceLoss()", [normal(3, 4), normal(3, 4), normal(3, 4)]),
    ("TripletMarginWithDistanceLoss(distance_function=T.nn.CosineSimilarity(), margin=0.5, swap=True, reduction='sum')",
     [normal(3, 4), normal(3, 4), normal(3, 4)]),
    ("PoissonNLLLoss()", [normal(3, 2), positive(3, 2) * 3]),
    ("PoissonNLLLoss(log_input=False, full=True, reduction='none')", [positive(3, 2), positive(3, 2) * 3]),
    ("GaussianNLLLoss()", [normal(3, 2), normal(3, 2), positive(3, 2)]),
    ("GaussianNLLLoss(full=True, eps=0.5, reduction='none')", [normal(3, 2), normal(3, 2), positive(3)]),
    ("EmbeddingBag(5, 3, dtype=T.float64)", [classes(5, 2, 4)]),
    ("EmbeddingBag(5, 3, mode='sum', padding_idx=1, dtype=T.float64)", [classes(5, 6), np.array([0, 2, 2])]),
    ("EmbeddingBag(5, 3, mode='max', include_last_offset=True, dtype=T.float64)", [classes(5, 6), np.array([0, 3, 6])]),
    ("EmbeddingBag(5, 3, 1.0, norm_type=1, scale_grad_by_freq=True, mode='sum', padding_idx=-1, dtype=T.float64)",
     [np.array([[1, 2, 1], [2, 1, 2]])]),
    ("LinearCrossEntropyLoss(4, 3, dtype=T.float64)", [normal(5, 4), classes(3, 5)]),
    ("LinearCrossEntropyLoss(4, 3, out_features=(2,), bias=True, reduction='sum', ignore_index=1, dtype=T.float64)",
     [normal(5, 4), classes(3, 5, 2)]),
    ("LinearCrossEntropyLoss(4, 3, label_smoothing=0.1, weight=T.tensor([1.0, 2, 3]).double(), dtype=T.float64)",
     [normal(4), np.array(2)]),
    ("AdaptiveLogSoftmaxWithLoss(16, 10, [3, 7], dtype=T.float64)", [normal(6, 16), np.array([0, 2, 9, 4, 5, 7])]),
    ("AdaptiveLogSoftmaxWithLoss(8, 10, [4], div_value=2, head_bias=True, dtype=T.float64)", [normal(8), np.array(5)]),
    ("CTCLoss()", [normal(6, 2, 4), classes(3, 2, 3) + 1, (6, 5), (3, 2)]),
    ("CTCLoss(blank=2, reduction='none', zero_infinity=True)",
     [normal(3, 2, 4), np.array([0, 1, 1, 0, 3]), (3, 3), (4, 1)]),
]  # fmt: skip


def made(T: Any, code: str) -> Any:
    T.manual_seed(7)
    return eval(f"T.nn.{code}", {"T": T})


@pytest.mark.parametrize(("code", "args"), LAYERS, ids=[code for code, _ in LAYERS])
def test_text_and_state(code: str, args: Any) -> None:
    ours, theirs = (made(T, code) for T in ENGINES)
    assert repr(ours) == repr(theirs)
    mine, other = ({k: v.numpy() for k, v in m.state_dict().items()} for m in (ours, theirs))
    assert list(mine) == list(other)
    for key, value in other.items():
        assert mine[key].dtype == value.dtype
        np.testing.assert_array_equal(mine[key], value, err_msg=key)
    assert [(n, p.requires_grad) for n, p in ours.named_parameters()] == [
        (n, p.requires_grad) for n, p in theirs.named_parameters()
    ]
    public = lambda m: {k for k in vars(m) if not k.startswith("_")} - {"training"} - set(m.state_dict())
    assert public(theirs) - public(ours) <= set(), "an attribute is missing"
    again = pickle.loads(pickle.dumps(copy.deepcopy(ours)))
    assert repr(again) == repr(ours)
    again.load_state_dict(ours.state_dict())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("code", "args"), LAYERS, ids=[code for code, _ in LAYERS])
def test_values_and_gradients(code: str, args: Any, training: bool) -> None:
    """The square is compared: of a linear function the second gradient may be 0 or None."""

    def run(T: Any, *given: Any) -> Any:
        layer = made(T, code).train(training)
        T.manual_seed(3)
        out = layer(*given)
        outs = list(out) if isinstance(out, tuple) else [out]
        value = outs[0] * outs[0] if outs[0].dtype.is_floating_point else outs[0]
        parameters = list(layer.parameters())
        grads = T.autograd.grad(value.sum(), parameters, retain_graph=True) if parameters else []
        return [value, *outs[1:], *[g.detach() for g in grads], *[b.detach() for b in layer.buffers()]]

    second = not code.startswith(
        ("CTCLoss", "MultiLabelMarginLoss", "MultiMarginLoss", "TripletMarginWithDistanceLoss(distance")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if second:
            same(run, *args)
            return
    floats = [a for a in args if isinstance(a, np.ndarray) and a.dtype.kind == "f"]

    def first(T: Any, *given: Any) -> Any:
        for x in given[: len(floats)]:
            x.requires_grad_()
        out = run(T, *given)[0]
        return out, *T.autograd.grad(out.sum(), given[: len(floats)])

    same(first, *args, grad=False)


IN_PLACE = ["RReLU(inplace=True)", "RReLU(0.1, 0.5, inplace=True).eval()"]


@pytest.mark.parametrize("code", IN_PLACE)
def test_in_place(code: str) -> None:
    assert repr(made(ENGINES[0], code)) == repr(made(ENGINES[1], code))

    def run(T: Any, x: Any) -> Any:
        y = x * 1
        made(T, code)(y)
        return y * y

    same(run, normal(4, 5))


def test_unpooling() -> None:
    for dims in (1, 2, 3):
        code = f"MaxUnpool{dims}d(2, padding=0)"
        assert repr(made(ENGINES[0], code)) == repr(made(ENGINES[1], code))

        def run(T: Any, x: Any, dims: int = dims, code: str = code) -> Any:
            out, places = getattr(T.nn, f"MaxPool{dims}d")(2, return_indices=True)(x)
            return made(T, code)(out * out, places) + made(T, code)(out, places, output_size=x.shape) ** 2

        same(run, normal(2, 3, *(6, 4, 4)[:dims]))


def test_deprecated_layers_warn() -> None:
    for T in ENGINES:
        with pytest.warns(FutureWarning, match="NLLLoss2d"):
            layer = T.nn.NLLLoss2d(reduction="sum")
        assert repr(layer) == "NLLLoss2d()"
        for code in ("HingeEmbeddingLoss(1.0, False)", "MarginRankingLoss(0, None, False)", "SoftMarginLoss(True)"):
            with pytest.warns(UserWarning, match="size_average and reduce"):
                layer = made(T, code)
            assert layer.reduction == {"H": "sum", "M": "none", "S": "mean"}[code[0]]


def test_cross_map_normalization() -> None:
    """The values; PyTorch's gradient is that of another window than its values have."""
    for size in (1, 2, 3, 4, 5):
        code = f"CrossMapLRN2d({size}, alpha=0.5, k=2)"
        assert repr(made(ENGINES[0], code)) == repr(made(ENGINES[1], code))
        same(lambda T, x, code=code: made(T, code)(x), normal(2, 7, 2, 3), grad=False)
    same(lambda T, x: T.nn.CrossMapLRN2d(3)(x), normal(2, 7, 2), grad=False)
    x = ENGINES[0].from_numpy(normal(1, 5, 1, 2)).requires_grad_()
    ENGINES[0].autograd.gradcheck(made(ENGINES[0], "CrossMapLRN2d(3, alpha=0.5)"), (x,))


def test_batch_norm_becomes_synchronized() -> None:
    def run(T: Any, x: Any) -> Any:
        T.manual_seed(0)
        net = T.nn.Sequential(T.nn.BatchNorm1d(3).double(), T.nn.Sequential(T.nn.BatchNorm1d(3, affine=False).double()))
        net(x)
        made = T.nn.SyncBatchNorm.convert_sync_batchnorm(net.eval())
        return repr(made), [b.clone() for b in made.buffers()], made(x), made[0].weight is net[0].weight

    same(run, normal(4, 3))


def test_adaptive_softmax_predicts() -> None:
    def run(T: Any, x: Any) -> Any:
        layer = made(T, "AdaptiveLogSoftmaxWithLoss(16, 10, [3, 7], dtype=T.float64)")
        return layer.log_prob(x), layer.predict(x), layer.predict(x[:1]), layer.predict(x * 0)

    same(run, normal(20, 16))


BAD = [
    "AdaptiveLogSoftmaxWithLoss(8, 10, [])",
    "AdaptiveLogSoftmaxWithLoss(8, 10, [3, 3])",
    "AdaptiveLogSoftmaxWithLoss(8, 10, [10])",
    "AdaptiveLogSoftmaxWithLoss(8, 10, [2.5])",
    "AdaptiveLogSoftmaxWithLoss(8, 10, [3])(T.ones(2, 8), T.tensor([3, 10]))",
    "AdaptiveLogSoftmaxWithLoss(8, 10, [3])(T.ones(2, 8), T.tensor([3]))",
    "AdaptiveLogSoftmaxWithLoss(8, 10, [3])(T.ones(2, 8), T.tensor([[3], [3]]))",
    "AdaptiveLogSoftmaxWithLoss(8, 10, [3])(T.ones(2, 8), T.tensor(3))",
    "CircularPad1d(1)(T.ones(3))",
    "CircularPad2d(5)(T.ones(1, 3, 3))",
    "ReflectionPad1d(3)(T.ones(1, 3))",
    "ReflectionPad2d(1)(T.ones(3))",
    "ReplicationPad3d(1)(T.ones(3, 3))",
    "ConstantPad1d(1)",
    "FractionalMaxPool2d(2)",
    "FractionalMaxPool2d(2, 3, 0.5)",
    "FractionalMaxPool2d(2, output_ratio=1.5)",
    "FractionalMaxPool3d(0, 3)",
    "FractionalMaxPool2d(2, 6)(T.ones(1, 6, 6))",
    "FractionalMaxPool2d(2, 3)(T.ones(6, 6))",
    "FractionalMaxPool2d(2, 3)(T.ones(1, 6, 6, dtype=T.int64))",
    "MultiMarginLoss(3)",
    "MultiMarginLoss(weight=T.ones(2, 2))",
    "MultiLabelMarginLoss()(T.ones(2, 3), T.ones(2, 3))",
    "MultiLabelMarginLoss()(T.ones(2, 3), T.tensor([[1, 2, 3], [0, -1, -1]]))",
    "MultiLabelMarginLoss()(T.ones(2, 3), T.tensor([1, 2, -1]))",
    "MultiLabelMarginLoss()(T.ones(2, 3, 1), T.zeros(2, 3, 1, dtype=T.int64))",
    "TripletMarginLoss(0)",
    "TripletMarginWithDistanceLoss(margin=-1)",
    "TripletMarginWithDistanceLoss()(T.ones(2, 3), T.ones(3), T.ones(2, 3))",
    "EmbeddingBag(5, 3, padding_idx=5)",
    "EmbeddingBag(5, 3, padding_idx=-6)",
    "EmbeddingBag(5, 3, mode='median')(T.tensor([[1]]))",
    "EmbeddingBag(5, 3)(T.tensor([1]))",
    "EmbeddingBag(5, 3)(T.tensor([[1]]), T.tensor([0]))",
    "EmbeddingBag(5, 3)(T.tensor([1, 2]), T.tensor([1]))",
    "EmbeddingBag(5, 3)(T.tensor([1, 2]), T.tensor([0, 3]))",
    "EmbeddingBag(5, 3)(T.tensor([1, 2]), T.tensor([[0]]))",
    "EmbeddingBag(5, 3)(T.tensor([1, 5]), T.tensor([0]))",
    "EmbeddingBag(5, 3)(T.tensor([1.0, 2.0]), T.tensor([0]))",
    "EmbeddingBag(5, 3)(T.tensor([1, 2]), T.tensor([0]), T.ones(2))",
    "EmbeddingBag(5, 3, mode='sum')(T.tensor([1, 2]), T.tensor([0]), T.ones(3))",
    "EmbeddingBag(5, 3, mode='sum')(T.tensor([1, 2]), T.tensor([0]), T.ones(2).double())",
    "EmbeddingBag(5, 3, mode='max', scale_grad_by_freq=True)(T.tensor([[1, 2]]))",
    "EmbeddingBag(5, 3, _weight=T.ones(4, 3))",
    "EmbeddingBag.from_pretrained(T.ones(4))",
    "LinearCrossEntropyLoss(4, 3, weight=T.ones(2))",
    "LinearCrossEntropyLoss(4, 3, label_smoothing=2)",
    "LinearCrossEntropyOptions(acc_policy='best')",
    "LinearCrossEntropyOptions(chunking_method='some')",
    "LinearCrossEntropyOptions(batch_chunk_size=0)",
    "LinearCrossEntropyOptions(acc_dtype=T.int64)",
    "CrossMapLRN2d(3)(T.ones(2, 3))",
    "LocalResponseNorm(3)(T.ones(2, 3))",
    "SyncBatchNorm(3)(T.ones(3))",
    "SyncBatchNorm(3)(T.ones(2, 0))",
    "PixelShuffle(2)(T.ones(1, 3, 2, 2))",
    "ChannelShuffle(2)(T.ones(1, 3, 2))",
    "Upsample(mode='linear')(T.ones(1, 1, 2))",
    "Upsample(2, 2)(T.ones(1, 1, 2))",
    "RReLU(0.5, 0.1)(T.ones(3) * -1)",
    "RReLU()(T.ones(3, dtype=T.int64))",
    "GaussianNLLLoss()(T.ones(2), T.ones(2), -T.ones(2))",
]


@pytest.mark.parametrize("code", BAD)
def test_errors(code: str) -> None:
    errors = []
    for T in ENGINES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                made(T, code)
                errors.append(None)
            except Exception as error:  # any error is what is asked for
                errors.append(error)
    assert errors[1] is not None, "PyTorch accepts it"
    assert type(errors[0]) is type(errors[1]), errors
    assert str(errors[0])


def test_data_parallel_without_gpus() -> None:
    def run(T: Any) -> Any:
        T.manual_seed(0)
        model = T.nn.parallel.DataParallel(T.nn.Linear(2, 1))
        model(T.ones(3, 2)).sum().backward()
        return [repr(model), list(model.state_dict()), model.device_ids, model.module.weight.grad]

    same(run, grad=False)
