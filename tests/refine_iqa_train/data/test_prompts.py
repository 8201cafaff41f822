"""A stored row becomes what TRL trains on."""

import io

import pytest
from PIL import Image

from distortlab.core.errors import UserError
from refine_iqa_train.data.prompts import open_image


def test_in_a_stream_it_stops_the_run_and_nothing_takes_its_place() -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "JPEG")
    with pytest.raises(UserError, match=r"the image of row-7 \(a\.jpg\) does not open"):
        open_image({"bytes": file.getvalue()[:200], "path": "a.jpg"}, "row-7")
