"""Handing a data set on: to the Hub, into the forms of other projects, out of an archive."""
