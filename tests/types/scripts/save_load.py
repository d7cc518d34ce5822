"""Saving and loading."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory

import rushlight as torch


def round_trip(folder: Path) -> bool:
    net = torch.nn.Linear(3, 2)
    path = folder / "net.pt"
    torch.save(net.state_dict(), path)
    other = torch.nn.Linear(3, 2)
    other.load_state_dict(torch.load(path, weights_only=True))
    buffer = io.BytesIO()
    torch.save({"step": 3, "weight": net.weight}, buffer)
    buffer.seek(0)
    state = torch.load(buffer)
    assert state["step"] == 3
    return torch.equal(other.weight, state["weight"])


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        assert round_trip(Path(folder))
