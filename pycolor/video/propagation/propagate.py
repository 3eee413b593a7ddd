"""Color over time: one object keeps one color inside a shot, and nothing crosses a cut.

The model colors key frames alone.  Every frame, the key frames too, shows the weighted mean of
the key frames around it, each carried along motion: flows between neighboring frames are chained
to each key frame, corrected by one more search, and weighed by how well the pictures agree there
and by how far away in time the key frame is.  What a frame shows depends on frames within the
plan's reach alone, so any part of a film can be colored by itself.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor import ops
from pycolor.video.plan.plan import Plan, ShotBody, TransitionSpan
from pycolor.video.propagation.flow import chain, search
from pycolor.video.propagation.lookahead import Lookahead, l_to_luma

_REFINEMENT_PIXELS = 1  # how far a chained flow is corrected


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The color that one shot gives to a frame.

    Attributes:
        shot: first frame of the shot's body.
        share: how much of the frame is the shot's: 1 but in a dissolve or fade.
        field: 2×h×w ab.
    """

    shot: int
    share: float
    field: Tensor


Parts = tuple[Part, ...]  # of one frame


def fields(lookahead: Lookahead, plan: Plan, first: int, stop: int) -> Iterator[Parts | None]:
    """The chroma fields of frames first … stop − 1, in order.

    Args:
        lookahead: of the film, from `plan.first_needed(first)` on or from earlier.
        plan: of the film.
        first: number of the first frame.
        stop: one past the last.

    Yields:
        what the frame's shots give it; None where the source's own color stays.
    """
    carried: dict[int, KeyframePropagator] = {}

    def of(body: ShotBody) -> KeyframePropagator:
        if body.start not in carried:
            carried[body.start] = KeyframePropagator(body, lookahead, plan.reach)
        return carried[body.start]

    for span in plan.spans:
        numbers = range(max(first, span.start), min(stop, span.stop))
        if not numbers:
            continue
        if span.passthrough:
            for n in numbers:
                lookahead.forget(n)
                yield None
        elif isinstance(span, ShotBody):
            for n in numbers:
                lookahead.forget(plan.first_needed(n))
                yield (Part(shot=span.start, share=1.0, field=of(span).field(n)),)
        else:
            yield from _mixed(span, lookahead, of, numbers)
            if span.before is not None:
                carried.pop(span.before.start, None)
        for start in [s for s, c in carried.items() if c.body.stop < span.start]:
            del carried[start]


class KeyframeInterval:
    """The flows of the frames from one key frame to the next, to both of them.

    Attributes:
        to_previous: flow to the first key frame, by frame.
        to_next: flow to the second.
    """

    def __init__(self, numbers: Sequence[int], lookahead: Lookahead) -> None:
        guides = [lookahead.motion_frame(n) for n in numbers]
        earlier, later = torch.cat(guides[:-1]), torch.cat(guides[1:])
        flows = search(torch.cat([earlier, later]), torch.cat([later, earlier]))
        onward, backward = flows.chunk(2)  # n → n + 1, n + 1 → n
        zero = torch.zeros_like(flows[:1])
        self.to_previous = {numbers[0]: zero}
        for i, n in enumerate(numbers[1:]):
            self.to_previous[n] = chain(backward[i : i + 1], self.to_previous[numbers[i]])
        self.to_next = {numbers[-1]: zero}
        for i in reversed(range(len(numbers) - 1)):
            self.to_next[numbers[i]] = chain(onward[i : i + 1], self.to_next[numbers[i + 1]])


