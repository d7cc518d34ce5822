"""Reading and writing of tensors and of what holds them: ``save`` and ``load``."""
