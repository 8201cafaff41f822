"""`scenes`: reference images composed in code, for when there are no photographs at hand."""
