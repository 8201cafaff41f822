"""Making a data set: the plan, the shards, the images and questions in them, the end."""
