"""Ready-made parametrizations: orthogonal, spectral_norm, weight_norm.

https://pytorch.org/docs/stable/nn.html#utilities
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np

from ...autograd.grad_mode import no_grad
from ...autograd.variable import Variable, as_ndarray, wrap
from ...tensors.ops.loss.distance import normalize
from ...tensors.ops.matrix.decompositions import solve
from ...tensors.ops.matrix.determinants import matrix_exp
from ...tensors.ops.matrix.matmul import mv, vdot
from ...tensors.ops.shape.diagonal import tril
from ...tensors.ops.shape.join import cat
from ...tensors.random.creation import randn
from ...tensors.tensor.methods import Tensor
from ..modules.module import Module
from .parametrize import register_parametrization
from .spectral_norm import as_matrix, default_dim, power_iterate, unit
from .weight_norm import norm_except_dim, weight_of


def _tensor_of(module: Any, name: str) -> Any:
    weight = getattr(module, name, None)
    if not isinstance(weight, Variable):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


# ------------------------------------------------------------------ weight norm


class _WeightNorm(Module):
    """A weight as lengths times directions."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Any, weight_v: Any) -> Any:
        """Return the directions, scaled to the lengths."""
        return weight_of(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Any) -> Any:
        """Return lengths and directions of ``weight``."""
        return norm_except_dim(weight, self.dim), weight


class _RenameOldKeys:
    """A hook before loading: the keys ``weight_g`` and ``weight_v`` of the older ``weight_norm`` are renamed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        old = [f"{prefix}{self.name}_{ending}" for ending in "gv"]
        if all(key in state_dict for key in old):
            for number, key in enumerate(old):
                state_dict[f"{prefix}parametrizations.{self.name}.original{number}"] = state_dict.pop(key)


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Return ``module``, its tensor ``name`` computed from lengths (``original0``) and directions (``original1``).

    There is one length for each index of ``dim``, or one for all if it is None (https://arxiv.org/abs/1602.07868).

    https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html

    >>> import rushlight as torch
    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(20, 40))
    >>> layer.parametrizations.weight.original0.size()
    torch.Size([40, 1])
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    module._register_load_state_dict_pre_hook(_RenameOldKeys(name))
    return module


# ------------------------------------------------------------------ spectral norm


class _SpectralNorm(Module):
    """A weight divided by its largest singular value, as power iteration finds it."""

    _u: Any
    _v: Any

    def __init__(self, weight: Any, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        dims = weight.ndim
        if not -dims <= dim < dims:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{dims}, {dims - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim, self.eps = dim % dims, eps
        if dims > 1:
            self.n_power_iterations = n_power_iterations
            with no_grad():
                matrix = as_matrix(weight, self.dim)
                u, v = unit(weight, matrix.shape[0], eps), unit(weight, matrix.shape[1], eps)
            self.register_buffer("_u", u)
            self.register_buffer("_v", v)
            power_iterate(matrix, u, v, eps, 15, "u")

    def forward(self, weight: Any) -> Any:
        """Return ``weight`` divided by its norm, in training after another round of power iteration."""
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            power_iterate(matrix, self._u, self._v, self.eps, self.n_power_iterations, "u")
        # Copies: a second forward may write the vectors before the backward of this one.
        return weight / vdot(self._u.clone(), mv(matrix, self._v.clone()))

    def right_inverse(self, value: Any) -> Any:
        """Return ``value``, unchecked."""
        return value


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Return ``module``, its tensor ``name`` divided by its largest singular value (https://arxiv.org/abs/1802.05957).

    ``dim`` is where the weight has its outputs: 0, and 1 in transposed convolutions.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.spectral_norm.html
    """
    weight = _tensor_of(module, name)
    normed = _SpectralNorm(weight, n_power_iterations, default_dim(module) if dim is None else dim, eps)
    return register_parametrization(module, name, normed)


# ------------------------------------------------------------------ orthogonal


def _product_of_reflections(reflectors: Any, tau: Any) -> Any:
    """Return the first columns of H_1 H_2 ... H_k: H_i = 1 - tau_i v_i v_i^T, v_i the i-th column with 1 at index i."""
    *lead, n, k = reflectors.shape
    identity = np.eye(n, k, dtype=reflectors.array.dtype)
    v = tril(reflectors, -1) + wrap(Tensor, identity)
    out = wrap(Tensor, np.broadcast_to(identity, (*lead, n, k)))
    for i in reversed(range(k)):
        column = v[..., :, i : i + 1]
        out = out - tau[..., i : i + 1, None] * (column @ (column.mT @ out))
    return out


