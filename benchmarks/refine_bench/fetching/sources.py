"""Where the sets are: archives on mirrors and at official addresses, and label files beside them.

Names and sizes were read in pages of the Hub and in loaders of others, not tried: docs/bench-sets.md says what is known
of each. A file that is not there is one sentence, and the next place is tried.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["NOT_FETCHED", "SOURCES", "Extra", "HubFile", "RemoteFile", "Source", "WebFile"]

MIRROR = "chaofengc/IQA-PyTorch-Datasets"
MIRROR_LABELS = "chaofengc/IQA-PyTorch-Datasets-metainfo"
KONSTANZ = "https://datasets.vqa.mmsp-kn.de/archives"


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a data set on the Hugging Face Hub."""

    repo: str
    path: str

    @property
    def name(self) -> str:
        """Of the file."""
        return self.path.rpartition("/")[2]

    def __str__(self) -> str:
        return f"hf:{self.repo}/{self.path}"


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file at an address."""

    url: str

    @property
    def name(self) -> str:
        """Of the file."""
        return self.url.rpartition("/")[2]

    def __str__(self) -> str:
        return self.url


RemoteFile = HubFile | WebFile


@dataclass(frozen=True, slots=True)
class Extra:
    """A file that is fetched where the archives do not hold it. `needed`: by the default variant of the set."""

    file: RemoteFile
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """One place that has a set.

    `origin`: "mirror" or "official". `root`: the folder of the set in the archives, where its label files do not tell.
    """

    origin: str
    archives: tuple[RemoteFile, ...]
    root: str = ""
    extras: tuple[Extra, ...] = ()


def _mirror(archive: str, root: str, *extras: Extra) -> Source:
    return Source("mirror", (HubFile(MIRROR, archive),), root, extras)


def _official(*urls: str, root: str = "", extras: tuple[Extra, ...] = ()) -> Source:
    return Source("official", tuple(map(WebFile, urls)), root, extras)


_GITHUB = "https://raw.githubusercontent.com"
_KONIQ_SPLIT = Extra(WebFile(f"{_GITHUB}/subpic/koniq/master/metadata/koniq10k_distributions_sets.csv"))
_SPAQ_TEST = Extra(WebFile(f"{_GITHUB}/Q-Future/Q-Align/main/playground/data/test_jsons/test_spaq.json"), needed=False)
_LABELS = f"{_GITHUB}/lcysyzxdxc/AGIQA-3k-Database/main/data.csv"
_FLIVE = f"{_GITHUB}/baidut/PaQ-2-PiQ/master/database"
_QBENCH = "teowu/LLVisionQA-QBench"

SOURCES: Mapping[str, tuple[Source, ...]] = MappingProxyType(
    {
        "koniq": (
            _mirror("koniq10k.tgz", "koniq10k", _KONIQ_SPLIT),
            _official(
                f"{KONSTANZ}/koniq10k_1024x768.zip",
                f"{KONSTANZ}/koniq10k_512x384.zip",
                f"{KONSTANZ}/koniq10k_scores_and_distributions.zip",
                extras=(_KONIQ_SPLIT,),
            ),
        ),
        "spaq": (_mirror("spaq.tgz", "SPAQ", _SPAQ_TEST),),
        "kadid": (_mirror("kadid10k.tgz", "kadid10k"), _official(f"{KONSTANZ}/kadid10k.zip", root="kadid10k")),
        "clive": (_mirror("live_challenge.tgz", "LIVEC"),),
        "csiq": (_mirror("csiq.tgz", "CSIQ"),),
        "tid2013": (_mirror("tid2013.tgz", "tid2013"),),
        "live": (_mirror("live.tgz", "LIVEIQA_release2"),),
        "agiqa": (_mirror("AGIQA-3K.zip", "AGIQA-3K", Extra(WebFile(_LABELS))),),
        "flive": (
            _mirror(
                "flive.tgz",
                "FLIVE_Database",
                Extra(WebFile(f"{_FLIVE}/labels_image.csv")),
                Extra(WebFile(f"{_FLIVE}/labels640.csv"), needed=False),
            ),
        ),
        "pipal": (_mirror("pipal.tar", "PIPAL"),),
        "bid": (_mirror("BID.zip", "BID"),),
        "uhdiqa": (
            _official(
                f"{KONSTANZ}/UHD-IQA/UHD-IQA-database.zip",
                f"{KONSTANZ}/UHD-IQA/uhd-iqa-metadata.zip",
            ),
        ),
        "qbench-a1": (
            Source(
                "official",
                (HubFile(_QBENCH, "images_llvisionqa.tar"),),
                extras=(
                    Extra(HubFile(_QBENCH, "llvisionqa_dev.json")),
                    Extra(HubFile(_QBENCH, "llvisionqa_test.json"), needed=False),
                ),
            ),
        ),
    }
)
"""By the name of the set; the first place is tried first."""

NOT_FETCHED: Mapping[str, str] = MappingProxyType(
    {
        "qbench-a2": "the golden descriptions are not public, and the files of its images could not be looked up",
        "qbench2": "the files of its images could not be looked up",
        "abench": "its images are handed out after a form on the Hub",
        "meta": "it is a list of labels of images of other sets",
    }
)
"""Why a set is not fetched."""
