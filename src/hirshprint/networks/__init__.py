"""Networks, a module each, their training and their use."""
