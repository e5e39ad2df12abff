// Distances of points, each summed in float64 in the order of the coordinates: to the last bit what packages/topology
// computes. The reference that the tree of points.ts is exact against. Compiled without fused multiply-add.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "control.h"
#include "simplex.h"

namespace topofr::topology {

enum class Metric { kEuclidean, kCosine, kManhattan };

struct Points {
  const float* values;  // [count, dimension]
  Vertex count;
  size_t dimension;
  Metric metric;
};

struct PointEdge {
  double length;
  Vertex u, v;  // u < v
  bool operator<(const PointEdge& other) const {
    if (length != other.length) return length < other.length;
    return u != other.u ? u < other.u : v < other.v;
  }
};

class PointDistance {
 public:
  // Throws std::invalid_argument for a coordinate that is not finite, and for cosine a row of zeros.
  PointDistance(const Points& points, int threads, Control& control);

  // Fills in the lengths.
  void measure(PointEdge* edges, size_t count) const;

  // Row `i` as the Gram products take it: for cosine a unit vector. `row` has room for one.
  void read(Vertex i, double* row) const;

 private:
  template <Metric kMetric, int kEdges>
  void measureSome(PointEdge* edges) const;

  const Points& points_;
  std::vector<double> largest_, norms_;  // of each row, for cosine
};

}  // namespace topofr::topology
