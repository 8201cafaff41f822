"""Two observers that see a region before and after a change and say which family it is: a machine and a person."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from draws import LABELS
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from distortlab.distortions.catalog import FAMILIES

Values = NDArray[np.float64]

SYMPTOMS = {
    "dmean": 6.0, "dspread": 0.15, "q_mid": 0.2, "dchroma": 4.0, "rchroma": 0.25, "hue": 4.0,
    "de0": 0.4, "de1": 0.4, "de2": 0.4, "slope0": 0.2, "slope_low": 0.15, "fit0": 0.15, "fit1": 0.15,
    "curve_rest": 4.0, "flat_res": 0.6, "ac_h": 0.25, "ac_v": 0.25, "grid8": 1.5, "grid_other": 1.5,
    "ties": 0.15, "kurt": 0.6, "white": 0.03, "black": 0.03, "peaky": 0.4,
}  # fmt: skip
"""What a person notices, with the step that is just noticeable, in the unit of the feature. The steps are judgments."""
NOISE = 1.8
"""Standard deviation of what a person takes a symptom for, in steps. Matched to a viewer, who agreed with .83 of the
labels of an earlier version."""
_LOOKS, _COPIES = 6, 3
"""How often the person looks at a test region (its posterior is the mean), and at one that it learns from."""


@dataclass(frozen=True)
class Observer:
    """`predict(draws)`: (N, families) posteriors, families in the order of the catalogue; `glance`: from one look."""

    name: str
    predict: Callable[[pd.DataFrame], Values]
    glance: Callable[[pd.DataFrame], Values]


def fit_machine(draws: pd.DataFrame) -> Observer:
    """An observer that sees every feature exactly."""
    names = [name for name in draws.columns if name not in LABELS]
    model = HistGradientBoostingClassifier(
        max_iter=90, learning_rate=0.12, max_leaf_nodes=12, min_samples_leaf=15, l2_regularization=2.0,
        class_weight="balanced", random_state=0,
    ).fit(draws[names].to_numpy(), get_families(draws))  # fmt: skip

    def predict(test: pd.DataFrame) -> Values:
        return np.asarray(model.predict_proba(test[names].to_numpy()))

    return Observer("machine", predict, predict)


def fit_person(draws: pd.DataFrame, noise: float = NOISE) -> Observer:
    """An observer that sees `SYMPTOMS` in just-noticeable steps, through noise."""
    source = np.random.default_rng(0)
    seen = scale_symptoms(draws)
    model = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.15, max_leaf_nodes=12, min_samples_leaf=40, l2_regularization=3.0,
        class_weight="balanced", random_state=0,
    )  # fmt: skip
    blurred = np.concatenate([seen + noise * source.standard_normal(seen.shape) for _ in range(_COPIES)])
    model.fit(blurred, np.tile(get_families(draws), _COPIES))

    def look(test: pd.DataFrame, looks: int) -> Values:
        again, shown = np.random.default_rng(9), scale_symptoms(test)
        views = (shown + noise * again.standard_normal(shown.shape) for _ in range(looks))
        return np.mean([model.predict_proba(view) for view in views], axis=0)

    return Observer("person", lambda test: look(test, _LOOKS), lambda test: look(test, 1))


def scale_symptoms(draws: pd.DataFrame) -> Values:
    """(N, symptoms) in just-noticeable steps, at most 30."""
    return np.clip(draws[list(SYMPTOMS)].to_numpy() / list(SYMPTOMS.values()), -30, 30)


def get_families(draws: pd.DataFrame) -> NDArray[np.intp]:
    """The index of the true family of each draw. Raises `ValueError` where a family has no draw."""
    numbers = np.array([FAMILIES.index(family) for family in draws["family"]], dtype=np.intp)
    if missing := [family for at, family in enumerate(FAMILIES) if at not in set(numbers.tolist())]:
        raise ValueError(f"no draw of {', '.join(missing)}: draw more, or from more photographs")
    return numbers


def drop_shared(test: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """The draws of `test` from photographs that are not in `train`."""
    return test[~test["reference"].isin(set(train["reference"]))].reset_index(drop=True)
