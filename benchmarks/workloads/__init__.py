"""The workloads of the speed suite, in the order of the table."""

from . import chain, chain_no_grad, elementwise, gpt, mlp_adam, reductions, rnn, scalar_mlp, softmax, two_layer
from .workload import Case, Results, Workload

MODULES = (chain, chain_no_grad, scalar_mlp, two_layer, mlp_adam, rnn, elementwise, gpt, softmax, reductions)
WORKLOADS: dict[str, Workload] = {module.WORKLOAD.name: module.WORKLOAD for module in MODULES}

__all__ = ["WORKLOADS", "Case", "Results", "Workload"]
