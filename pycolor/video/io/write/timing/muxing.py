"""How a film's times are told to a container, and which options its muxer is given."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from av.packet import Packet

from pycolor.errors import UsageError
from pycolor.video.io.containers.codecs.dpx_header import DPX_HEADERS, complete_dpx
from pycolor.video.io.containers.presets import Preset
from pycolor.video.io.containers.spec import ContainerSpec, spec_of
from pycolor.video.io.containers.timecode import later_timecode
from pycolor.video.io.read.reader import Reader
from pycolor.video.io.write.timing.clock import Clock, Grid, constant_clock, grid_clock


def beginning(reader: Reader, container: str) -> Fraction:
    """The time of the source that is 0 in an output, seconds."""
    if reader.start_time is not None:
        return reader.start_time
    return reader.begin if spec_of(container).fixed_rate else reader.origin


def refuse_rate(rate: Fraction, spec: ContainerSpec) -> None:
    """Raise UsageError where a container holds certain rates only, and not a film's."""
    held = spec.rates
    if held and rate not in held:
        known = ", ".join(f"{float(r):.3f}".rstrip("0").rstrip(".") for r in held)
        raise UsageError(
            f"{spec.called.upper()} holds {known} frames a second; this film has "
            f"{float(rate):.6g}: name an output with .mkv, .mp4 or .mov, which hold any rate."
        )


def output_clock(
    reader: Reader, spec: ContainerSpec, grid: Grid | None, *, shift: Fraction
) -> Clock:
    """The clock of an output whose time 0 is the source's `shift`.

    `grid` is what the frames lie on, where they are all known.
    """
    base = reader.info.time_base
    if spec.clock:
        return Clock(source_base=base, time_base=spec.clock, shift=shift)
    if spec.fixed_rate:
        return Clock(source_base=base, time_base=1 / reader.info.rate, shift=shift)
    if grid is not None:
        if abs(grid.origin - shift) <= grid.tolerance:  # the film's first frame was rounded
            shift = grid.origin
        return constant_clock(base, grid, shift=shift)
    return grid_clock(base, rate=reader.info.rate, origin=reader.begin, shift=shift)


def muxer_options(
    reader: Reader, container: str, preset: Preset, clock: Clock, *, free_keys: bool
) -> dict[str, str]:
    """FFmpeg's options for a container of its.

    With `free_keys` the film's tags need QuickTime's list of free keys.
    """
    spec = spec_of(container)
    options = {**spec.options, **preset.muxer_options}
    if spec.edit_list:
        flags = (spec.options, preset.muxer_options)
        options["movflags"] = "".join(o.get("movflags", "") for o in flags)
        if free_keys:
            options["movflags"] += "+use_metadata_tags"
        # Edit lists count in this; the default of 1000 would round the film's start.
        options["movie_timescale"] = str(clock.time_base.denominator)
    else:
        options.pop("movflags", None)
    if container == "image2":
        options["start_number"] = str(reader.first_number)
        if reader.has_holes:  # the pictures' numbers are their times
            options["frame_pts"] = "1"
    return options


def with_scan_header(packet: Packet[Any], reader: Reader) -> Packet[Any]:
    """A DPX picture with the header of the scan that it was made of."""
    ticks, rate, timecode = packet.pts or 0, reader.info.rate, reader.timecode
    scan = reader.picture_file(ticks)
    source = b""
    if scan is not None and scan.suffix.lower() == ".dpx":
        with scan.open("rb") as file:
            source = file.read(DPX_HEADERS)
    completed = complete_dpx(
        bytes(packet),
        source,
        name=scan.name if scan is not None else "",
        rate=rate,
        timecode=(timecode and later_timecode(timecode, ticks, rate)) or "",
        number=ticks,
    )
    made: Packet[Any] = Packet(completed)
    made.pts, made.dts, made.duration = packet.pts, packet.dts, packet.duration
    made.time_base, made.stream, made.is_keyframe = packet.time_base, packet.stream, True
    return made
