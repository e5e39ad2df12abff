// Persistence entropy: how evenly persistence is spread over the bars of a diagram.

import type { PersistenceDiagram } from "../diagram.js";
import { type EssentialOptions, finiteBars } from "./bars.js";

/**
 * Shannon entropy, in nats, of the bars' shares of the total persistence: 0 for one bar, log n for n equal ones.
 * Bars of no length do not count. Source: Atienza, Gonzalez-Diaz, Soriano-Trigueros 2020.
 *
 * @param options.normalized divides by log n (n bars of positive length): 0 to 1, and 0 for fewer than two bars.
 * @throws TopologyError `E_DIAGRAM` for points that are none.
 */
export function persistenceEntropy(
  diagram: PersistenceDiagram,
  { normalized = false, ...essential }: EssentialOptions & { readonly normalized?: boolean } = {},
): number {
  const { births, deaths } = finiteBars(diagram, essential);
  const lengths = deaths.map((death, k) => death - births[k]!).filter((length) => length > 0);
  if (lengths.length < 2) return 0;
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const entropy = lengths.reduce((sum, length) => sum - (length / total) * Math.log(length / total), 0);
  return normalized ? entropy / Math.log(lengths.length) : entropy;
}
