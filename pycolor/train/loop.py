"""The training loop, flat, to be read from top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pycolor.errors import FilmError, UsageError
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files
from pycolor.models.colorizer import Colorizer, place
from pycolor.models.predictor import choose_device
from pycolor.ops.reference import rgb_to_lab
from pycolor.system.atomic_file import atomic_write
from pycolor.train.data.augment import film_luma
from pycolor.train.data.made import grays
from pycolor.train.data.photos import Photo, Stream, center_crop, find_photos
from pycolor.train.distributed import Lesson, Processes, joined, own_device, shared
from pycolor.train.log import Log, Progress
from pycolor.train.objectives.choice import network_options, objective_for
from pycolor.train.objectives.objective import Sample
from pycolor.train.optimizers import make_optimizer
from pycolor.train.options import TrainOptions
from pycolor.train.validation_sheet import SHOWN, color, sheet


def learning_rate(step: int, options: TrainOptions) -> float:
    """Warm-up, plateau, drops, decay: a plateau lets a longer run start from a shorter one."""
    start = options.steps * (1 - options.decay)
    rate = options.lr * min(1.0, (step + 1) / max(1, options.warmup_steps))
    if step > start:
        rate *= 1 - math.sqrt((step - start) / max(1.0, options.steps - start))
    return rate * 0.1 ** sum(step >= drop for drop in options.drops)


def luma_lightness(luma: Tensor) -> Tensor:
    """L* of the neutral color with this luma (N×1×H×W, 0 … 1 → 0 … 100)."""
    return rgb_to_lab(luma.expand(-1, 3, -1, -1))[:, :1]


def split(photos: list[Photo], held_out: int, seed: int) -> tuple[list[Photo], list[Photo]]:
    """Training and validation photographs, by a fixed shuffle."""
    order = np.random.default_rng((seed, 2)).permutation(len(photos))
    held_out = min(held_out, len(photos) // 5)
    chosen = {int(i) for i in order[:held_out]}
    kept = [p for i, p in enumerate(photos) if i not in chosen]
    return kept, [photos[i] for i in sorted(chosen)]


def validation_batches(photos: list[Photo], size: int, batch: int) -> Iterator[Tensor]:
    """Central crops of the held-out photographs, N×3×S×S in 0 … 1."""
    crops: list[Tensor] = []
    for photo in photos:
        try:
            crops.append(torch.from_numpy(center_crop(photo.decode(), size).copy()))
        except (OSError, ValueError, SyntaxError):
            continue
        if len(crops) == batch:
            yield torch.stack(crops).permute(0, 3, 1, 2).float() / 255
            crops = []
    if crops:
        yield torch.stack(crops).permute(0, 3, 1, 2).float() / 255


def save_atomically(state: object, path: Path) -> None:
    """`torch.save` that leaves the old file or the new one, never half of one."""
    # By a path, torch would put the temporary name, which is never the same, into the file.
    with atomic_write(path, overwrite=True) as part, part.open("wb") as file:
        torch.save(state, file)


def train(
    options: TrainOptions,
    data: list[Path],
    out: Path,
    report: Callable[[Progress], None] = lambda _: None,
) -> Path:
    """Train a model; a run that stands in `out` is continued.

    Started by torchrun, it is one of several processes that share every batch.

    Args:
        options: see `TrainOptions`.
        data: folders and tars of color photographs.
        out: folder for checkpoint, log, pictures and weights.
        report: called about once a second and after each validation, in the first process.

    Returns:
        The weights file that was written (safetensors, averaged weights).

    Raises:
        UsageError: no usable pictures, `out` holds a run of other options, the batch cannot be
            shared evenly, or the device or an option cannot be used here.
        FilmError: no picture of a batch can be read, the loss is no number, or `out` cannot be
            written.
    """
    device = own_device(choose_device(options.device))
    with joined(device) as processes:
        return _train(options, data, out, report, device, processes)


def _train(
    options: TrainOptions,
    data: list[Path],
    out: Path,
    report: Callable[[Progress], None],
    device: torch.device,
    processes: Processes,
) -> Path:
    """The training as this process sees it."""
    if options.batch % processes.count:
        raise UsageError(
            f"a batch must be shared evenly by {processes.count} processes, got {options.batch}."
        )
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    photos, held_out = split(find_photos(data), options.validation, options.seed)
    stream = Stream(
        photos,
        options.batch,
        options.crop,
        options.seed,
        options.workers,
        options.sampling_weights,
    )

    model = zoo.create(options.model, **network_options(options, photos))
    if options.init is not None:
        weight_files.start_from(model, options.model, options.init)
    place(model, device)
    _hold_all_but(model, options)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(options.ema), use_buffers=True)
    averaged = cast(Colorizer, average.module)
    weights = [p for p in model.parameters() if p.requires_grad]
    trunk = dict(model.named_children()).get("trunk") if options.trunk_after else None
    if options.trunk_after and trunk is None:
        raise UsageError(
            f"{options.model} has no trunk: trunk-after must be 0, got {options.trunk_after}."
        )
    optimizer = make_optimizer(model, options)
    objective = objective_for(model, options, device)
    objective.photos = photos

    out.mkdir(parents=True, exist_ok=True)
    checkpoint, weights_file = out / "checkpoint.pt", out / f"{options.model}.safetensors"
    step = 0
    skipped: set[str] = set()
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        if saved["fixed"] != _fixed(options):
            raise UsageError(
                f"{out} holds a training with other options: expected {_fixed(options)}, "
                f"got {saved['fixed']}."
            )
        model.load_state_dict(saved["model"])
        average.load_state_dict(saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
        step, skipped = saved["step"], set(saved["skipped"])
        found = {name: saved[name] for name in objective.measured}
    else:
        found = processes.from_first(lambda: objective.measure(model, stream))
    objective.use(model, found)
    lesson = shared(Lesson(model, objective), processes)

    def sample_of(rgb: Tensor, luma: Tensor, photos: Sequence[int], chance: Generator) -> Sample:
        lightness = luma_lightness(luma).contiguous(memory_format=torch.channels_last)
        return Sample(lightness, rgb, photos, chance, step, made if photos else 0)

    def validate(log: Log) -> float:
        average.eval()
        total, pictures = 0.0, 0
        clean = torch.tensor([0.299, 0.587, 0.114], device=device).reshape(1, 3, 1, 1)
        with torch.no_grad():
            for rgb in validation_batches(held_out, options.crop.size_pixels, options.batch):
                rgb = rgb.to(device)
                chance = torch.Generator().manual_seed(options.seed)
                sample = sample_of(rgb, (rgb * clean).sum(1, keepdim=True), (), chance)
                if pictures == 0:
                    shown = sample.lightness[:SHOWN]
                    ab = color(averaged, shown, zoo.card(options.model).temperature or 0.0)
                    log.show(step, sheet(shown.cpu(), ab, rgb[:SHOWN].cpu()))
                total += float(objective.loss(averaged, sample)) * len(rgb)
                pictures += len(rgb)
        return total / max(1, pictures)

    made = round(options.made * options.batch / processes.count)
    log = Log(out, step, tensorboard=options.tensorboard) if processes.first else None
    last_report, last_step = time.monotonic(), step
    running = 0.0
    batches = stream.batches(step, (processes.rank, processes.count))
    # A run that ended early has ended, also when it is started again.
    over = step > 0 and processes.from_first(lambda: _over(log, options))
    while step < options.end and not over:
        batch = next(batches)
        skipped.update(batch.skipped)
        rgb = batch.rgb.to(device).float() / 255
        chance = _chance(options.seed, step, processes.rank)
        if made:
            rgb[:made] = grays(rgb[:made], chance)
        luma = film_luma(rgb, options.film, chance)

        model.train()
        if trunk is not None:
            trunk.eval().requires_grad_(step >= options.trunk_after and not options.only)
        if options.only:
            _hold_statistics(model)
        rate = learning_rate(step, options)
        for group in optimizer.param_groups:
            group["lr"] = rate * group.get("share", 1.0)
        objective.before(step, (model, averaged))
        loss = lesson(sample_of(rgb, luma, batch.photos, chance))
        if not torch.isfinite(loss):
            raise FilmError(f"the loss must stay finite, got {float(loss)} at step {step}.")
        loss.backward()
        nn.utils.clip_grad_norm_(weights, options.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        average.update_parameters(model)
        step += 1
        now_loss = float(loss.detach())
        running = now_loss if running == 0 else 0.98 * running + 0.02 * now_loss

        due = step % options.validate_every == 0 or step == options.end
        skipped = processes.union(skipped) if due else skipped
        now = time.monotonic()
        if log is not None and (due or now - last_report > 1):
            speed = (step - last_step) * options.batch / max(1e-9, now - last_report)
            last_report, last_step = now, step
            validation = validate(log) if due else None
            progress = Progress(step, options.end, running, rate, speed, len(skipped), validation)
            report(progress)
            if due:
                log.write(progress)
                save_atomically(
                    {
                        "fixed": _fixed(options),
                        "step": step,
                        "model": model.state_dict(),
                        "average": average.state_dict(),
                        "optimizer": optimizer.state_dict(),
                        **found,
                        "skipped": sorted(skipped),
                    },
                    checkpoint,
                )
                last_report, last_step = time.monotonic(), step
        over = due and processes.from_first(lambda: _over(log, options))
    batches.close()  # type: ignore[attr-defined]
    if log is not None:
        log.close()
        if options.keep and options.init is not None:
            _keep_start(averaged, options)
        final = objective.finish(averaged)
        weight_files.write(
            weights_file,
            options.model,
            final.state_dict(),
            final.options,
            {"steps": str(step), "batch": str(options.batch), "pictures": str(len(photos))},
        )
    return weights_file


def _hold_all_but(model: Colorizer, options: TrainOptions) -> None:
    """Let only the weights of the options learn.

    Raises:
        UsageError: there are none of this name.
    """
    if not options.only:
        return
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(options.only))
    if not any(p.requires_grad for p in model.parameters()):
        raise UsageError(f"{options.model} has no weights whose name begins with {options.only}.")


def _hold_statistics(model: nn.Module) -> None:
    """Normalize as in prediction."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def _keep_start(averaged: Colorizer, options: TrainOptions) -> None:
    """Move the averaged weights towards those that the run began with, by the share `keep`."""
    assert options.init is not None
    start = weight_files.starting_state(options.model, options.init)
    with torch.no_grad():
        for name, value in averaged.state_dict().items():
            if name in start and value.is_floating_point():
                value.lerp_(start[name].to(value), options.keep)


def _chance(seed: int, step: int, rank: int) -> Generator:
    """Of the film and the objective in one step of one process."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step + rank * 2**40)


def _over(log: Log | None, options: TrainOptions) -> bool:
    """Whether the validations say that more steps bring nothing."""
    return log is not None and log.stale(options.patience, after=options.pair.reference_steps)


def _fixed(options: TrainOptions) -> dict[str, Any]:
    """The options that a continued run may not change: all that shape the optimizer's state."""
    every, usual = asdict(options), asdict(TrainOptions())
    names = ("model", "width", "batch", "seed", "uniform", "validation", "gray_limit")
    # Options that came later are named where they are not the usual: older runs go on.
    later = [
        n
        for n in (
            *("network", "optimizer", "beta2", "huber", "labels", "pair", "trunk_share"),
            *("sampling", "made", "guided", "only"),
        )
        if every[n] != usual[n]
    ]
    return {name: every[name] for name in (*names, *later)}
