"""An LSTM cell unrolled: 50 steps, batch 32, 64 inputs, 128 hidden units.

The loss is the sum of squares of the last hidden state. By hand, the inputs of all steps are projected by one product,
and so are the gradients of the weights; only what must go step by step does.
"""

from types import ModuleType
from typing import Any

import numpy as np

from .workload import Array, Case, Results, Workload

STEPS, BATCH, INPUTS, HIDDEN = 50, 32, 64, 128


def data() -> tuple[Array, list[Array]]:
    """Return x (50, 32, 64), and the weights (512, 64), (512, 128) and biases (512,), (512,)."""
    rng = np.random.default_rng(8)
    x = rng.standard_normal((STEPS, BATCH, INPUTS)).astype(np.float32)
    bound = HIDDEN**-0.5
    shapes = [(4 * HIDDEN, INPUTS), (4 * HIDDEN, HIDDEN), (4 * HIDDEN,), (4 * HIDDEN,)]
    return x, [rng.uniform(-bound, bound, shape).astype(np.float32) for shape in shapes]


def forward(x: Array, w: Array, u: Array, b: Array) -> tuple[Array, Array, Array, Array]:
    """Return gates i, f, g, o of all steps, hidden states and cells (these with the first), and tanh of the cells."""
    gates = (x.reshape(-1, INPUTS) @ w + b).reshape(STEPS, BATCH, 4, HIDDEN)
    hs = np.zeros((STEPS + 1, BATCH, HIDDEN), dtype=np.float32)
    cs, tanhs = np.zeros_like(hs), np.empty_like(hs[1:])
    for t in range(STEPS):
        z = gates[t]
        z += (hs[t] @ u).reshape(BATCH, 4, HIDDEN)
        g = np.tanh(z[:, 2])
        np.negative(z, out=z)
        np.exp(z, out=z)
        z += 1
        np.reciprocal(z, out=z)
        z[:, 2] = g
        np.multiply(z[:, 1], cs[t], out=cs[t + 1])
        g *= z[:, 0]
        cs[t + 1] += g
        np.tanh(cs[t + 1], out=tanhs[t])
        np.multiply(z[:, 3], tanhs[t], out=hs[t + 1])
    return gates, hs, cs, tanhs


def backward(dh: Array, u: Array, gates: Array, cs: Array, tanhs: Array) -> Array:
    """Return the gradient of what became the gates, (50, 32, 4, 128), from that of the last hidden state."""
    dz = gates * (1 - gates)
    dz[:, :, 2] = 1 - np.square(gates[:, :, 2])
    dc = np.zeros_like(dh)
    for t in reversed(range(STEPS)):
        z, d = gates[t], dz[t]
        d[:, 3] *= dh * tanhs[t]
        dc += dh * z[:, 3] * (1 - np.square(tanhs[t]))
        d[:, 0] *= dc * z[:, 2]
        d[:, 1] *= dc * cs[t]
        d[:, 2] *= dc * z[:, 0]
        dc *= z[:, 1]
        dh = d.reshape(BATCH, 4 * HIDDEN) @ u.T
    return dz


def by_hand() -> Case:
    """Return the case of NumPy, back through time; it keeps its weights the way round that suits it."""
    x, (w_ih, w_hh, b_ih, b_hh) = data()
    w, u = np.ascontiguousarray(w_ih.T), np.ascontiguousarray(w_hh.T)

    def step() -> tuple[Array, ...]:
        gates, hs, cs, tanhs = forward(x, w, u, b_ih + b_hh)
        loss = np.square(hs[-1]).sum()
        dz = backward(2 * hs[-1], u, gates, cs, tanhs).reshape(-1, 4 * HIDDEN)
        db = dz.sum(axis=0)
        return loss, dz.T @ x.reshape(-1, INPUTS), dz.T @ hs[:-1].reshape(-1, HIDDEN), db, db.copy()

    def read(out: tuple[Array, ...]) -> Results:
        names = ("loss", "weight_ih.grad", "weight_hh.grad", "bias_ih.grad", "bias_hh.grad")
        return {name: np.asarray(value) for name, value in zip(names, out, strict=True)}

    return Case(step, read)


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    start, values = data()
    x = torch.tensor(start)
    cell = torch.nn.LSTMCell(INPUTS, HIDDEN)
    with torch.no_grad():
        for parameter, value in zip(cell.parameters(), values, strict=True):
            parameter.copy_(torch.tensor(value))

    def step() -> Any:
        cell.zero_grad()
        h, c = torch.zeros(BATCH, HIDDEN), torch.zeros(BATCH, HIDDEN)
        for t in range(STEPS):
            h, c = cell(x[t], (h, c))
        loss = h.pow(2).sum()
        loss.backward()
        return loss

    def read(loss: Any) -> Results:
        gradients = {f"{name}.grad": parameter.grad.numpy() for name, parameter in cell.named_parameters()}
        return {"loss": loss.detach().numpy()} | gradients

    return Case(step, read)


WORKLOAD = Workload(
    "lstm",
    "LSTM cell unrolled, 50 steps, batch 32, hidden 128",
    by_hand,
    in_torch,
    over_torch=0.75,
    over_numpy=1.35,
)
