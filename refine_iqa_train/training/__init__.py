"""Training: a run is prepared, trained, resumed, saved and published."""
