"""Color over time: one object keeps one color inside a shot, and nothing crosses a cut.

The model colors key frames alone.  Every frame, the key frames too, shows the weighted mean of
the key frames around it, each carried along motion: flows between neighboring frames are chained
to each key frame, corrected by one more search, and weighed by how well the pictures agree there
and by how far away in time the key frame is.  What a frame shows depends on frames within the
plan's reach alone, so any part of a film can be colored by itself.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pycolor import ops
from pycolor.video.plan.brightness import l_to_luma
from pycolor.video.plan.plan import Plan, ShotBody, TransitionSpan
from pycolor.video.propagation.flow import search
from pycolor.video.propagation.lookahead import Lookahead

# How much more a key frame counts at itself for being guided, and how many frames around it do.
GUIDED, GUIDED_FRAMES = 15.0, 12
# Frames ahead of those that propagation needs, of which key frames are predicted meanwhile: as many
# as lie between two key frames where little moves.
AHEAD_FRAMES = 12
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
    last = plan.needed_until(stop - 1)

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
                lookahead.look_ahead(min(n + plan.reach + AHEAD_FRAMES, last))
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
        onward, backward = search(torch.cat([lookahead.motion_frame(n) for n in numbers]))
        # From both ends inward, two chains at a time.
        steps = torch.stack([backward, onward.flip(0)], 1)
        flows = torch.zeros_like(steps[0])
        self.to_previous = {numbers[0]: flows[:1]}
        self.to_next = {numbers[-1]: flows[1:]}
        for step, low, high in zip(steps, numbers[1:], numbers[-2::-1], strict=True):
            flows = ops.chain_flows(step, flows)
            self.to_previous[low], self.to_next[high] = flows[:1], flows[1:]


@dataclass(frozen=True, kw_only=True)
class _Around:
    """The key frames that count for frames between two neighboring ones, in order.

    Attributes:
        keys: their numbers.
        guides: K×1×H×W.
        chroma: their fields, K×2×h×w.
        left: flows from the first of the two to those before it, …×2×rows×columns.
        right: flows from the second of the two to those after it.
    """

    keys: Sequence[int]
    guides: Tensor
    chroma: Tensor
    left: Tensor | None
    right: Tensor | None


class KeyframePropagator:
    """The fields of one shot."""

    def __init__(self, body: ShotBody, lookahead: Lookahead, reach: int) -> None:
        self.body = body
        self._lookahead = lookahead
        self._reach = reach
        self._usable = body.usable()
        self._blocks: dict[int, KeyframeInterval] = {}
        self._between: dict[tuple[int, int], Tensor] = {}
        self._around: dict[tuple[int, int, int], _Around] = {}

    def field(self, n: int) -> Tensor:
        """2×h×w, of frame n of the shot."""
        n = self.body.shown(n)
        keys = self.body.keys
        if self._reach == 1:  # every frame is a key frame
            return self._lookahead.field(n)[0]
        self._forget(n)
        place = bisect_right(keys, n) - 1
        low, high = bisect_right(keys, n - self._reach), bisect_left(keys, n + self._reach)
        around = self._keys_around(place, low, high)
        flows = self._flows(n, place, low, high, around)
        return self._carry(n, around, flows)

    def _carry(self, n: int, around: _Around, flows: Tensor) -> Tensor:
        guide = self._lookahead.motion_frame(n).expand_as(around.guides)
        flows, cost = ops.motion_search(guide, around.guides, flows, radius=_REFINEMENT_PIXELS)
        chroma = around.chroma
        flows, cost = ops.flow_to_field(flows, cost, (chroma.shape[2], chroma.shape[3]))
        weight = [self._weight(key, n) for key in around.keys]
        return ops.blend_warped_chroma(
            chroma, flows, cost, torch.tensor(weight, dtype=torch.float32, device=chroma.device)
        )[0]

    def _weight(self, key: int, n: int) -> float:
        """How much a key frame counts for frame n, before what motion says."""
        weight = math.cos(math.pi / 2 * (key - n) / self._reach) ** 2
        if key in self.body.guided:
            weight *= 1 + GUIDED * max(0.0, 1 - abs(key - n) / GUIDED_FRAMES) ** 2
        return weight

    def _flows(self, n: int, place: int, low: int, high: int, around: _Around) -> Tensor:
        """Flows from frame n to the key frames low … high − 1, by those beside it."""
        flows = []
        if n == self.body.keys[place]:
            back, left = self._lookahead.no_flow(), around.left
        else:
            back = self._block(place).to_previous[n]
            left = None if around.left is None else _chained(back, around.left)
        if left is not None:
            flows.append(left)
        if low <= place < high:
            flows.append(back)
        if place + 1 < high:
            forth = self._block(place).to_next[n]
            if low <= place + 1:
                flows.append(forth)
            if around.right is not None:
                flows.append(_chained(forth, around.right))
        return torch.cat(flows)

    def _keys_around(self, place: int, low: int, high: int) -> _Around:
        """Of key frames low … high − 1, for a frame from `place` on and before the next."""
        found = self._around.get((place, low, high))
        if found is None:
            keys = self.body.keys[low:high]
            left = [self._key_to_key(place, i) for i in range(low, min(place, high))]
            right = [self._key_to_key(place + 1, i) for i in range(max(low, place + 2), high)]
            found = _Around(
                keys=keys,
                guides=torch.cat([self._lookahead.motion_frame(key) for key in keys]),
                chroma=torch.cat([self._lookahead.field(key) for key in keys]),
                left=torch.cat(left) if left else None,
                right=torch.cat(right) if right else None,
            )
            self._around = {(place, low, high): found}  # the next frames' alone
        return found

    def _key_to_key(self, i: int, j: int) -> Tensor:
        """Flow from key frame i to key frame j, over those between."""
        if (i, j) not in self._between:
            step = 1 if j > i else -1
            block = self._block(min(i, i + step))
            key = self.body.keys[i]
            flow = block.to_next[key] if step == 1 else block.to_previous[key]
            if i + step != j:
                flow = ops.chain_flows(flow, self._key_to_key(i + step, j))
            self._between[i, j] = flow
        return self._between[i, j]

    def _block(self, i: int) -> KeyframeInterval:
        if i not in self._blocks:
            first, last = self.body.keys[i], self.body.keys[i + 1]
            low, high = bisect_right(self._usable, first) - 1, bisect_right(self._usable, last)
            self._blocks[i] = KeyframeInterval(self._usable[low:high], self._lookahead)
        return self._blocks[i]

    def _forget(self, n: int) -> None:
        """Drop flows that no later frame uses."""
        keys = self.body.keys
        for i in [i for i in self._blocks if keys[i + 1] <= n - self._reach]:
            del self._blocks[i]
        for pair in [p for p in self._between if keys[min(p)] <= n - self._reach]:
            del self._between[pair]


def _chained(first: Tensor, second: Tensor) -> Tensor:
    """One flow chained with each of K others."""
    return ops.chain_flows(first.expand_as(second), second)


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
    luma = (
        l_to_luma(torch.arange(256.0, dtype=torch.float32, device=picture.device) / 2.55).double()
        * 255
    )
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
