"""Numbers, tensors and dtypes that meet."""

import rushlight as torch


def relu_by_hand(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x > 0, x, 0.0)


def masked_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    mask = torch.tril(torch.ones(scores.shape[-2:], dtype=torch.bool))
    scores = scores.masked_fill(~mask, float("-inf"))
    return torch.softmax(scores, dim=-1) @ v


def run() -> torch.Tensor:
    x = torch.randn(2, 1, 5)
    y = 1 - x + 2 * torch.ones(3, 1) ** 2
    z = (y / 3).clamp(min=0).to(torch.float64) + torch.eye(5, 5)[:3].double()
    z = z.to("cpu", dtype=torch.float32).view(2, -1).permute(1, 0).contiguous()
    z += 1
    z.mul_(2).add_(torch.full((15, 1), 0.5), alpha=2)
    both = torch.cat([z, z.flip(0)], dim=1)
    joined = torch.stack((both, both)).mean(0)
    last = torch.einsum("ij,kj->ik", joined, joined)
    q = torch.randn(4, 6, 8)
    return relu_by_hand(last).sum() + masked_attention(q, q, q).abs().max() + torch.linalg.norm(last)


if __name__ == "__main__":
    assert run().dim() == 0
