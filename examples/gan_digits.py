"""Let two networks play against each other: one draws handwritten digits, the other tells them from real ones.

    python examples/gan_digits.py

A generator makes images of random codes; a discriminator learns to tell them from written ones. Each is trained on what
the other does, by its own optimizer.
"""

from __future__ import annotations

from collections.abc import Iterator

from digits import load
from engine import ENGINE, torch
from generative import options_of, pictures, with_progress

nn, F = torch.nn, torch.nn.functional
PIXELS, CODE, BATCH = 64, 16, 64


def generator() -> nn.Sequential:
    """Return the network from codes (N, 16) to pixels (N, 64) in 0..1."""
    return nn.Sequential(
        *(nn.Linear(CODE, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, PIXELS), nn.Sigmoid()),
    )


def discriminator() -> nn.Sequential:
    """Return the network from pixels (N, 64) to a score (N, 1): above zero for real."""
    return nn.Sequential(
        *(nn.Linear(PIXELS, 128), nn.LeakyReLU(0.2), nn.Dropout(0.3)),
        *(nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)),
    )


def play(
    draws: nn.Sequential, tells: nn.Sequential, images: torch.Tensor, epochs: int
) -> Iterator[tuple[float, float]]:
    """Yield the losses of the discriminator and of the generator, step by step."""
    data = torch.utils.data.TensorDataset(images)
    loader = torch.utils.data.DataLoader(data, BATCH, shuffle=True, drop_last=True)
    drawing = torch.optim.Adam(draws.parameters(), lr=1e-3, betas=(0.5, 0.999))
    telling = torch.optim.Adam(tells.parameters(), lr=5e-4, betas=(0.5, 0.999))
    real, drawn = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
    criterion = nn.BCEWithLogitsLoss()
    for _ in range(epochs):
        for (batch,) in loader:
            made = draws(torch.randn(BATCH, CODE))
            telling.zero_grad()
            told = criterion(tells(batch), real) + criterion(tells(made.detach()), drawn)
            told.backward()
            telling.step()
            drawing.zero_grad()
            fooled = criterion(tells(made), real)
            fooled.backward()
            drawing.step()
            yield float(told.item()), float(fooled.item())


def main() -> None:
    """Play, say how it went, and draw."""
    options = options_of("Train a generative adversarial network on digits.", epochs=120, quick=2)
    torch.manual_seed(options.seed)
    images = torch.tensor(load().train_images).flatten(1)
    draws, tells = generator(), discriminator()
    losses = list(with_progress(play(draws, tells, images, options.epochs), options.epochs * (len(images) // BATCH)))
    (told, fooled), (told_last, fooled_last) = losses[0], losses[-1]
    print(f"{ENGINE}: loss of telling {told:.6g} at first, {told_last:.6g} after {len(losses)} steps")
    print(f"{ENGINE}: loss of drawing {fooled:.6g} at first, {fooled_last:.6g} after {len(losses)} steps")
    draws.eval()
    with torch.no_grad():
        made = draws(torch.randn(20, CODE))
    pictures(options.out / "gan-digits.png", {"written": images[:10], "drawn": made[:10], "drawn too": made[10:]})


if __name__ == "__main__":
    main()
