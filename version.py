"""What PyTorch's ``torch.version`` says of a build for the CPU."""

cuda: str | None = None
hip: str | None = None
debug = False
