"""What `hirshprint` offers to notebooks and scripts; see `hirshprint.api.functions`."""
