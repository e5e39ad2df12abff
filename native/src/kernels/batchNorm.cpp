// Batch norm, then optionally PReLU, then optionally a residual sum, in one operator with its own backward: for NHWC
// (channels-last) CPU tensors, float32 or bfloat16, and for blocked ones (convolutionPlan.h), float32. Stock kernels read and
// write the activation once for each of these; here the forward makes two passes over it and the backward two. Everything else
// takes libtorch's own operators.
//
// A channels-last activation is one matrix of N·H·W rows and C channels; a blocked one is N·C/16 planes of H·W rows and 16.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <vector>

#include "compat.h"
#include "kernels/batchNormPlanes.h"
#include "kernels/batchNormRows.h"

namespace topofr {
namespace {

using at::BFloat16;
using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

struct Activation {
  int64_t rows;      // positions: N·H·W
  int64_t channels;  // C
  int64_t planes;    // of a blocked activation; 0: channels-last

  explicit Activation(const at::Tensor& tensor) {
    bool blocked = tensor.dim() == 5;
    channels = blocked ? tensor.size(1) * kBlock : tensor.size(1);
    rows = tensor.numel() / channels;
    planes = blocked ? tensor.size(0) * tensor.size(1) : 0;
  }

  bool isBlocked() const { return planes > 0; }

