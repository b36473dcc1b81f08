"""The data sets that can be downloaded: who made them, under which licence, where their files are, and their hashes.

Sizes and SHA-256 of KMNIST, CIFAR, EMNIST and SVHN are those recorded by TensorFlow Datasets; MD5 of QMNIST are those
of torchvision, and of MedMNIST those published by its authors (`medmnist/info.py`). Where only an MD5 is published, it
is used: it tells a broken transfer, not a forged one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import digits
from typing import Any

from glassnet.datasets.catalogue.download import Remote
from glassnet.datasets.catalogue.originals import Original, read_cifar, read_emnist, read_idx, read_medmnist, read_svhn
from glassnet.datasets.sources.idx import EMNIST_CLASSES


@dataclass(frozen=True)
class Published:
    """A data set that others publish.

    Args:
        name: what it is called on the command line.
        title: its name in prose.
        about: one line: what the pictures show.
        classes: names of the classes; empty where the files hold them.
        licence: under which it may be used.
        credit: who made it.
        home: the page of its authors.
        folder: where its files are kept, in the cache; data sets with files in common share one.
        files: what is downloaded, in the order that `read` wants.
        read: makes arrays of the files.
        counts: number of images by split.
        image_shape: of one image.
        class_count: number of classes.
    """

    name: str
    title: str
    about: str
    classes: tuple[str, ...]
    licence: str
    credit: str
    home: str
    folder: str
    files: tuple[Remote, ...]
    read: Callable[[Sequence[Path]], Original]
    counts: dict[str, int]
    image_shape: tuple[int, ...]
    class_count: int

    @property
    def bytes(self) -> int | None:
        """What is downloaded; None where that is not published."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)

    def record(self) -> dict[str, Any]:
        """Return plain JSON values, with the names that `glassnet datasets --json` uses."""
        return {
            "name": self.name,
            "title": self.title,
            "about": self.about,
            "kind": "download",
            "train": self.counts.get("train"),
            "validation": self.counts.get("validation"),
            "test": self.counts.get("test"),
            "image_shape": list(self.image_shape),
            "classes": list(self.classes),
            "class_count": self.class_count,
            "bytes": self.bytes,
            "licence": self.licence,
            "credit": self.credit,
            "home": self.home,
            "files": [
                {
                    "name": one.name,
                    "mirrors": list(one.mirrors),
                    "size": one.size,
                    "sha256": one.sha256 or None,
                    "md5": one.md5 or None,
                }
                for one in self.files
            ],
        }


CIFAR_10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

EMNIST_FILE = Remote(
    "gzip.zip",
    (
        "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
        "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/gzip.zip",
        "https://rds.westernsydney.edu.au/Institutes/MARCS/BENS/EMNIST/emnist-gzip.zip",
    ),
    561_753_746,
    "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
)


def _emnist(part: str, about: str, classes: tuple[str, ...], first: int, counts: dict[str, int]) -> Published:
    return Published(
        name=f"emnist-{part}",
        title=f"EMNIST {part.capitalize()}",
        about=about,
        classes=classes,
        licence="public domain (NIST Special Database 19)",
        credit="Gregory Cohen, Saeed Afshar, Jonathan Tapson, André van Schaik (2017)",
        home="https://www.nist.gov/itl/products-and-services/emnist-dataset",
        folder="emnist",
        files=(EMNIST_FILE,),
        read=partial(read_emnist, part=part, first=first),
        counts=counts,
        image_shape=(28, 28),
        class_count=len(classes),
    )


def _idx_files(base: Sequence[str], *facts: tuple[str, int | None, str, str]) -> tuple[Remote, ...]:
    return tuple(
        Remote(name, tuple(address + name for address in base), size, sha256, md5) for name, size, sha256, md5 in facts
    )


def _cifar(name: str, classes: int, size: int, sha256: str, more: tuple[str, ...] = ()) -> Published:
    file = f"{name}-binary.tar.gz"
    fine = name == "cifar-100"
    return Published(
        name=name,
        title=name.upper(),
        about=f"small colour photos of {classes} kinds of animals and things",
        classes=() if fine else CIFAR_10,
        licence="none stated by its authors",
        credit="Alex Krizhevsky, Vinod Nair, Geoffrey Hinton (2009)",
        home="https://www.cs.toronto.edu/~kriz/cifar.html",
        folder="cifar",
        files=(
            Remote(
                file,
                (f"https://www.cs.toronto.edu/~kriz/{file}", f"https://cave.cs.toronto.edu/kriz/{file}", *more),
                size,
                sha256,
            ),
        ),
        read=partial(
            read_cifar, label_bytes=2 if fine else 1, names="fine_label_names.txt" if fine else "batches.meta.txt"
        ),
        counts={"train": 50_000, "test": 10_000},
        image_shape=(32, 32, 3),
        class_count=classes,
    )


