"""``nn.summary``: counts compared with counts by hand, and a model left as it was."""

from __future__ import annotations

import pytest

import rushlight as torch
from rushlight import nn


def mlp() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def convnet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip


def test_perceptron() -> None:
    found = nn.summary(mlp(), input_size=(32, 1, 8, 8))
    assert found.parameters == found.trainable == 64 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10 == 17_226
    assert found.mult_adds == 32 * (64 * 128 + 128 * 64 + 64 * 10)
    assert found.parameter_bytes == 4 * 17_226
    assert found.input_bytes == 4 * 32 * 64
    assert found.activation_bytes == 4 * 32 * (64 + 128 + 128 + 64 + 64 + 10)
    assert [row.output_shape for row in found.rows] == [
        (32, 10), (32, 64), (32, 128), (32, 128), (32, 64), (32, 64), (32, 10),
    ]  # fmt: skip
    assert [row.depth for row in found.rows] == [0, 1, 1, 1, 1, 1, 1]
    assert not found.uncounted


def test_convnet() -> None:
    found = nn.summary(convnet(), torch.ones(2, 1, 8, 8))
    first, second, last = 8 * 8 * 16 * 9, 4 * 4 * 32 * 16 * 9, 512 * 10
    assert found.mult_adds == 2 * (first + second + last)
    assert [row.mult_adds for row in found.rows] == [0, 2 * first, 0, 0, 2 * second, 0, 0, 2 * last]
    assert [row.parameters for row in found.rows] == [0, 160, 0, 0, 4640, 0, 0, 5130]
    assert found.parameters == 160 + 4640 + 5130 == 9930
    assert found.activation_bytes == 4 * 2 * (1024 + 1024 + 256 + 512 + 512 + 512 + 10)


def test_its_text() -> None:
    assert str(nn.summary(convnet(), input_size=(2, 1, 8, 8))) == (
        "Layer           Output shape   Parameters  Mult-adds\n"
        "----------------------------------------------------\n"
        "Sequential      [2, 10]                 -          -\n"
        "  0: Conv2d     [2, 16, 8, 8]         160     18,432\n"
        "  1: ReLU       [2, 16, 8, 8]           -          -\n"
        "  2: MaxPool2d  [2, 16, 4, 4]           -          -\n"
        "  3: Conv2d     [2, 32, 4, 4]       4,640    147,456\n"
        "  4: ReLU       [2, 32, 4, 4]           -          -\n"
        "  5: Flatten    [2, 512]                -          -\n"
        "  6: Linear     [2, 10]             5,130     10,240\n"
        "----------------------------------------------------\n"
        "Parameters: 9,930 (9,930 trainable), 39,720 bytes\n"
        "Mult-adds: 176,128\n"
        "Input: 512 bytes, activations: 30,800 bytes"
    )


