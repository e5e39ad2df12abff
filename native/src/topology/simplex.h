// Simplices as numbers: the combinatorial number system. The simplex v0 > v1 > ... of k vertices has the index
// C(v0, k) + C(v1, k - 1) + ..., which orders simplices as their vertices do, largest first.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace topofr::topology {

using Vertex = uint32_t;
using Index = uint64_t;
constexpr int kMostVertices = 5;  // of a tetrahedron's cofacet, in degree 3

template <int K>
using Vertices = std::array<Vertex, K>;  // descending

class Binomials {
 public:
  // Of numbers up to `n`, for simplices of up to `vertices` vertices whose indices stay below 2^bits.
  Binomials(Vertex n, int vertices, int bits) : width_(size_t{n} + 1), table_(width_ * (vertices + 1)) {
    const unsigned __int128 bound = static_cast<unsigned __int128>(1) << bits;
    for (size_t v = 0; v < width_; ++v) {
      table_[v] = 1;
      for (int k = 1; k <= vertices; ++k) {
        unsigned __int128 sum = v == 0 ? 0 : static_cast<unsigned __int128>(at(v - 1, k)) + at(v - 1, k - 1);
        if (sum >= bound)
          throw std::length_error(std::to_string(n) + " points have too many simplices of " + std::to_string(vertices) +
                                  " vertices: their number must stay below 2^" + std::to_string(bits) +
                                  "; lower the dimension or the number of points");
        table_[k * width_ + v] = static_cast<Index>(sum);
      }
    }
  }
  Index operator()(Vertex v, int k) const { return table_[k * width_ + v]; }

  template <int K>
  Index index(const Vertices<K>& v) const {
    Index sum = 0;
    for (int i = 0; i < K; ++i) sum += (*this)(v[i], K - i);
    return sum;
  }

  template <int K>
  Vertices<K> vertices(Index index) const {
    Vertices<K> v;
    size_t end = width_ - 1;  // vertices are below `end`
    for (int i = 0; i < K; ++i) {
      const Index* row = &table_[(K - i) * width_];
      size_t low = 0;  // row[low] <= index
      for (size_t span = end; span > 1;) {
        size_t half = span / 2;
        low = row[low + half] <= index ? low + half : low;
        span -= half;
      }
      v[i] = static_cast<Vertex>(low);
      index -= row[low];
      end = low;
    }
    return v;
  }

 private:
  Index at(size_t v, int k) const { return table_[k * width_ + v]; }

  size_t width_;
  std::vector<Index> table_;  // [k][v]
};

// A simplex with the indices of all its cofacets prepared: adding w below `position` of its vertices.
template <int K>
struct Cofacets {
  Vertices<K> v;
  std::array<Index, K + 1> rest;

  Cofacets(const Binomials& binomials, const Vertices<K>& vertices) : v(vertices) {
    Index below = binomials.index<K>(v), above = 0;
    rest[0] = below;
    for (int i = 0; i < K; ++i) {
      above += binomials(v[i], K + 1 - i);
      below -= binomials(v[i], K - i);
      rest[i + 1] = above + below;
    }
  }
  int position(Vertex w) const {
    int p = 0;
    for (int i = 0; i < K; ++i) p += v[i] > w;
    return p;
  }
  Index index(const Binomials& binomials, Vertex w, int position) const {
    return rest[position] + binomials(w, K + 1 - position);
  }
};

template <int K>
Vertices<K + 1> with(const Vertices<K>& v, Vertex w, int position) {
  Vertices<K + 1> result;
  for (int i = 0; i < position; ++i) result[i] = v[i];
  result[position] = w;
  for (int i = position; i < K; ++i) result[i + 1] = v[i];
  return result;
}

template <int K>
Vertices<K - 1> without(const Vertices<K>& v, int position) {
  Vertices<K - 1> result;
  for (int i = 0, out = 0; i < K; ++i)
    if (i != position) result[out++] = v[i];
  return result;
}

}  // namespace topofr::topology
