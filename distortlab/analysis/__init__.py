"""What a finished data set holds: statistics, balance, shortcuts, and who may share it."""