def _householder_factors(matrix: Any) -> tuple[Any, Any]:
    """Return Householder's factors of tall matrices as LAPACK's geqrf does: one array for both, and ``tau``."""
    both, tau = np.linalg.qr(as_ndarray(matrix), mode="raw")
    return np.ascontiguousarray(np.swapaxes(both, -1, -2)), tau


def _orthonormal(matrix: Any) -> Any:
    """Return the factor Q of tall matrices for which the diagonal of R is not negative."""
    q, r = np.linalg.qr(as_ndarray(matrix))
    return wrap(Tensor, q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :])


def _is_orthonormal(matrix: Any) -> bool:
    array = as_ndarray(matrix)
    n, k = array.shape[-2:]
    products = np.swapaxes(array, -1, -2) @ array
    return bool(np.allclose(products, np.eye(k), atol=10.0 * n * np.finfo(array.dtype).eps))


class _Map(Enum):
    matrix_exp = "matrix_exp"
    cayley = "cayley"
    householder = "householder"


class _Orthogonal(Module):
    """Any matrix made orthogonal.

    base: with ``use_trivialization``, the orthogonal matrix that results are multiplied to.
    """

    base: Any

    def __init__(self, weight: Any, orthogonal_map: _Map, *, use_trivialization: bool = True) -> None:
        super().__init__()
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Any) -> Any:
        """Return an orthogonal matrix for any X."""
        wide = X.shape[-2] < X.shape[-1]
        if wide:
            X = X.mT
        q = self._householder(X) if self.orthogonal_map is _Map.householder else self._from_skew(X)
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if wide else q

    def _householder(self, X: Any) -> Any:
        below = tril(X, -1)
        tau = 2.0 / (1.0 + (below * below).sum(-2))
        return _product_of_reflections(below, tau) * X.detach().diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)

    def _from_skew(self, X: Any) -> Any:
        """Return exp(A) or the Cayley transform of A, for A = X - X^T, of X only what is not above the diagonal."""
        *lead, n, k = X.shape
        lower = tril(X)
        if n != k:
            lower = cat((lower, wrap(Tensor, np.zeros((*lead, n, n - k), X.array.dtype))), -1)
        a = lower - lower.mT
        if self.orthogonal_map is _Map.matrix_exp:
            return matrix_exp(a)[..., :k]
        unit_matrix = wrap(Tensor, np.eye(n, dtype=X.array.dtype))
        return solve(unit_matrix - 0.5 * a, unit_matrix + 0.5 * a)[..., :k]

    def right_inverse(self, Q: Any) -> Any:
        """Return an X for which ``forward`` gives Q, made orthogonal first."""
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        with no_grad():
            wide = Q.shape[-2] < Q.shape[-1]
            tall = Q.detach().mT if wide else Q.detach()
            if hasattr(self, "base"):
                self.base = self._completed(tall)
                # -1: Householder's map reads signs from the diagonal, and makes 1 of this.
                rows, cols = Q.shape[-2:]
                minus = np.broadcast_to(-np.eye(rows, cols, dtype=Q.array.dtype), Q.array.shape)
                return wrap(Tensor, minus.copy())
            if self.orthogonal_map is not _Map.householder:
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
            both, tau = _householder_factors(tall)
            diagonal = np.einsum("...ii->...i", both[..., : both.shape[-1], :])
            diagonal[...] = np.where(tau == 0, -np.sign(diagonal), np.sign(diagonal))
            factors = wrap(Tensor, both)
            return factors.mT if wide else factors

    def _completed(self, tall: Any) -> Any:
        """Return a square orthogonal matrix that starts with the columns of ``tall``."""
        *lead, n, k = tall.shape
        if n != k:
            more = randn(*lead, n, n - k, dtype=tall.dtype)
            return _orthonormal(cat((tall, more), -1))
        return tall.clone() if _is_orthonormal(tall) else _orthonormal(tall)


def orthogonal(
    module: Any, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Any:
    """Return ``module``, its tensor ``name`` (..., m, n) computed such that its rows or columns are orthonormal.

    ``orthogonal_map`` is "matrix_exp", "cayley" or "householder"; square matrices take the first unless told
    otherwise, others the last. ValueError for a tensor of fewer than two dims, or another map.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.orthogonal.html

    >>> import rushlight as torch
    >>> layer = torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(2, 2))
    >>> torch.allclose(layer.weight @ layer.weight.T, torch.eye(2), atol=1e-5)
    True
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in _Map.__members__:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    parametrization = _Orthogonal(weight, _Map[orthogonal_map], use_trivialization=use_trivialization)
    return register_parametrization(module, name, parametrization, unsafe=True)
