"""Ops on shapes: views, order, joining, splitting, padding."""