ZENODO = ("https://zenodo.org/records/10519652/files", "https://zenodo.org/records/6496656/files")
"""MedMNIST's current record and the one before; most files are the same."""


def _medmnist(
    title: str,
    md5: str,
    about: str,
    classes: tuple[str, ...],
    counts: tuple[int, int, int],
    *,
    colour: bool = False,
    licence: str = "CC BY 4.0",
    size: int | None = None,
    records: tuple[str, ...] = ZENODO,
) -> Published:
    name = title.lower()
    return Published(
        name=name,
        title=title,
        about=about,
        classes=classes,
        licence=licence,
        credit="MedMNIST: Jiancheng Yang, Rui Shi, Donglai Wei, Zequan Liu, Lin Zhao, Bilian Ke, Hanspeter Pfister, "
        "Bingbing Ni (2023)",
        home="https://medmnist.com",
        folder="medmnist",
        files=(Remote(f"{name}.npz", tuple(f"{base}/{name}.npz?download=1" for base in records), size, md5=md5),),
        read=read_medmnist,
        counts=dict(zip(("train", "validation", "test"), counts, strict=True)),
        image_shape=(28, 28, 3) if colour else (28, 28),
        class_count=len(classes),
    )


ORGANS = (
    "bladder", "femur-left", "femur-right", "heart", "kidney-left", "kidney-right", "liver", "lung-left", "lung-right",
    "pancreas", "spleen",
)  # fmt: skip

