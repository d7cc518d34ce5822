"""Ops along dims: sums, extrema, running sums, sorting, counting."""
