"""What `verify` looks at: the files of a data set, its rows, their pixels, and the whole."""
