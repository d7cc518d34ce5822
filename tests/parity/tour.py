"""A program as people write them for PyTorch; ``test_tour.py`` compares what it prints under both engines."""

import importlib
import io
import sys
from typing import Any

torch: Any = importlib.import_module(sys.argv[1] if len(sys.argv) > 1 else "rushlight")
nn, F, data = torch.nn, torch.nn.functional, torch.utils.data


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, groups=2)
        self.last = nn.GroupNorm(2, channels)

    def forward(self, x: Any) -> Any:
        return F.relu(x + self.last(self.second(F.gelu(self.norm(self.first(x))))))


class Pictures(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList([Residual(8) for _ in range(2)])
        self.pool, self.drop, self.head = nn.AdaptiveAvgPool2d(1), nn.Dropout(0.3), nn.Linear(8, 5)
        self.apply(self.start)

    def start(self, module: Any) -> None:
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight)
            nn.init.zeros_(module.bias)

    def forward(self, x: Any) -> Any:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.drop(self.pool(x).flatten(1)))


class Sequences(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 8, padding_idx=0)
        self.rnn = nn.GRU(8, 16, 2, batch_first=True, bidirectional=True, dropout=0.2)
        self.attend, self.out = nn.MultiheadAttention(32, 4, batch_first=True), nn.Linear(32, 20)

    def forward(self, tokens: Any, lengths: Any) -> Any:
        rnn = nn.utils.rnn
        packed = rnn.pack_padded_sequence(self.embed(tokens), lengths, batch_first=True, enforce_sorted=False)
        states, _ = rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        seen, _ = self.attend(states, states, states, key_padding_mask=tokens == 0)
        return self.out(states + seen)


def pictures() -> None:
    x, y = torch.randn(60, 3, 16, 16), torch.randint(0, 5, (60,))
    split = torch.Generator().manual_seed(42)
    train, held = data.random_split(data.TensorDataset(x, y), [40, 20], generator=split)
    loader = data.DataLoader(train, batch_size=8, shuffle=True, drop_last=True)
    net = Pictures()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=15)
    for epoch in range(3):
        net.train()
        for xs, ys in loader:
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(net(xs), ys, label_smoothing=0.1)
            loss.backward()
            norm = nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        net.eval()
        with torch.no_grad():
            right = torch.cat([(net(xs).argmax(1) == ys).float() for xs, ys in data.DataLoader(held, 10)]).mean()
        print(epoch, f"{loss.item():.4f} {norm.item():.4f} {right.item():.4f} {schedule.get_last_lr()[0]:.6f}")
    print(net)


def sequences() -> None:
    model, lengths = Sequences(), torch.tensor([5, 3, 6, 2])
    tokens = torch.randint(1, 20, (4, 6))
    tokens[torch.arange(6)[None] >= lengths[:, None]] = 0
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, momentum=0.9, centered=True)
    for _ in range(4):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(tokens, lengths).view(-1, 20), tokens.view(-1), ignore_index=0)
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f}")
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": 4}, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=True)
    print(list(loaded), model.load_state_dict(loaded["model"]))
    optimizer.load_state_dict(loaded["optimizer"])
    both = nn.Transformer(16, 2, 1, 1, 32, dropout=0.1, batch_first=True)
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    print(both(torch.randn(2, 5, 16), torch.randn(2, 4, 16), tgt_mask=mask).abs().sum().round(decimals=2))


def mathematics() -> None:
    x = torch.randn(4, requires_grad=True)
    print(torch.autograd.functional.hessian(lambda x: (x**3).sum() * x.prod(), x).diagonal())
    a = torch.randn(3, 3)
    s = a @ a.T + 3 * torch.eye(3)
    print(torch.linalg.cholesky(s).sum(), torch.linalg.solve(s, torch.ones(3)), torch.linalg.eigvalsh(s))
    normed = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    print([name for name, _ in normed.named_parameters()], normed(torch.ones(3)).detach())
    line, xs = nn.Linear(2, 1), torch.randn(10, 2)
    ys = xs @ torch.tensor([[1.0], [2.0]]) + 0.5
    optimizer = torch.optim.LBFGS(line.parameters(), line_search_fn="strong_wolfe")

    def closure() -> Any:
        optimizer.zero_grad()
        loss = F.mse_loss(line(xs), ys)
        loss.backward()
        return loss

    print(f"{optimizer.step(closure).item():.4f}", line.weight.detach().round(decimals=3))


if __name__ == "__main__":
    torch.manual_seed(1337)
    pictures()
    sequences()
    mathematics()
