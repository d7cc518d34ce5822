"""Ops of layers: normalizations, attention, recurrent steps."""
