"""Files that are written whole, and read whole or named as damaged."""
