"""The Tonto engine: an installed Tonto, what it is given, how it is run and what it wrote."""
