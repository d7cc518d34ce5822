"""An optimizer with groups, a schedule, and clipped gradients."""

import rushlight as torch
from rushlight import nn, optim
from rushlight.optim.lr_scheduler import CosineAnnealingLR, StepLR


def train() -> list[float]:
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = optim.Adam([{"params": net[0].parameters(), "lr": 1e-2}, {"params": net[2].parameters()}], lr=1e-3)
    scheduler = StepLR(optimizer, step_size=2, gamma=0.5)
    cosine = CosineAnnealingLR(optim.SGD(net.parameters(), lr=0.1), T_max=10)
    x = torch.rand(16, 2)
    y = x.sum(dim=1, keepdim=True)
    rates: list[float] = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates + [float(rate) for rate in cosine.get_last_lr()]


if __name__ == "__main__":
    assert len(train()) == 5
