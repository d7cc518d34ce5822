"""Helpers around modules and parameters: ``torch.nn.utils``."""
