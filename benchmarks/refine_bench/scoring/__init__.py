"""From saved answers, or predictions made elsewhere, to scores."""
