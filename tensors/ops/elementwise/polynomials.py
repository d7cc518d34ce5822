"""Orthogonal polynomials, whose degree ``n`` is a number or a tensor. They have no gradient, nor have PyTorch's."""

from __future__ import annotations

from ....arrays.dtypes import Array
from ....arrays.kernels.polynomials import polynomial
from ....autograd.primitive import primitive
from .normal import no_half


@primitive(input=None, n=None, promote="float", doors="special")
def chebyshev_polynomial_t(input: Array, n: Array) -> Array:
    """Return the Chebyshev polynomial of the first kind of degree ``n``; 0 where that is negative.

    https://pytorch.org/docs/stable/special.html#torch.special.chebyshev_polynomial_t

    >>> import rushlight as torch
    >>> torch.special.chebyshev_polynomial_t(torch.tensor([0.0, 0.5, 1.0]), 2)
    tensor([-1.0000, -0.5000,  1.0000])
    """
    no_half("chebyshev_polynomial_t_cpu", input)
    return polynomial("chebyshev_t", input, n)


@primitive(input=None, n=None, promote="float", doors="special")
def chebyshev_polynomial_u(input: Array, n: Array) -> Array:
    """Return the Chebyshev polynomial of the second kind of degree ``n``; 0 where that is negative.

    https://pytorch.org/docs/stable/special.html#torch.special.chebyshev_polynomial_u
    """
    no_half("chebyshev_polynomial_u_cpu", input)
    return polynomial("chebyshev_u", input, n)


@primitive(input=None, n=None, promote="float", doors="special")
def chebyshev_polynomial_v(input: Array, n: Array) -> Array:
    """Return the Chebyshev polynomial of the third kind of degree ``n``; 0 where that is negative.

    https://pytorch.org/docs/stable/special.html#torch.special.chebyshev_polynomial_v
    """
    no_half("chebyshev_polynomial_v_cpu", input)
    return polynomial("chebyshev_v", input, n)


@primitive(input=None, n=None, promote="float", doors="special")
def chebyshev_polynomial_w(input: Array, n: Array) -> Array:
    """Return the Chebyshev polynomial of the fourth kind of degree ``n``; 0 where that is negative.

    https://pytorch.org/docs/stable/special.html#torch.special.chebyshev_polynomial_w
    """
    no_half("chebyshev_polynomial_w_cpu", input)
    return polynomial("chebyshev_w", input, n)


@primitive(input=None, n=None, promote="float", doors="special")
def hermite_polynomial_h(input: Array, n: Array) -> Array:
    """Return Hermite's polynomial, as physicists have it, of degree ``n``; 0 where that is negative.

    https://pytorch.org/docs/stable/special.html#torch.special.hermite_polynomial_h
    """
    no_half("hermite_polynomial_h_cpu", input)
    return polynomial("hermite_h", input, n)


@primitive(input=None, n=None, promote="float", doors="special")
def hermite_polynomial_he(input: Array, n: Array) -> Array:
    """Return Hermite's polynomial, as in probability theory, of degree ``n``; 0 where that is negative.

    https://pytorch.org/docs/stable/special.html#torch.special.hermite_polynomial_he
    """
    no_half("hermite_polynomial_he_cpu", input)
    return polynomial("hermite_he", input, n)


@primitive(input=None, n=None, promote="float", doors="special")
def laguerre_polynomial_l(input: Array, n: Array) -> Array:
    """Return Laguerre's polynomial of degree ``n``; 0 where that is negative.

    https://pytorch.org/docs/stable/special.html#torch.special.laguerre_polynomial_l
    """
    no_half("laguerre_polynomial_l_cpu", input)
    return polynomial("laguerre_l", input, n)


@primitive(input=None, n=None, promote="float", doors="special")
def legendre_polynomial_p(input: Array, n: Array) -> Array:
    """Return Legendre's polynomial of degree ``n``; 0 where that is negative.

    https://pytorch.org/docs/stable/special.html#torch.special.legendre_polynomial_p
    """
    no_half("legendre_polynomial_p_cpu", input)
    return polynomial("legendre_p", input, n)


@primitive(input=None, n=None, promote="float", doors="special")
def shifted_chebyshev_polynomial_t(input: Array, n: Array) -> Array:
    """Return the Chebyshev polynomial of the first kind at ``2 * input - 1``, of degree ``n``, 0 if negative.

    https://pytorch.org/docs/stable/special.html#torch.special.shifted_chebyshev_polynomial_t
    """
    no_half("shifted_chebyshev_polynomial_t_cpu", input)
    return polynomial("chebyshev_t", input, n, shifted=True)


@primitive(input=None, n=None, promote="float", doors="special")
def shifted_chebyshev_polynomial_u(input: Array, n: Array) -> Array:
    """Return the Chebyshev polynomial of the second kind at ``2 * input - 1``, of degree ``n``, 0 if negative.

    https://pytorch.org/docs/stable/special.html#torch.special.shifted_chebyshev_polynomial_u
    """
    no_half("shifted_chebyshev_polynomial_u_cpu", input)
    return polynomial("chebyshev_u", input, n, shifted=True)


@primitive(input=None, n=None, promote="float", doors="special")
def shifted_chebyshev_polynomial_v(input: Array, n: Array) -> Array:
    """Return the Chebyshev polynomial of the third kind at ``2 * input - 1``, of degree ``n``, 0 if negative.

    https://pytorch.org/docs/stable/special.html#torch.special.shifted_chebyshev_polynomial_v
    """
    no_half("shifted_chebyshev_polynomial_v_cpu", input)
    return polynomial("chebyshev_v", input, n, shifted=True)


@primitive(input=None, n=None, promote="float", doors="special")
def shifted_chebyshev_polynomial_w(input: Array, n: Array) -> Array:
    """Return the Chebyshev polynomial of the fourth kind at ``2 * input - 1``, of degree ``n``, 0 if negative.

    https://pytorch.org/docs/stable/special.html#torch.special.shifted_chebyshev_polynomial_w
    """
    no_half("shifted_chebyshev_polynomial_w_cpu", input)
    return polynomial("chebyshev_w", input, n, shifted=True)
