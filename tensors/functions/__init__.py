"""Functions put together from ops, mostly those of ``torch.nn.functional``."""
