"""The training loop, flat, to be read from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Generator, Tensor

from pycolor.errors import UsageError
from pycolor.models.checkpoints import weight_files
from pycolor.models.colorizer import Colorizer
from pycolor.models.inference.device import choose_device
from pycolor.train.data.augment import film_luma
from pycolor.train.data.made import Bank, grays
from pycolor.train.data.photos import Batch, Photo, Stream, find_photos
from pycolor.train.data.resident import ResidentStream
from pycolor.train.learning.checkpoint import restored, save
from pycolor.train.learning.distributed import LossModule, Processes, joined, own_device, shared
from pycolor.train.learning.learner import Learner
from pycolor.train.monitor.log import Log, Progress
from pycolor.train.monitor.validation import luma_lightness, split, validate
from pycolor.train.objectives.objective import Sample
from pycolor.train.recipes.options import TrainOptions

CHECKPOINT = "checkpoint.pt"
BANK = 1024  # made pictures that a run on a GPU draws once


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
    device = own_device(choose_device(options.device, kernels=False))
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
    _set_up(options, processes, device)
    photos, held_out = split(find_photos(data), options.validation, options.seed)
    stream = _stream(photos, options, device)
    made = _bank(stream, options, processes)
    learner = Learner.of(options, photos, device)

    out.mkdir(parents=True, exist_ok=True)
    step, skipped = 0, set[str]()
    if (out / CHECKPOINT).exists():
        step, skipped, found = restored(out / CHECKPOINT, learner, options)
    else:
        found = processes.from_first(lambda: learner.objective.measure(learner.model, stream))
    learner.objective.load_statistics(learner.model, found)
    loss_module = shared(LossModule(learner.model, learner.objective), processes)

    log = Log(out, step, tensorboard=options.tensorboard) if processes.first else None
    pace = _Pace(options, step)
    batches = stream.batches(step, (processes.rank, processes.count))
    # A run that ended early has ended, also when it is started again.
    over = step > 0 and processes.from_first(lambda: _over(log, options))
    while step < options.end and not over:
        batch = next(batches)
        skipped.update(batch.skipped)
        sample = _sample(batch, step, options, processes, device, made)
        loss, rate = learner.step(loss_module, sample, options)
        step += 1
        pace.take(loss)

        due = step % options.validate_every == 0 or step == options.end
        skipped = processes.union(skipped) if due else skipped
        if log is not None and (due or pace.silent > 1):
            speed = pace.speed(step)
            validation = validate(learner, held_out, options, log, step) if due else None
            told = Progress(step, options.end, pace.loss, rate, speed, len(skipped), validation)
            report(told)
            if due:
                log.write(told)
                save(out / CHECKPOINT, learner, options, step=step, found=found, skipped=skipped)
                pace.speed(step)
        over = due and processes.from_first(lambda: _over(log, options))
    batches.close()  # type: ignore[attr-defined]
    weights = out / f"{options.model}.safetensors"
    if log is not None:
        log.close()
        _write(weights, learner.finish(options), options, step, len(photos))
    return weights


def _set_up(options: TrainOptions, processes: Processes, device: torch.device) -> None:
    """Threads and seed of this process; a batch that cannot be shared is refused."""
    if options.batch % processes.count:
        raise UsageError(
            f"a batch must be shared evenly by {processes.count} processes, got {options.batch}."
        )
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    # All batches are of one size: the search for the fastest kernels is made once.
    torch.backends.cudnn.benchmark = device.type == "cuda"


def _stream(photos: list[Photo], options: TrainOptions, device: torch.device) -> Stream:
    """The crops of a run."""
    usual = (photos, options.batch, options.crop, options.seed, options.workers)
    if options.resident:
        return ResidentStream(*usual, options.sampling_weights, device=device)
    return Stream(*usual, options.sampling_weights)


def _bank(stream: Stream, options: TrainOptions, processes: Processes) -> Bank | None:
    """Made pictures of the first crops, in a run whose photographs are kept."""
    if not options.resident or not round(options.made * options.batch / processes.count):
        return None
    crops: list[Tensor] = []
    for batch in stream.batches():
        crops.append(batch.rgb)
        if sum(map(len, crops)) >= BANK:
            break
    return Bank(torch.cat(crops)[:BANK], options.seed, options.workers)


class _Pace:
    """How fast a run goes, and its smoothed loss."""

    def __init__(self, options: TrainOptions, step: int) -> None:
        self.batch = options.batch
        self.loss = 0.0
        self._at, self._step = time.monotonic(), step

    def take(self, loss: float) -> None:
        """Count a step's loss in."""
        self.loss = loss if self.loss == 0 else 0.98 * self.loss + 0.02 * loss

    @property
    def silent(self) -> float:
        """Seconds since the speed was last asked for."""
        return time.monotonic() - self._at

    def speed(self, step: int) -> float:
        """Pictures a second since it was last asked for."""
        now = time.monotonic()
        speed = (step - self._step) * self.batch / max(1e-9, now - self._at)
        self._at, self._step = now, step
        return speed


def _sample(
    batch: Batch,
    step: int,
    options: TrainOptions,
    processes: Processes,
    device: torch.device,
    bank: Bank | None,
) -> Sample:
    """A batch as film might have recorded it, some of its pictures replaced by made ones."""
    made = round(options.made * options.batch / processes.count)
    rgb = batch.rgb.to(device).float() / 255
    generator = _generator(options.seed, step, processes.rank)
    if made:
        rgb[:made] = bank.draw(made, generator) if bank else grays(rgb[:made], generator)
    of_film = generator
    if device.type != "cpu":  # grain alone is a number for each pixel
        of_film = torch.Generator(device).manual_seed(generator.initial_seed())
    lightness = luma_lightness(film_luma(rgb, options.film, of_film))
    lightness = lightness.contiguous(memory_format=torch.channels_last)
    return Sample(lightness, rgb, batch.photos, generator, step, made)


def _write(
    path: Path, network: Colorizer, options: TrainOptions, steps: int, pictures: int
) -> None:
    """The weights file of a run that is over."""
    provenance = {"steps": str(steps), "batch": str(options.batch), "pictures": str(pictures)}
    weight_files.write(path, options.model, network.state_dict(), network.options, provenance)


def _generator(seed: int, step: int, rank: int) -> Generator:
    """Of the film and the objective in one step of one process."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step + rank * 2**40)


def _over(log: Log | None, options: TrainOptions) -> bool:
    """Whether the validations say that more steps bring nothing."""
    return log is not None and log.stale(options.patience, after=options.pair.reference_steps)
