"""Nine mistakes; a checker must find the one in each line that ends in ``# wrong``, and no other."""

import rushlight as torch

x = torch.rand(3)
net = torch.nn.Linear(3, 2)

torch.zeross(3)  # wrong
torch.zeros("a")  # wrong
torch.optim.SGD(net.parameters(), lr="a")  # wrong
x.reshapee(3)  # wrong
x.sum(dim="rows")  # wrong
torch.cat(1, 2)  # wrong
torch.nn.Linear("three", 2)  # wrong
torch.nn.functional.relu(x, inplce=True)  # wrong
length: str = x.size(0)  # wrong
