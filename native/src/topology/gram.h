// Inner products of all pairs of rows: the distances of a training batch, few rows of many columns. Half the arithmetic
// of a matrix product, since it is symmetric, and no copies; the sums of every 2,048 columns are added up in float64.
#pragma once

#include <ATen/ATen.h>

namespace topofr::topology {

// points: [n, d] float32 on the CPU -> [n, n] float32, exactly symmetric. No gradient. On libtorch's threads.
at::Tensor gramMatrix(const at::Tensor& points);

}  // namespace topofr::topology