  int shares() const {
    int64_t pieces = isBlocked() ? planes : rows / 64;
    return static_cast<int>(std::min<int64_t>(std::max<int64_t>(1, pieces), at::get_num_threads()));
  }
};

// Calls body(share, start, rows, channel) on stretches of rows of one plane, in parallel: `start` is the offset of the first
// element, `channel` the first channel. At most kFlushRows rows, so that float32 partial sums stay short.
constexpr int64_t kFlushRows = 512;

template <typename Body>
void forStretches(const Activation& of, Body&& body) {
  int shares = of.shares();
  int64_t planes = std::max<int64_t>(of.planes, 1);
  int64_t width = of.isBlocked() ? kBlock : of.channels;
  int64_t planeRows = of.isBlocked() ? of.rows * of.channels / (of.planes * kBlock) : of.rows;
  int64_t blocks = of.channels / width;
  int64_t total = planes * planeRows;
  // Rows of all planes, one after the other, are shared out evenly: a plane may be cut.
  at::parallel_for(0, shares, 1, [&](int64_t begin, int64_t end) {
    for (int64_t share = begin; share < end; ++share) {
      int64_t row = total * share / shares, last = total * (share + 1) / shares;
      while (row < last) {
        int64_t plane = row / planeRows;
        int64_t stop = std::min({last, (plane + 1) * planeRows, row + kFlushRows});
        body(share, row * width, stop - row, plane % blocks * width);
        row = stop;
      }
    }
  });
}

// Sums kQuantities values per channel over all rows: accumulate(start, rows, channel, sums) adds a stretch, quantity q of a
// channel at sums[q · channels]. Totals are float64. Returns [kQuantities, channels].
template <int kQuantities, typename Accumulate>
std::vector<double> sumOverRows(const Activation& of, Accumulate&& accumulate) {
  int shares = of.shares();
  int64_t width = of.isBlocked() ? kBlock : of.channels, count = of.channels * kQuantities;
  std::vector<double> partial(static_cast<size_t>(shares) * count, 0.0);
  std::vector<std::vector<float>> scratch(shares, std::vector<float>(width * kQuantities));
  forStretches(of, [&](int64_t share, int64_t start, int64_t rows, int64_t channel) {
    float* sums = scratch[share].data();
    std::fill_n(sums, width * kQuantities, 0.0f);
    accumulate(start, rows, channel, sums);
    for (int quantity = 0; quantity < kQuantities; ++quantity) {
      double* mine = partial.data() + share * count + quantity * of.channels + channel;
      for (int64_t c = 0; c < width; ++c) mine[c] += sums[quantity * width + c];
    }
  });
  for (int share = 1; share < shares; ++share)
    for (int64_t i = 0; i < count; ++i) partial[i] += partial[share * count + i];
  partial.resize(count);
  return partial;
}

// Mean and biased variance per channel, by sums shifted with the first row (no cancellation for a large mean).
template <typename T, bool kBlocked>
void channelMoments(const at::Tensor& input, float* mean, float* variance) {
  Activation of(input);
  auto values = static_cast<const T*>(input.data_ptr());
  int64_t channels = of.channels, planeSize = kBlocked ? input.size(2) * input.size(3) * kBlock : 0;
  std::vector<float> firstRow(channels);
  for (int64_t c = 0; c < channels; ++c) firstRow[c] = load(values + (kBlocked ? c / kBlock * planeSize + c % kBlock : c));
  std::vector<double> totals = sumOverRows<2>(of, [&](int64_t start, int64_t rows, int64_t channel, float* sums) {
    const float* offset = firstRow.data() + channel;
    if constexpr (kBlocked)
      accumulatePlaneMoments(values + start, rows, offset, sums, sums + kBlock);
    else
      accumulateMoments(values + start, rows, channels, offset, sums, sums + channels);
  });
  for (int64_t c = 0; c < channels; ++c) {
    double average = totals[c] / of.rows;
    mean[c] = static_cast<float>(firstRow[c] + average);
    double spread = totals[channels + c] / of.rows - average * average;
    variance[c] = static_cast<float>(spread < 0 ? 0 : spread);  // not std::max, which would turn NaN into 0
  }
}

template <typename T, bool kBlocked, bool kSlope, bool kResidual>
void normalizeInParallel(const at::Tensor& input, const at::Tensor& residual, at::Tensor& output, const float* mean,
                         const float* scale, const float* bias, const float* slope) {
  Activation of(input);
  auto x = static_cast<const T*>(input.data_ptr());
  auto add = kResidual ? static_cast<const T*>(residual.data_ptr()) : x;
  auto y = static_cast<T*>(output.data_ptr());
  forStretches(of, [&](int64_t, int64_t start, int64_t rows, int64_t c) {
    const float* slopes = kSlope ? slope + c : nullptr;
    if constexpr (kBlocked)
      normalizePlane<kSlope, kResidual>(x + start, add + start, y + start, rows, mean + c, scale + c, bias + c, slopes);
    else
      normalizeRows<T, kSlope, kResidual>(x + start, add + start, y + start, rows, of.channels, mean, scale, bias, slopes);
  });
}

template <typename T, bool kBlocked>
auto normalizeFor(bool slope, bool residual) {
  return slope ? (residual ? &normalizeInParallel<T, kBlocked, true, true> : &normalizeInParallel<T, kBlocked, true, false>)
               : (residual ? &normalizeInParallel<T, kBlocked, false, true> : &normalizeInParallel<T, kBlocked, false, false>);
}

// As the kernels take it.
at::Tensor packed(const at::Tensor& tensor) {
  return tensor.contiguous(tensor.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

at::Tensor normalize(const at::Tensor& input, const at::Tensor& givenMean, const at::Tensor& inverseStd,
                     const at::Tensor& weight, const at::Tensor& givenBias, const Optional<at::Tensor>& givenSlope,
                     const Optional<at::Tensor>& residual) {
  at::Tensor scale = inverseStd * weight, mean = givenMean.contiguous(), bias = givenBias.contiguous();
  at::Tensor slope = givenSlope.has_value() ? givenSlope->contiguous() : at::Tensor();
  at::Tensor output = at::empty_like(input);
  at::Tensor sum = residual.has_value() ? packed(*residual) : at::Tensor();
  const float* slopes = slope.defined() ? slope.data_ptr<float>() : nullptr;
  bool hasSlope = slope.defined(), hasSum = sum.defined();
  auto run = input.scalar_type() == at::kBFloat16 ? normalizeFor<BFloat16, false>(hasSlope, hasSum)
             : input.dim() == 5                   ? normalizeFor<float, true>(hasSlope, hasSum)
                                                  : normalizeFor<float, false>(hasSlope, hasSum);
  run(input, sum, output, mean.data_ptr<float>(), scale.data_ptr<float>(), bias.data_ptr<float>(), slopes);
  return output;
}

struct BackwardResult {
  at::Tensor input, weight, bias, slope;
};

// With xhat = (x - mean) / std, z = xhat · weight + bias, dz = dy · prelu'(z):
// dbias = Σ dz, dweight = Σ dz · xhat, dslope = Σ_{z<=0} dy · z, dx = weight/std · (dz - dbias/rows - xhat · dweight/rows).
template <typename T, bool kBlocked, bool kSlope>
BackwardResult backwardInParallel(const at::Tensor& gradOutput, const at::Tensor& input, const at::Tensor& mean,
                                  const at::Tensor& inverseStd, const at::Tensor& weight, const at::Tensor& bias,
                                  const at::Tensor& slope) {
  Activation of(input);
  int64_t channels = of.channels;
  auto dy = static_cast<const T*>(gradOutput.data_ptr());
  auto x = static_cast<const T*>(input.data_ptr());
  const float* mu = mean.data_ptr<float>();
  const float* inverse = inverseStd.data_ptr<float>();
  const float* w = weight.data_ptr<float>();
  const float* b = bias.data_ptr<float>();
  const float* slopes = kSlope ? slope.data_ptr<float>() : nullptr;

  std::vector<float> scale(channels);
  for (int64_t c = 0; c < channels; ++c) scale[c] = inverse[c] * w[c];
  std::vector<double> totals = sumOverRows<3>(of, [&](int64_t start, int64_t rows, int64_t c, float* sums) {
    const float* a = kSlope ? slopes + c : nullptr;
    if constexpr (kBlocked)
      accumulatePlaneGradients<kSlope>(dy + start, x + start, rows, mu + c, scale.data() + c, b + c, a, sums, sums + kBlock,
                                       sums + 2 * kBlock);
    else
      accumulateGradients<T, kSlope>(dy + start, x + start, rows, channels, mu, scale.data(), b, a, sums, sums + channels,
                                     sums + 2 * channels);
  });

  BackwardResult result{at::empty_like(input), at::empty_like(weight), at::empty_like(bias),
                        kSlope ? at::empty_like(slope) : at::Tensor()};
  std::vector<float> offset(channels), slant(channels);
  for (int64_t c = 0; c < channels; ++c) {
    double dz = totals[c], dzx = totals[channels + c] * inverse[c];  // Σ dz, Σ dz · xhat
    result.bias.data_ptr<float>()[c] = static_cast<float>(dz);
    result.weight.data_ptr<float>()[c] = static_cast<float>(dzx);
    if (kSlope) result.slope.data_ptr<float>()[c] = static_cast<float>(totals[2 * channels + c]);
    // dx = scale · dz - slant · (x - mean) - offset
    offset[c] = static_cast<float>(scale[c] * dz / of.rows);
    slant[c] = static_cast<float>(scale[c] * dzx / of.rows * inverse[c]);
  }
  auto dx = static_cast<T*>(result.input.data_ptr());
  forStretches(of, [&](int64_t, int64_t start, int64_t rows, int64_t c) {
    const float* a = kSlope ? slopes + c : nullptr;
    if constexpr (kBlocked)
      propagatePlaneGradients<kSlope>(dy + start, x + start, dx + start, rows, mu + c, scale.data() + c, b + c, a,
                                      slant.data() + c, offset.data() + c);
    else
      propagateGradients<T, kSlope>(dy + start, x + start, dx + start, rows, channels, mu, scale.data(), b, a, slant.data(),
                                    offset.data());
  });
  return result;
}

// The operator in training mode on the CPU.
struct FusedBatchNorm : public torch::autograd::Function<FusedBatchNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& givenInput, const at::Tensor& givenWeight,
                            const at::Tensor& givenBias, const Optional<at::Tensor>& givenSlope,
                            const Optional<at::Tensor>& residual, const Optional<at::Tensor>& runningMean,
                            const Optional<at::Tensor>& runningVar, double momentum, double eps) {
    at::AutoDispatchBelowADInplaceOrView guard;
    at::Tensor input = packed(givenInput), weight = givenWeight.contiguous(), bias = givenBias.contiguous();
    Optional<at::Tensor> slope;
    if (givenSlope.has_value()) slope = givenSlope->contiguous();
    Activation of(input);
    at::Tensor mean = at::empty({of.channels}, at::kFloat), variance = at::empty({of.channels}, at::kFloat);
    auto moments = input.scalar_type() == at::kBFloat16 ? &channelMoments<BFloat16, false>
                   : of.isBlocked()                     ? &channelMoments<float, true>
                                                        : &channelMoments<float, false>;
    moments(input, mean.data_ptr<float>(), variance.data_ptr<float>());
    if (runningMean.has_value()) {
      runningMean->mul_(1 - momentum).add_(mean, momentum);
      runningVar->mul_(1 - momentum).add_(variance, momentum * of.rows / std::max<int64_t>(of.rows - 1, 1));
    }
    at::Tensor inverseStd = at::rsqrt(variance + eps);
    at::Tensor output = normalize(input, mean, inverseStd, weight, bias, slope, residual);
    context->save_for_backward({input, mean, inverseStd, weight, bias, slope.has_value() ? *slope : at::Tensor()});
    context->saved_data["residual"] = residual.has_value();
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    auto saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &mean = saved[1], &inverseStd = saved[2], &weight = saved[3], &bias = saved[4],
                     &slope = saved[5];
    at::Tensor gradOutput = packed(gradients[0]);
    auto run = [&](auto zero, auto blocked) {
      using T = decltype(zero);
      constexpr bool kBlocked = decltype(blocked)::value;
      return slope.defined() ? backwardInParallel<T, kBlocked, true>(gradOutput, input, mean, inverseStd, weight, bias, slope)
                             : backwardInParallel<T, kBlocked, false>(gradOutput, input, mean, inverseStd, weight, bias, slope);
    };
    BackwardResult result = input.scalar_type() == at::kBFloat16 ? run(BFloat16(), std::false_type())
                            : input.dim() == 5                   ? run(0.0f, std::true_type())
                                                                 : run(0.0f, std::false_type());
    at::Tensor residual = context->saved_data["residual"].toBool() ? gradOutput : at::Tensor();
    return {result.input, result.weight, result.bias, result.slope, residual,
            Variable(), Variable(), Variable(), Variable()};
  }
};

bool isBlocked(const at::Tensor& input, int64_t channels) {
  return input.dim() == 5 && input.size(4) == kBlock && input.size(1) * kBlock == channels;
}

bool isFused(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, const Optional<at::Tensor>& slope,
             const Optional<at::Tensor>& residual, const Optional<at::Tensor>& runningMean) {
  bool blocked = isBlocked(input, weight.numel());
  int64_t channels = blocked ? weight.numel() : input.size(1);
  auto isPerChannel = [&](const at::Tensor& values) {
    return values.numel() == channels && values.scalar_type() == at::kFloat && values.device().is_cpu();
  };
  bool type = input.scalar_type() == at::kFloat || (input.scalar_type() == at::kBFloat16 && !blocked);
  bool layout = blocked || input.dim() == 2 || (input.dim() == 4 && input.is_contiguous(at::MemoryFormat::ChannelsLast));
  bool sum = !residual.has_value() ||
             (residual->sizes() == input.sizes() && residual->scalar_type() == input.scalar_type());
  bool parameters = isPerChannel(weight) && isPerChannel(bias) && (!slope.has_value() || isPerChannel(*slope)) &&
                    (!runningMean.has_value() || isPerChannel(*runningMean));
  return input.device().is_cpu() && type && layout && sum && input.numel() > 0 && parameters;
}

at::Tensor stock(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, const Optional<at::Tensor>& slope,
                 const Optional<at::Tensor>& residual, const Optional<at::Tensor>& runningMean,
                 const Optional<at::Tensor>& runningVar, bool training, double momentum, double eps) {
  bool blocked = isBlocked(input, weight.numel());
  at::Tensor plain = blocked ? input.permute({0, 1, 4, 2, 3}).flatten(1, 2) : input;
  at::Tensor output = at::batch_norm(plain, weight, bias, runningMean, runningVar, training, momentum, eps, true);
  if (slope.has_value()) output = at::prelu(output, slope->to(output.scalar_type()));
  if (blocked) output = output.unflatten(1, {-1, kBlock}).permute({0, 1, 3, 4, 2}).contiguous();
  return residual.has_value() ? output + *residual : output;
}

// Evaluation without gradients: one pass with the running statistics.
at::Tensor fusedEvaluation(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                           const Optional<at::Tensor>& slope, const Optional<at::Tensor>& residual,
                           const at::Tensor& runningMean, const at::Tensor& runningVar, double eps) {
  return normalize(packed(input), runningMean, at::rsqrt(runningVar + eps), weight, bias, slope, residual);
}

at::Tensor batchNorm(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                     const Optional<at::Tensor>& slope, const Optional<at::Tensor>& residual,
                     const Optional<at::Tensor>& runningMean, const Optional<at::Tensor>& runningVar, bool training,
                     double momentum, double eps) {
  TORCH_CHECK(input.dim() >= 2 && (input.size(1) == weight.numel() || isBlocked(input, weight.numel())), "batch norm over ", weight.numel(),
              " channels cannot take an input of shape ", input.sizes());
  TORCH_CHECK(runningMean.has_value() == runningVar.has_value() &&
                  (!runningMean.has_value() || runningMean->numel() == runningVar->numel()),
              "batch norm: the running mean and variance go together, with the same shape");
  if (!isFused(input, weight, bias, slope, residual, runningMean))
    return stock(input, weight, bias, slope, residual, runningMean, runningVar, training, momentum, eps);
  if (training) {
    TORCH_CHECK(input.numel() > weight.numel(), "expected more than one value per channel when training, got input size ",
                input.sizes());
    return FusedBatchNorm::apply(input, weight, bias, slope, residual, runningMean, runningVar, momentum, eps);
  }
  auto differentiable = [](const Optional<at::Tensor>& value) { return value.has_value() && value->requires_grad(); };
  bool gradients = c10::GradMode::is_enabled() && (input.requires_grad() || weight.requires_grad() || bias.requires_grad() ||
                                                   differentiable(slope) || differentiable(residual));
  if (gradients || !runningMean.has_value())
    return stock(input, weight, bias, slope, residual, runningMean, runningVar, training, momentum, eps);
  return fusedEvaluation(input, weight, bias, slope, residual, *runningMean, *runningVar, eps);
}

}  // namespace

TORCH_LIBRARY(topofr, library) {
  library.def(
      "fused_batch_norm(Tensor input, Tensor weight, Tensor bias, *, Tensor? slope=None, Tensor? residual=None, "
      "Tensor? running_mean=None, Tensor? running_var=None, bool training=True, float momentum=0.1, float eps=1e-05) -> Tensor",
      &batchNorm);
}

}  // namespace topofr
