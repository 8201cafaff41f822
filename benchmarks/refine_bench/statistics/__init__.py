"""Statistics: correlations, their intervals, and tests between models."""
