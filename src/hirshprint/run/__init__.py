"""A run of the workflow: plan, progress, SLURM, what a killed one leaves."""
