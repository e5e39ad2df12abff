// What differs between the libtorch versions this addon builds against (1.13, the Debian package, to 2.x).
#pragma once

#include <torch/version.h>

#include <ATen/ATen.h>

#define TOPOFR_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

namespace topofr {

#if TOPOFR_TORCH_AT_LEAST(2, 5)
template <typename T>
using Optional = std::optional<T>;
#else
template <typename T>
using Optional = c10::optional<T>;
#endif

}  // namespace topofr

// c10::Allocator::allocate lost its const, and gained copy_data, in 2.2.
#if TOPOFR_TORCH_AT_LEAST(2, 2)
#define TOPOFR_ALLOCATE_CONST
#else
#define TOPOFR_ALLOCATE_CONST const
#endif
