"""Every layer computes what PyTorch's does, first values and gradients included."""

from typing import Any

import numpy as np
import pytest

from support.oracle import ENGINES

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((2, 4, 6, 6))
ROWS = IMAGES[0]  # (4, 6, 6)
TABLE = IMAGES[:, :, 0, 0]  # (2, 4)
SHARES = 1 / (1 + np.exp(-TABLE))
VOLUMES = IMAGES.reshape(1, 2, 4, 6, 6)
CLASSES = np.array([1, 0])

PLAIN = """
    ReLU ReLU6 SELU SiLU Mish Hardsigmoid Hardswish Hardtanh Sigmoid Tanh LogSigmoid Softsign Tanhshrink ELU CELU GLU
    GELU Hardshrink Softshrink LeakyReLU Softplus PReLU Softmax2d Flatten Dropout Dropout2d AlphaDropout
    FeatureAlphaDropout Identity
"""
CASES: list[tuple[Any, ...]] = [
    *[(f"{name}()", IMAGES) for name in PLAIN.split()],
    ("Softmax(1)", IMAGES),
    ("LogSoftmax(-1)", IMAGES),
    ("Softmin(0)", IMAGES),
    ("Threshold(0.1, 0.2)", IMAGES),
    ("GELU('tanh')", IMAGES),
    ("PReLU(4)", IMAGES),
    ("Unflatten(1, (2, 2))", IMAGES),
    ("Dropout1d()", ROWS),
    ("Dropout3d()", VOLUMES),
    ("Dropout(0.3).eval()", IMAGES),
    ("Linear(6, 2)", IMAGES),
    ("Linear(6, 2, bias=False)", IMAGES),
    ("Bilinear(4, 4, 3)", TABLE, TABLE[::-1]),
    ("Conv1d(6, 3, 2)", ROWS),
    ("Conv2d(4, 6, (3, 2), stride=2, padding=1, groups=2)", IMAGES),
    ("Conv2d(4, 6, 3, padding='same')", IMAGES),
    ("Conv2d(4, 6, (2, 4), padding='same', padding_mode='circular')", IMAGES),
    ("Conv2d(4, 6, 3, padding=(1, 2), padding_mode='reflect', bias=False)", IMAGES),
    ("Conv2d(4, 6, 3, padding=1, padding_mode='replicate')", ROWS),
    ("Conv3d(2, 3, 2)", VOLUMES),
    ("ConvTranspose1d(6, 3, 2)", ROWS),
    ("ConvTranspose2d(4, 6, 3, stride=2, output_padding=1)", IMAGES),
    ("ConvTranspose3d(2, 3, 2)", VOLUMES),
    ("MaxPool1d(2)", ROWS),
    ("MaxPool2d(2)", IMAGES),
    ("MaxPool2d(3, 2, 1, return_indices=True)", IMAGES),
    ("MaxPool3d(2)", VOLUMES),
    ("AvgPool1d(3)", ROWS),
    ("AvgPool2d(2, ceil_mode=True, padding=1)", IMAGES),
    ("AvgPool2d(2, divisor_override=3, count_include_pad=False)", IMAGES),
    ("AvgPool3d(2)", VOLUMES),
    ("AdaptiveAvgPool1d(2)", ROWS),
    ("AdaptiveAvgPool2d((3, None))", IMAGES),
    ("AdaptiveAvgPool3d(2)", VOLUMES),
    ("AdaptiveMaxPool1d(2)", ROWS),
    ("AdaptiveMaxPool2d(2)", IMAGES),
    ("AdaptiveMaxPool3d(2)", VOLUMES),
    ("LayerNorm(6)", IMAGES),
    ("LayerNorm((6, 6), bias=False)", IMAGES),
    ("GroupNorm(2, 4)", IMAGES),
    ("RMSNorm(6)", IMAGES),
    ("BatchNorm1d(4)", TABLE),
    ("BatchNorm2d(4)", IMAGES),
    ("BatchNorm2d(4, momentum=None)", IMAGES),
    ("BatchNorm2d(4).eval()", IMAGES),
    ("BatchNorm2d(4, track_running_stats=False).eval()", IMAGES),
    ("BatchNorm3d(2)", VOLUMES),
    ("InstanceNorm1d(6)", IMAGES[:, 0]),
    ("InstanceNorm1d(4)", TABLE.T),
    ("InstanceNorm2d(4, affine=True, track_running_stats=True)", IMAGES),
    ("InstanceNorm3d(2)", VOLUMES),
    ("Embedding(5, 3, padding_idx=1)", np.array([[0, 1, 4], [1, 1, 2]])),
    ("Embedding(5, 3, max_norm=1.0)", np.array([[0, 1, 4], [1, 1, 2]])),
    ("MSELoss()", IMAGES, IMAGES[::-1]),
    ("MSELoss(reduction='none')", TABLE, TABLE[::-1]),
    ("L1Loss(reduction='sum')", IMAGES, IMAGES[::-1]),
    ("SmoothL1Loss(beta=0.5)", IMAGES, IMAGES[::-1]),
    ("HuberLoss(delta=0.5)", IMAGES, IMAGES[::-1]),
    ("CrossEntropyLoss()", TABLE, CLASSES),
    ("CrossEntropyLoss(label_smoothing=0.1, ignore_index=0)", TABLE, CLASSES),
    ("CrossEntropyLoss(T.tensor([1.0, 2.0, 3.0, 4.0], dtype=T.float64))", TABLE, CLASSES),
    ("CrossEntropyLoss()", IMAGES, IMAGES[:, 0].astype(np.int64) % 4),
    ("NLLLoss()", TABLE, CLASSES),
    ("BCELoss()", SHARES, SHARES[::-1]),
    ("BCEWithLogitsLoss(pos_weight=T.tensor([1.0, 2.0, 3.0, 4.0], dtype=T.float64))", TABLE, SHARES),
    ("KLDivLoss(reduction='batchmean')", TABLE, SHARES),
    ("KLDivLoss(reduction='sum', log_target=True)", TABLE, TABLE[::-1]),
]


