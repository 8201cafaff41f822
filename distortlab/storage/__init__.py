"""Where a data set lies: a folder, an object store, the Hugging Face Hub."""
