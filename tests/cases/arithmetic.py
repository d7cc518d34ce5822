"""Cases for arithmetic."""

from cases.draw import AWAY, binary, unary

CASES = {
    "add": binary(),
    "sub": binary(),
    "mul": binary(),
    "div": binary(other=AWAY),
    "neg": unary(),
}