def computed(T: Any, code: str, arrays: tuple[np.ndarray, ...], kind: str) -> list[np.ndarray]:
    T.manual_seed(3)
    layer = eval(f"T.nn.{code}", {"T": T})
    layer = layer.double() if kind == "float64" else layer.float()
    arrays = tuple(np.array(a, kind if a.dtype.kind == "f" else None) for a in arrays)
    x = T.tensor(arrays[0], requires_grad=arrays[0].dtype.kind == "f")
    out = layer(x, *[T.tensor(a) for a in arrays[1:]])
    outs = out if isinstance(out, tuple) else (out,)
    (outs[0] * outs[0]).sum().backward()
    grads = [p.grad for p in (x, *layer.parameters()) if p.grad is not None]
    return [o.detach().numpy() for o in (*outs, *grads, *layer.buffers())]


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_values_and_gradients(case: tuple[Any, ...], kind: str) -> None:
    ours, theirs = (computed(T, case[0], case[1:], kind) for T in ENGINES)
    tol = 2e-5 if kind == "float32" else 1e-11
    if case[0] == "Hardsigmoid()":
        tol = max(tol, 1e-7)  # PyTorch's gradient is float32's 1 / 6, in float64 too
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.dtype, mine.shape) == (other.dtype, other.shape)
        np.testing.assert_allclose(mine, other, rtol=tol, atol=tol * max(1.0, np.abs(other).max(initial=0)))


@pytest.mark.parametrize("size", [(11, 11), (2, 6, 12, 11), (13, 13), (10, 11), (11,)])
def test_output_size_of_transposed_convolutions(size: tuple[int, ...]) -> None:
    def shape(T: Any) -> Any:
        try:
            return tuple(T.nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1)(T.ones(2, 4, 6, 6), size).shape)
        except ValueError:
            return "ValueError"

    ours, theirs = (shape(T) for T in ENGINES)
    assert ours == theirs
