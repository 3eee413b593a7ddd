"""What a comparison of two films found."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

State = Literal["ok", "differs", "note"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the report.

    Attributes:
        name: what was compared.
        state: ok, differs, or note (nothing to fail, but to be known).
        detail: in words, with both values where they differ.
        stream: index in the source's file, of the stream it is about; None for the film.
        key: of the tag or the mark, empty where the check is about more than one value.
        expected: as the source has it, empty if it has none.
        got: as the result has it, empty if it has none.
    """

    name: str
    state: State
    detail: str
    stream: int | None = None
    key: str = ""
    expected: str = ""
    got: str = ""


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """What `verify` found.

    Attributes:
        source, result: the files.
        frames: pairs of frames compared; `identical_frames` of them have the same luma.
        luma_digest: SHA-256 over the SHA-256 of each luma plane of the result.
        mean_psnr_db: of luma, over the frames that differ; infinite if none does.
        least_psnr_db: of the worst frame.
        checks: line by line.
    """

    source: str
    result: str
    frames: int
    identical_frames: int
    luma_digest: str
    mean_psnr_db: float
    least_psnr_db: float
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(check.state != "differs" for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`, none of them NaN or infinite: those are None."""
        plain = asdict(self)
        for key in ("mean_psnr_db", "least_psnr_db"):
            if not math.isfinite(plain[key]):
                plain[key] = None
        plain["checks"] = list(plain["checks"])
        return {"ok": self.ok, **plain}


def same(name: str, before: str, after: str, *, lacking: frozenset[str] = frozenset()) -> Check:
    """A check of one value; a note where the output cannot bear a mark of that name."""
    check = partial(Check, name=name, key=name, expected=before, got=after)
    if before == after:
        return check(state="ok", detail=before)
    if name in lacking:
        detail = f"{before} in the source; the result's format cannot say it"
        return check(state="note", detail=detail)
    detail = f"{before} in the source, {after} in the result"
    return check(state="differs", detail=detail)
