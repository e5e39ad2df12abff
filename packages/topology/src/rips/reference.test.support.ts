// Persistence by its definition, for tests: all simplices, the whole boundary matrix, columns reduced from left to
// right. No clearing, no shortcuts, no cohomology. A few dozen points at most.

/** Vertices of the simplices of a pair, ascending; death null for an essential class. */
export interface ReferencePair {
  readonly dimension: number;
  readonly birth: readonly number[];
  readonly death: readonly number[] | null;
}

interface Simplex {
  readonly vertices: readonly number[];
  /** Rank of the last edge (-1 for a vertex), then the other vertices: compared lexicographically. */
  readonly key: readonly number[];
}

/**
 * All pairs of the Vietoris-Rips filtration, those of zero persistence included, in the order of simplices that
 * RipsPairs describes.
 *
 * @param length of the edge u < v; Infinity when it is absent.
 */
export function referencePairs(
  n: number,
  length: (u: number, v: number) => number,
  maxDimension: number,
  modulus: number,
): ReferencePair[] {
  const ranks = rankEdges(n, length);
  const pairs: ReferencePair[] = [];
  let faces = Array.from({ length: n }, (_, v): Simplex => ({ vertices: [v], key: [-1, v] }));
  let unpaired = new Set(faces.keys()); // cycles that nothing has killed yet
  for (let dimension = 1; dimension <= maxDimension + 1; dimension++) {
    const simplices = cofaces(faces, n, ranks);
    const place = new Map(faces.map(({ vertices }, index) => [vertices.join(), index]));
    const columns = new Map<number, Map<number, number>>(); // by pivot
    const cyclesHere = new Set<number>();
    simplices.forEach(({ vertices }, index) => {
      const column = new Map<number, number>();
      vertices.forEach((_, k) => {
        column.set(place.get(vertices.toSpliced(k, 1).join())!, k % 2 === 0 ? 1 : modulus - 1);
      });
      for (;;) {
        if (column.size === 0) {
          cyclesHere.add(index);
          return;
        }
        const pivot = Math.max(...column.keys());
        const other = columns.get(pivot);
        if (!other) {
          columns.set(pivot, column);
          unpaired.delete(pivot);
          pairs.push({ dimension: dimension - 1, birth: faces[pivot]!.vertices, death: vertices });
          return;
        }
        const factor = (column.get(pivot)! * inverse(other.get(pivot)!, modulus)) % modulus;
        for (const [face, coefficient] of other) {
          const value = ((column.get(face) ?? 0) + (modulus - factor) * coefficient) % modulus;
          if (value === 0) column.delete(face);
          else column.set(face, value);
        }
      }
    });
    for (const index of unpaired) {
      pairs.push({ dimension: dimension - 1, birth: faces[index]!.vertices, death: null });
    }
    faces = simplices;
    unpaired = cyclesHere;
  }
  return pairs;
}

/** The rank of each edge, by "u,v", in the order (length, u, v). */
function rankEdges(n: number, length: (u: number, v: number) => number): Map<string, number> {
  const edges: [number, number][] = [];
  for (let u = 0; u < n; u++) {
    for (let v = u + 1; v < n; v++) if (length(u, v) < Infinity) edges.push([u, v]);
  }
  edges.sort((a, b) => length(...a) - length(...b) || a[0] - b[0] || a[1] - b[1]);
  return new Map(edges.map((edge, rank) => [edge.join(), rank]));
}

/** All cliques of one vertex more, in the order of the filtration. */
function cofaces(faces: readonly Simplex[], n: number, ranks: Map<string, number>): Simplex[] {
  const found: Simplex[] = [];
  for (const { vertices } of faces) {
    for (let w = vertices.at(-1)! + 1; w < n; w++) {
      const larger = [...vertices, w];
      const edges = larger.flatMap((u, k) => larger.slice(k + 1).map((v) => [u, v]));
      if (!edges.every((edge) => ranks.has(edge.join()))) continue;
      const last = edges.reduce((a, b) => (ranks.get(a.join())! > ranks.get(b.join())! ? a : b));
      found.push({
        vertices: larger,
        key: [ranks.get(last.join())!, ...larger.filter((x) => !last.includes(x))],
      });
    }
  }
  return found.sort((a, b) => {
    const differs = a.key.findIndex((value, k) => value !== b.key[k]);
    return a.key[differs]! - b.key[differs]!;
  });
}

/** value^(modulus - 2), which is the inverse for a prime modulus. */
function inverse(value: number, modulus: number): number {
  let result = 1;
  for (let exponent = modulus - 2, power = value; exponent > 0; exponent = Math.floor(exponent / 2)) {
    if (exponent % 2 === 1) result = (result * power) % modulus;
    power = (power * power) % modulus;
  }
  return result;
}
