"""Crystals: tables, files and prototypes, checked and turned into plain arrays."""
