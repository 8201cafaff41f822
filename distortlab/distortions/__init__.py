"""Distortions, the catalogue of all of them, and edits, which apply one to a region."""
