"""Arrays compute: NumPy only. No file here knows what a tensor is."""
