"""`make gpu` where no GPU is: it says so; and its peers compute what the ops do."""

from __future__ import annotations

import sys

import pytest
import torch

from benchmarks import gpu, gpu_film, kernel_peers
from pycolor import ops

SIZE = (96, 160)


def test_without_a_gpu_one_sentence_says_so(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu"])
    assert gpu.main() == 2
    told = capsys.readouterr()
    assert not told.out
    assert told.err.count("\n") == 1
    assert "needs an NVIDIA GPU" in told.err


def test_a_step_that_fails_does_not_keep_the_others_from_running(monkeypatch, capsys):
    def fails(found):
        found["chip"] = "sm_90"
        raise RuntimeError("no compiler")

    kept = []
    monkeypatch.setattr(gpu, "build", fails)
    monkeypatch.setattr(gpu, "race", lambda found: found.update({"times torch": 12.0}))
    found = gpu.run(
        ["tests", "sanitizer", "counters", "film"], lambda results: kept.append(list(results))
    )
    assert found["build"]["failed"] == "RuntimeError: no compiler"
    assert found["build"]["chip"] == "sm_90"
    assert found["race"]["times torch"] == 12
    assert found["film"] == {"left": "as asked"}
    assert [names[-1] for names in kept] == ["build", "race"]
    assert "no compiler" in capsys.readouterr().out


def test_torch_in_batches_computes_what_the_ops_do():
    cpu = torch.device("cpu")
    logits, palette, luma = gpu.made_frames(2, SIZE, cpu)
    want = ops.fused_frame(logits, palette, luma, encoding=kernel_peers.ENCODING)
    got = gpu.torch_frames(SIZE, cpu, compiled=False)(logits, palette, luma)
    assert [plane.shape for plane in got] == [plane.shape for plane in want]
    assert gpu.differing(want, got) < 0.03


@pytest.mark.parametrize("shift", [0, 3])
def test_films_are_compared_by_their_chroma(tmp_path, shift):
    import av
    import numpy as np

    films = []
    for name, codes in (("a", 100), ("b", 100 + shift)):
        path = tmp_path / f"{name}.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("ffv1", rate=24)
            stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
            planes = np.full((24, 32), codes, np.uint8)
            for _ in range(2):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
            container.mux(stream.encode(None))
        films.append(path)
    assert gpu_film.chroma_difference(*films) == (shift, shift)
