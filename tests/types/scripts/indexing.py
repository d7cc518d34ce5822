"""Indexing, slicing and writing into parts."""

import numpy as np

import rushlight as torch


def parts() -> list[tuple[int, ...]]:
    x = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    row, column = x[0], x[..., 1]
    mask = x > 3
    some = x[mask]
    picked = x[:, torch.tensor([0, 2]), None]
    x[0, 0] = 1
    x[x < 2] = 0.5
    x[1, [0, 1]] += torch.ones(2, 4)
    first, second = x
    a, b, c = x.unbind(1)
    left, right = x.split(2, dim=2)
    pieces = torch.split(x, [1, 2], dim=1)
    for one in first:
        assert one.ndim == 1
    i, j = (x > 5).nonzero(as_tuple=True)[:2]
    array: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = x.numpy()
    assert isinstance(array[0, 0, 0].item(), float)
    shapes = [tuple(t.shape) for t in (row, column, some, picked, second, a, b, c, left, right, *pieces, i, j)]
    n, m, k = x.shape
    return [*shapes, (n, m, k), tuple(x.size())]


if __name__ == "__main__":
    assert parts()[-1] == (2, 3, 4)
