"""The ops, each declared once: a NumPy kernel and its gradient rules. Topics import one way."""
