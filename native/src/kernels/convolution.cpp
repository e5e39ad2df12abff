// A convolution of CPU tensors that keeps activations in the layout that oneDNN computes in, and knows its Winograd kernels;
// with its own backward. What it does not cover takes libtorch's convolution, with the same result.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "compat.h"
#include "kernels/convolutionPlan.h"

namespace topofr {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

#ifdef TOPOFR_ONEDNN

// As the plan takes it.
at::Tensor inLayout(const at::Tensor& tensor, Layout layout) {
  return layout == Layout::blocked ? tensor.contiguous() : tensor.contiguous(at::MemoryFormat::ChannelsLast);
}

ConvolutionShape shapeOf(const at::Tensor& input, const at::Tensor& weight, int64_t stride, int64_t padding, int64_t groups,
                         bool blocked, bool winograd) {
  bool isBlocked = input.dim() == 5;
  return {input.scalar_type(),
          isBlocked ? Layout::blocked : Layout::channelsLast,
          blocked ? Layout::blocked : Layout::channelsLast,
          input.size(0),
          isBlocked ? input.size(1) * kBlock : input.size(1),
          input.size(2),
          input.size(3),
          weight.size(0),
          weight.size(2),
          stride,
          padding,
          groups,
          winograd,
          at::get_num_threads()};
}

struct PlannedConvolution : public torch::autograd::Function<PlannedConvolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& givenInput, const at::Tensor& weight, int64_t stride,
                            int64_t padding, int64_t groups, bool blocked, bool winograd) {
    at::AutoDispatchBelowADInplaceOrView guard;
    ConvolutionShape shape = shapeOf(givenInput, weight, stride, padding, groups, blocked, winograd);
    at::Tensor input = inLayout(givenInput, shape.input);
    context->save_for_backward({input, weight});
    context->saved_data["settings"] = std::vector<int64_t>{stride, padding, groups, blocked, winograd};
    context->saved_data["inputGradient"] = givenInput.requires_grad();
    return ConvolutionPlan::of(shape)->forward(input, weight);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    auto saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1];
    auto settings = context->saved_data["settings"].toIntVector();
    ConvolutionShape shape = shapeOf(input, weight, settings[0], settings[1], settings[2], settings[3], settings[4]);
    auto plan = ConvolutionPlan::of(shape);
    at::Tensor gradient = inLayout(gradients[0], shape.output);
    at::Tensor ofInput;
    if (context->saved_data["inputGradient"].toBool()) ofInput = plan->inputGradient(gradient, weight);
    at::Tensor ofWeight;
    if (weight.requires_grad()) ofWeight = plan->weightGradient(input, gradient, weight);
    return {ofInput, ofWeight, Variable(), Variable(), Variable(), Variable(), Variable()};
  }
};

bool isPlanned(const at::Tensor& input, const at::Tensor& weight) {
  bool types = weight.scalar_type() == at::kFloat &&
               (input.scalar_type() == at::kFloat || (input.scalar_type() == at::kBFloat16 && input.dim() == 4));
  return input.device().is_cpu() && weight.device().is_cpu() && types && input.numel() > 0 && weight.size(2) == weight.size(3);
}

#endif

at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight, int64_t stride, int64_t padding, int64_t groups,
                       bool blocked, bool winograd) {
  TORCH_CHECK(weight.dim() == 4, "convolution: expected a weight [out, in / groups, k, k], found ", weight.sizes());
  bool isBlocked = input.dim() == 5 && input.size(4) == kBlock;
  TORCH_CHECK(isBlocked || input.dim() == 4,
              "convolution: expected an input [n, c, h, w] or, blocked, [n, c/16, h, w, 16], found ", input.sizes());
  int64_t channels = isBlocked ? input.size(1) * kBlock : input.size(1);
  TORCH_CHECK(stride > 0 && padding >= 0 && groups > 0 && weight.size(1) * groups == channels && weight.size(0) % groups == 0,
              "convolution: a weight ", weight.sizes(), " in ", groups, " groups cannot take an input of ", channels, " channels");
  TORCH_CHECK(input.size(2) + 2 * padding >= weight.size(2) && input.size(3) + 2 * padding >= weight.size(3),
              "convolution: the kernel ", weight.sizes(), " is larger than the input ", input.sizes());
#ifdef TOPOFR_ONEDNN
  if (isPlanned(input, weight)) {
    bool blockedOutput = input.scalar_type() == at::kFloat && (isBlocked || (blocked && weight.size(0) % kBlock == 0));
    TORCH_CHECK(!blockedOutput || weight.size(0) % kBlock == 0, "convolution: ", weight.size(0),
                " output channels are no multiple of ", kBlock, ", which the blocked layout needs");
    return PlannedConvolution::apply(input, weight, stride, padding, groups, blockedOutput, winograd);
  }
#endif
  TORCH_CHECK(!isBlocked, "convolution: blocked activations must be float32 on the CPU");
  return at::conv2d(input, weight.to(input.scalar_type()), {}, stride, padding, 1, groups);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(topofr, library) {
  library.def(
      "convolution(Tensor input, Tensor weight, *, int stride=1, int padding=0, int groups=1, bool blocked=True, bool "
      "winograd=True) -> Tensor",
      &convolution);
}

}  // namespace topofr
