"""`python -m distortlab.cli`."""

from distortlab.cli import main

if __name__ == "__main__":
    main()
