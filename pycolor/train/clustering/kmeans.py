"""k-means: Lloyd's iterations from k-means++ seeds.

D. Arthur, S. Vassilvitskii, "k-means++: The Advantages of Careful Seeding", SODA 2007.
"""

from __future__ import annotations

import torch
from torch import Tensor


def kmeans(
    samples: Tensor, clusters: int, generator: torch.Generator, iterations: int = 50
) -> tuple[Tensor, Tensor]:
    """Cluster samples by Euclidean distance.

    Args:
        samples: M×D.
        clusters: K, 1 … M.
        generator: chooses the seeds.
        iterations: at most; it ends early where nothing moves.

    Returns:
        K×D centers, each the mean of its samples where it has any, and M labels.

    Raises:
        ValueError: there are fewer samples than clusters.
    """
    if not 1 <= clusters <= len(samples):
        raise ValueError(f"clusters must lie in 1 to {len(samples)} samples, got {clusters}")
    centers = _seeds(samples, clusters, generator)
    label = torch.cdist(samples, centers).argmin(1)
    for _ in range(iterations):
        count = torch.bincount(label, minlength=clusters)
        total = torch.zeros_like(centers).index_add_(0, label, samples)
        # A center that lost all its samples stays where it is.
        centers = torch.where(count[:, None] > 0, total / count.clamp_min(1)[:, None], centers)
        moved = torch.cdist(samples, centers).argmin(1)
        if torch.equal(moved, label):
            break
        label = moved
    return centers, label


def _seeds(samples: Tensor, clusters: int, generator: torch.Generator) -> Tensor:
    """Samples drawn one by one, each by its squared distance from those before it."""
    first = int(torch.randint(len(samples), (1,), generator=generator))
    chosen = [first]
    squared = (samples - samples[first]).square().sum(1)
    for _ in range(clusters - 1):
        # Where all samples lie on seeds already, any other one will do.
        weight = squared if squared.sum() > 0 else torch.ones_like(squared)
        new = int(torch.multinomial(weight, 1, generator=generator))
        chosen.append(new)
        squared = torch.minimum(squared, (samples - samples[new]).square().sum(1))
    return samples[chosen].clone()
