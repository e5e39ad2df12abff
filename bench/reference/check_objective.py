"""Checks objective.py against the recorded margins, alignment, mixture and whole-step numbers.

    /usr/bin/python3 bench/reference/check_objective.py [folder with the recorded cases]
"""

import glob
import json
import os
import sys

import torch
import torch.nn.functional as F

import objective as o


def array(entry, dtype=torch.float32):
    return torch.tensor(entry["data"], dtype=dtype).reshape(entry["shape"])


def error(found, expected):
    """Largest absolute difference relative to the largest expected value."""
    found, expected = torch.as_tensor(found, dtype=torch.float64), torch.as_tensor(expected, dtype=torch.float64)
    return ((found - expected).abs().max() / expected.abs().max()).item()


def check_margins(case):
    cosine = array(case["logits"]).requires_grad_()
    labels = array(case["labels"], torch.int64)
    logits = o.arcface_logits(cosine, labels)
    F.cross_entropy(logits, labels).backward()
    return {"logits": error(logits.detach(), array(case["arcface_official"])),
            "gradient": error(cosine.grad, array(case["arcface_official_grad_of_mean_ce"]))}


def check_isa(case):
    images, features = array(case["images"]), array(case["features"]).requires_grad_()
    tree = o.spanning_tree(o.broadcast_distances(features.detach()).numpy())
    assert tree.tolist() == array(case["pairs_latent"], torch.int64).tolist(), "latent edges"
    loss = o.alignment(images, features)
    loss.backward()
    return {"loss": error(loss.item(), case["sorted_mean_official"]),
            "gradient": error(features.grad, array(case["grad_features_official"]))}


def check_gum(case):
    gamma, pi, sigma = o.fit_mixture(array(case["signed"], torch.float64).numpy())
    return {"posterior": error(gamma, array(case["posterior"], torch.float64)), "pi": error(pi, case["pi"]),
            "sigma": error(sigma, case["sigma"])}


def check_step(case):
    images, labels = array(case["images"]), array(case["labels"], torch.int64)
    embedding = array(case["embeddings"]).requires_grad_()
    weight = array(case["class_weights"]).requires_grad_()
    logits = o.arcface_logits(o.cosine_logits(embedding, weight), labels)
    omega = o.damage_weights(logits, labels)
    classification = (omega * F.cross_entropy(logits, labels, reduction="none")).mean()
    loss = classification + o.ALIGNMENT_WEIGHT * o.alignment(images, embedding)
    loss.backward()
    return {"omega": error(omega, array(case["omega_official"])),
            "classification": error(classification.item(), case["loss_cls_official"]),
            "loss": error(loss.item(), case["loss_official"]),
            "gradient": error(embedding.grad, array(case["grad_embeddings_official"])),
            "weight gradient": error(weight.grad, array(case["grad_class_weights_official"]))}


CHECKS = {"margins": check_margins, "isa_": check_isa, "gum_": check_gum, "step_": check_step}

if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else "../shared/parity"
    count = 0
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        name = os.path.basename(path)
        check = next((c for prefix, c in CHECKS.items() if name.startswith(prefix)), None)
        if check is None:
            continue
        errors = check(json.load(open(path)))
        print(f"{name}: relative error: " + ", ".join(f"{key} {value:.1e}" for key, value in errors.items()))
        assert max(errors.values()) < 1e-4, name
        count += 1
    assert count > 0, f"no recorded case in {folder}"
