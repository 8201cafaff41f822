"""The twelve families, one file each: pure operators, then their table. Families never import each other."""
