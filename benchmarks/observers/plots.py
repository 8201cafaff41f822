"""The picture of docs/observers.md: what both observers take the families for."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from summary import Verdicts

from distortlab.distortions.catalog import FAMILIES

mpl.use("Agg")
import matplotlib.pyplot as plt

INK = "#222222"


def draw_matrices(observers: Sequence[Verdicts], file: Path) -> None:
    """A heat map for each observer: true family down, mean posterior across, in percent."""
    plt.rcParams.update({"font.size": 8, "text.color": INK, "axes.titlesize": 9.5, "axes.titlelocation": "left"})
    names = [family.replace("_", " ") for family in FAMILIES]
    figure, axes = plt.subplots(1, len(observers), figsize=(5.2 * len(observers) + 1, 5.4), sharey=True,
                                layout="constrained")  # fmt: skip
    for axis, verdicts in zip(axes, observers, strict=True):
        shares = 100 * verdicts.average("family").reindex(list(FAMILIES)).to_numpy()
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=100)
        for (y, x), share in np.ndenumerate(shares):
            if share >= 0.5:
                color = "white" if share > 55 else INK
                axis.text(x, y, f"{share:.0f}", ha="center", va="center", fontsize=7, color=color)
        axis.set_title(f"{verdicts.name}: mean posterior, %")
        axis.set_xticks(range(len(names)), names, rotation=55, ha="right", rotation_mode="anchor")
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylabel("true family")
    figure.savefig(file, dpi=110, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
