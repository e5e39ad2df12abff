"""The training objective with the arithmetic of the published reference code, written from the paper notes.

Kept on purpose: the [n, n, C*H*W] broadcast for the image distances, the union-find loop over all pairs, the
expectation-maximisation in float64 numpy, the truncated ground-truth probability. They are what is compared
with. Checked by check_objective.py. Not used by the product.
"""

import math

import numpy
import torch
import torch.nn.functional as F

SCALE = 64.0  # s, equation 1
MARGIN = 0.5  # m, radians, equation 1
ALIGNMENT_WEIGHT = 0.1  # alpha, equation 10
ENTROPY_EPSILON = 1e-5


def cosine_logits(embedding, weight):
    """embedding [n, d], weight [classes, d] -> cosines [n, classes]."""
    return F.linear(F.normalize(embedding), F.normalize(weight)).clamp(-1, 1)


def arcface_logits(cosine, labels):
    """Adds the margin to each sample's own class; below cos(pi - m) the monotone fallback. -> scaled logits."""
    rows = torch.arange(cosine.shape[0])
    own = cosine[rows, labels]
    sine = torch.sqrt(1.0 - own * own)
    with_margin = own * math.cos(MARGIN) - sine * math.sin(MARGIN)
    fallback = own - math.sin(math.pi - MARGIN) * MARGIN
    own = torch.where(own > math.cos(math.pi - MARGIN), with_margin, fallback)
    logits = cosine.clone()
    logits[rows, labels] = own
    return logits * SCALE


def broadcast_distances(points):
    """points [n, ...] -> Euclidean distances [n, n], through the [n, n, features] difference."""
    flat = points.reshape(points.shape[0], -1)
    return torch.norm(flat[:, None] - flat, dim=2, p=2)


def spanning_tree(distances):
    """distances [n, n] numpy -> edges [n - 1, 2], u < v, in the order (weight, u, v): Kruskal with union-find."""
    n = distances.shape[0]
    rows, columns = numpy.triu_indices(n)
    order = numpy.argsort(distances[rows, columns], kind="stable")
    parent = numpy.arange(n)

    def find(x):
        root = x
        while parent[root] != root:
            root = parent[root]
        while parent[x] != root:
            parent[x], x = root, parent[x]
        return root

    edges = []
    for index in order:
        u, v = rows[index], columns[index]
        a, b = find(u), find(v)
        if a != b:
            parent[max(a, b)] = min(a, b)
            edges.append((u, v))
    return numpy.array(edges)


def alignment(images, features):
    """Published ISA: sorted death times of both spaces, squared difference, summed, divided by n."""
    n = images.shape[0]
    image_distances = broadcast_distances(images) / math.sqrt(4 * images[0].numel())
    latent_distances = broadcast_distances(features)
    image_edges = spanning_tree(image_distances.detach().numpy())
    latent_edges = spanning_tree(latent_distances.detach().numpy())
    image_deaths = image_distances[image_edges[:, 0], image_edges[:, 1]]
    latent_deaths = latent_distances[latent_edges[:, 0], latent_edges[:, 1]]
    return ((image_deaths - latent_deaths) ** 2).sum() / n


def prediction_entropy(probability):
    return -(probability * torch.log(probability + ENTROPY_EPSILON)).sum(1)


def fit_mixture(signed_entropy):
    """Gaussian-uniform mixture of a standardised series [n] -> (posterior of the Gaussian [n], pi, sigma)."""
    x = signed_entropy.astype(numpy.float64)
    deviation = x.std()
    x = (x - x.mean()) / (deviation if deviation > 0 else 1.0)
    n = len(x)
    pi, sigma, uniform, previous = 0.1, float(numpy.mean(x * x)), 0.2, math.inf
    for _ in range(1000):
        variance = sigma + 1e-3
        gaussian = numpy.exp(-x * x / (2 * variance)) / math.sqrt(2 * math.pi * variance)
        easy = gaussian * pi
        gamma = easy / (easy + (1 - pi) * uniform)
        total = gamma.sum()
        sigma = float((gamma * x * x).sum() / total)
        pi = min(total / n, 0.5)
        hard = (1 - gamma) / (1 - pi + 1e-10)
        first = float((hard * x).sum() / total)
        second = float((hard * x * x).sum() / total)
        spread = 3 * second - first * first  # as published; the paper has 3 * (second - first ** 2)
        uniform = 0.001 if abs(spread) < 0.001 else 1 / (2 * math.sqrt(spread) + 1e-10)
        likelihood = float((pi * gaussian + (1 - pi) * uniform).sum())
        if abs(likelihood - previous) < 1e-10:
            break
        previous = likelihood
    return gamma, pi, sigma


def damage_weights(logits, labels):
    """omega [n] of the published code: (2 - posterior) * (1 - p_gt), p_gt truncated to an integer. No gradient."""
    probability = torch.softmax(logits.detach(), 1)
    entropy = prediction_entropy(probability).numpy().copy()
    entropy[::2] *= -1
    gamma, _, _ = fit_mixture(entropy)
    truncated = probability[torch.arange(len(labels)), labels].to(torch.int64)
    return torch.from_numpy(2 - gamma).float() * (1 - truncated)
