#include "tileTree.h"

#include <algorithm>

namespace topofr::topology {

TileTree::TileTree(uint32_t most, Control& control)
    : sides_{Side(control), Side(control)}, transposed_(Counted<float>(control)) {
  for (Side& side : sides_) {
    side.reach.resize(padded(most));
    side.path.resize(padded(most));
    side.least.resize(padded(most) / kBlock);
  }
  transposed_.resize(size_t{padded(most)} * padded(most));
}

// The upper ends, and for tiles off the diagonal their transpose.
void TileTree::prepare(const Tile& tile) {
  constexpr uint32_t kRows = 16;
  const uint32_t width = padded(tile.columnCount);
  stride_ = padded(tile.rowCount);
  const float upper = 1 + tile.slack;
  for (uint32_t first = 0; first < tile.rowCount; first += kRows) {
    const uint32_t end = std::min(first + kRows, tile.rowCount);
    for (uint32_t i = first; i < end; ++i) {
      float* row = tile.rows + i * tile.stride;
      const float size = tile.rowSizes[i];
      if (tile.products)
        for (uint32_t j = 0; j < width; ++j) row[j] = std::max(0.0f, upper * (size + tile.columnSizes[j]) - 2 * row[j]);
      else
        for (uint32_t j = 0; j < width; ++j) row[j] += tile.slack * (size + tile.columnSizes[j]);
      for (uint32_t j = tile.columnCount; j < width; ++j) row[j] = kNoDistance;
      if (tile.diagonal) row[i] = kNoDistance;
    }
    if (tile.diagonal) continue;
    for (uint32_t j = 0; j < tile.columnCount; ++j)
      for (uint32_t i = first; i < end; ++i) transposed_[j * stride_ + i] = tile.rows[i * tile.stride + j];
  }
  if (!tile.diagonal)
    for (uint32_t j = 0; j < tile.columnCount; ++j)
      std::fill(&transposed_[j * stride_ + tile.rowCount], &transposed_[j * stride_] + stride_, kNoDistance);
  auto open = [](Side& side, uint32_t count) {
    side.count = padded(count);
    for (uint32_t i = 0; i < side.count; ++i) {
      side.reach[i] = i < count ? kFar : kTaken;
      side.path[i] = -1;
    }
    for (uint32_t block = 0; block < side.count / kBlock; ++block) side.least[block] = kFar;
  };
  open(sides_[0], tile.rowCount);
  open(sides_[1], tile.diagonal ? 0 : tile.columnCount);
}

void TileTree::take(int which, uint32_t point) {
  Side& side = sides_[which];
  side.reach[point] = kTaken;
  side.path[point] = -1;
  const int32_t* reach = &side.reach[point / kBlock * kBlock];
  uint32_t least = UINT32_MAX;
  for (uint32_t j = 0; j < kBlock; ++j) least = std::min(least, static_cast<uint32_t>(reach[j]));
  side.least[point / kBlock] = least;
}

int TileTree::nearestSide(bool diagonal) const {
  if (diagonal) return 0;
  auto leastOf = [](const Side& side) {
    uint32_t least = UINT32_MAX;
    for (uint32_t block = 0; block < side.count / kBlock; ++block) least = std::min(least, side.least[block]);
    return least;
  };
  return leastOf(sides_[0]) <= leastOf(sides_[1]) ? 0 : 1;
}

uint32_t TileTree::nearest(const Side& side) const {
  uint32_t best = 0;
  for (uint32_t block = 1; block < side.count / kBlock; ++block)
    if (side.least[block] < side.least[best]) best = block;
  uint32_t point = best * kBlock;
  while (static_cast<uint32_t>(side.reach[point]) != side.least[best]) ++point;
  return point;
}

void TileTree::raise(Side& side, float joined) {
  for (uint32_t y = 0; y < side.count; ++y) side.path[y] = side.path[y] < joined ? joined : side.path[y];
}

// The newest point against a block: of points of the tree, which are candidates (true when any); the others' reach.
bool TileTree::sweep(Side& side, uint32_t block, const float* distances, const float* sizes, float size, float slack,
                     float joined) {
  int32_t* reach = &side.reach[block];
  float* path = &side.path[block];
  distances += block;
  sizes += block;
  constexpr float kUnderflow = 1e-30f;  // more than what products lose to it
  const float width = 2 * slack * size + kUnderflow;
  uint32_t least = UINT32_MAX;
  int32_t any = 0;
  int32_t found[kBlock];
  for (uint32_t y = 0; y < kBlock; ++y) {
    const float upper = distances[y];
    const float lower = upper - (width + 2 * slack * sizes[y]);
    path[y] = path[y] < joined ? joined : path[y];
    int32_t bits;
    std::memcpy(&bits, &upper, sizeof bits);
    found[y] = (reach[y] < 0) & (lower <= path[y]);
    any |= found[y];
    reach[y] = bits < reach[y] ? bits : reach[y];
    least = std::min(least, static_cast<uint32_t>(reach[y]));
  }
  side.least[block / kBlock] = least;
  if (any)
    for (uint32_t y = 0; y < kBlock; ++y) found_[y] = static_cast<uint8_t>(found[y]);
  return any != 0;
}

}  // namespace topofr::topology
