"""How visible a change is, in which direction it goes, and the setting that gives a severity."""
