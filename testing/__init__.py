"""Tools for testing gradients, for everyone: strategies, checks and their verdicts. ``docs/testing-gradients.md``."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from ..autograd.check import GradcheckError as GradcheckError
from ..autograd.check import gradcheck as gradcheck
from ..autograd.check import gradgradcheck as gradgradcheck
from .agree import Agreement as Agreement
from .agree import AgreementError as AgreementError
from .agree import check_agreement as check_agreement
from .compare import assert_close as assert_close
from .contract import Contract as Contract
from .contract import ContractError as ContractError
from .contract import gradient_contract as gradient_contract
from .creation import make_tensor as make_tensor
from .faults import Fault as Fault
from .faults import planted_faults as planted_faults
from .faults import surviving_faults as surviving_faults
from .gradient import check_gradient as check_gradient
from .rates import dot_product_test as dot_product_test
from .rates import taylor_test as taylor_test
from .trace import bisect as bisect
from .verdict import Finding as Finding
from .verdict import GradientError as GradientError
from .verdict import Report as Report
from .verdict import Verdict as Verdict

if _TYPE_CHECKING:  # what needs hypothesis
    from .networks import modules as modules
    from .property import gradient_test as gradient_test
    from .strategies import broadcastable_shapes as broadcastable_shapes
    from .strategies import dims as dims
    from .strategies import indices as indices
    from .strategies import programs as programs
    from .strategies import shapes as shapes
    from .strategies import tensors as tensors

_STRATEGIES = dict.fromkeys(("broadcastable_shapes", "dims", "indices", "programs", "shapes", "tensors"), "strategies")
_NEED_HYPOTHESIS = {**_STRATEGIES, "modules": "networks", "gradient_test": "property"}


def __getattr__(name: str) -> _Any:
    """Load what needs hypothesis when it is first asked for."""
    if name not in _NEED_HYPOTHESIS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = _import_module(f".{_NEED_HYPOTHESIS[name]}", __name__)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "hypothesis":
            raise
        raise ModuleNotFoundError(
            f"rushlight.testing.{name} needs hypothesis: pip install 'rushlight[testing]'", name="hypothesis"
        ) from error
    found = getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_NEED_HYPOTHESIS})
