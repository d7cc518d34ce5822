"""Functions of probability and physics under the names of ``torch.special``.

https://pytorch.org/docs/stable/special.html

>>> import rushlight as torch
>>> torch.special.expit(torch.tensor([0.0]))
tensor([0.5000])
"""

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
    "xlog1py",
    "xlogy",
]

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
    "xlog1py",
    "xlogy",
]
