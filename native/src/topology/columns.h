// The columns of one degree: the simplices of K vertices that may give birth and are in no apparent pair.
#pragma once

#include <algorithm>

#include "pivotTable.h"
#include "space.h"

namespace topofr::topology {

struct Column {  // 12 bytes: there may be a billion
  uint32_t indexLow, indexHigh;
  Rank rank;
  Column(Index index, Rank r) : indexLow(static_cast<uint32_t>(index)), indexHigh(index >> 32), rank(r) {}
  Index index() const { return (static_cast<Index>(indexHigh) << 32) | indexLow; }
};

// The position of the vertex whose removal leaves a facet that forms an apparent pair with `tau`; -1 when none does.
// Apparent: the latest facet has tau's rank (it keeps the last edge), and tau is its earliest cofacet.
template <typename Space, int M>
int apparentFacet(const Space& space, const Vertices<M>& tau, Rank rank) {
  auto [a, b] = space.edge(rank);
  int removed = 0;
  while (tau[removed] == a || tau[removed] == b) ++removed;
  Vertices<M - 1> facet = without<M>(tau, removed);
  return space.template largestWithin<M - 1>(facet, rank, tau[removed]) < 0 ? removed : -1;
}

template <typename Space, int K>
bool hasApparentCofacet(const Space& space, const Vertices<K>& v, Rank rank) {
  int64_t w = space.template largestWithin<K>(v, rank);
  if (w < 0) return false;
  if (K == 2 || w > v[0]) return true;
  auto [a, b] = space.edge(rank);  // v is the latest facet when each larger vertex is of the last edge
  for (int i = 0; i < K && v[i] > w; ++i)
    if (v[i] != a && v[i] != b) return false;
  return true;
}

// Degree 1: edges by their rank, so that nothing needs sorting.
template <typename Space>
CountedVector<Column> findEdges(const Space& space, const Binomials& binomials, const PivotTable& deaths, int threads,
                                Control& control) {
  constexpr Rank kAtOnce = 1 << 14;
  const Rank chunks = (space.edgeCount() + kAtOnce - 1) / kAtOnce;
  control.begin(2, chunks);
  CountedVector<Column> columns{Counted<Column>(control)};
  std::vector<CountedVector<Column>> parts(chunks, columns);
  std::atomic<Rank> next{0};
  control.parallel(std::min(chunks, threads), [&](int) {
    for (Rank chunk; (chunk = next.fetch_add(1)) < chunks; control.advance(1)) {
      control.check();
      Rank last = space.edgeCount() - 1 - chunk * kAtOnce;
      for (Rank rank = last; rank >= 0 && rank > last - kAtOnce; --rank) {
        Vertices<2> v = space.edge(rank);
        if (hasApparentCofacet<Space, 2>(space, v, rank)) continue;
        Index index = binomials.index<2>(v);
        if (!deaths.contains(index)) parts[chunk].emplace_back(index, rank);
      }
    }
  });
  for (CountedVector<Column>& part : parts) columns.insert(columns.end(), part.begin(), part.end());
  return columns;
}

// visit(simplex, rank) for every simplex that has the first `Depth` of `v` as its largest vertices.
template <int Depth, typename Space, size_t K, typename Visit>
void grow(const Space& space, std::array<Vertex, K>& v, Rank rank, Visit&& visit) {
  space.smallerNeighbours(v[Depth - 1], [&](Vertex w, Rank edge) {
    Rank grown = std::max(rank, edge);
    for (int i = 0; i < Depth - 1; ++i) grown = std::max(grown, space.rank(v[i], w));
    if (grown == kNever) return;
    v[Depth] = w;
    if constexpr (Depth + 1 == K) visit(v, grown);
    else grow<Depth + 1>(space, v, grown, visit);
  });
}

template <typename Space, int K>
CountedVector<Column> findSimplices(const Space& space, const Binomials& binomials, const PivotTable& deaths,
                                    int threads, Control& control) {
  constexpr Vertex kFewVertices = 64;  // not worth a second thread
  control.begin(2 * (K - 1), space.size());
  if (space.size() <= kFewVertices) threads = 1;
  CountedVector<Column> columns{Counted<Column>(control)};
  std::vector<CountedVector<Column>> parts(threads, columns);
  std::atomic<int64_t> next{static_cast<int64_t>(space.size()) - 1};
  auto before = [](const Column& a, const Column& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.index() < b.index();
  };
  control.parallel(threads, [&](int thread) {
    CountedVector<Column>& found = parts[thread];
    for (int64_t top; (top = next.fetch_sub(1)) >= 0; control.advance(1)) {
      control.check();
      Vertices<K> v{};
      v[0] = static_cast<Vertex>(top);
      grow<1>(space, v, 0, [&](const Vertices<K>& simplex, Rank rank) {
        if (hasApparentCofacet<Space, K>(space, simplex, rank) || apparentFacet<Space, K>(space, simplex, rank) >= 0)
          return;
        Index index = binomials.index<K>(simplex);
        if (!deaths.contains(index)) found.emplace_back(index, rank);
      });
    }
    std::sort(found.begin(), found.end(), before);
  });
  for (CountedVector<Column>& part : parts) {
    size_t middle = columns.size();
    columns.insert(columns.end(), part.begin(), part.end());
    CountedVector<Column>(Counted<Column>(control)).swap(part);
    std::inplace_merge(columns.begin(), columns.begin() + middle, columns.end(), before);
  }
  return columns;
}

// The latest first. `deaths`: the pivots of the degree below, which give no birth. Of these, degree 1 needs all joining
// edges; above it, apparent pairs of the degree below are recognised here.
template <typename Space, int K>
CountedVector<Column> findColumns(const Space& space, const Binomials& binomials, const PivotTable& deaths, int threads,
                                  Control& control) {
  if constexpr (K == 2) return findEdges(space, binomials, deaths, threads, control);
  else return findSimplices<Space, K>(space, binomials, deaths, threads, control);
}

}  // namespace topofr::topology
