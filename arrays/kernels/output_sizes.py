"""Output sizes of the windowed ops, and PyTorch's complaints about arguments that have none."""

from __future__ import annotations

from math import prod

from .windows import Ints

_NAMES = "TDHW"


def _named(prefix: str, values: Ints) -> str:
    """Return ``values`` listed by dim: ``kH: 2 kW: 3``."""
    names = ("W", "HW", "THW")[len(values) - 1] if len(values) <= 3 else _NAMES
    return " ".join(f"{prefix}{name}: {value}" for name, value in zip(names, values, strict=True))


def conv_output_size(
    x_shape: Ints, weight_shape: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Ints:
    """Return the spatial sizes of a convolution.

    Raises RuntimeError, as PyTorch, for arguments out of range and shapes that do not match.
    """
    _check_conv_numbers(stride, padding, dilation, groups)
    _check_conv_weight(weight_shape, groups)
    if x_shape[1] != weight_shape[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(weight_shape)}, expected "
            f"input{list(x_shape)} to have {weight_shape[1] * groups} channels, but got "
            f"{x_shape[1]} channels instead"
        )
    spatial, kernel = x_shape[2:], weight_shape[2:]
    padded = tuple(n + 2 * p for n, p in zip(spatial, padding, strict=True))
    reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    if any(n < r for n, r in zip(padded, reach, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). "
            f"Kernel size: ({' x '.join(map(str, reach))}). "
            "Kernel size can't be greater than actual input size"
        )
    return tuple((n - r) // s + 1 for n, r, s in zip(padded, reach, stride, strict=True))


def conv_transpose_output_size(
    x_shape: Ints,
    weight_shape: Ints,
    stride: Ints,
    padding: Ints,
    output_padding: Ints,
    dilation: Ints,
    groups: int,
) -> Ints:
    """Return the spatial sizes of a transposed convolution; ``weight`` is (C, O / groups, ...).

    Raises RuntimeError, as PyTorch, for arguments out of range and shapes that do not match.
    """
    _check_conv_numbers(stride, padding, dilation, groups)
    _check_conv_weight(weight_shape, groups)
    if x_shape[1] != weight_shape[0]:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(weight_shape)}, expected "
            f"input{list(x_shape)} to have {weight_shape[0]} channels, but got "
            f"{x_shape[1]} channels instead"
        )
    limits = zip(output_padding, stride, dilation, strict=True)
    if any(extra < 0 or (extra >= s and extra >= d) for extra, s, d in limits):
        raise RuntimeError(
            "output padding must be non-negative and smaller than either stride or dilation, "
            f"but got output_padding={output_padding}, stride={stride}, dilation={dilation}"
        )
    sizes = zip(x_shape[2:], weight_shape[2:], stride, padding, output_padding, dilation, strict=True)
    out = tuple((n - 1) * s - 2 * p + d * (k - 1) + extra + 1 for n, k, s, p, extra, d in sizes)
    if any(n < 1 for n in out):
        raise RuntimeError(
            f"Given input size per channel: ({' x '.join(map(str, x_shape[2:]))}). "
            f"Calculated output size per channel: ({' x '.join(map(str, out))}). "
            "Output size is too small"
        )
    return out


def _check_conv_numbers(stride: Ints, padding: Ints, dilation: Ints, groups: int) -> None:
    """Raise RuntimeError unless a convolution can have these arguments."""
    if any(p < 0 for p in padding):
        raise RuntimeError(f"negative padding is not supported, but got {padding}")
    if any(s <= 0 for s in stride):
        raise RuntimeError(f"non-positive stride is not supported, but got {stride}")
    if any(d <= 0 for d in dilation):
        raise RuntimeError(f"dilation should be greater than zero, but got {list(dilation)}")
    if groups <= 0:
        raise RuntimeError(f"non-positive groups is not supported, but got {groups}")


def _check_conv_weight(weight_shape: Ints, groups: int) -> None:
    """Raise RuntimeError unless the weight's first dim splits into ``groups``."""
    if weight_shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, "
            f"but got weight of size {list(weight_shape)} instead"
        )
    if weight_shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size {list(weight_shape)} instead"
        )
    if any(k <= 0 for k in weight_shape[2:]):
        raise RuntimeError(f"weight should have a non-empty kernel, but got {list(weight_shape)}")


