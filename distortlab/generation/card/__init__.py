"""The card of a data set: its README.md."""
