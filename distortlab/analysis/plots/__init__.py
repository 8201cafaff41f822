"""Pictures of the statistics of a data set."""
