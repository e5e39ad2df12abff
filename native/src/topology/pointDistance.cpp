#include "pointDistance.h"

#include <algorithm>
#include <cmath>

namespace topofr::topology {

PointDistance::PointDistance(const Points& points, int threads, Control& control) : points_(points) {
  const bool cosine = points.metric == Metric::kCosine;
  if (cosine) {
    largest_.resize(points.count);
    norms_.resize(points.count);
  }
  std::atomic<Vertex> next{0};
  control.parallel(threads, [&](int) {
    for (Vertex i; (i = next.fetch_add(1)) < points.count;) {
      if (i % 256 == 0) control.check();
      const float* row = points.values + i * points.dimension;
      double largest = 0;
      for (size_t k = 0; k < points.dimension; ++k) {
        if (!std::isfinite(row[k]))
          throw std::invalid_argument("row " + std::to_string(i) + ", column " + std::to_string(k) + " is " +
                                      std::to_string(row[k]) + "; coordinates must be finite");
        largest = std::max(largest, static_cast<double>(std::fabs(row[k])));
      }
      if (!cosine) continue;
      if (largest == 0)
        throw std::invalid_argument("row " + std::to_string(i) +
                                    " is zero, so it has no direction; remove it or use another metric");
      double squares = 0;
      for (size_t k = 0; k < points.dimension; ++k) {
        double scaled = row[k] / largest;
        squares += scaled * scaled;
      }
      largest_[i] = largest;
      norms_[i] = std::sqrt(squares);
    }
  });
}

void PointDistance::read(Vertex i, double* row) const {
  const float* values = points_.values + i * points_.dimension;
  if (points_.metric == Metric::kCosine) {
    for (size_t k = 0; k < points_.dimension; ++k) row[k] = values[k] / largest_[i] / norms_[i];
  } else {
    std::copy(values, values + points_.dimension, row);
  }
}

// Several at once: each sum is a chain of dependent additions, and the processor can follow a few of them.
template <Metric kMetric, int kEdges>
void PointDistance::measureSome(PointEdge* edges) const {
  const float *a[kEdges], *b[kEdges];
  double sums[kEdges] = {}, scale[4][kEdges];
  for (int e = 0; e < kEdges; ++e) {
    a[e] = points_.values + edges[e].u * points_.dimension;
    b[e] = points_.values + edges[e].v * points_.dimension;
    if (kMetric == Metric::kCosine) {
      scale[0][e] = largest_[edges[e].u];
      scale[1][e] = norms_[edges[e].u];
      scale[2][e] = largest_[edges[e].v];
      scale[3][e] = norms_[edges[e].v];
    }
  }
  for (size_t k = 0; k < points_.dimension; ++k)
    for (int e = 0; e < kEdges; ++e) {
      double x = a[e][k], y = b[e][k];
      if (kMetric == Metric::kCosine) {
        x = x / scale[0][e] / scale[1][e];
        y = y / scale[2][e] / scale[3][e];
      }
      double difference = x - y;
      sums[e] += kMetric == Metric::kManhattan ? std::fabs(difference) : difference * difference;
    }
  for (int e = 0; e < kEdges; ++e) {
    double length = kMetric == Metric::kManhattan ? sums[e] : std::sqrt(sums[e]);
    edges[e].length = kMetric == Metric::kCosine ? std::min(2.0, length * length / 2) : length;
  }
}

void PointDistance::measure(PointEdge* edges, size_t count) const {
  constexpr size_t kAtOnce = 4;
  auto all = [&](auto some, auto one) {
    size_t e = 0;
    for (; e + kAtOnce <= count; e += kAtOnce) (this->*some)(edges + e);
    for (; e < count; ++e) (this->*one)(edges + e);
  };
  switch (points_.metric) {
    case Metric::kEuclidean:
      return all(&PointDistance::measureSome<Metric::kEuclidean, kAtOnce>,
                 &PointDistance::measureSome<Metric::kEuclidean, 1>);
    case Metric::kCosine:
      return all(&PointDistance::measureSome<Metric::kCosine, kAtOnce>, &PointDistance::measureSome<Metric::kCosine, 1>);
    case Metric::kManhattan:
      return all(&PointDistance::measureSome<Metric::kManhattan, kAtOnce>,
                 &PointDistance::measureSome<Metric::kManhattan, 1>);
  }
}

}  // namespace topofr::topology
