"""What predictions are worth: their table, metrics, standing and uncertainty."""
