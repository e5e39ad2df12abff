// Persistent cohomology in one degree: the reduction of the columns of columns.h, and the pairs that come of it.
// rips.cpp runs the degrees in turn.
#pragma once

#include <algorithm>
#include <memory>

#include "cofacetQueue.h"
#include "columns.h"
#include "pivotTable.h"
#include "rips.h"

namespace topofr::topology {

template <typename Space, int K>
class Reduction {
 public:
  Reduction(const Space& space, const Binomials& binomials, const Field& field, const RipsOptions& options,
            Control& control)
      : space_(space), binomials_(binomials), field_(field), options_(options), control_(control),
        columns_(Counted<Column>(control)) {}

  // `deaths`: the pivots of the degree below, which die and so give no birth.
  void assemble(const PivotTable& deaths) {
    columns_ = findColumns<Space, K>(space_, binomials_, deaths, options_.threads, control_);
  }
  void reduce();
  RipsPairs pairs() const;
  std::unique_ptr<PivotTable> takePivots() { return std::move(pivots_); }

 private:
  // What one thread works with: a column is the coboundary of `chain`, of which `queue` has the part from the pivot on.
  struct Worker {
    Worker(const Field& field, Control& control) : queue(field, control) {}
    CofacetQueue queue;
    std::vector<uint64_t> chain;  // may name a simplex twice
    size_t compacted = 0;         // length of the chain when it last named none twice
    float reach = 0;              // ranks from column to pivot, lately
    std::vector<CountedVector<uint64_t>> blocks;  // of stored chains
    size_t left = 0;                              // words in the last block
    std::vector<std::pair<uint32_t, Owner>> essential;
  };

  // An owner is a column alone (odd), or the address of a stored chain: column and length in the first word, then terms.
  static Owner alone(uint32_t column) { return (static_cast<Owner>(column) << 1) | 1; }
  static const uint64_t* stored(Owner owner) { return reinterpret_cast<const uint64_t*>(owner); }
  static uint32_t columnOf(Owner owner) {
    return static_cast<uint32_t>(owner & 1 ? owner >> 1 : *stored(owner) & 0xffffffff);
  }
  template <typename Visit>
  void eachTerm(Owner owner, Visit&& visit) const {
    if (owner & 1) return visit(field_.term(columns_[columnOf(owner)].index(), 1));
    const uint64_t* words = stored(owner);
    for (uint64_t i = 1; i <= words[0] >> 32; ++i) visit(words[i]);
  }

  template <int M>
  Rank rankOf(const Vertices<M>& v) const {
    Rank rank = 0;
    for (int i = 1; i < M; ++i)
      for (int j = 0; j < i; ++j) rank = std::max(rank, space_.rank(v[i], v[j]));
    return rank;
  }
  bool claimEmergentPair(uint32_t number);
  void reduceColumn(Worker& worker, uint32_t number);
  void compactChain(Worker& worker) const;
  Owner store(Worker& worker, uint32_t number, uint32_t scale);
  uint32_t coefficientAt(Owner owner, Index pivot) const;
  void list(Worker& worker, uint64_t term, Rank low, Rank high, const Cofacet* after) const;
  void addTerm(Worker& worker, uint64_t term, const Cofacet& pivot, Rank high) const;
  void add(Worker& worker, Owner owner, uint32_t factor, const Cofacet& pivot, Rank high) const;

