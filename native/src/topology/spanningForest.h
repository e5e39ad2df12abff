// Degree 0: the edges that join components (Kruskal), and who dies by each.
#pragma once

#include <limits>
#include <vector>

#include "space.h"

namespace topofr::topology {

// Components by union-find; the largest vertex stands for its component.
class Components {
 public:
  explicit Components(Vertex n) : parent_(n) {
    for (Vertex v = 0; v < n; ++v) parent_[v] = v;
  }
  Vertex find(Vertex v) {
    while (parent_[v] != v) v = parent_[v] = parent_[parent_[v]];
    return v;
  }
  // The vertex that stands for a component no longer; kJoined when there was one component only.
  static constexpr Vertex kJoined = std::numeric_limits<Vertex>::max();
  Vertex join(Vertex u, Vertex v) {
    u = find(u);
    v = find(v);
    if (u == v) return kJoined;
    Vertex lost = std::min(u, v);
    parent_[lost] = std::max(u, v);
    return lost;
  }

 private:
  std::vector<Vertex> parent_;
};

struct JoiningEdge {
  Rank rank;
  Vertex lost;  // stood for the younger component, which dies
};

template <typename Space>
std::vector<JoiningEdge> spanningForest(const Space& space) {
  std::vector<JoiningEdge> forest;
  Components components(space.size());
  for (Rank rank = 0; rank < space.edgeCount() && forest.size() + 1 < space.size(); ++rank) {
    auto [u, v] = space.edge(rank);
    Vertex lost = components.join(u, v);
    if (lost != Components::kJoined) forest.push_back({rank, lost});
  }
  return forest;
}

}  // namespace topofr::topology
