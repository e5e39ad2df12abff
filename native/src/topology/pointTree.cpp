#include "pointTree.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "spanningForest.h"
#include "tileTree.h"

namespace topofr::topology {
namespace {

constexpr size_t kBlockBytes = size_t{192} << 20;  // of the rows that are held for products
constexpr uint32_t kLargestBlock = 2048, kLeastBlock = 128;
constexpr float kRounding = 0x1p-24f;

// Edges of which only the spanning forest counts; those that cannot be in it are dropped from time to time.
class Forest {
 public:
  Forest(Vertex count, const PointDistance& distance) : count_(count), distance_(distance) {}

  void add(Vertex a, Vertex b) {
    edges_.push_back({0, std::min(a, b), std::max(a, b)});
    if (edges_.size() >= limit_) reduce();
  }
  void add(const Forest& other) { edges_.insert(edges_.end(), other.edges_.begin(), other.edges_.end()); }

  // Measures what is new, and keeps the forest, sorted.
  void reduce() {
    distance_.measure(edges_.data() + measured_, edges_.size() - measured_);
    std::sort(edges_.begin(), edges_.end());
    Components components(count_);
    size_t kept = 0;
    for (const PointEdge& edge : edges_)
      if (components.join(edge.u, edge.v) != Components::kJoined) edges_[kept++] = edge;
    edges_.resize(kept);
    measured_ = kept;
    limit_ = std::max<size_t>(4 * kept, 1 << 20);
  }
  std::vector<PointEdge>& edges() { return edges_; }

 private:
  Vertex count_;
  const PointDistance& distance_;
  std::vector<PointEdge> edges_;
  size_t measured_ = 0, limit_ = 1 << 20;
};

class PointTree {
 public:
  PointTree(const Points& points, int threads, Control& control)
      : points_(points), threads_(threads), control_(control), distance_(points, threads, control),
        sizes_(TileTree::padded(points.count) + kLargestBlock, 0, Counted<float>(control)) {
    size_t fitting = kBlockBytes / sizeof(float) / std::max<size_t>(1, points.dimension) / (threads + 1);
    size_t most = std::clamp<size_t>(fitting / TileTree::kBlock * TileTree::kBlock, kLeastBlock, kLargestBlock);
    block_ = static_cast<uint32_t>(std::min<size_t>(most, TileTree::padded(points.count)));
    slack_ = kRounding * (4 * std::sqrt(static_cast<float>(points.dimension)) + 16);
    centre();
  }

  std::vector<PointEdge> run() {
    const uint32_t blocks = (points_.count + block_ - 1) / block_;
    const int strip = static_cast<int>(std::min<uint32_t>(threads_, blocks));  // tiles at a time
    const int64_t width = int64_t{strip} * block_, dimension = static_cast<int64_t>(points_.dimension);
    Matrix left(block_, dimension, control_), right(width, dimension, control_), products(block_, width, control_);
    std::vector<TileTree> trees;
    std::vector<Forest> forests;
    for (int thread = 0; thread < strip; ++thread) {
      trees.emplace_back(block_, control_);
      forests.emplace_back(points_.count, distance_);
    }
    control_.begin(0, uint64_t{blocks} * (blocks + 1) / 2);
    for (uint32_t i = 0; i < blocks; ++i) {
      fill(left.values, i, 1);
      for (uint32_t j = i; j < blocks; j += strip) {
        const uint32_t tiles = std::min<uint32_t>(strip, blocks - j);
        control_.check();
        fill(right.values, j, tiles);
        if (points_.metric == Metric::kManhattan) manhattan(left.tensor, right.tensor, products.tensor);
        else at::mm_out(products.tensor, left.tensor, right.tensor.t());
        control_.parallel(tiles, [&](int t) { tile(i, j + t, products.tensor, t, trees[t], forests[t]); });
        control_.advance(tiles);
      }
    }
    for (int thread = 1; thread < strip; ++thread) {
      forests[thread].reduce();
      forests[0].reduce();
      forests[0].add(forests[thread]);
    }
    forests[0].reduce();
    return std::move(forests[0].edges());
  }

 private:
  struct Matrix {
    Matrix(int64_t rows, int64_t columns, Control& control)
        : values(static_cast<size_t>(rows * columns), 0, Counted<float>(control)),
          tensor(at::from_blob(values.data(), {rows, columns}, at::kFloat)) {}
    CountedVector<float> values;
    at::Tensor tensor;  // a view of them
  };

