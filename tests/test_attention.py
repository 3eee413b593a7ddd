"""Attention: the fast op against its reference, closed forms, bytes."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

import pycolor._C as _C
from pycolor import ops
from pycolor.ops import reference

ROOT = Path(__file__).resolve().parents[1]


def inputs(queries: int, keys: int, depth: int, width: int) -> tuple[Tensor, ...]:
    made = torch.Generator().manual_seed(queries + 100 * keys)
    shapes = ((queries, depth), (keys, depth), (keys, width), (keys,))
    return tuple(torch.randn(shape, generator=made) for shape in shapes)


@pytest.mark.parametrize("queries", [1, 9, 33, 70])
@pytest.mark.parametrize("keys", [1, 15, 16, 17, 200])
@pytest.mark.parametrize(("depth", "width"), [(1, 1), (7, 9), (64, 6), (3, 16)])
def test_attention_is_its_reference(queries, keys, depth, width, close):
    given = inputs(queries, keys, depth, width)
    got = ops.attention(*given)
    want = reference.attention(*(x.double() for x in given))
    for fast, plain in zip(got, want, strict=True):
        close("attention", fast, plain)


def test_large_scores_and_small_ones(close):
    query, key, value, bias = inputs(20, 50, 8, 3)
    for scale in (1e-3, 1e2, 1e4):
        got, _ = ops.attention(query * scale, key, value, bias * scale)
        exact = (query * scale).double(), key.double(), value.double(), (bias * scale).double()
        close("attention", got, reference.attention(*exact)[0])


def test_one_key_gives_its_value():
    query, key, value, bias = inputs(5, 1, 4, 2)
    found, log_sum = ops.attention(query, key, value, bias)
    assert torch.equal(found, value.expand(5, 2))
    assert torch.allclose(log_sum, (query @ key.T + bias)[:, 0], atol=1e-5)


def test_equal_keys_give_the_mean():
    value = torch.arange(37.0)[:, None]
    found, log_sum = ops.attention(torch.ones(1, 2), torch.ones(37, 2), value, torch.zeros(37))
    assert found.item() == pytest.approx(18)
    assert log_sum.item() == pytest.approx(2 + torch.tensor(37.0).log().item())


def test_a_key_of_the_least_bias_counts_nothing():
    query, key, value, bias = inputs(4, 20, 3, 2)
    bias[7], value[7] = -1e30, 1e6
    rest = [n for n in range(20) if n != 7]
    found, _ = ops.attention(query, key, value, bias)
    assert torch.allclose(found, ops.attention(query, key[rest], value[rest], bias[rest])[0])


def test_any_strides_and_floats():
    query, key, value, bias = inputs(6, 20, 4, 3)
    apart = (query.T.contiguous().T, key.double(), value.T.contiguous().T, bias.double())
    assert torch.equal(ops.attention(*apart)[0], ops.attention(query, key, value, bias)[0])


def test_no_queries_are_none():
    found, log_sum = ops.attention(*inputs(0, 3, 4, 2))
    assert found.shape == (0, 2)
    assert log_sum.shape == (0,)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 3, 1), (4, 3), (4, 2), (4,)), "query must be Q×D, got 2×3×1"),
        (((2, 3), (0, 3), (0, 2), (0,)), "key must be K×D with K ≥ 1, got 0×3"),
        (((2, 3), (4, 5), (4, 2), (4,)), "key must be K×3 as the query, got 4×5"),
        (((2, 3), (4, 3), (5, 2), (4,)), "value must be 4×M as the key, got 5×2"),
        (((2, 3), (4, 3), (4, 2), (3,)), "bias must be 4 numbers as there are keys, got 3"),
    ],
)
def test_what_does_not_fit_is_refused(shapes, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ops.attention(*(torch.zeros(shape) for shape in shapes))


def digest() -> str:
    """Of the kernel's bytes: also without AVX2, where the op itself takes torch's products."""
    total = hashlib.sha256()
    for sizes in ((9, 40, 13, 6), (37, 17, 64, 2)):
        query, key, value, bias = inputs(*sizes)
        out, log_sum = torch.empty(sizes[0], sizes[3]), torch.empty(sizes[0])
        q, k, b, v, o, s = (x.data_ptr() for x in (query, key, bias, value, out, log_sum))
        _C.attention(q, k, b, v, o, s, *sizes, torch.get_num_threads())
        total.update(out.numpy().tobytes() + log_sum.numpy().tobytes())
    return total.hexdigest()


def test_any_number_of_threads_gives_the_same_bytes():
    before, found = torch.get_num_threads(), set()
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        found.add(digest())
    torch.set_num_threads(before)
    assert len(found) == 1


@pytest.mark.slow
def test_attention_has_the_same_bytes_with_every_instruction_set():
    code = "from tests.test_attention import digest; print(digest())"
    found = set()
    for level in _C.simd_levels():
        environment = {**os.environ, "PYCOLOR_SIMD": level, "PYTHONPATH": str(ROOT)}
        words = [sys.executable, "-c", code]
        done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1


def test_torch_products_give_the_same_but_for_rounding(close):
    from pycolor.ops.matching import _by_products

    query, key, value, bias = inputs(50, 30, 8, 3)
    out, log_sum = torch.empty(50, 3), torch.empty(50)
    _by_products(query, key, value, bias, out, log_sum)
    for found, want in zip((out, log_sum), ops.attention(query, key, value, bias), strict=True):
        close("attention", found, want)


@pytest.mark.slow
def test_attention_is_known_to_torch():
    out, log_sum = torch.empty(4, 2), torch.empty(4)
    torch.library.opcheck(torch.ops.pycolor.attention.default, (*inputs(4, 6, 3, 2), out, log_sum))


@pytest.mark.needs_cuda
def test_a_gpu_agrees(close):
    given = inputs(50, 30, 8, 3)
    found = ops.attention(*(x.cuda() for x in given))
    for there, here in zip(found, ops.attention(*given), strict=True):
        close("attention", there.cpu(), here)
