"""Where the structures of a dataset come from: tables, combinations of elements, folders of files (light)."""
