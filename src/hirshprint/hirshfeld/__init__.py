"""Hirshfeld surfaces: the data they are kept in, the engines that make them, their properties."""
