"""Tools for testing gradients, for everyone: strategies, checks and their verdicts."""

from ..autograd.check import GradcheckError as GradcheckError
from ..autograd.check import gradcheck as gradcheck
from ..autograd.check import gradgradcheck as gradgradcheck
from .gradient import check_gradient as check_gradient
from .rates import dot_product_test as dot_product_test
from .rates import taylor_test as taylor_test
from .trace import bisect as bisect
from .verdict import Finding as Finding
from .verdict import GradientError as GradientError
from .verdict import Report as Report
from .verdict import Verdict as Verdict
