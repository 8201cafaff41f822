"""What people look at while a model trains: the console, held-out scores, sample pages, curves."""
