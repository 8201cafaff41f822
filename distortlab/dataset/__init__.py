"""A data set on disk: its records and files, how they are written, opened and read."""