  const Space& space_;
  const Binomials& binomials_;
  const Field& field_;
  const RipsOptions& options_;
  Control& control_;
  CountedVector<Column> columns_;  // the latest first
  std::unique_ptr<PivotTable> pivots_;
  std::vector<Worker> workers_;
};

template <typename Space, int K>
void Reduction<Space, K>::reduce() {
  constexpr size_t kAtOnce = 32, kFewColumns = 256;
  if (columns_.size() >= uint64_t{1} << 32)
    throw OutOfMemory("has over 4 billion columns in degree " + std::to_string(K - 1));
  control_.begin(2 * (K - 1) + 1, columns_.size());
  pivots_ = std::make_unique<PivotTable>(columns_.size(), control_);
  // One thread when cocycles are wanted: the pairs do not depend on the threads' timing, the chains do.
  const int threads = columns_.size() < kFewColumns || options_.cocycles ? 1 : options_.threads;
  for (int thread = 0; thread < threads; ++thread) workers_.emplace_back(field_, control_);
  std::atomic<size_t> next{0};
  control_.parallel(threads, [&](int thread) {
    for (size_t first; (first = next.fetch_add(kAtOnce)) < columns_.size();) {
      size_t end = std::min(columns_.size(), first + kAtOnce);
      for (size_t number = first; number < end; ++number) {
        control_.check();
        reduceColumn(workers_[thread], static_cast<uint32_t>(number));
      }
      control_.advance(end - first);
    }
  });
}

// The column's earliest cofacet has the column's rank and belongs to nobody: no more need be listed. (An edge with a
// cofacet of its own rank forms an apparent pair and is no column.)
template <typename Space, int K>
bool Reduction<Space, K>::claimEmergentPair(uint32_t number) {
  if constexpr (K == 2) return false;
  const Column& column = columns_[number];
  Vertices<K> v = binomials_.vertices<K>(column.index());
  int64_t w = space_.template largestWithin<K>(v, column.rank);
  if (w < 0) return false;
  Cofacets<K> cofacets(binomials_, v);
  int position = cofacets.position(static_cast<Vertex>(w));
  Index pivot = cofacets.index(binomials_, static_cast<Vertex>(w), position);
  if (pivots_->owner(pivot) != 0) return false;
  if (apparentFacet<Space, K + 1>(space_, with<K>(v, static_cast<Vertex>(w), position), column.rank) >= 0) return false;
  Owner nobody = 0;
  return pivots_->at(pivot).owner.compare_exchange_strong(nobody, alone(number), std::memory_order_acq_rel);
}

template <typename Space, int K>
void Reduction<Space, K>::reduceColumn(Worker& worker, uint32_t number) {
  constexpr float kFirstWindow = 16, kWindowGrowth = 2;  // ranks; few columns need more than one or two windows
  if (claimEmergentPair(number)) return;
  const Rank last = space_.edgeCount() - 1;
  const Rank rank = columns_[number].rank;
  // Cofacets above `top` were not listed yet. Those below the pivot have cancelled: what is added need not list them.
  Rank top = rank - 1;
  float window = std::max(worker.reach / 8, kFirstWindow);
  worker.queue.clear();
  worker.chain.assign(1, field_.term(columns_[number].index(), 1));
  worker.compacted = 1;
  Cofacet pivot;
  for (;;) {
    if (!worker.queue.pop(pivot)) {
      compactChain(worker);
      if (top == last) {
        worker.essential.emplace_back(number, options_.cocycles ? store(worker, number, 1) : alone(number));
        return;
      }
      const Rank low = top + 1;
      top = static_cast<Rank>(std::min<int64_t>(last, low + static_cast<int64_t>(window)));
      window = std::min(window * kWindowGrowth, CofacetQueue::kWidestWindow - 1.0f);
      worker.queue.open(low, top);
      for (uint64_t term : worker.chain) list(worker, term, low, top, nullptr);
      continue;
    }
    const Index index = field_.index(pivot.term);
    Owner owner = pivots_->owner(index);
    if (owner == 0) {
      Vertices<K + 1> tau = binomials_.vertices<K + 1>(index);
      int removed = apparentFacet<Space, K + 1>(space_, tau, pivot.rank);
      if (removed >= 0) {  // add the facet, whose column is in no table; its coefficient at tau is its own inverse
        uint32_t factor = field_.negative(field_.multiply(field_.coefficient(pivot.term), field_.sign(removed)));
        addTerm(worker, field_.term(binomials_.index<K>(without<K + 1>(tau, removed)), factor), pivot, top);
        continue;
      }
    }
    if (owner == 0 || columnOf(owner) > number) {  // the pivot is nobody's, or a later column's: take it
      Owner mine = store(worker, number, field_.inverse(field_.coefficient(pivot.term)));
      std::atomic<Owner>& place = pivots_->at(index).owner;
      bool taken = false;
      while (!taken && (owner == 0 || columnOf(owner) > number))
        taken = place.compare_exchange_weak(owner, mine, std::memory_order_acq_rel);
      if (taken && owner == 0) {
        worker.reach += (static_cast<float>(pivot.rank - rank) - worker.reach) / 16;
        return;
      }
      if (taken) {  // go on with the column that lost its pivot
        number = columnOf(owner);
        pivot.term = field_.term(index, coefficientAt(owner, index));
        worker.queue.clear();
        worker.chain.clear();
        add(worker, owner, 1, pivot, top);
        owner = mine;
      }
    }
    uint32_t there = field_.inverse(coefficientAt(owner, index));
    add(worker, owner, field_.negative(field_.multiply(field_.coefficient(pivot.term), there)), pivot, top);
  }
}

template <typename Space, int K>
void Reduction<Space, K>::compactChain(Worker& worker) const {
  std::vector<uint64_t>& chain = worker.chain;
  if (chain.size() > 1) {
    std::sort(chain.begin(), chain.end(),
              [this](uint64_t a, uint64_t b) { return field_.index(a) < field_.index(b); });
    size_t kept = 0;
    for (size_t i = 0; i < chain.size();) {
      const Index index = field_.index(chain[i]);
      uint32_t sum = 0;
      for (; i < chain.size() && field_.index(chain[i]) == index; ++i)
        sum = field_.add(sum, field_.coefficient(chain[i]));
      if (sum != 0) chain[kept++] = field_.term(index, sum);
    }
    chain.resize(kept);
  }
  worker.compacted = chain.size();
}

// The chain times `scale`, kept until the degree is done: another thread may be reading a chain that lost its pivot.
template <typename Space, int K>
Owner Reduction<Space, K>::store(Worker& worker, uint32_t number, uint32_t scale) {
  constexpr size_t kFirstBlock = 1 << 10, kLargestBlock = 1 << 17;  // words
  compactChain(worker);
  const std::vector<uint64_t>& chain = worker.chain;
  if (chain.size() == 1) return alone(number);
  const size_t words = chain.size() + 1;
  if (worker.left < words) {
    size_t next = worker.blocks.empty() ? kFirstBlock : std::min(worker.blocks.back().size() * 2, kLargestBlock);
    worker.blocks.emplace_back(std::max(words, next), 0, Counted<uint64_t>(control_));
    worker.left = worker.blocks.back().size();
  }
  uint64_t* at = worker.blocks.back().data() + worker.blocks.back().size() - worker.left;
  worker.left -= words;
  at[0] = number | (static_cast<uint64_t>(chain.size()) << 32);
  for (size_t i = 0; i < chain.size(); ++i)
    at[1 + i] = field_.term(field_.index(chain[i]), field_.multiply(field_.coefficient(chain[i]), scale));
  return reinterpret_cast<Owner>(at);
}

// The pivot's coefficient in an owner's column; stored chains are scaled to 1.
template <typename Space, int K>
uint32_t Reduction<Space, K>::coefficientAt(Owner owner, Index pivot) const {
  if (field_.modulus() == 2 || !(owner & 1)) return 1;
  Vertices<K> v = binomials_.vertices<K>(columns_[columnOf(owner)].index());
  Vertices<K + 1> tau = binomials_.vertices<K + 1>(pivot);
  int added = 0;
  while (added < K && tau[added] == v[added]) ++added;
  return field_.sign(added);
}

// Lists the cofacets of a term with a rank in [low, high]; with `after` only those later than it.
template <typename Space, int K>
void Reduction<Space, K>::list(Worker& worker, uint64_t term, Rank low, Rank high, const Cofacet* after) const {
  Vertices<K> v = binomials_.vertices<K>(field_.index(term));
  Rank rank = rankOf<K>(v);
  if (rank > high) return;
  const uint32_t coefficient = field_.coefficient(term);
  const Index last = after != nullptr ? field_.index(after->term) : 0;
  Cofacets<K> cofacets(binomials_, v);
  space_.template extend<K>(v, rank, low, high, [&](Vertex w, Rank extended) {
    int position = cofacets.position(w);
    Index index = cofacets.index(binomials_, w, position);
    if (after != nullptr && extended == after->rank && index >= last) return;
    worker.queue.push(field_.term(index, field_.multiply(coefficient, field_.sign(position))), extended);
  });
}

template <typename Space, int K>
void Reduction<Space, K>::addTerm(Worker& worker, uint64_t term, const Cofacet& pivot, Rank high) const {
  worker.chain.push_back(term);
  if (worker.chain.size() > 2 * worker.compacted + 256) compactChain(worker);
  list(worker, term, pivot.rank, high, &pivot);
}

// Adds `factor` times an owner's column, which cancels the pivot.
template <typename Space, int K>
void Reduction<Space, K>::add(Worker& worker, Owner owner, uint32_t factor, const Cofacet& pivot, Rank high) const {
  eachTerm(owner, [&](uint64_t term) {
    uint32_t coefficient = field_.multiply(field_.coefficient(term), factor);
    addTerm(worker, field_.term(field_.index(term), coefficient), pivot, high);
  });
}

template <typename Space, int K>
RipsPairs Reduction<Space, K>::pairs() const {
  struct Pair {
    Owner owner;
    Index death;
    Rank deathRank;
  };
  std::vector<Pair> found;
  pivots_->each([&](Index pivot, Owner owner) {
    Rank death = rankOf<K + 1>(binomials_.vertices<K + 1>(pivot));
    if (space_.length(death) > space_.length(columns_[columnOf(owner)].rank)) found.push_back({owner, pivot, death});
  });
  for (const Worker& worker : workers_)
    for (const auto& [column, owner] : worker.essential) found.push_back({owner, 0, kNever});
  std::sort(found.begin(), found.end(),
            [](const Pair& a, const Pair& b) { return columnOf(a.owner) > columnOf(b.owner); });

  RipsPairs result;
  result.dimension = K - 1;
  auto append = [this](std::vector<Vertex>& list, const auto& vertices) {
    for (Vertex v : vertices) list.push_back(space_.size() - 1 - v);
  };
  for (const Pair& pair : found) {
    const Column& column = columns_[columnOf(pair.owner)];
    const bool essential = pair.deathRank == kNever;
    result.births.push_back(space_.length(column.rank));
    result.deaths.push_back(essential ? std::numeric_limits<float>::infinity() : space_.length(pair.deathRank));
    if (options_.representatives) {
      append(result.birthSimplices, binomials_.vertices<K>(column.index()));
      if (essential) result.deathSimplices.insert(result.deathSimplices.end(), K + 1, kNoVertex);
      else append(result.deathSimplices, binomials_.vertices<K + 1>(pair.death));
    }
    if (options_.cocycles) {
      Cocycle cocycle;
      eachTerm(pair.owner, [&](uint64_t term) {
        append(cocycle.simplices, binomials_.vertices<K>(field_.index(term)));
        cocycle.coefficients.push_back(field_.coefficient(term));
      });
      result.cocycles.push_back(std::move(cocycle));
    }
  }
  return result;
}

}  // namespace topofr::topology
