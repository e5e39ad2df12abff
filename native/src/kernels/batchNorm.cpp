// Batch norm, then optionally PReLU, then optionally a residual sum, in one operator with its own backward: for NHWC
// (channels-last) CPU tensors, float32 or bfloat16. Stock kernels read and write the activation once for each of these;
// here the forward makes two passes over it and the backward two. Everything else takes libtorch's own operators.
//
// Rows are the N·H·W positions, columns the C channels: a row is contiguous, so the inner loops run over channels.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <vector>

#include "compat.h"
#include "kernels/batchNormRows.h"

namespace topofr {
namespace {

using at::BFloat16;
using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

// Calls body(threadIndex, firstRow, lastRow) on contiguous shares of the rows.
template <typename Body>
void forRowShares(int64_t rows, int shares, Body&& body) {
  at::parallel_for(0, shares, 1, [&](int64_t begin, int64_t end) {
    for (int64_t share = begin; share < end; ++share) body(share, rows * share / shares, rows * (share + 1) / shares);
  });
}

int shareCount(int64_t rows) { return static_cast<int>(std::min<int64_t>(std::max<int64_t>(1, rows / 64), at::get_num_threads())); }

constexpr int64_t kFlushRows = 512;  // float32 partial sums stay short; totals are kept in float64

// Sums kQuantities values per channel over all rows, in parallel: accumulate(first, last, sums) adds those rows.
// Returns [kQuantities, channels].
template <int kQuantities, typename Accumulate>
std::vector<double> sumOverRows(int64_t rows, int64_t channels, Accumulate&& accumulate) {
  int shares = shareCount(rows);
  int64_t count = channels * kQuantities;
  std::vector<double> partial(static_cast<size_t>(shares) * count, 0.0);
  forRowShares(rows, shares, [&](int64_t share, int64_t first, int64_t last) {
    std::vector<float> sums(count);
    double* mine = partial.data() + share * count;
    for (int64_t start = first; start < last; start += kFlushRows) {
      std::fill(sums.begin(), sums.end(), 0.0f);
      accumulate(start, std::min(last, start + kFlushRows), sums.data());
      for (int64_t i = 0; i < count; ++i) mine[i] += sums[i];
    }
  });
  for (int share = 1; share < shares; ++share)
    for (int64_t i = 0; i < count; ++i) partial[i] += partial[share * count + i];
  partial.resize(count);
  return partial;
}

// Mean and biased variance per channel, by sums shifted with the first row (no cancellation for a large mean).
template <typename T>
void channelMoments(const at::Tensor& input, int64_t rows, int64_t channels, float* mean, float* variance) {
  auto values = static_cast<const T*>(input.data_ptr());
  std::vector<float> firstRow(channels);
  for (int64_t c = 0; c < channels; ++c) firstRow[c] = load(values + c);
  const float* offset = firstRow.data();
  std::vector<double> totals = sumOverRows<2>(rows, channels, [&](int64_t first, int64_t last, float* sums) {
    accumulateMoments(values + first * channels, last - first, channels, offset, sums, sums + channels);
  });
  for (int64_t c = 0; c < channels; ++c) {
    double average = totals[c] / rows;
    mean[c] = static_cast<float>(offset[c] + average);
    double spread = totals[channels + c] / rows - average * average;
    variance[c] = static_cast<float>(spread < 0 ? 0 : spread);  // not std::max, which would turn NaN into 0
  }
}

template <typename T>
void normalizeInParallel(const at::Tensor& input, const at::Tensor& residual, at::Tensor& output, int64_t rows,
                         int64_t channels, const float* mean, const float* scale, const float* bias, const float* slope) {
  auto x = static_cast<const T*>(input.data_ptr());
  auto add = residual.defined() ? static_cast<const T*>(residual.data_ptr()) : nullptr;
  auto y = static_cast<T*>(output.data_ptr());
  auto run = slope != nullptr ? (add != nullptr ? &normalizeRows<T, true, true> : &normalizeRows<T, true, false>)
                              : (add != nullptr ? &normalizeRows<T, false, true> : &normalizeRows<T, false, false>);
  forRowShares(rows, shareCount(rows), [&](int64_t, int64_t first, int64_t last) {
    int64_t start = first * channels;
    run(x + start, add == nullptr ? nullptr : add + start, y + start, last - first, channels, mean, scale, bias, slope);
  });
}

at::Tensor channelsLast(const at::Tensor& tensor) {
  return tensor.contiguous(tensor.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

at::Tensor normalize(const at::Tensor& input, const at::Tensor& givenMean, const at::Tensor& inverseStd,
                     const at::Tensor& weight, const at::Tensor& givenBias, const Optional<at::Tensor>& givenSlope,
                     const Optional<at::Tensor>& residual) {
  at::Tensor scale = inverseStd * weight, mean = givenMean.contiguous(), bias = givenBias.contiguous();
  at::Tensor slope = givenSlope.has_value() ? givenSlope->contiguous() : at::Tensor();
  at::Tensor output = at::empty_like(input);
  at::Tensor sum = residual.has_value() ? channelsLast(*residual) : at::Tensor();
  const float* slopes = slope.defined() ? slope.data_ptr<float>() : nullptr;
  int64_t channels = input.size(1), rows = input.numel() / channels;
  auto run = input.scalar_type() == at::kBFloat16 ? &normalizeInParallel<BFloat16> : &normalizeInParallel<float>;
  run(input, sum, output, rows, channels, mean.data_ptr<float>(), scale.data_ptr<float>(), bias.data_ptr<float>(), slopes);
  return output;
}

struct BackwardResult {
  at::Tensor input, weight, bias, slope;
};

// With xhat = (x - mean) / std, z = xhat · weight + bias, dz = dy · prelu'(z):
// dbias = Σ dz, dweight = Σ dz · xhat, dslope = Σ_{z<=0} dy · z, dx = weight/std · (dz - dbias/rows - xhat · dweight/rows).
template <typename T, bool kSlope>
BackwardResult backwardInParallel(const at::Tensor& gradOutput, const at::Tensor& input, const at::Tensor& mean,
                            const at::Tensor& inverseStd, const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& slope, int64_t rows, int64_t channels) {
  auto dy = static_cast<const T*>(gradOutput.data_ptr());
  auto x = static_cast<const T*>(input.data_ptr());
  const float* mu = mean.data_ptr<float>();
  const float* inverse = inverseStd.data_ptr<float>();
  const float* w = weight.data_ptr<float>();
  const float* b = bias.data_ptr<float>();
  const float* a = kSlope ? slope.data_ptr<float>() : nullptr;

  std::vector<float> scale(channels);
  for (int64_t c = 0; c < channels; ++c) scale[c] = inverse[c] * w[c];
  std::vector<double> totals = sumOverRows<3>(rows, channels, [&](int64_t first, int64_t last, float* sums) {
    int64_t start = first * channels;
    accumulateGradients<T, kSlope>(dy + start, x + start, last - first, channels, mu, scale.data(), b, a, sums,
                                   sums + channels, sums + 2 * channels);
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
    offset[c] = static_cast<float>(scale[c] * dz / rows);
    slant[c] = static_cast<float>(scale[c] * dzx / rows * inverse[c]);
  }
  auto dx = static_cast<T*>(result.input.data_ptr());
  forRowShares(rows, shareCount(rows), [&](int64_t, int64_t first, int64_t last) {
    int64_t start = first * channels;
    propagateGradients<T, kSlope>(dy + start, x + start, dx + start, last - first, channels, mu, scale.data(), b, a,
                                  slant.data(), offset.data());
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
    at::Tensor input = channelsLast(givenInput), weight = givenWeight.contiguous(), bias = givenBias.contiguous();
    Optional<at::Tensor> slope;
    if (givenSlope.has_value()) slope = givenSlope->contiguous();
    int64_t channels = input.size(1);
    int64_t rows = input.numel() / channels;
    at::Tensor mean = at::empty({channels}, at::kFloat), variance = at::empty({channels}, at::kFloat);
    auto moments = input.scalar_type() == at::kBFloat16 ? &channelMoments<BFloat16> : &channelMoments<float>;
    moments(input, rows, channels, mean.data_ptr<float>(), variance.data_ptr<float>());
    if (runningMean.has_value()) {
      runningMean->mul_(1 - momentum).add_(mean, momentum);
      runningVar->mul_(1 - momentum).add_(variance, momentum * rows / std::max<int64_t>(rows - 1, 1));
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
    at::Tensor gradOutput = channelsLast(gradients[0]);
    int64_t channels = input.size(1), rows = input.numel() / channels;
    bool isBFloat16 = input.scalar_type() == at::kBFloat16;
    auto run = [&](auto zero) {
      using T = decltype(zero);
      return slope.defined() ? backwardInParallel<T, true>(gradOutput, input, mean, inverseStd, weight, bias, slope, rows, channels)
                             : backwardInParallel<T, false>(gradOutput, input, mean, inverseStd, weight, bias, slope, rows, channels);
    };
    BackwardResult result = isBFloat16 ? run(BFloat16()) : run(0.0f);
    at::Tensor residual = context->saved_data["residual"].toBool() ? gradOutput : at::Tensor();
    return {result.input, result.weight, result.bias, result.slope, residual,
            Variable(), Variable(), Variable(), Variable()};
  }
};

bool isFused(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, const Optional<at::Tensor>& slope,
             const Optional<at::Tensor>& residual, const Optional<at::Tensor>& runningMean) {
  auto isPerChannel = [&](const at::Tensor& values) {
    return values.numel() == input.size(1) && values.scalar_type() == at::kFloat && values.device().is_cpu();
  };
  bool type = input.scalar_type() == at::kFloat || input.scalar_type() == at::kBFloat16;
  bool layout = input.dim() == 2 || (input.dim() == 4 && input.is_contiguous(at::MemoryFormat::ChannelsLast));
  bool sum = !residual.has_value() ||
             (residual->sizes() == input.sizes() && residual->scalar_type() == input.scalar_type());
  bool parameters = isPerChannel(weight) && isPerChannel(bias) && (!slope.has_value() || isPerChannel(*slope)) &&
                    (!runningMean.has_value() || isPerChannel(*runningMean));
  return input.device().is_cpu() && type && layout && sum && input.numel() > 0 && parameters;
}

at::Tensor stock(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, const Optional<at::Tensor>& slope,
                 const Optional<at::Tensor>& residual, const Optional<at::Tensor>& runningMean,
                 const Optional<at::Tensor>& runningVar, bool training, double momentum, double eps) {
  at::Tensor output = at::batch_norm(input, weight, bias, runningMean, runningVar, training, momentum, eps, true);
  if (slope.has_value()) output = at::prelu(output, slope->to(output.scalar_type()));
  return residual.has_value() ? output + *residual : output;
}

// Evaluation without gradients: one pass with the running statistics.
at::Tensor fusedEvaluation(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                           const Optional<at::Tensor>& slope, const Optional<at::Tensor>& residual,
                           const at::Tensor& runningMean, const at::Tensor& runningVar, double eps) {
  return normalize(channelsLast(input), runningMean, at::rsqrt(runningVar + eps), weight, bias, slope, residual);
}

at::Tensor batchNorm(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                     const Optional<at::Tensor>& slope, const Optional<at::Tensor>& residual,
                     const Optional<at::Tensor>& runningMean, const Optional<at::Tensor>& runningVar, bool training,
                     double momentum, double eps) {
  TORCH_CHECK(input.dim() >= 2 && input.size(1) == weight.numel(), "batch norm over ", weight.numel(),
              " channels cannot take an input of shape ", input.sizes());
  TORCH_CHECK(runningMean.has_value() == runningVar.has_value() &&
                  (!runningMean.has_value() || runningMean->numel() == runningVar->numel()),
              "batch norm: the running mean and variance go together, with the same shape");
  if (!isFused(input, weight, bias, slope, residual, runningMean))
    return stock(input, weight, bias, slope, residual, runningMean, runningVar, training, momentum, eps);
  if (training) {
    TORCH_CHECK(input.numel() > input.size(1), "expected more than one value per channel when training, got input size ",
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
