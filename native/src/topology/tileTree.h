// Which edges of one tile of distances may be in the minimum spanning tree, when each distance is known only within an
// interval. A tile joins all points of one block with all of another (or a block with itself).
//
// Prim grows the tree of the upper ends. When x joins it, the longest upper end on the tree's path from x to an earlier
// point y is the largest among those that joined after y; an edge whose lower end is above that is in no minimum
// spanning tree, whatever the distances are within their intervals. All others are candidates.
#pragma once

#include <cstring>
#include <limits>
#include <vector>

#include "control.h"

namespace topofr::topology {

class TileTree {
 public:
  static constexpr uint32_t kBlock = 64;
  static uint32_t padded(uint32_t count) { return (count + kBlock - 1) / kBlock * kBlock; }

  // Room for blocks of up to `most` points.
  TileTree(uint32_t most, Control& control);

  // rows: [rowCount, stride] products <a, b> (manhattan: distances), stride >= padded(columnCount); overwritten.
  // sizes: what the interval's width grows with: squared norms of the points, padded alike. `slack`: half the width over
  // the sum of both sizes. candidate(row, column) is called for every edge that may count.
  struct Tile {
    float* rows;
    size_t stride;
    uint32_t rowCount, columnCount;
    const float *rowSizes, *columnSizes;
    float slack;
    bool products;  // rows hold inner products; else distances
    bool diagonal;  // rows and columns are the same points
  };
  template <typename Candidate>
  void candidates(const Tile& tile, Candidate&& candidate) {
    prepare(tile);
    if (tile.diagonal ? tile.rowCount < 2 : tile.rowCount == 0 || tile.columnCount == 0) return;
    uint32_t newest = 0;
    int newestSide = 0;
    float joined = 0;  // upper end of the edge by which the newest joined
    take(0, 0);
    const uint32_t total = tile.rowCount + (tile.diagonal ? 0 : tile.columnCount);
    for (uint32_t done = 1;; ++done) {
      const int other = tile.diagonal ? 0 : 1 - newestSide;
      const float* distances = newestSide == 0 ? tile.rows + newest * tile.stride : &transposed_[newest * stride_];
      const float* sizes = other == 0 ? tile.rowSizes : tile.columnSizes;
      const float size = (newestSide == 0 ? tile.rowSizes : tile.columnSizes)[newest];
      if (!tile.diagonal) raise(sides_[newestSide], joined);
      Side& side = sides_[other];
      for (uint32_t block = 0; block < side.count; block += kBlock) {
        if (!sweep(side, block, distances, sizes, size, tile.slack, joined)) continue;
        for (uint32_t y = block; y < block + kBlock; ++y)
          if (found_[y - block]) candidate(newestSide == 0 ? newest : y, newestSide == 0 ? y : newest);
      }
      // A point is of its own path's start only after the sweep, which would find it beside itself.
      sides_[newestSide].path[newest] = 0;
      if (done == total) return;
      newestSide = nearestSide(tile.diagonal);
      newest = nearest(sides_[newestSide]);
      std::memcpy(&joined, &sides_[newestSide].reach[newest], sizeof joined);
      take(newestSide, newest);
    }
  }

 private:
  // Distances are not negative, so that their bits compare as whole numbers do. A point of the tree has the reach
  // kTaken: less than any distance as a signed number, more than any as an unsigned one.
  static constexpr int32_t kTaken = INT32_MIN;
  static constexpr int32_t kFar = INT32_MAX;
  static constexpr float kNoDistance = std::numeric_limits<float>::infinity();  // to itself, or to padding
  struct Side {
    explicit Side(Control& control)
        : reach(Counted<int32_t>(control)), path(Counted<float>(control)), least(Counted<uint32_t>(control)) {}
    uint32_t count = 0;             // padded
    CountedVector<int32_t> reach;   // bits of the least upper end to the tree
    CountedVector<float> path;      // of points of the tree: largest upper end since they joined
    CountedVector<uint32_t> least;  // of each block's reaches
  };

  void prepare(const Tile& tile);
  void take(int side, uint32_t point);
  int nearestSide(bool diagonal) const;
  uint32_t nearest(const Side& side) const;
  static void raise(Side& side, float joined);
  bool sweep(Side& side, uint32_t block, const float* distances, const float* sizes, float size, float slack,
             float joined);

  Side sides_[2];
  CountedVector<float> transposed_;
  size_t stride_ = 0;
  uint8_t found_[kBlock];
};

}  // namespace topofr::topology
