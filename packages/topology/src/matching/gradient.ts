// Gradients of diagram distances through the optimal matching: where the matching is unique, a small move of the
// points keeps it, and the distance changes as the costs of its pairs do. Elsewhere this is one of the one-sided
// derivatives. Behind training losses on diagrams (TopoFR-B and TopoFR-W, paper, section 4.3).

import type { PersistenceDiagram } from "../diagram.js";
import type { DiagramDistance } from "../distance.js";
import { TopologyError } from "../error.js";

/** Derivatives by each birth and each death of one diagram, in its order. */
export interface DiagramGradient {
  readonly births: Float64Array;
  readonly deaths: Float64Array;
}

/**
 * The derivative of a distance by all births and deaths of both diagrams.
 *
 * - Bottleneck: one pair decides, the costliest (the first in the matching's order among equals).
 * - Wasserstein W_p: a pair of cost c counts (c / W_p)^(p - 1).
 * - The cost of a pair, max(|birth - birth'|, |death - death'|), changes with the larger difference, with the deaths
 *   where both are equal; the cost of the diagonal, (death - birth) / 2, with both; a pair of cost 0 with none.
 *
 * @param distance what `bottleneckDistance(a, b)` or `wassersteinDistance(a, b, { p })` returned.
 * @param options.p the order of the Wasserstein distance; Infinity for the bottleneck distance.
 * @throws TopologyError `E_DIAGRAM` when the distance is infinite: no move of the points changes that.
 */
export function diagramDistanceGradient(
  a: PersistenceDiagram,
  b: PersistenceDiagram,
  { distance, matching }: DiagramDistance,
  { p }: { p: number },
): { a: DiagramGradient; b: DiagramGradient } {
  if (distance === Infinity) {
    throw new TopologyError(
      "E_DIAGRAM",
      "the distance is infinite (the diagrams have different numbers of essential classes) and has no gradient; " +
        "give diagrams of the finite points only",
    );
  }
  const gradient = { a: zerosFor(a), b: zerosFor(b) };
  const pairs =
    p === Infinity ? [...matching].sort((one, other) => other.cost - one.cost).slice(0, 1) : matching;
  for (const { a: i, b: j, cost } of pairs) {
    if (cost === 0) continue;
    const share = p === Infinity ? 1 : (cost / distance) ** (p - 1);
    if (i !== null && j !== null) {
      const birth = a.births[i]! - b.births[j]!;
      const death = a.deaths[i] === Infinity ? 0 : a.deaths[i]! - b.deaths[j]!;
      const kind = Math.abs(death) >= Math.abs(birth) ? "deaths" : "births";
      const slope = share * Math.sign(kind === "deaths" ? death : birth);
      gradient.a[kind][i]! += slope;
      gradient.b[kind][j]! -= slope;
      continue;
    }
    const { births, deaths } = i !== null ? gradient.a : gradient.b;
    deaths[(i ?? j)!]! += share / 2;
    births[(i ?? j)!]! -= share / 2;
  }
  return gradient;
}

function zerosFor({ births, deaths }: PersistenceDiagram): DiagramGradient {
  return { births: new Float64Array(births.length), deaths: new Float64Array(deaths.length) };
}
