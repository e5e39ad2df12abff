"""One run of the grouped all-pairs protocol in numpy; prints one JSON line.

    /usr/bin/python3 bench/reference/groups.py folder dimension

Blocked matrix products; the impostor scores of a group are kept in float32 and sorted once, the thresholds read off, the genuine scores
counted above them.
"""

import json
import os
import resource
import sys
import time

import numpy as np

FARS = [1e-6, 1e-5, 1e-4, 1e-3]
BLOCK = 2048


def group_row(name, embeddings, identities):
    count = len(embeddings)
    impostors = np.empty(count * (count - 1) // 2, dtype=np.float32)
    genuines = []
    filled = 0
    for r in range(0, count, BLOCK):
        for c in range(r, count, BLOCK):
            scores = embeddings[r : r + BLOCK] @ embeddings[c : c + BLOCK].T
            same = identities[r : r + BLOCK, None] == identities[None, c : c + BLOCK]
            if r == c:
                upper = np.triu(np.ones(scores.shape, dtype=bool), 1)
                other, own = scores[upper & ~same], scores[upper & same]
            else:
                other, own = scores[~same], scores[same]
            impostors[filled : filled + len(other)] = other
            filled += len(other)
            genuines.append(own)
    impostors = impostors[:filled]
    impostors.sort()
    genuines = np.concatenate(genuines)
    row = [name, len(genuines), filled]
    for far in FARS:
        accepted = int(far * filled)  # the threshold is just above the next impostor
        threshold = impostors[filled - accepted - 1]
        row.append(round(float((genuines > threshold).mean()), 5))
    return row


def main():
    folder, dimension = sys.argv[1], int(sys.argv[2])
    started = time.perf_counter()
    embeddings = np.fromfile(os.path.join(folder, "embeddings.f32"), dtype=np.float32).reshape(-1, dimension)
    identities = np.fromfile(os.path.join(folder, "identities.i32"), dtype=np.int32)
    groups = np.fromfile(os.path.join(folder, "groups.i32"), dtype=np.int32)
    embeddings = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    rows = [group_row(str(g), embeddings[groups == g], identities[groups == g]) for g in np.unique(groups)]
    rows.append(group_row("all", embeddings, identities))
    print(json.dumps({
        "implementation": f"numpy {np.__version__}",
        "seconds": time.perf_counter() - started,
        "peakResidentBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "parts": {},
        "result": rows,
    }))


if __name__ == "__main__":
    main()