_ALL = (
    _emnist(
        "letters",
        "grayscale scans of handwritten letters, large and small ones together",
        tuple(EMNIST_CLASSES["letters"]),
        1,
        {},  # publications differ in the number of images of this part
    ),
    _emnist(
        "balanced",
        "grayscale scans of handwritten digits and letters, as many of each",
        tuple(EMNIST_CLASSES["balanced"]),
        0,
        {"train": 112_800, "test": 18_800},
    ),
    Published(
        name="kmnist",
        title="Kuzushiji-MNIST",
        about="grayscale scans of cursive Japanese characters",
        classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        licence="CC BY-SA 4.0",
        credit="CODH and NIJL: Tarin Clanuwat, Mikel Bober-Irizar, Asanobu Kitamoto and others (2018)",
        home="http://codh.rois.ac.jp/kmnist/",
        folder="kmnist",
        files=_idx_files(
            ("https://codh.rois.ac.jp/kmnist/dataset/kmnist/", "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"),
            (
                "train-images-idx3-ubyte.gz",
                18_165_135,
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                "bdb82020997e1d708af4cf47b453dcf7",
            ),
            (
                "train-labels-idx1-ubyte.gz",
                29_497,
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                "e144d726b3acfaa3e44228e80efcd344",
            ),
            (
                "t10k-images-idx3-ubyte.gz",
                3_041_136,
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                "5c965bf0a639b31b8f53240b1b52f4d7",
            ),
            (
                "t10k-labels-idx1-ubyte.gz",
                5_120,
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
                "7320c461ea6c1c855c0b718fb2a4b134",
            ),
        ),
        read=read_idx,
        counts={"train": 60_000, "test": 10_000},
        image_shape=(28, 28),
        class_count=10,
    ),
    Published(
        name="qmnist",
        title="QMNIST",
        about="MNIST reconstructed from its source, with all 60,000 test digits",
        classes=tuple(digits),
        licence="BSD-3-Clause",
        credit="Chhavi Yadav, Léon Bottou (2019)",
        home="https://github.com/facebookresearch/qmnist",
        folder="qmnist",
        files=_idx_files(
            ("https://raw.githubusercontent.com/facebookresearch/qmnist/master/",),
            ("qmnist-train-images-idx3-ubyte.gz", None, "", "ed72d4157d28c017586c42bc6afe6370"),
            ("qmnist-train-labels-idx2-int.gz", None, "", "0058f8dd561b90ffdd0f734c6a30e5e4"),
            ("qmnist-test-images-idx3-ubyte.gz", None, "", "1394631089c404de565df7b7aeaf9412"),
            ("qmnist-test-labels-idx2-int.gz", None, "", "5b5b05890a5e13444e108efe57b788aa"),
        ),
        read=read_idx,
        counts={"train": 60_000, "test": 60_000},
        image_shape=(28, 28),
        class_count=10,
    ),
    _cifar(
        "cifar-10",
        10,
        170_052_171,
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ("https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz",),
    ),
    _cifar("cifar-100", 100, 168_513_733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),
    Published(
        name="svhn",
        title="Street View House Numbers",
        about="colour photos of the digits of house numbers",
        classes=tuple(digits),
        licence="non-commercial use only",
        credit="Yuval Netzer, Tao Wang, Adam Coates, Alessandro Bissacco, Bo Wu, Andrew Y. Ng (2011)",
        home="http://ufldl.stanford.edu/housenumbers/",
        folder="svhn",
        files=(
            Remote(
                "train_32x32.mat",
                ("http://ufldl.stanford.edu/housenumbers/train_32x32.mat",),
                182_040_794,
                "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
                "e26dedcc434d2e4c54c9b2d4a06d8373",
            ),
            Remote(
                "test_32x32.mat",
                ("http://ufldl.stanford.edu/housenumbers/test_32x32.mat",),
                64_275_384,
                "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
                "eb5a983be6a315427106f1b164d9cef3",
            ),
        ),
        read=read_svhn,
        counts={"train": 73_257, "test": 26_032},
        image_shape=(32, 32, 3),
        class_count=10,
    ),
    _medmnist(
        "PathMNIST",
        "a8b06965200029087d5bd730944a56c1",
        "tissue of the colon under the microscope, in colour",
        (
            "adipose",
            "background",
            "debris",
            "lymphocytes",
            "mucus",
            "smooth muscle",
            "normal colon mucosa",
            "cancer-associated stroma",
            "colorectal adenocarcinoma epithelium",
        ),
        (89_996, 10_004, 7_180),
        colour=True,
        size=205_615_438,
    ),
    _medmnist(
        "BloodMNIST",
        "7053d0359d879ad8a5505303e11de1dc",
        "blood cells under the microscope, in colour",
        (
            "basophil",
            "eosinophil",
            "erythroblast",
            "immature granulocytes",
            "lymphocyte",
            "monocyte",
            "neutrophil",
            "platelet",
        ),
        (11_959, 1_712, 3_421),
        colour=True,
    ),
    _medmnist(
        "DermaMNIST",
        "0744692d530f8e62ec473284d019b0c7",
        "lesions of the skin, in colour",
        (
            "actinic keratoses and intraepithelial carcinoma",
            "basal cell carcinoma",
            "benign keratosis-like lesions",
            "dermatofibroma",
            "melanoma",
            "melanocytic nevi",
            "vascular lesions",
        ),
        (7_007, 1_003, 2_005),
        colour=True,
        licence="CC BY-NC 4.0",
    ),
    _medmnist(
        "OCTMNIST",
        "c68d92d5b585d8d81f7112f81e2d0842",
        "optical coherence tomography of the retina",
        ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
        (97_477, 10_832, 1_000),
    ),
    _medmnist(
        "PneumoniaMNIST",
        "28209eda62fecd6e6a2d98b1501bb15f",
        "X-rays of children's chests",
        ("normal", "pneumonia"),
        (4_708, 524, 624),
    ),
    _medmnist(
        "BreastMNIST",
        "750601b1f35ba3300ea97c75c52ff8f6",
        "ultrasound of the breast",
        ("malignant", "normal, benign"),
        (546, 78, 156),
    ),
    _medmnist(
        "TissueMNIST",
        "ebe78ee8b05294063de985d821c1c34b",
        "cells of the kidney's cortex",
        (
            "Collecting Duct, Connecting Tubule",
            "Distal Convoluted Tubule",
            "Glomerular endothelial cells",
            "Interstitial endothelial cells",
            "Leukocytes",
            "Podocytes",
            "Proximal Tubule Segments",
            "Thick Ascending Limb",
        ),
        (165_466, 23_640, 47_280),
    ),
    _medmnist(
        "OrganAMNIST",
        "68e3f8846a6bd62f0c9bf841c0d9eacc",
        "organs in computed tomography, from above",
        ORGANS,
        (34_561, 6_491, 17_778),
        records=ZENODO[:1],  # corrected there; the record before it holds other images
    ),
)

PUBLISHED = {one.name: one for one in _ALL}
"""The data sets that can be downloaded, by name."""
