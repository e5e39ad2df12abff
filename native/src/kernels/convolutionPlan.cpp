#include "kernels/convolutionPlan.h"

#ifdef TOPOFR_ONEDNN

#include <dnnl.hpp>
#include <map>
#include <mutex>
#include <unordered_map>

namespace topofr {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using Arguments = std::unordered_map<int, memory>;
using Format = memory::format_tag;

const dnnl::engine& engine() {
  static auto* cpu = new dnnl::engine(dnnl::engine::kind::cpu, 0);  // outlives tensors of static lifetime
  return *cpu;
}

dnnl::stream& stream() {
  static thread_local dnnl::stream queue(engine());
  return queue;
}

dnnl::primitive_attr withOwnScratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);  // from our allocator, which reuses it
  return attributes;
}

memory::data_type dataType(at::ScalarType dtype) {
  return dtype == at::kBFloat16 ? memory::data_type::bf16 : memory::data_type::f32;
}

at::Tensor buffer(const memory::desc& description) {
  return at::empty({static_cast<int64_t>(description.get_size())}, at::kByte);
}

void run(const dnnl::primitive& primitive, const memory::desc& scratchpad, Arguments arguments) {
  at::Tensor scratch = buffer(scratchpad);
  arguments.emplace(DNNL_ARG_SCRATCHPAD, memory(scratchpad, engine(), scratch.data_ptr()));
  primitive.execute(stream(), arguments);
  stream().wait();
}

// A memory together with the tensor that owns its bytes.
struct Operand {
  memory value;
  at::Tensor owner;
};

Operand operand(const memory::desc& description, const at::Tensor& owner) {
  return {memory(description, engine(), owner.data_ptr()), owner};
}

void copy(const Operand& from, const Operand& to) {
  auto source = from.value, target = to.value;
  dnnl::reorder::primitive_desc plan(source, target, withOwnScratchpad());
  run(dnnl::reorder(plan), plan.scratchpad_desc(), {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, target}});
}

// `given` as the kernel wants it: itself when it is that already.
Operand inFormat(const Operand& given, const memory::desc& wanted) {
  if (given.value.get_desc() == wanted) return given;
  Operand result = operand(wanted, buffer(wanted));
  copy(given, result);
  return result;
}

// A kernel and what it wants.
template <typename Primitive>
struct Prepared {
  typename Primitive::primitive_desc plan;
  Primitive primitive;

  explicit Prepared(const typename Primitive::primitive_desc& chosen) : plan(chosen), primitive(chosen) {}
};

class OneDnnPlan final : public ConvolutionPlan {
 public:
  explicit OneDnnPlan(const ConvolutionShape& shape) : shape_(shape) {
    bool grouped = shape.groups > 1;
    int64_t out = shape.outChannels, in = shape.inChannels, k = shape.kernel;
    input_ = {shape.batch, in, shape.height, shape.width};
    output_ = {shape.batch, out, shape.outHeight(), shape.outWidth()};
    weight_ = grouped ? memory::dims{shape.groups, out / shape.groups, in / shape.groups, k, k} : memory::dims{out, in, k, k};
    strides_ = {shape.stride, shape.stride};
    padding_ = {shape.padding, shape.padding};
    bool winograd = shape.winograd && shape.dtype == at::kFloat && shape.output == Layout::blocked && k == 3 &&
                    shape.stride == 1 && shape.padding == 1 && !grouped && in % kBlock == 0;
    if (!winograd || !prepare(algorithm::convolution_winograd)) prepare(algorithm::convolution_direct);
    TORCH_CHECK(forward_ != nullptr, "oneDNN has no kernel for a convolution of ", shape.inChannels, " to ", shape.outChannels,
                " channels, kernel ", shape.kernel, ", stride ", shape.stride, ", groups ", shape.groups);
  }

  at::Tensor forward(const at::Tensor& input, const at::Tensor& weight) override {
    at::Tensor output = empty(output_, shape_.output);
    const auto& plan = forward_->plan;
    Operand source = inFormat(operand(inputFormat(), input), plan.src_desc());
    Operand kernel = inFormat(operand(weightFormat(weight), weight), plan.weights_desc());
    Operand target = operand(plan.dst_desc(), output);
    run(forward_->primitive, plan.scratchpad_desc(),
        {{DNNL_ARG_SRC, source.value}, {DNNL_ARG_WEIGHTS, kernel.value}, {DNNL_ARG_DST, target.value}});
    return output;
  }