class KeyframePropagator:
    """The fields of one shot."""

    def __init__(self, body: ShotBody, lookahead: Lookahead, reach: int) -> None:
        self.body = body
        self._sights = lookahead
        self._reach = reach
        self._usable = body.usable()
        self._blocks: dict[int, KeyframeInterval] = {}
        self._between: dict[tuple[int, int], Tensor] = {}

    def field(self, n: int) -> Tensor:
        """2×h×w, of frame n of the shot."""
        n = self.body.shown(n)
        keys = self.body.keys
        place = bisect_right(keys, n) - 1
        if self._reach == 1:  # every frame is a key frame
            return self._sights.field(n)[0]
        self._forget(n)
        used = [i for i, key in enumerate(keys) if abs(key - n) < self._reach]
        flows = []
        for i in used:
            side = place if i <= place else place + 1
            flows.append(self._to_key(n, place, side, i))
        return self._carry(n, used, torch.cat(flows))

    def _carry(self, n: int, used: list[int], flows: Tensor) -> Tensor:
        keys = [self.body.keys[i] for i in used]
        guide = self._sights.motion_frame(n).expand(len(keys), -1, -1, -1)
        guides = torch.cat([self._sights.motion_frame(key) for key in keys])
        flows, cost = ops.motion_search(guide, guides, flows, radius=_REFINEMENT_PIXELS)
        chroma = torch.cat([self._sights.field(key) for key in keys])
        weight = [math.cos(math.pi / 2 * (key - n) / self._reach) ** 2 for key in keys]
        flows, cost = _on_grid(flows, cost, chroma.shape[2], chroma.shape[3])
        return ops.carry_chroma(chroma, flows, cost, torch.tensor(weight, device=chroma.device))[0]

    def _to_key(self, n: int, place: int, side: int, i: int) -> Tensor:
        """Flow from frame n to key frame i, by the key frame `side` beside n."""
        if n == self.body.keys[side]:
            return self._sights.no_flow() if i == side else self._key_to_key(side, i)
        block = self._block(place)
        near = block.to_previous[n] if side == place else block.to_next[n]
        return near if i == side else chain(near, self._key_to_key(side, i))

    def _key_to_key(self, i: int, j: int) -> Tensor:
        """Flow from key frame i to key frame j, over those between."""
        if (i, j) not in self._between:
            step = 1 if j > i else -1
            block = self._block(min(i, i + step))
            key = self.body.keys[i]
            flow = block.to_next[key] if step == 1 else block.to_previous[key]
            if i + step != j:
                flow = chain(flow, self._key_to_key(i + step, j))
            self._between[i, j] = flow
        return self._between[i, j]

    def _block(self, i: int) -> KeyframeInterval:
        if i not in self._blocks:
            first, last = self.body.keys[i], self.body.keys[i + 1]
            low, high = bisect_right(self._usable, first) - 1, bisect_right(self._usable, last)
            self._blocks[i] = KeyframeInterval(self._usable[low:high], self._sights)
        return self._blocks[i]

    def _forget(self, n: int) -> None:
        """Drop flows that no later frame uses."""
        keys = self.body.keys
        for i in [i for i in self._blocks if keys[i + 1] <= n - self._reach]:
            del self._blocks[i]
        for pair in [p for p in self._between if keys[min(p)] <= n - self._reach]:
            del self._between[pair]


def _on_grid(flows: Tensor, cost: Tensor, h: int, w: int) -> tuple[Tensor, Tensor]:
    """Flows in pixels as flows in cells of an h×w field, and their costs."""
    rows, columns = flows.shape[2:]
    scale = torch.tensor([h / rows, w / columns], device=flows.device) / ops.MOTION_CELL
    flows = flows * scale[:, None, None]
    if (rows, columns) == (h, w):
        return flows, cost
    both = torch.cat([flows, cost], 1)
    both = F.interpolate(both, (h, w), mode="bilinear", align_corners=False)
    return both[:, :2], both[:, 2:]


def _mixed(
    span: TransitionSpan,
    lookahead: Lookahead,
    of: Callable[[ShotBody], KeyframePropagator],
    numbers: range,
) -> Iterator[Parts]:
    """A dissolve or fade: the colors of both sides, in the measured shares."""
    sides = [body for body in (span.before, span.after) if body is not None]
    edges = [t.stop - 1 if t is span.before else t.start for t in sides]
    colors = [of(body).field(edge) for body, edge in zip(sides, edges, strict=True)]
    pictures = [lookahead.motion_frame(edge) for edge in edges]
    for n in numbers:
        shares, certainty = _shares(lookahead.motion_frame(n), pictures)
        if span.kind == "dissolve":
            shares = _of_one(shares)
            if len(sides) == 2:  # what moved since the edges is not measured: time tells then
                passed = (n + 1 - span.start) / (span.stop - span.start + 1)
                ramp = [1 - passed, passed]
                shares = [
                    certainty * share + (1 - certainty) * r
                    for share, r in zip(shares, ramp, strict=True)
                ]
        yield tuple(
            Part(shot=side.start, share=share, field=color)
            for side, share, color in zip(sides, shares, colors, strict=True)
        )


def _of_one(shares: list[float]) -> list[float]:
    total = sum(shares)
    return [share / total for share in shares] if total > 0 else shares


def _shares(picture: Tensor, sides: list[Tensor]) -> tuple[list[float], float]:
    """How much of each side a picture shows: least squares without the mean brightness.

    Returns:
        the shares, 0 … 1 each, and how much of the picture they explain, 0 … 1.
    """
    # Pictures mix in the luma, which the guides' lightness bends.
    luma = l_to_luma(torch.arange(256.0, device=picture.device) / 2.55).double() * 255
    target = luma[picture.long().flatten()]
    basis = torch.stack([luma[side.long().flatten()] for side in sides])
    target, basis = target - target.mean(), basis - basis.mean(1, keepdim=True)
    gram = basis @ basis.T + 1e-3 * target.numel() * torch.eye(len(sides), device=basis.device)
    shares = torch.linalg.solve(gram, basis @ target)
    if len(sides) == 2 and bool((shares < 0).any()):  # one side alone explains it better
        shares = torch.where(shares < 0, 0.0, (basis @ target) / gram.diagonal())
    shares = shares.clamp(0, 1)
    left = target - shares @ basis
    power = float(target @ target)
    certainty = max(0.0, 1 - float(left @ left) / power) ** 2 if power > 0 else 0.0
    return [float(share) for share in shares], certainty
