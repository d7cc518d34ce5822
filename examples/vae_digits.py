"""Train a variational autoencoder on handwritten digits, and draw digits that nobody wrote.

    python examples/vae_digits.py
    python examples/vae_digits.py --load demo-output/vae-digits.pt    # draw only, with what was learnt before

An encoder gives mean and spread of a code of eight numbers for each image; a decoder makes an image of a code. The loss
is the cross-entropy of the pixels plus the distance of the codes from a standard normal distribution.
"""

from __future__ import annotations

from collections.abc import Iterator

from digits import load
from engine import ENGINE, torch
from generative import batches_of, keep, options_of, pictures, with_progress

nn, F = torch.nn, torch.nn.functional
PIXELS, HIDDEN, CODE, BATCH = 64, 128, 8, 64


class VAE(nn.Module):
    """An encoder to the mean and the log variance of a code, and a decoder back to pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(PIXELS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * CODE))
        self.decoder = nn.Sequential(nn.Linear(CODE, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, PIXELS))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return logits of the pixels, mean and log variance: (N, 64) to (N, 64), (N, 8), (N, 8)."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        code = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        return self.decoder(code), mean, log_variance


def losses_of(model: VAE, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return cross-entropy of the pixels and Kullback-Leibler divergence of the codes, means over images."""
    logits, mean, log_variance = model(images)
    pixels = F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
    return pixels / len(images), divergence / len(images)


def train(model: VAE, images: torch.Tensor, epochs: int, seed: int) -> Iterator[tuple[float, float, float]]:
    """Yield the loss of each step, and the two parts it is the sum of."""
    batches = batches_of(images, BATCH, seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(epochs):
        for (batch,) in batches:
            optimizer.zero_grad()
            pixels, divergence = losses_of(model, batch)
            loss = pixels + divergence
            loss.backward()
            optimizer.step()
            yield float(loss.item()), float(pixels.item()), float(divergence.item())


def main() -> None:
    """Train or load, compare the test images with what becomes of them, and draw new ones."""
    options = options_of("Train a variational autoencoder on digits.", epochs=60, quick=2)
    torch.manual_seed(options.seed)
    data = load()
    images, held = (torch.tensor(part).flatten(1) for part in (data.train_images, data.test_images))
    print(f"{ENGINE}: {len(images)} training and {len(held)} test images")
    model = VAE()
    if options.load is None:
        steps = train(model, images, options.epochs, options.seed)
        total = options.epochs * -(-len(images) // BATCH)
        losses = [loss for loss, *_ in with_progress(steps, total, "loss, pixels, divergence")]
        print(f"{ENGINE}: loss {losses[0]:.6g} at first, {losses[-1]:.6g} after {total} steps")
    else:
        model.load_state_dict(torch.load(options.load)["model"])
    torch.manual_seed(options.seed)  # the same codes, whether trained or loaded
    with torch.no_grad():
        pixels, divergence = (part.item() for part in losses_of(model, held))
        again, drawn = model(held[:10])[0].sigmoid(), model.decoder(torch.randn(10, CODE)).sigmoid()
    print(f"{ENGINE}: test loss {pixels + divergence:.6g}, pixels {pixels:.6g}, divergence {divergence:.6g}")
    if options.load is None:
        keep({"model": model.state_dict()}, options.out / "vae-digits.pt")
    pictures(options.out / "vae-digits.png", {"written": held[:10], "through the code": again, "drawn": drawn})


if __name__ == "__main__":
    main()