  at::Tensor inputGradient(const at::Tensor& outputGradient, const at::Tensor& weight) override {
    if (inputGradient_ == nullptr) prepareInputGradient();
    at::Tensor gradient = empty(input_, shape_.input);
    const auto& plan = inputGradient_->plan;
    Operand source = inFormat(operand(outputFormat(), outputGradient), plan.diff_dst_desc());
    Operand kernel = inFormat(operand(weightFormat(weight), weight), plan.weights_desc());
    bool direct = plan.diff_src_desc() == inputFormat();
    Operand target = operand(plan.diff_src_desc(), direct ? gradient : buffer(plan.diff_src_desc()));
    run(inputGradient_->primitive, plan.scratchpad_desc(),
        {{DNNL_ARG_DIFF_DST, source.value}, {DNNL_ARG_WEIGHTS, kernel.value}, {DNNL_ARG_DIFF_SRC, target.value}});
    if (!direct) copy(target, operand(inputFormat(), gradient));
    return gradient;
  }

  at::Tensor weightGradient(const at::Tensor& input, const at::Tensor& outputGradient, const at::Tensor& weight) override {
    at::Tensor gradient = at::empty_like(weight);
    if (isMatrixProduct()) {
      productOfRows(input, outputGradient, gradient);
      return gradient;
    }
    const auto& plan = weightGradient_->plan;
    Operand source = inFormat(operand(inputFormat(), input), plan.src_desc());
    Operand target = inFormat(operand(outputFormat(), outputGradient), plan.diff_dst_desc());
    memory::desc ours = weightFormat(gradient);
    bool direct = plan.diff_weights_desc() == ours;
    Operand result = operand(plan.diff_weights_desc(), direct ? gradient : buffer(plan.diff_weights_desc()));
    run(weightGradient_->primitive, plan.scratchpad_desc(),
        {{DNNL_ARG_SRC, source.value}, {DNNL_ARG_DIFF_DST, target.value}, {DNNL_ARG_DIFF_WEIGHTS, result.value}});
    if (!direct) copy(result, operand(ours, gradient));
    return gradient;
  }

 private:
  ConvolutionShape shape_;
  memory::dims input_, output_, weight_, strides_, padding_;
  algorithm algorithm_ = algorithm::convolution_direct;
  std::unique_ptr<Prepared<dnnl::convolution_forward>> forward_;
  std::unique_ptr<Prepared<dnnl::convolution_backward_data>> inputGradient_;
  std::unique_ptr<Prepared<dnnl::convolution_backward_weights>> weightGradient_;
  std::unique_ptr<Prepared<dnnl::matmul>> rowProduct_;

  memory::desc inputFormat() const { return format(input_, shape_.input); }
  memory::desc outputFormat() const { return format(output_, shape_.output); }

  memory::desc format(const memory::dims& sizes, Layout layout) const {
    return {sizes, dataType(shape_.dtype), layout == Layout::blocked ? Format::nChw16c : Format::nhwc};
  }

  memory::desc weightFormat(const at::Tensor& weight) const {
    memory::dims strides = weight.strides().vec();
    if (shape_.groups > 1) strides.insert(strides.begin(), strides[0] * (shape_.outChannels / shape_.groups));
    return {weight_, memory::data_type::f32, strides};
  }

  at::Tensor empty(const memory::dims& sizes, Layout layout) const {
    auto options = at::TensorOptions(shape_.dtype);
    if (layout == Layout::channelsLast) return at::empty(sizes, options.memory_format(at::MemoryFormat::ChannelsLast));
    return at::empty({sizes[0], sizes[1] / kBlock, sizes[2], sizes[3], kBlock}, options);
  }

  // The first convolution takes three channels, for which oneDNN has formats of its own: it may choose.
  memory::desc wantedInput() const {
    return shape_.input == shape_.output ? inputFormat() : memory::desc(input_, dataType(shape_.dtype), Format::any);
  }
  memory::desc wantedWeight() const { return {weight_, dataType(shape_.dtype), Format::any}; }

