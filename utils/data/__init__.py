"""Datasets, samplers and loaders: ``torch.utils.data``."""
