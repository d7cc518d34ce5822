"""Let two networks play against each other: one draws handwritten digits, the other tells them from real ones.

    python examples/gan_digits.py
    python examples/gan_digits.py --load demo-output/gan-digits.pt    # draw only, with what was learnt before

A generator makes images of random codes; a discriminator learns to tell them from written ones. Each is trained on what
the other does, by its own optimizer.
"""

from __future__ import annotations

from collections.abc import Iterator

from digits import load
from engine import ENGINE, torch
from generative import batches_of, keep, options_of, pictures, with_progress

nn = torch.nn
PIXELS, CODE, BATCH = 64, 16, 64
criterion = nn.BCEWithLogitsLoss()


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


def learn_to_tell(
    tells: nn.Sequential, optimizer: torch.optim.Optimizer, real: torch.Tensor, made: torch.Tensor
) -> float:
    """Move the discriminator by one step, and return its loss before: it should say 1 of ``real`` and 0 of ``made``."""
    yes, no = torch.ones(len(real), 1), torch.zeros(len(made), 1)
    optimizer.zero_grad()
    # detach: whoever made the images is not to learn from this
    loss = criterion(tells(real), yes) + criterion(tells(made.detach()), no)
    loss.backward()
    optimizer.step()
    return float(loss.item())


def learn_to_draw(tells: nn.Sequential, optimizer: torch.optim.Optimizer, made: torch.Tensor) -> float:
    """Move the generator, which has made ``made``, by one step and return its loss before: 1 should be said of it."""
    optimizer.zero_grad()
    loss = criterion(tells(made), torch.ones(len(made), 1))
    loss.backward()
    optimizer.step()
    return float(loss.item())


def play(
    draws: nn.Sequential, tells: nn.Sequential, images: torch.Tensor, epochs: int, seed: int
) -> Iterator[tuple[float, float]]:
    """Yield the losses of the discriminator and of the generator, step by step."""
    batches = batches_of(images, BATCH, seed, drop_last=True)
    drawing = torch.optim.Adam(draws.parameters(), lr=1e-3, betas=(0.5, 0.999))
    telling = torch.optim.Adam(tells.parameters(), lr=5e-4, betas=(0.5, 0.999))
    for _ in range(epochs):
        for (batch,) in batches:
            made = draws(torch.randn(len(batch), CODE))
            yield learn_to_tell(tells, telling, batch, made), learn_to_draw(tells, drawing, made)


def main() -> None:
    """Play or load, say how it went, and draw."""
    options = options_of("Train a generative adversarial network on digits.", epochs=120, quick=2)
    torch.manual_seed(options.seed)
    images = torch.tensor(load().train_images).flatten(1)
    print(f"{ENGINE}: {len(images)} images")
    draws, tells = generator(), discriminator()
    if options.load is None:
        total = options.epochs * (len(images) // BATCH)
        steps = play(draws, tells, images, options.epochs, options.seed)
        losses = list(with_progress(steps, total, "loss of telling, of drawing"))
        (told, fooled), (told_last, fooled_last) = losses[0], losses[-1]
        print(f"{ENGINE}: loss of telling {told:.6g} at first, {told_last:.6g} after {total} steps")
        print(f"{ENGINE}: loss of drawing {fooled:.6g} at first, {fooled_last:.6g} after {total} steps")
    else:
        states = torch.load(options.load)
        draws.load_state_dict(states["generator"])
        tells.load_state_dict(states["discriminator"])
    torch.manual_seed(options.seed)  # the same codes, whether trained or loaded
    draws.eval()
    tells.eval()
    with torch.no_grad():
        made = draws(torch.randn(20, CODE))
        real, drawn = tells(images).sigmoid().mean().item(), tells(made).sigmoid().mean().item()
    print(f"{ENGINE}: taken for written with probability {real:.6g} if written, {drawn:.6g} if drawn")
    if options.load is None:
        states = {"generator": draws.state_dict(), "discriminator": tells.state_dict()}
        keep(states, options.out / "gan-digits.pt")
    pictures(options.out / "gan-digits.png", {"written": images[:10], "drawn": made[:10], "drawn too": made[10:]})


if __name__ == "__main__":
    main()
