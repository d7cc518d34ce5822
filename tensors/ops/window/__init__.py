"""Ops with windows: convolutions, poolings, interpolation."""
