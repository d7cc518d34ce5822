"""Mutants that cannot be caught, since they compute the same for every input: each with the reason.

An entry is a claim: say why no input tells the two apart. A test asks that each is still a mutant.
"""

from __future__ import annotations

REST = "NumPy's reshape takes every negative size for what is left"
STEP = "a shift by one place looks only at the sign of the step"
FIRST = "the first factor of a recurrence meets nothing"
SQUARE = "the matrices are square"
EQUIVALENT: dict[tuple[str, str], str] = {
    (
        "view_scatter._places",
        "number off by one: 1 in (np.arange(n) * step).reshape(-1, *(1,) * (len(size) - 1 - d))",
    ): REST,
    ("view_scatter._strided_back", "number off by one: 1 in _places(size, stride, storage_offset).reshape(-1)"): REST,
    (
        "scatter._filled_back",
        "number off by one: 1 in np.asarray(index.array if isinstance(index, Variable) else index).reshape(-1)",
    ): REST,
    (
        "take._taken_back",
        "number off by one: 1 in np.array(index.array if isinstance(index, Variable) else index).reshape(-1)",
    ): REST,
    ("layer_norm._slopes", "number off by one: 1 in weight.reshape(-1)"): REST,
    ("cumulative._prod_back", "number off by one: 0.0 in shifted(input, axis, -1, 0.0)"): FIRST,
    ("cumulative._prod_back", "number off by one: 1 in shifted(input, axis, -1, 0.0)"): STEP,
    ("cumulative._logcumsumexp_back", "number off by one: 1 in shifted(out, axis, -1, np.inf)"): STEP,
    ("backward_ops._recurrence_rule", "number off by one: 0.0 in shifted(factor, axis, -1, 0.0)"): FIRST,
    ("backward_ops._recurrence_rule", "number off by one: 1 in shifted(factor, axis, -1, 0.0)"): STEP,
    ("backward_ops._recurrence_rule", "number off by one: 1 in shifted(out, axis, 1, 0.0)"): STEP,
    ("factors._cholesky_rule", "number off by one: 1 in out.shape[-1]"): SQUARE,
    ("factors._exponential_rule", "number off by one: 1 in input.shape[-1]"): SQUARE,
    (
        "factors._cofactors",
        "another operator: np.linalg.det(u) * np.linalg.det(vh)",
    ): "both determinants are 1 or -1, but for rounding",
    (
        "factors._eigh_rule",
        "another operator: _apart(eigenvalues) + eye",
    ): "on the diagonal 0 is divided by 1 or -1",
    (
        "pointwise._clipped_rule",
        "operands swapped: input - target",
    ): "the bounds of the difference are symmetric about 0",
    (
        "special.copysign(input)",
        "another operator: g * (np.sign(as_array(input)) * np.sign(as_array(out)))",
    ): "both signs are 1 or -1, or the result is masked",
    (
        "special.copysign(input)",
        "another operator: np.sign(as_array(input)) * np.sign(as_array(out))",
    ): "both signs are 1 or -1, or the result is masked",
    (
        "recurrent._lstm_rule",
        "number off by one: 7 in [needs[0], *needs[3:7]]",
    ): "of the list only five entries are read",
    (
        "masked.masked_select(input)",
        "arguments swapped: common_shape(input_shape, mask.shape)",
    ): "the common shape does not depend on the order",
}
"""Reasons by function and change, in the words of ``mutants.py``."""
