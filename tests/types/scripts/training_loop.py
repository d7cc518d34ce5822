"""A module of one's own and the loop that trains it."""

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F


class Net(nn.Module):
    def __init__(self, hidden: int = 16) -> None:
        super().__init__()
        self.first = nn.Linear(4, hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.last = nn.Linear(hidden, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = F.relu(self.norm(self.first(x)))
        out: torch.Tensor = self.last(F.dropout(h, 0.1, self.training))
        return out


def accuracy(scores: torch.Tensor, labels: torch.Tensor) -> float:
    return float((scores.argmax(dim=1) == labels).float().mean())


def train(steps: int) -> list[float]:
    torch.manual_seed(0)
    net = Net()
    loss_of = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    x, labels = torch.randn(32, 4), torch.randint(0, 3, (32,))
    losses: list[float] = []
    correct = 0
    for _ in range(steps):
        optimizer.zero_grad()
        scores = net(x)
        loss = loss_of(scores, labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        correct += (scores.argmax(1) == labels).sum().item()
    net.eval()
    losses.append(accuracy(net(x), labels))
    return losses


if __name__ == "__main__":
    assert len(train(3)) == 4
