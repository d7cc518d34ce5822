"""Reductions, and those of several results."""

import rushlight as torch


def summary(x: torch.Tensor) -> dict[str, torch.Tensor]:
    values, indices = x.max(dim=1)
    best = torch.topk(x, 2)
    low = x.min(dim=0, keepdim=True).values
    ordered, places = torch.sort(x, descending=True)
    variance, mean = torch.var_mean(x, dim=0)
    found = {
        "values": values,
        "indices": indices,
        "best": best.values.sum() + best.indices.float().mean(),
        "low": low,
        "ordered": ordered.gather(1, places),
        "spread": (variance + mean).sqrt(),
        "total": x.sum(dim=(0, 1)),
        "largest": torch.max(x, torch.zeros_like(x)).max(),
        "median": x.median(dim=-1).values,
        "unique": torch.unique(x.long()),
        "std": x.std(0, unbiased=False),
        "running": torch.cummax(x, 0).values + x.cumsum(0),
        "q": x.quantile(0.5, dim=1),
    }
    if x.any() and torch.isfinite(x).all():
        found["norm"] = x.norm(p=2, dim=1)
    return found


if __name__ == "__main__":
    assert summary(torch.rand(3, 4))["values"].shape == (3,)
