"""Functions of probability and physics under the names of ``torch.special``.

https://pytorch.org/docs/stable/special.html

>>> import rushlight as torch
>>> torch.special.expit(torch.tensor([0.0]))
tensor([0.5000])
"""

from .autograd.ops.pointwise import erf, erfc, erfinv, exp2, expm1, log1p, logit
from .autograd.ops.pointwise import sigmoid as expit
from .autograd.ops.reduce import logsumexp
from .autograd.ops.rounding import round
from .autograd.ops.softmax import log_softmax, softmax
from .autograd.ops.special import digamma, polygamma, sinc, xlogy
from .autograd.ops.special import digamma as psi
from .autograd.ops.special import lgamma as gammaln
from .autograd.ops.special import mvlgamma as multigammaln

__all__ = [
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammaln",
    "log1p",
    "log_softmax",
    "logit",
    "logsumexp",
    "multigammaln",
    "polygamma",
    "psi",
    "round",
    "sinc",
    "softmax",
    "xlogy",
]
