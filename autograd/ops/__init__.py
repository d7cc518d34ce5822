"""The ops: one topic a file, each op a NumPy kernel and its gradient rules."""
