"""Croissant: a data set described as JSON-LD (croissant.json), for search engines, loaders and reviewers."""
