"""Datasets: fingerprints beside targets, and their splits."""
