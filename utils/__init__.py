"""What training loops use beside layers and optimizers: ``torch.utils``."""
