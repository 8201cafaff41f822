"""`python -m distortlab`."""

from distortlab.cli import main

main()
