"""distortlab: local distortions of images, and data sets of them."""

__version__ = "0.1.0"
