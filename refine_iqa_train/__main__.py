"""`python -m refine_iqa_train`."""

from refine_iqa_train.cli import main

if __name__ == "__main__":
    main()
