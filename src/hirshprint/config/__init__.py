"""The configuration: its model, how it is read and checked, its documents."""
