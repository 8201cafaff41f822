"""How visible a change is, which way it went, and the setting that gives a severity."""
