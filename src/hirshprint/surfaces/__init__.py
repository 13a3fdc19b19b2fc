"""Hirshfeld surfaces: the data they are kept in, the Python engine, batches of structures."""
