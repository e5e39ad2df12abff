// The exact minimum spanning tree of many points in many dimensions: degree 0 at scale.
//
// Distances come a strip at a time from matrix products in float32. Each is then known within an interval; tileTree.h
// says which edges may count, those are measured in float64, and Kruskal decides. Memory: the points, which are only
// read, plus a few hundred megabytes at most, however many distances there are.
#pragma once

#include <vector>

#include "pointDistance.h"

namespace topofr::topology {

// count - 1 edges in ascending order of (length, u, v): the tree of the lengths of PointDistance, ties included. An
// interval reaches 4 sqrt(dimension) + 16 roundings of the norms to each side. Sums in float32 stay well within that, as
// their rounding errors do not all have one sign (Higham and Mary, 2019); it is no bound for the worst case.
std::vector<PointEdge> spanningTree(const Points& points, int threads, Control& control);

}  // namespace topofr::topology
