"""Modes as decorators and as contexts."""

import rushlight as torch


@torch.no_grad()
def predict(net: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    out: torch.Tensor = net(x)
    return out.softmax(dim=-1)


@torch.inference_mode()
def classes(scores: torch.Tensor) -> list[int]:
    return [int(one) for one in scores.argmax(-1)]


@torch.no_grad
def doubled(x: torch.Tensor) -> torch.Tensor:
    return x * 2


@torch.enable_grad()
def norm(x: torch.Tensor) -> float:
    return float(x.norm())


def run() -> int:
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    scores = predict(net, torch.randn(5, 3))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.sub_(torch.ones_like(parameter), alpha=0.1)
    with torch.set_grad_enabled(False):
        scores = doubled(scores)
    assert norm(scores) > 0
    return len(classes(scores))


if __name__ == "__main__":
    assert run() == 5
