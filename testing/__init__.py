"""Tools for testing gradients, for everyone: strategies, checks and their verdicts. ``docs/testing-gradients.md``."""

from .. import lazy
from ..autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from .agree import Agreement, AgreementError, check_agreement
from .compare import assert_allclose, assert_close
from .contract import Contract, ContractError, gradient_contract
from .creation import make_tensor
from .faults import Fault, planted_faults, surviving_faults
from .gradient import check_gradient
from .rates import dot_product_test, taylor_test
from .trace import bisect
from .verdict import Finding, GradientError, Report, Verdict

__getattr__, __dir__, _need_hypothesis = lazy.attach(
    __name__,
    {
        "testing.networks": "modules",
        "testing.property": "gradient_test",
        "testing.strategies": "broadcastable_shapes dims indices programs shapes tensors",
    },
    extra=("hypothesis", "testing"),
)
__all__ = [
    "Agreement",
    "AgreementError",
    "Contract",
    "ContractError",
    "Fault",
    "Finding",
    "GradcheckError",
    "GradientError",
    "Report",
    "Verdict",
    "assert_allclose",
    "assert_close",
    "bisect",
    "check_agreement",
    "check_gradient",
    "dot_product_test",
    "gradcheck",
    "gradgradcheck",
    "gradient_contract",
    "make_tensor",
    "planted_faults",
    "surviving_faults",
    "taylor_test",
]
__all__.extend(_need_hypothesis)
