"""A dataset of one's own, and batches of it."""

import rushlight as torch
from rushlight.utils.data import DataLoader, Dataset, TensorDataset, random_split


class Squares(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    def __init__(self, count: int) -> None:
        self.x = torch.linspace(-1, 1, count)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.x[index]
        return x, x**2


def batches() -> int:
    count = 0
    for x, y in DataLoader(Squares(10), batch_size=4, shuffle=True):
        assert x.shape == y.shape
        count += x.size(0)
    data = TensorDataset(torch.ones(6, 2), torch.zeros(6))
    train, test = random_split(data, [4, 2])
    for x, _ in DataLoader(train, batch_size=2):
        count += x.shape[0]
    return count + len(test)


if __name__ == "__main__":
    assert batches() == 16
