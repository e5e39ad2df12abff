#include "space.h"

#include <cstring>

namespace topofr::topology {
namespace {

uint32_t bitsOf(float length) {
  uint32_t bits;
  length += 0.0f;  // -0 is 0
  std::memcpy(&bits, &length, sizeof bits);
  return bits;
}

// Stable, by the upper halves: three passes of 11 bits, those that change nothing left out.
void sortByUpperHalf(CountedVector<uint64_t>& keys, Control& control) {
  constexpr int kPasses = 3, kBits = 11, kBuckets = 1 << kBits;
  auto bucket = [](uint64_t key, int pass) { return (key >> (32 + pass * kBits)) & (kBuckets - 1); };
  std::vector<size_t> counts(kPasses * kBuckets, 0);
  for (uint64_t key : keys)
    for (int pass = 0; pass < kPasses; ++pass) ++counts[pass * kBuckets + bucket(key, pass)];
  CountedVector<uint64_t> moved(keys.size(), 0, Counted<uint64_t>(control));
  for (int pass = 0; pass < kPasses; ++pass) {
    size_t* starts = &counts[pass * kBuckets];
    if (std::find(starts, starts + kBuckets, keys.size()) != starts + kBuckets) continue;
    for (size_t b = 0, sum = 0; b < kBuckets; ++b) {
      size_t count = starts[b];
      starts[b] = sum;
      sum += count;
    }
    control.check();
    for (uint64_t key : keys) moved[starts[bucket(key, pass)]++] = key;
    keys.swap(moved);
  }
}

void assertRanksFit(size_t edges) {
  if (edges >= static_cast<size_t>(kNever))
    throw std::length_error(std::to_string(edges) + " edges are too many: fewer than 2^31 - 1 can be ranked");
}

}  // namespace

void DenseSpace::add(Vertex u, Vertex v, float length) {
  keys_.push_back(static_cast<uint64_t>(bitsOf(length)) << 32 | (u * n_ + v));
}

float DenseSpace::length(Rank rank) const {
  const uint32_t bits = keys_[rank] >> 32;
  float length;
  std::memcpy(&length, &bits, sizeof length);
  return length;
}

void DenseSpace::finish() {
  assertRanksFit(keys_.size());
  sortByUpperHalf(keys_, control_);
  stride_ = (size_t{n_} + kLanes - 1) / kLanes * kLanes;
  ranks_.assign(stride_ * n_, kNever);
  for (Rank rank = 0; rank < edgeCount(); ++rank) {
    auto [u, v] = edge(rank);
    ranks_[u * stride_ + v] = ranks_[v * stride_ + u] = rank;
  }
  groups_ = static_cast<uint32_t>(stride_ / kGroup);
  groupStride_ = (groups_ + kLanes - 1) / kLanes * kLanes;
  leasts_.assign(groupStride_ * n_, kNever);
  for (Vertex v = 0; v < n_; ++v)
    for (uint32_t group = 0; group < groups_; ++group) {
      const Rank* first = &ranks_[v * stride_ + group * kGroup];
      leasts_[v * groupStride_ + group] = *std::min_element(first, first + kGroup);
    }
}

SparseSpace::SparseSpace(Vertex n, CountedVector<Edge>&& edges, Control& control)
    : n_(n), edges_(std::move(edges)), starts_(size_t{n} + 1, 0, Counted<size_t>(control)),
      neighbours_(Counted<Neighbour>(control)) {
  assertRanksFit(edges_.size());
  std::sort(edges_.begin(), edges_.end(), [](const Edge& a, const Edge& b) {
    if (a.length != b.length) return a.length < b.length;
    return a.u != b.u ? a.u < b.u : a.v < b.v;
  });
  for (Rank rank = 0; rank < edgeCount(); ++rank)
    for (Vertex end : edge(rank)) ++starts_[end + 1];
  for (Vertex v = 0; v < n; ++v) starts_[v + 1] += starts_[v];
  neighbours_.resize(starts_[n]);
  std::vector<size_t> next(starts_.begin(), starts_.end() - 1);
  for (Rank rank = 0; rank < edgeCount(); ++rank) {
    auto [u, v] = edge(rank);
    neighbours_[next[u]++] = {v, rank};
    neighbours_[next[v]++] = {u, rank};
  }
  for (Vertex v = 0; v < n; ++v) {
    auto first = neighbours_.begin() + starts_[v], end = neighbours_.begin() + starts_[v + 1];
    std::sort(first, end, [](const Neighbour& a, const Neighbour& b) { return a.vertex > b.vertex; });
    auto twice = std::adjacent_find(
        first, end, [](const Neighbour& a, const Neighbour& b) { return a.vertex == b.vertex; });
    if (twice != end)
      throw std::invalid_argument("edge (" + std::to_string(edges_[twice->rank].u) + ", " +
                                  std::to_string(edges_[twice->rank].v) + ") is listed twice");
  }
}

}  // namespace topofr::topology