class Tied(nn.Module):
    """Two layers of one weight, one layer at two places and called three times, a frozen part, a free parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4, bias=False)
        self.b.weight = self.a.weight
        self.again = self.a
        self.part = nn.Sequential(nn.BatchNorm1d(4), nn.Sequential(nn.Linear(4, 2)))
        self.part[1].requires_grad_(False)
        self.free = nn.Parameter(torch.ones(2, 2))
        self.unused = nn.Linear(7, 1)

    def forward(self, x: torch.Tensor, *, y: torch.Tensor) -> dict[str, object]:
        x = self.a(self.again(self.a(x))) + self.b(y)
        return {"out": self.part(x) @ self.free, "more": (x, 3)}


def tied_input() -> dict[str, torch.Tensor]:
    return {"x": torch.ones(3, 4), "y": torch.zeros(3, 4)}


def test_shared_weights_and_reused_modules() -> None:
    found = nn.summary(Tied(), tied_input())
    rows = {row.path: row for row in found.rows}
    assert found.parameters == 4 + (16 + 4) + 8 + (8 + 2) + 8 == sum(row.parameters for row in found.rows)
    assert found.trainable == found.parameters - 10 == sum(row.trainable for row in found.rows)
    assert (rows["a"].parameters, rows["b"].parameters, rows["again"].parameters) == (20, 0, 0)
    assert (rows["b"].shares, rows["b"].reused) == (True, False)
    assert (rows["again"].reused, rows["again"].calls, rows["a"].calls) == (True, 2, 1)
    assert (rows["unused"].calls, rows["unused"].output_shape, rows["unused"].parameters) == (0, None, 8)
    assert rows[""].output_shape == {"out": (3, 2), "more": [(3, 4), None]}
    assert found.uncounted == ("",)  # what is done with the free parameter is not known
    assert found.mult_adds == 3 * 4 * 4 * 4 + 3 * 4 * 2
    assert found.buffer_bytes == 4 + 4 * 4 + 4 * 4 + 4
    text = str(found)
    for words in ("again: Linear (reused) x2", "b: Linear (shared weights)", "without the model", "{out: [3, 2]"):
        assert words in text


def test_depth() -> None:
    found = nn.summary(Tied(), tied_input(), depth=1)
    text = str(found)
    assert "1: Sequential" not in text
    part = next(line for line in text.splitlines() if "part: Sequential" in line)
    assert part.split()[-2:] == ["18", "24"]
    assert len(found.rows) == 9


@pytest.mark.parametrize(
    ("layer", "inputs", "products"),
    [
        (nn.Conv1d(4, 6, 3, groups=2), [(5, 4, 9)], 5 * 6 * 7 * 2 * 3),
        (nn.Conv3d(1, 2, 2), [(1, 3, 3, 3)], 2 * 8 * 8),
        (nn.ConvTranspose2d(3, 4, 2, stride=2), [(2, 3, 5, 5)], 2 * 3 * 25 * 4 * 4),
        (nn.Bilinear(2, 3, 4), [(5, 2), (5, 3)], 5 * 4 * 2 * 3),
        (nn.Linear(3, 2), [(3,)], 6),
        (nn.Linear(3, 2), [(0, 3)], 0),
        (nn.LayerNorm(4), [(2, 4)], 0),
    ],
)
def test_products_of_single_layers(layer: nn.Module, inputs: list[tuple[int, ...]], products: int) -> None:
    found = nn.summary(layer, input_size=inputs)
    assert found.mult_adds == products
    assert found.rows[0].mult_adds == products


def test_indices_and_several_inputs() -> None:
    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.head = nn.Embedding(10, 4), nn.Linear(4, 2)

        def forward(self, words: torch.Tensor, shift: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self.head(self.table(words) + shift), shift

    found = nn.summary(Both(), input_size=[(3, 5), (4,)], dtypes=[torch.int64, torch.float32])
    assert found.rows[0].output_shape == [(3, 5, 2), (4,)]
    assert (found.mult_adds, found.parameters, found.input_bytes) == (15 * 8, 50, 3 * 5 * 8 + 16)
    named = nn.summary(Both(), input_size={"words": (3, 5), "shift": (4,)}, dtypes={"words": torch.int64})
    assert named == found


def test_without_input() -> None:
    found = nn.summary(mlp())
    assert found.parameters == 17_226
    assert {row.output_shape for row in found.rows} == {None}
    assert "Mult-adds:" not in str(found)


class Noisy(nn.Module):
    """Draws numbers, counts in buffers, replaces one, changes its input, may fail."""

    def __init__(self, fails: bool) -> None:
        super().__init__()
        self.fails = fails
        self.norm, self.drop = nn.BatchNorm1d(3), nn.Dropout(0.5)
        self.drop.eval()
        self.register_buffer("count", torch.zeros(1))
        self.register_buffer("new", torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count.add_(1)
        self.new = self.new + 1
        x.mul_(2)
        out = self.drop(self.norm(x)) + torch.rand(1)
        if self.fails:
            raise ValueError("asked for")
        return out


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("mode", ["eval", "train", "same"])
def test_the_model_is_left_as_it_was(fails: bool, mode: str) -> None:
    torch.manual_seed(3)
    model, x = Noisy(fails), torch.rand(4, 3)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    held = {id(b) for b in model.buffers()}
    before, modes, random = x.clone(), [m.training for m in model.modules()], torch.get_rng_state()
    if fails:
        with pytest.raises(ValueError, match="asked for"):
            nn.summary(model, x, mode=mode)
    else:
        assert nn.summary(model, x, mode=mode).rows[0].output_shape == (4, 3)
    assert torch.equal(x, before)
    assert torch.equal(torch.get_rng_state(), random)
    assert [m.training for m in model.modules()] == modes
    assert {id(b) for b in model.buffers()} == held
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name]), name
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_hooks_with_kwargs
        assert not module._forward_pre_hooks


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match="not both"):
        nn.summary(mlp(), torch.ones(1, 64), (1, 64))
    with pytest.raises(ValueError, match="lazy"):
        nn.summary(nn.LazyLinear(3), input_size=(2, 4))
    with pytest.raises(ValueError, match="mode"):
        nn.summary(mlp(), mode="fast")
    with pytest.raises(TypeError, match="input_size"):
        nn.summary(mlp(), input_size=3)
    with pytest.raises(ValueError, match="2 dtypes for 1 inputs"):
        nn.summary(mlp(), input_size=[(1, 64)], dtypes=[torch.float32, torch.float32])
