"""Networks, baselines, training and the common predictions table."""
