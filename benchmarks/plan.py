"""What the plan of a large data set costs: python benchmarks/plan.py IMAGES. No pixel is made."""

import pickle
import resource
import sys
import time
from pathlib import Path

from distortlab.generation.plan import make_plan
from distortlab.generation.shard import ShardJob
from distortlab.recipe import default_recipe
from distortlab.references import open_references
from distortlab.storage.base import Folder


def main(images: str) -> None:
    """Make the plan of the default recipe with composed scenes, and one job of it."""
    recipe = default_recipe(n=int(images))
    start = time.process_time()
    plan = make_plan(recipe, open_references("scenes", recipe.seed, recipe.regions))
    seconds = time.process_time() - start
    job = ShardJob(recipe, plan.vocabulary, plan.sha256, plan.shards[0], Folder(Path("data")))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = len(pickle.dumps(job)) / 1024
    print(f"{recipe.n:,} images: {len(plan.shards):,} shards, {seconds:.1f} s, {memory:.0f} MiB, a job {size:.0f} KiB")


if __name__ == "__main__":
    main(sys.argv[1])
