// A finite space as persistence sees it: edges ranked by (length, smaller vertex, larger vertex). No two edges have one
// rank, so that a simplex has one last edge, whose rank is the simplex's own; lengths return only in the results.
//
// Vertices are numbered backwards here: `n - 1 - v` for the caller's v. The largest index of simplex.h then belongs to
// the simplex that comes first in the order of the caller's vertices, and the largest candidate is the first.
//
// The one question that the reduction asks: which vertices extend a simplex, and to what rank. Dense: a square matrix of
// ranks, read by rows in vector registers. Sparse: neighbour lists, intersected.
#pragma once

#include <algorithm>

#include "control.h"
#include "lanes.h"
#include "simplex.h"

namespace topofr::topology {

using Rank = int32_t;
constexpr Rank kNever = std::numeric_limits<Rank>::max();  // no edge, or one beyond the threshold

struct Edge {
  Vertex u, v;  // of the caller, u < v
  float length;
};

class DenseSpace {
 public:
  static constexpr Vertex kMostVertices = 1 << 16;

  // An edge as one number, in the order of the filtration but for ties: length and smaller vertex; see `add`.
  using Key = uint64_t;

  DenseSpace(Vertex n, Control& control)
      : n_(n), control_(control), keys_(Counted<Key>(control)), ranks_(Counted<Rank>(control)),
        leasts_(Counted<Rank>(control)) {}

  // Edges in ascending order of (u, v), u < v; lengths are not negative. Then `finish`.
  void reserve(size_t edges) { keys_.reserve(edges); }
  void add(Vertex u, Vertex v, float length);
  void finish();

  Vertex size() const { return n_; }
  Rank edgeCount() const { return static_cast<Rank>(keys_.size()); }
  float length(Rank rank) const;
  Vertices<2> edge(Rank rank) const {
    const uint32_t code = static_cast<uint32_t>(keys_[rank]);
    return {n_ - 1 - code / n_, n_ - 1 - code % n_};
  }
  Rank rank(Vertex u, Vertex v) const { return ranks_[u * stride_ + v]; }

  // emit(w, rank) for every vertex w whose addition gives a rank in [low, high]; in any order. high < kNever.
  template <int K, typename Emit>
  void extend(const Vertices<K>& v, Rank rank, Rank low, Rank high, Emit&& emit) const {
    const Rank* rows[K];
    for (int k = 0; k < K; ++k) rows[k] = row(v[k]);
    auto found = [&](uint32_t first, uint64_t mask) {
      for (; mask != 0; mask &= mask - 1) {
        uint32_t w = first + __builtin_ctzll(mask);
        Rank extended = rank;
        for (int k = 0; k < K; ++k) extended = std::max(extended, rows[k][w]);
        emit(w, extended);
      }
    };
    if constexpr (K > 2) {
      for (uint32_t block = 0; block < n_; block += kLanes)
        found(block, maximumWithin<K>(rows, block, rank, low, high));
      return;
    }
    // Edges have few cofacets within a window: most cache lines of the rows, which are far apart in memory, are skipped.
    const Rank* leasts[K];
    for (int k = 0; k < K; ++k) leasts[k] = &leasts_[v[k] * groupStride_];
    for (uint32_t some = 0; some < groups_; some += kLanes)
      for (uint64_t groups = maximumWithin<K>(leasts, some, 0, 0, high); groups != 0; groups &= groups - 1) {
        const uint32_t first = (some + __builtin_ctzll(groups)) * kGroup;
        found(first, maximumWithin<K, kGroup>(rows, first, rank, low, high));
      }
  }

  // The largest vertex above `floor` whose addition leaves the rank as it is; -1 when there is none.
  template <int K>
  int64_t largestWithin(const Vertices<K>& v, Rank rank, int64_t floor = -1) const {
    const Rank* rows[K];
    for (int k = 0; k < K; ++k) rows[k] = row(v[k]);
    for (int64_t block = (n_ - 1) / kLanes * kLanes; block + kLanes > floor + 1; block -= kLanes) {
      uint64_t mask = maximumWithin<K>(rows, static_cast<uint32_t>(block), rank, rank, rank);
      if (mask != 0) {
        int64_t w = block + 63 - __builtin_clzll(mask);
        return w > floor ? w : -1;
      }
    }
    return -1;
  }