def pool_output_size(x_shape: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool) -> Ints:
    """Return the spatial sizes of a pooling over the last ``len(kernel)`` dims of ``x_shape``.

    With ``ceil_mode`` a last window may hang over the end, but must start inside the image or
    its left border. Raises RuntimeError, as PyTorch, for arguments out of range.
    """
    if any(k <= 0 for k in kernel):
        raise RuntimeError(f"kernel size should be greater than zero, but got {_named('k', kernel)}")
    if any(s == 0 for s in stride):
        raise RuntimeError("stride should not be zero")
    if any(s < 0 for s in stride):
        raise RuntimeError(f"stride should be greater than zero, but got {_named('d', stride)}")
    if any(d <= 0 for d in dilation):
        names = _named("dilation", dilation)
        raise RuntimeError(f"dilation should be greater than zero, but got {names}")
    for k, p, d in zip(kernel, padding, dilation, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > ((k - 1) * d + 1) // 2:
            raise RuntimeError(
                "pad should be at most half of effective kernel size, but got "
                f"pad={p}, kernel_size={k} and dilation={d}"
            )
        if p > k // 2:
            raise RuntimeError(
                f"pad should be smaller than or equal to half of kernel size, but got pad={p}, kernel_size={k}"
            )
    return _pool_sizes(x_shape, kernel, stride, padding, dilation, ceil_mode)


def _pool_sizes(x_shape: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool) -> Ints:
    """Return the sizes for arguments in range; raise RuntimeError if one is not positive."""
    dims = len(kernel)
    spatial = x_shape[-dims:]
    out = []
    for n, k, s, p, d in zip(spatial, kernel, stride, padding, dilation, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        count = (-(-room // s) if ceil_mode else room // s) + 1
        out.append(count - 1 if ceil_mode and (count - 1) * s >= n + p else count)
    lead = x_shape[-dims - 1 : -dims]
    if 0 in x_shape[max(0, len(x_shape) - dims - 1) :]:
        raise RuntimeError(
            f"Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with optional 0 dim batch "
            f"size for input, but got:{list(x_shape)}"
        )
    if min(out) < 1:
        given, made = ("x".join(map(str, (*lead, *sizes))) for sizes in (spatial, out))
        raise RuntimeError(f"Given input size: ({given}). Calculated output size: ({made}). Output size is too small")
    return tuple(out)


def adaptive_output_size(name: str, x_shape: Ints, output_size: Ints) -> Ints:
    """Return ``output_size`` if adaptive pooling ``name`` can make it of ``x_shape``.

    Raises RuntimeError, as PyTorch, for negative sizes and empty spatial dims.
    """
    if any(n < 0 for n in output_size):
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 "
            f"but received {{{', '.join(map(str, output_size))}}}"
        )
    for dim in range(len(x_shape) - len(output_size), len(x_shape)):
        if x_shape[dim] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, "
                f"but input has sizes {list(x_shape)} with dimension {dim} being empty"
            )
    return output_size


def unfold_output_size(size: Ints, kernel: Ints, dilation: Ints, padding: Ints, stride: Ints) -> Ints:
    """Return how many blocks ``unfold`` finds along each dim of an image of ``size``.

    Raises RuntimeError, as PyTorch, for arguments out of range; no block at all is no error.
    """
    for what, values in (("kernel size", kernel), ("dilation", dilation), ("stride", stride)):
        if any(v <= 0 for v in values):
            raise RuntimeError(f"{what} should be greater than zero, but got {values}")
    if any(p < 0 for p in padding):
        raise RuntimeError(f"padding should be non-negative, but got {padding}")
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, d, p, s in zip(size, kernel, dilation, padding, stride, strict=True)
    )


def check_unfold(size: Ints, kernel: Ints, dilation: Ints, padding: Ints, counts: Ints) -> None:
    """Raise RuntimeError unless there is at least one block along each dim."""
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input with spatial size {size}, kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding}, calculated shape of the array of sliding blocks as {counts}, "
            "but its components must be at least one."
        )


def check_fold(
    cols_shape: Ints,
    output_size: Ints,
    kernel: Ints,
    dilation: Ints,
    padding: Ints,
    stride: Ints,
    counts: Ints,
) -> None:
    """Raise RuntimeError unless columns of this shape (N, C * kernel, blocks) fill the image."""
    if cols_shape[1] % prod(kernel):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            f"but got input.size(1)={cols_shape[1]} and kernel_size={kernel}."
        )
    blocks = prod(counts) if min(counts) > 0 else 0
    if cols_shape[2] != blocks or blocks == 0:
        raise RuntimeError(
            f"Given output_size={output_size}, kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding}, stride={stride}, expected size of input's dimension 2 to match "
            f"the calculated number of sliding blocks {' * '.join(map(str, counts))} = {blocks}, "
            f"but got input.size(2)={cols_shape[2]}."
        )
