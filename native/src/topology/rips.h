// Vietoris-Rips persistent cohomology over Z/p, after the ideas of Ripser (Bauer, 2021): clearing, apparent and emergent
// pairs, implicit coboundaries. What is ours: edges are ranked once and all else is done on ranks; cofacets are looked
// for in windows of rank, so that a column meets only those near its pivot; columns are reduced by several threads
// without locks (Morozov and Nigmetov, 2020).
#pragma once

#include <limits>
#include <vector>

#include "space.h"

namespace topofr::topology {

struct RipsOptions {
  int maxDimension = 1;  // 0 to 3
  uint32_t modulus = 2;
  bool representatives = false;
  bool cocycles = false;
  int threads = 1;
};

struct Cocycle {
  std::vector<Vertex> simplices;  // [terms, dimension + 1]
  std::vector<uint32_t> coefficients;
};

// Pairs of one degree, without those of zero persistence. Vertices are the caller's, ascending in a simplex.
struct RipsPairs {
  int dimension = 0;
  std::vector<float> births, deaths;                   // an essential class dies at infinity
  std::vector<Vertex> birthSimplices, deathSimplices;  // [pairs, dimension + 1], [pairs, dimension + 2]
  std::vector<Cocycle> cocycles;
};
constexpr Vertex kNoVertex = std::numeric_limits<Vertex>::max();  // in death simplices of essential classes

// Simplices are ordered by rank, then by their vertices, compared as ascending sequences. control.stage() is
// 2 * dimension, plus 1 while columns are reduced. The space has at least one vertex.
std::vector<RipsPairs> ripsPairs(const DenseSpace& space, const RipsOptions& options, Control& control);
std::vector<RipsPairs> ripsPairs(const SparseSpace& space, const RipsOptions& options, Control& control);

}  // namespace topofr::topology
