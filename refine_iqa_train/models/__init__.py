"""Models: their families, processors, adapters, and the memory they need."""
