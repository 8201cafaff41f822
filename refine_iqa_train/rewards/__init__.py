"""What answers are worth: rewards by task, ranking, the probability difference, and advantages."""
