"""refine-bench: answers, scores and reports of image-quality models.

`refine_bench.datasets` is the one place of data-set adapters; it needs neither torch nor transformers. Everything
else is imported where it is used.
"""

__all__: list[str] = []
