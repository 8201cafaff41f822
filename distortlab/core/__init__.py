"""Shared by all packages: images, regions, addressed randomness, errors, configuration, programs and processes."""
