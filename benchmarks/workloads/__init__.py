"""The workloads of the speed suite, in the order of the table."""

from . import (
    adam,
    chain,
    chain_no_grad,
    conv_bn,
    convnet,
    elementwise,
    gpt,
    lstm,
    mlp_adam,
    mlp_inference,
    reductions,
    rnn,
    scalar_mlp,
    softmax,
    two_layer,
)
from .workload import Case, Results, Workload

MODULES = (
    *(chain, chain_no_grad, scalar_mlp, two_layer, mlp_adam, mlp_inference, rnn, lstm),
    *(convnet, conv_bn, gpt, elementwise, softmax, reductions),
)
ALL = (*(module.WORKLOAD for module in MODULES), adam.SMALL_WORKLOAD, adam.LARGE_WORKLOAD)
WORKLOADS: dict[str, Workload] = {workload.name: workload for workload in ALL}

__all__ = ["WORKLOADS", "Case", "Results", "Workload"]
