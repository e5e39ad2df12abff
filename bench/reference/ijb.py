"""One run of the IJB 1:1 protocol in numpy, by the steps of insightface's evaluation; prints one JSON line.

    /usr/bin/python3 bench/reference/ijb.py folder dimension

The steps are those of eval_ijbc.py and ijb_evals.py, written anew: a pass over all images per template, a loop over its media, scores of
10,000 pairs at a time in float64. scikit-learn's normalize and roc_curve (drop_intermediate) are spelled out with numpy's argsort, so that
numpy alone is needed; numpy.loadtxt stands for pandas.
"""

import json
import os
import resource
import sys
import time

import numpy as np

FARS = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
PAIR_BATCH = 10000


def read_meta(folder):
    meta = os.path.join(folder, "IJBC", "meta")
    images = np.loadtxt(os.path.join(meta, "ijbc_face_tid_mid.txt"), dtype=np.int64, usecols=(1, 2))
    with open(os.path.join(meta, "ijbc_name_5pts_score.txt")) as file:
        records = np.array([line.strip().split(" ") for line in file.readlines()])
    records[:, 1:-1].astype("float32").reshape(-1, 5, 2)  # the landmarks
    scores = records[:, -1].astype("float32")
    pairs = np.loadtxt(os.path.join(meta, "ijbc_template_pair_label.txt"), dtype=np.int64)
    return images[:, 0], images[:, 1], scores, pairs[:, 0], pairs[:, 1], pairs[:, 2]


def template_features(features, templates, medias):
    unique_templates = np.unique(templates)
    result = np.zeros((len(unique_templates), features.shape[1]))
    for row, template in enumerate(unique_templates):
        (members,) = np.where(templates == template)
        own = features[members]
        own_medias = medias[members]
        unique_medias, counts = np.unique(own_medias, return_counts=True)
        parts = []
        for media, count in zip(unique_medias, counts):
            (frames,) = np.where(own_medias == media)
            parts.append(own[frames] if count == 1 else own[frames].mean(axis=0, keepdims=True))
        result[row] = np.sum(np.array(parts), axis=0)
    norms = np.sqrt((result**2).sum(axis=1, keepdims=True))
    return result / np.where(norms == 0, 1, norms), unique_templates


def pair_scores(features, unique_templates, first, second):
    row_of = np.zeros(unique_templates.max() + 1, dtype=int)
    row_of[unique_templates] = np.arange(len(unique_templates))
    scores = np.zeros(len(first))
    for start in range(0, len(first), PAIR_BATCH):
        batch = slice(start, start + PAIR_BATCH)
        scores[batch] = np.sum(features[row_of[first[batch]]] * features[row_of[second[batch]]], -1)
    return scores


def roc_curve(labels, scores):
    order = np.argsort(scores, kind="mergesort")[::-1]
    scores = scores[order]
    labels = labels[order]
    ends = np.r_[np.where(np.diff(scores))[0], labels.size - 1]
    true = np.cumsum(labels, dtype=np.float64)[ends]
    false = 1 + ends - true
    if len(true) > 2:
        bends = np.r_[True, np.logical_or(np.diff(false, 2), np.diff(true, 2)), True]
        true, false = true[bends], false[bends]
    true, false = np.r_[0, true], np.r_[0, false]
    return false / false[-1], true / true[-1]


def main():
    folder, dimension = sys.argv[1], int(sys.argv[2])
    parts = {}
    clock = started = time.perf_counter()

    def lap(name):
        nonlocal clock
        now = time.perf_counter()
        parts[name] = now - clock
        clock = now

    templates, medias, detector, first, second, labels = read_meta(folder)
    lap("meta")
    features = np.fromfile(os.path.join(folder, "features.f32"), dtype=np.float32).reshape(-1, dimension)
    features = features * detector[:, np.newaxis]
    pooled, unique_templates = template_features(features, templates, medias)
    lap("templates")
    scores = pair_scores(pooled, unique_templates, first, second)
    lap("scores")
    fpr, tpr = roc_curve(labels, scores)
    auc = np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2)
    fpr, tpr = np.flipud(fpr), np.flipud(tpr)
    tar = {np.format_float_scientific(far, trim="-", exp_digits=1): tpr[np.argmin(abs(fpr - far))] for far in FARS}
    lap("rates")
    print(json.dumps({
        "implementation": f"numpy {np.__version__}",
        "seconds": time.perf_counter() - started,
        "peakResidentBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "parts": parts,
        "result": {"auc": auc, "tar": tar},
    }))


if __name__ == "__main__":
    main()
