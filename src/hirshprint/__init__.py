"""Per-atom Hirshfeld-surface fingerprints of crystals, and what can be learned from them."""

__version__ = "0.1.0"
