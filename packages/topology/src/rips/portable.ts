// The portable core: Vietoris-Rips persistence in TypeScript on typed arrays, for Node and browsers.
//
// Ripser's algorithm (U. Bauer, "Ripser: efficient computation of Vietoris-Rips persistence barcodes", 2021):
// cohomology with clearing, implicit coboundaries, apparent and emergent pairs. What is different: edges are ranked
// once, and everything after that is whole-number arithmetic on ranks; a simplex is numbered by its last edge
// (simplex.ts), which makes apparent pairs a look-up (apparent.ts); coboundaries are enumerated by windows (reduce.ts).

import { ApparentPairs, columnsOfDegree } from "./apparent.js";
import type { RipsCore, RipsPairs, RipsProblem, SparseRipsProblem } from "./core.js";
import { pairDegree0 } from "./degree0.js";
import { DenseGraph } from "./denseGraph.js";
import type { EdgeGraph } from "./edgeGraph.js";
import { EntryList } from "./growing.js";
import { PairCollector } from "./pairs.js";
import { reduceDegree } from "./reduce.js";
import { assertKeysFit } from "./simplex.js";
import { joiningEdges, type SortedEdges, sortedEdges } from "./sortedEdges.js";
import { SparseGraph } from "./sparseGraph.js";

/** Below this share of all pairs, neighbour lists are smaller and faster than a matrix. */
const SPARSE_SHARE = 1 / 8;

/**
 * Vietoris-Rips persistence by the portable core. Checks nothing but sizes: `persistence` does.
 *
 * @throws TopologyError `E_TOO_LARGE` when simplices cannot be numbered, before work starts, or when memory ends.
 */
export const portableRips: RipsCore = Object.assign((problem: RipsProblem) => ripsPairs(problem), {
  sparse: (problem: SparseRipsProblem) => ripsPairs(problem),
});

function ripsPairs(problem: RipsProblem | SparseRipsProblem): RipsPairs[] {
  const { maxDimension, modulus, cocycles } = problem;
  const onlyDegree0 = maxDimension === 0 && "distances" in problem;
  const edges = onlyDegree0 ? joiningEdges(problem) : sortedEdges(problem);
  assertKeysFit(edges.n, edges.count, maxDimension);
  const collectors = Array.from({ length: maxDimension + 1 }, (_, degree) => new PairCollector(degree));
  const joining = pairDegree0(edges, collectors[0]!, cocycles);
  if (maxDimension > 0) {
    const graph = edgeGraph(edges);
    const apparent = new ApparentPairs(edges, graph);
    const filtration = { edges, graph, apparent, modulus, withCocycles: cocycles };
    let columns = cyclingEdges(joining, apparent.firstApex);
    for (let degree = 1; degree <= maxDimension; degree++) {
      const deaths = reduceDegree(filtration, degree, columns, collectors[degree]!);
      if (degree < maxDimension) {
        columns = columnsOfDegree(degree === 1 ? 2 : 3, edges, graph, apparent, deaths);
      }
    }
  }
  return collectors.map((collector) => collector.result(problem));
}

function edgeGraph(edges: SortedEdges): EdgeGraph {
  const share = edges.count / ((edges.n * (edges.n - 1)) / 2);
  return share < SPARSE_SHARE ? new SparseGraph(edges) : new DenseGraph(edges);
}

/** The columns of degree 1: edges that join no components and have no apparent triangle. */
function cyclingEdges(joining: Uint8Array, firstApex: Int32Array): Float64Array {
  const columns = new EntryList();
  for (let rank = 0; rank < joining.length; rank++) {
    if (joining[rank] === 0 && firstApex[rank]! < 0) columns.push(rank, 1);
  }
  return columns.keys.subarray(0, columns.length);
}
