"""Two-stage training of vision-language models for image quality, after Refine-IQA, on TRL.

`python -m refine_iqa_train --help`. Nothing heavy is imported before it is used.
"""

__all__: list[str] = []
