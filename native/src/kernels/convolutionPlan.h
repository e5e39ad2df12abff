// One convolution of one shape, prepared: which of oneDNN's kernels run it forward and backward, and in which formats they
// want their operands. Only where the build found oneDNN's headers (TOPOFR_ONEDNN).
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <tuple>

namespace topofr {

// How the elements of an activation [n, c, h, w] lie in memory.
enum class Layout {
  channelsLast,  // a 4-d tensor with channels-last strides
  blocked,       // a contiguous 5-d tensor [n, c/16, h, w, 16]: a vector register holds one position of 16 channels
};

constexpr int64_t kBlock = 16;

struct ConvolutionShape {
  at::ScalarType dtype;  // of the activations: float32 or bfloat16
  Layout input, output;
  int64_t batch, inChannels, height, width, outChannels, kernel, stride, padding, groups;
  bool winograd;  // 3x3 with stride 1 by Winograd's algorithm F(4x4, 3x3): a quarter of the products
  int threads;

  int64_t outHeight() const { return (height + 2 * padding - kernel) / stride + 1; }
  int64_t outWidth() const { return (width + 2 * padding - kernel) / stride + 1; }
  auto key() const {
    return std::make_tuple(dtype, input, output, batch, inChannels, height, width, outChannels, kernel, stride, padding, groups,
                           winograd, threads);
  }
};

// Weights are [out, in / groups, k, k] float32 with any strides, whatever the activations' dtype; so is their gradient.
class ConvolutionPlan {
 public:
  // The plan of a shape, made on first use. Throws c10::Error when oneDNN has no kernel for it.
  static std::shared_ptr<ConvolutionPlan> of(const ConvolutionShape& shape);

  virtual ~ConvolutionPlan() = default;
  virtual at::Tensor forward(const at::Tensor& input, const at::Tensor& weight) = 0;
  virtual at::Tensor inputGradient(const at::Tensor& outputGradient, const at::Tensor& weight) = 0;
  virtual at::Tensor weightGradient(const at::Tensor& input, const at::Tensor& outputGradient, const at::Tensor& weight) = 0;
};

}  // namespace topofr
