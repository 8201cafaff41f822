"""How many people and answers a threshold of visibility needs: simulated studies of people of known thresholds.

    python benchmarks/statistics/study_thresholds.py

People see V = 2.5 half of the time, 3 to the octave, guess in 8 % and miss in 2 %; their own thresholds are spread by
half an octave (SD) where it says so. What they are shown has the V of severities 1 to 5, a quarter is untouched.
"""

import numpy as np

from distortlab.analysis.study.psychometric import Trials, estimate_threshold, make_trials

THRESHOLD, SLOPE, GUESS, LAPSE = 2.5, 3.0, 0.08, 0.02
V = np.array([1.8, 2.6, 3.8, 5.5, 8.0])
STUDIES = 200
CASES = ((1, 40, 0.0), (1, 100, 0.0), (3, 40, 0.0), (3, 40, 0.5), (6, 40, 0.5), (12, 40, 0.5), (24, 40, 0.5))
"""People, answers of each, SD of their thresholds in octaves."""


def simulate(rng: np.random.Generator, people: int, answers: int, spread: float) -> Trials:
    """One study."""
    v = V[rng.integers(0, 5, (people, answers))] * 2 ** rng.uniform(-0.25, 0.25, (people, answers))
    v[:, : answers // 4] = 0
    own = np.log2(THRESHOLD) + spread * rng.standard_normal((people, 1))
    with np.errstate(divide="ignore", over="ignore"):
        seen = np.where(v > 0, 1 / (1 + np.exp(-SLOPE * (np.log2(v) - own))), 0.0)
    said = rng.random(v.shape) < GUESS + (1 - GUESS - LAPSE) * seen
    return make_trials(v.ravel(), said.ravel(), np.repeat(np.arange(people), answers))


def main() -> None:
    print("| people | answers each | SD of thresholds | interval holds 2.5 | its ends, typically |")
    print("|---|---|---|---|---|")
    for people, answers, spread in CASES:
        rng = np.random.default_rng(0)
        found = [estimate_threshold(simulate(rng, people, answers, spread)) for _ in range(STUDIES)]
        ends = np.array([entry["interval"] for entry in found])
        held = ((ends[:, 0] <= THRESHOLD) & (ends[:, 1] >= THRESHOLD)).mean()
        low, high = np.median(ends, axis=0)
        octaves = f"{spread:g} octaves" if spread else "0"
        print(f"| {people} | {answers} | {octaves} | {held:.1%} | {low:.2f} to {high:.2f} |")


if __name__ == "__main__":
    main()