  // Distances do not change when the mean is taken off, and products lose fewer digits; nor does their order when all is
  // scaled by a power of two, and squares stay within float32.
  void centre() {
    mean_.assign(points_.dimension, 0);
    std::vector<double> row(points_.dimension);
    const double share = 1.0 / points_.count;
    double largest = 0;
    for (Vertex i = 0; i < points_.count; ++i) {
      if (i % 256 == 0) control_.check();
      distance_.read(i, row.data());
      for (size_t k = 0; k < points_.dimension; ++k) {
        mean_[k] += row[k] * share;
        largest = std::max(largest, std::fabs(row[k]));
      }
    }
    int exponent = 0;
    if (largest > 0) std::frexp(largest, &exponent);
    scale_ = std::ldexp(1.0, -exponent);
  }

  // The rows of blocks first, first + 1, ... and their sizes.
  void fill(CountedVector<float>& values, uint32_t first, uint32_t blocks) {
    const uint64_t begin = uint64_t{first} * block_;
    const uint64_t end = std::min<uint64_t>(points_.count, begin + uint64_t{blocks} * block_);
    std::atomic<uint64_t> next{begin};
    control_.parallel(threads_, [&](int) {
      std::vector<double> row(points_.dimension);
      for (uint64_t from; (from = next.fetch_add(16)) < end;)
        for (uint64_t i = from; i < std::min(from + 16, end); ++i) {
          distance_.read(static_cast<Vertex>(i), row.data());
          float* out = values.data() + (i - begin) * points_.dimension;
          double size = 0;
          for (size_t k = 0; k < points_.dimension; ++k) out[k] = static_cast<float>((row[k] - mean_[k]) * scale_);
          const bool squared = points_.metric != Metric::kManhattan;
#pragma omp simd reduction(+ : size)
          for (size_t k = 0; k < points_.dimension; ++k) {
            double x = std::fabs(out[k]);
            size += squared ? x * x : x;
          }
          sizes_[i] = static_cast<float>(size);
        }
    });
  }

  // products[i][j] = sum of |left - right|.
  void manhattan(const at::Tensor& left, const at::Tensor& right, at::Tensor& products) {
    const float *a = left.data_ptr<float>(), *b = right.data_ptr<float>();
    float* out = products.data_ptr<float>();
    const size_t d = points_.dimension, rowCount = left.size(0), columnCount = right.size(0);
    std::atomic<size_t> next{0};
    control_.parallel(threads_, [&](int) {
      for (size_t i; (i = next.fetch_add(1)) < rowCount;)
        for (size_t j = 0; j < columnCount; ++j) {
          const float *x = a + i * d, *y = b + j * d;
          float sum = 0;
#pragma omp simd reduction(+ : sum)
          for (size_t k = 0; k < d; ++k) sum += std::fabs(x[k] - y[k]);
          out[i * columnCount + j] = sum;
        }
    });
  }

  void tile(uint32_t i, uint32_t j, at::Tensor& products, int place, TileTree& tree, Forest& forest) {
    const Vertex row = i * block_, column = j * block_;
    TileTree::Tile tile;
    tile.stride = products.size(1);
    tile.rows = products.data_ptr<float>() + size_t(place) * block_;
    tile.rowCount = std::min(block_, points_.count - row);
    tile.columnCount = std::min(block_, points_.count - column);
    tile.rowSizes = &sizes_[row];
    tile.columnSizes = &sizes_[column];
    tile.slack = slack_;
    tile.products = points_.metric != Metric::kManhattan;
    tile.diagonal = i == j;
    tree.candidates(tile, [&](uint32_t r, uint32_t c) { forest.add(row + r, column + c); });
  }

  const Points& points_;
  int threads_;
  Control& control_;
  PointDistance distance_;
  std::vector<double> mean_;
  double scale_ = 1;
  CountedVector<float> sizes_;  // squared norms, or for manhattan norms, of the centred rows; padded with 0
  uint32_t block_;
  float slack_;
};

}  // namespace

std::vector<PointEdge> spanningTree(const Points& points, int threads, Control& control) {
  if (points.count < 2) return {};
  at::NoGradGuard noGrad;
  return PointTree(points, threads, control).run();
}

}  // namespace topofr::topology
