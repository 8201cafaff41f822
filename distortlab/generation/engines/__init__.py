"""Who calls `run_shard`, where."""
