"""distortlab: local distortions of images, and data sets of them.

    import distortlab

    out = distortlab.distort(image, "blur.gaussian", severity=3, mask=mask)   # out.image, out.edit
    distortlab.CATALOG                                                        # every distortion there is
    distortlab.generate("smoke", "scenes", "data/")                           # a data set
    distortlab.open_dataset("data/").rows("images")                           # read row by row
    distortlab.stream("smoke", "scenes")                                      # samples without end, in memory

Names are imported when they are first used: `import distortlab` is cheap, and `distortlab.tasks` needs nothing else.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distortlab.api import Distorted, distort
    from distortlab.core.errors import UserError
    from distortlab.core.region import Region
    from distortlab.dataset.reader import open_data as open_dataset
    from distortlab.distortions.catalog import CATALOG, find
    from distortlab.distortions.edit import Edit, render
    from distortlab.generation.generate import generate
    from distortlab.generation.report import Account
    from distortlab.generation.stream import SampleStream, StreamSample, stream
    from distortlab.imaging.decode import read_image
    from distortlab.recipe import Recipe, default_recipe, load_recipe
    from distortlab.references import open_references
    from distortlab.sharing.push import push

__version__ = "0.1.0"

__all__ = [
    "CATALOG",
    "Account",
    "Distorted",
    "Edit",
    "Recipe",
    "Region",
    "SampleStream",
    "StreamSample",
    "UserError",
    "default_recipe",
    "distort",
    "find",
    "generate",
    "load_recipe",
    "open_dataset",
    "open_references",
    "push",
    "read_image",
    "render",
    "stream",
]

_HOMES = {
    "generation.report": ("Account",),
    "distortions.catalog": ("CATALOG", "find"),
    "generation.generate": ("generate",),
    "generation.stream": ("SampleStream", "StreamSample", "stream"),
    "api": ("Distorted", "distort"),
    "distortions.edit": ("Edit", "render"),
    "core.errors": ("UserError",),
    "sharing.push": ("push",),
    "imaging.decode": ("read_image",),
    "recipe": ("Recipe", "default_recipe", "load_recipe"),
    "references": ("open_references",),
    "core.region": ("Region",),
}
_HOME_OF = {name: (home, name) for home, names in _HOMES.items() for name in names}
_HOME_OF["open_dataset"] = ("dataset.reader", "open_data")


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'distortlab' has no attribute {name!r}")
    home, own = _HOME_OF[name]
    value = getattr(import_module(f"distortlab.{home}"), own)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