  bool prepare(algorithm chosen) {
    algorithm_ = chosen;
    auto attributes = withOwnScratchpad();
    try {
      dnnl::convolution_forward::desc forward(dnnl::prop_kind::forward_training, chosen, wantedInput(), wantedWeight(),
                                              outputFormat(), strides_, padding_, padding_);
      dnnl::convolution_forward::primitive_desc forwardPlan(forward, attributes, engine());
      if (!isMatrixProduct()) {
        dnnl::convolution_backward_weights::desc weights(chosen, wantedInput(), {weight_, memory::data_type::f32, Format::any},
                                                         outputFormat(), strides_, padding_, padding_);
        weightGradient_ = std::make_unique<Prepared<dnnl::convolution_backward_weights>>(
            dnnl::convolution_backward_weights::primitive_desc(weights, attributes, engine(), forwardPlan));
      }
      forward_ = std::make_unique<Prepared<dnnl::convolution_forward>>(forwardPlan);
      return true;
    } catch (const dnnl::error&) {
      return false;
    }
  }

  // Not at once: nobody asks for the gradient of the images, for which some kernels do not exist.
  void prepareInputGradient() {
    dnnl::convolution_backward_data::desc data(algorithm_, wantedInput(), wantedWeight(), outputFormat(), strides_, padding_,
                                               padding_);
    inputGradient_ = std::make_unique<Prepared<dnnl::convolution_backward_data>>(
        dnnl::convolution_backward_data::primitive_desc(data, withOwnScratchpad(), engine(), forward_->plan));
  }

  // A 1x1 convolution of channels-last rows is a matrix product, and bfloat16 has a product three times as fast as the
  // convolution's kernel for the weight gradient.
  bool isMatrixProduct() const {
    return shape_.dtype == at::kBFloat16 && shape_.kernel == 1 && shape_.stride == 1 && shape_.groups == 1 &&
           shape_.padding == 0 && shape_.input == Layout::channelsLast && shape_.output == Layout::channelsLast;
  }

  // gradient [out, in] = outputGradientᵀ [out, rows] · input [rows, in]
  void productOfRows(const at::Tensor& input, const at::Tensor& outputGradient, at::Tensor& gradient) {
    int64_t rows = shape_.batch * shape_.height * shape_.width;
    if (rowProduct_ == nullptr) {
      memory::desc left({shape_.outChannels, rows}, memory::data_type::bf16, Format::ba);
      memory::desc right({rows, shape_.inChannels}, memory::data_type::bf16, Format::ab);
      memory::desc product({shape_.outChannels, shape_.inChannels}, memory::data_type::f32, Format::ab);
      rowProduct_ = std::make_unique<Prepared<dnnl::matmul>>(
          dnnl::matmul::primitive_desc(dnnl::matmul::desc(left, right, product), withOwnScratchpad(), engine()));
    }
    const auto& plan = rowProduct_->plan;
    run(rowProduct_->primitive, plan.scratchpad_desc(),
        {{DNNL_ARG_SRC, memory(plan.src_desc(), engine(), outputGradient.data_ptr())},
         {DNNL_ARG_WEIGHTS, memory(plan.weights_desc(), engine(), input.data_ptr())},
         {DNNL_ARG_DST, memory(plan.dst_desc(), engine(), gradient.data_ptr())}});
  }
};

constexpr size_t kMostPlans = 1024;  // a network has tens; a change of the batch size makes new ones

}  // namespace

std::shared_ptr<ConvolutionPlan> ConvolutionPlan::of(const ConvolutionShape& shape) {
  static std::mutex mutex;
  static auto* plans = new std::map<decltype(shape.key()), std::shared_ptr<ConvolutionPlan>>();
  std::lock_guard<std::mutex> lock(mutex);
  auto found = plans->find(shape.key());
  if (found != plans->end()) return found->second;
  if (plans->size() >= kMostPlans) plans->clear();
  auto plan = std::make_shared<OneDnnPlan>(shape);
  plans->emplace(shape.key(), plan);
  return plan;
}

}  // namespace topofr

#endif
