"""Helpers around modules and parameters: ``torch.nn.utils``."""

from . import rnn as rnn
