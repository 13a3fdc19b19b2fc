"""Figures of the report: a module each, with the data behind them; none of them knows the page."""