  // emit(w, rank) for the neighbours w < v.
  template <typename Emit>
  void smallerNeighbours(Vertex v, Emit&& emit) const {
    const Rank* ranks = row(v);
    for (Vertex w = 0; w < v; ++w)
      if (ranks[w] != kNever) emit(w, ranks[w]);
  }

 private:
  const Rank* row(Vertex v) const { return &ranks_[v * stride_]; }

  Vertex n_;
  size_t stride_ = 0, groupStride_ = 0;
  uint32_t groups_ = 0;
  Control& control_;
  CountedVector<Key> keys_;     // sorted: bits of the length above the code u * n + v
  CountedVector<Rank> ranks_;   // [n, stride]; never on the diagonal, so that a simplex's own vertices do not extend it
  CountedVector<Rank> leasts_;  // [n, groupStride], of each group of a row
};

class SparseSpace {
 public:
  // Each edge once, in any order; lengths are not negative.
  SparseSpace(Vertex n, CountedVector<Edge>&& edges, Control& control);

  Vertex size() const { return n_; }
  Rank edgeCount() const { return static_cast<Rank>(edges_.size()); }
  float length(Rank rank) const { return edges_[rank].length; }
  Vertices<2> edge(Rank rank) const { return {n_ - 1 - edges_[rank].u, n_ - 1 - edges_[rank].v}; }
  Rank rank(Vertex u, Vertex v) const {
    const Neighbour* found = std::lower_bound(begin(u), end(u), v,
                                              [](const Neighbour& a, Vertex vertex) { return a.vertex > vertex; });
    return found != end(u) && found->vertex == v ? found->rank : kNever;
  }

  template <int K, typename Emit>
  void extend(const Vertices<K>& v, Rank rank, Rank low, Rank high, Emit&& emit) const {
    common<K>(v, [&](Vertex w, Rank latest) {
      Rank extended = std::max(rank, latest);
      if (extended >= low && extended <= high) emit(w, extended);
      return true;
    });
  }

  template <int K>
  int64_t largestWithin(const Vertices<K>& v, Rank rank, int64_t floor = -1) const {
    int64_t found = -1;
    common<K>(v, [&](Vertex w, Rank latest) {
      if (static_cast<int64_t>(w) <= floor) return false;
      if (latest > rank) return true;
      found = w;
      return false;
    });
    return found;
  }

  template <typename Emit>
  void smallerNeighbours(Vertex v, Emit&& emit) const {
    for (const Neighbour* at = begin(v); at != end(v); ++at)
      if (at->vertex < v) emit(at->vertex, at->rank);
  }

 private:
  struct Neighbour {
    Vertex vertex;
    Rank rank;
  };
  const Neighbour* begin(Vertex v) const { return neighbours_.data() + starts_[v]; }
  const Neighbour* end(Vertex v) const { return neighbours_.data() + starts_[v + 1]; }

  // visit(w, latest rank) for the common neighbours, descending, until it returns false.
  template <int K, typename Visit>
  void common(const Vertices<K>& v, Visit&& visit) const {
    const Neighbour* at[K];
    const Neighbour* ends[K];
    for (int k = 0; k < K; ++k) {
      at[k] = begin(v[k]);
      ends[k] = end(v[k]);
    }
    for (; at[0] != ends[0]; ++at[0]) {
      const Vertex w = at[0]->vertex;
      Rank latest = at[0]->rank;
      bool everywhere = true;
      for (int k = 1; k < K; ++k) {
        while (at[k] != ends[k] && at[k]->vertex > w) ++at[k];
        if (at[k] == ends[k]) return;
        if (at[k]->vertex != w) {
          everywhere = false;
          break;
        }
        latest = std::max(latest, at[k]->rank);
      }
      if (everywhere && !visit(w, latest)) return;
    }
  }

  Vertex n_;
  CountedVector<Edge> edges_;
  CountedVector<size_t> starts_;
  CountedVector<Neighbour> neighbours_;  // descending vertices
};

}  // namespace topofr::topology
