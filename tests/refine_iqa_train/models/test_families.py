"""Families of models: what is known of them, and of those that are not."""

from refine_iqa_train.models.families import find_family


def test_families_nobody_has_heard_of_are_asked_in_thousandths() -> None:
    class Config:
        model_type = "new_vl"
        vision_config = object()

    assert find_family(Config(), "x").coordinates == "thousandths"
