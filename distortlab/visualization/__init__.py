"""Pictures for people: the gallery of distortions, contact sheets, the page of a data set."""
