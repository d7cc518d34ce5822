"""Ops with indices and masks."""
