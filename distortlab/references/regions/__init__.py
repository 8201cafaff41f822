"""Regions of references: outlines from annotations, segments without them, and which may be distorted."""
