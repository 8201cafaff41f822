"""The configuration of a run: its keys and their ranges, files and overrides."""
