"""Figures, the report and the closing summary."""
