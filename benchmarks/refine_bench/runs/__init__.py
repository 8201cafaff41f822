"""Runs: a model is asked, and its answers are saved as they come."""
