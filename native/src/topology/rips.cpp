#include "rips.h"

#include "reduction.h"
#include "spanningForest.h"

namespace topofr::topology {
namespace {

// Every component is born at 0; of two that an edge joins, the one with the larger first vertex (the caller's) dies.
template <typename Space>
RipsPairs degreeZero(const Space& space, const std::vector<JoiningEdge>& forest, const RipsOptions& options) {
  const Vertex n = space.size();
  RipsPairs result;
  std::vector<std::vector<Vertex>> members(options.cocycles ? n : 0);  // of the component that a vertex stands for
  for (Vertex v = 0; v < members.size(); ++v) members[v] = {n - 1 - v};
  std::vector<bool> alive(n, true);
  Components components(n);
  auto add = [&](Vertex born, float death, Vertex u, Vertex v) {
    result.births.push_back(0);
    result.deaths.push_back(death);
    if (options.representatives) {
      result.birthSimplices.push_back(n - 1 - born);
      result.deathSimplices.insert(result.deathSimplices.end(), {u, v});
    }
    if (options.cocycles) {
      std::sort(members[born].begin(), members[born].end());
      result.cocycles.push_back({members[born], std::vector<uint32_t>(members[born].size(), 1)});
    }
  };
  for (const auto& [rank, lost] : forest) {
    auto [u, v] = space.edge(rank);
    if (space.length(rank) > 0) add(lost, space.length(rank), n - 1 - u, n - 1 - v);
    components.join(u, v);
    alive[lost] = false;
    if (options.cocycles) {
      std::vector<Vertex>& kept = members[components.find(lost)];
      kept.insert(kept.end(), members[lost].begin(), members[lost].end());
      members[lost] = {};
    }
  }
  for (Vertex v = n; v-- > 0;)
    if (alive[v]) add(v, std::numeric_limits<float>::infinity(), kNoVertex, kNoVertex);
  return result;
}

template <typename Space>
class Rips {
 public:
  Rips(const Space& space, const RipsOptions& options, Control& control)
      : space_(space), options_(options), control_(control), field_(options.modulus),
        binomials_(space.size(), options.maxDimension + 2, std::min(63, field_.indexBits())) {}

  std::vector<RipsPairs> run() {
    control_.begin(0, 1);
    std::vector<JoiningEdge> forest = spanningForest(space_);
    result_.push_back(degreeZero(space_, forest, options_));
    if (options_.maxDimension > 0) {
      auto deaths = std::make_unique<PivotTable>(forest.size(), control_);
      for (const JoiningEdge& edge : forest) deaths->at(binomials_.index<2>(space_.edge(edge.rank))).owner = 1;
      degree<2>(std::move(deaths));
    }
    return std::move(result_);
  }

 private:
  // Degree K - 1 and those above it.
  template <int K>
  void degree(std::unique_ptr<PivotTable> deaths) {
    {
      Reduction<Space, K> reduction(space_, binomials_, field_, options_, control_);
      reduction.assemble(*deaths);
      deaths.reset();
      reduction.reduce();
      result_.push_back(reduction.pairs());
      deaths = reduction.takePivots();
    }
    if constexpr (K <= 3)
      if (options_.maxDimension >= K) degree<K + 1>(std::move(deaths));
  }

  const Space& space_;
  const RipsOptions& options_;
  Control& control_;
  Field field_;
  Binomials binomials_;
  std::vector<RipsPairs> result_;
};

}  // namespace

std::vector<RipsPairs> ripsPairs(const DenseSpace& space, const RipsOptions& options, Control& control) {
  return Rips<DenseSpace>(space, options, control).run();
}

std::vector<RipsPairs> ripsPairs(const SparseSpace& space, const RipsOptions& options, Control& control) {
  return Rips<SparseSpace>(space, options, control).run();
}

}  // namespace topofr::topology
