"""Functions of probability and physics under the names of ``torch.special``.

https://pytorch.org/docs/stable/special.html

>>> import rushlight as torch
>>> torch.special.expit(torch.tensor([0.0]))
tensor([0.5000])
"""

from .tensors.ops.elementwise.bessel import (
    bessel_j0,
    bessel_j1,
    bessel_y0,
    bessel_y1,
    i0,
    i0e,
    i1,
    i1e,
    modified_bessel_i0,
    modified_bessel_i1,
    modified_bessel_k0,
    modified_bessel_k1,
    scaled_modified_bessel_k0,
    scaled_modified_bessel_k1,
    spherical_bessel_j0,
)
from .tensors.ops.elementwise.gamma_integral import igamma as gammainc
from .tensors.ops.elementwise.gamma_integral import igammac as gammaincc
from .tensors.ops.elementwise.gamma_integral import zeta
from .tensors.ops.elementwise.normal import entr, erfcx, log_ndtr, ndtr, ndtri
from .tensors.ops.elementwise.polynomials import (
    chebyshev_polynomial_t,
    chebyshev_polynomial_u,
    chebyshev_polynomial_v,
    chebyshev_polynomial_w,
    hermite_polynomial_h,
    hermite_polynomial_he,
    laguerre_polynomial_l,
    legendre_polynomial_p,
    shifted_chebyshev_polynomial_t,
    shifted_chebyshev_polynomial_u,
    shifted_chebyshev_polynomial_v,
    shifted_chebyshev_polynomial_w,
)
from .tensors.ops.elementwise.rounding import round
from .tensors.ops.elementwise.special import digamma, polygamma, sinc, xlog1py, xlogy
from .tensors.ops.elementwise.special import digamma as psi
from .tensors.ops.elementwise.special import lgamma as gammaln
from .tensors.ops.elementwise.special import mvlgamma as multigammaln
from .tensors.ops.elementwise.unary import erf, erfc, erfinv, exp2, expm1, log1p, logit
from .tensors.ops.elementwise.unary import sigmoid as expit
from .tensors.ops.reduce.softmax import log_softmax, softmax
from .tensors.ops.reduce.sums import logsumexp

__all__ = [
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammainc",
    "gammaincc",
    "gammaln",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "modified_bessel_i0",
    "modified_bessel_i1",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "round",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
    "sinc",
    "softmax",
    "spherical_bessel_j0",
    "xlog1py",
    "xlogy",
    "zeta",
]
