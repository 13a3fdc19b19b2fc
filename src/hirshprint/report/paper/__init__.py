"""Counterparts of the tables and figures of the paper, and the table that sets its numbers beside this project's."""
