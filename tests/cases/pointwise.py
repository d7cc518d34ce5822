"""Cases for functions of one number."""

from cases.draw import unary

CASES = {
    "exp": unary(),
    "tanh": unary(),
}
