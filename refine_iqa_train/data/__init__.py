"""Data for training: data sets mixed, rows turned into prompts, images in the size that the model sees."""
