"""Write the direction numbers of Sobol's sequences from the table that S. Joe and F. Y. Kuo publish.

    python tools/sobol.py new-joe-kuo-6.21201

The table, https://web.maths.unsw.edu.au/~fkuo/sobol/, has a line for each dimension but the first: its number, the
degree of a primitive polynomial, that polynomial's inner coefficients as a number, and the first direction numbers. All
dimensions up to the last of degree 13 are kept, bit by bit: direction numbers are odd, and the i-th has i bits.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from rushlight.arrays.random import sobol


def packed(text: str) -> bytes:
    """Return the table as bytes."""
    bits = ""
    for line in text.splitlines()[1 : sobol.DIMENSIONS]:
        _, degree, inner, *numbers = map(int, line.split())
        bits += f"{inner:0{degree - 1}b}"[: degree - 1]
        bits += "".join(f"{number >> 1:0{i}b}"[:i] for i, number in enumerate(numbers))
    return np.packbits(np.array(list(bits), np.uint8)).tobytes()


if __name__ == "__main__":
    data = packed(Path(sys.argv[1]).read_text(encoding="ascii"))
    Path(str(sobol.__file__)).with_name("sobol.bin").write_bytes(data)
