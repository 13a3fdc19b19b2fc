"""Fingerprints: binned surfaces, their distances, and those of one compound."""
