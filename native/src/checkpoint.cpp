// One autograd node that stands for a JavaScript function: its forward ran without recording; its backward calls JavaScript, which
// runs the function again, recorded, and goes backward through it. What JavaScript does of this: packages/torch/src/checkpoint.ts.
#include "checkpoint.h"

#include <ATen/Context.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/custom_function.h>

#include <thread>

#include "compat.h"
#include "errors.h"
#include "tensorObject.h"

#if TOPOFR_TORCH_AT_LEAST(2, 0)
#include <c10/core/AutogradState.h>
#endif

namespace topofr {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

// The states of the generators that a computation on `device` draws from.
class Randomness {
 public:
  explicit Randomness(at::Device device) {
    keep(at::globalContext().defaultGenerator(at::kCPU));
    if (!device.is_cpu()) keep(at::globalContext().defaultGenerator(device));
  }

  void restore() {
    for (auto& [generator, state] : states_) {
      std::lock_guard<std::mutex> lock(generator.mutex());
      generator.set_state(state);
    }
  }

 private:
  std::vector<std::pair<at::Generator, at::Tensor>> states_;

  void keep(at::Generator generator) {
    std::lock_guard<std::mutex> lock(generator.mutex());
    states_.emplace_back(generator, generator.get_state());
  }
};

// What the backward of one call needs. Owned by the graph, so that it lives exactly as long.
struct Segment : public torch::CustomClassHolder {
  Segment(Napi::Function function, at::Device device)
      : again(Napi::Persistent(function)), owner(std::this_thread::get_id()), randomness(device) {}

  ~Segment() override {
    if (!isHere()) again.SuppressDestruct();  // Node would end the process
  }

  bool isHere() const { return std::this_thread::get_id() == owner; }

  Napi::FunctionReference again;
  std::thread::id owner;
  Randomness randomness;
  at::Tensor output;  // until the node has taken it
};

struct Checkpoint : public torch::autograd::Function<Checkpoint> {
  // `anchor` requires a gradient, so that the node is there for the parameters when the input needs none.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& anchor,
                            const c10::intrusive_ptr<Segment>& segment) {
    context->save_for_backward({input});
    context->saved_data["segment"] = c10::IValue::make_capsule(segment);
    return std::move(segment->output);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    auto holder = context->saved_data["segment"].toCapsule();
    auto& segment = static_cast<Segment&>(*holder);
    TORCH_CHECK(segment.isHere(), "checkpoint: the backward runs on another thread than JavaScript; "
                                  "nest checkpoints less deeply");
    at::Tensor input = context->get_saved_variables()[0];
    at::Tensor leaf = input.detach();
    leaf.set_requires_grad(input.requires_grad());

    Napi::Env env = segment.again.Env();
    Napi::HandleScope handles(env);
    Randomness now(leaf.device());
    segment.randomness.restore();
    try {
      at::AutoGradMode recording(true);
      segment.again.Call({TensorObject::wrap(env, leaf), TensorObject::wrap(env, gradients[0])});
    } catch (...) {
      now.restore();
      throw;
    }
    now.restore();
    return {leaf.grad(), Variable(), Variable()};
  }
};

Napi::Value checkpoint(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return guarded(env, "checkpoint", [&]() -> Napi::Value {
    at::Tensor input = TensorObject::expect(env, info[0], "checkpoint: input");
    Napi::Function forward = info[1].As<Napi::Function>();
    if (!c10::GradMode::is_enabled()) return forward.Call({});
#if TOPOFR_TORCH_AT_LEAST(2, 0)
    // Only this thread may call JavaScript.
    if (!input.device().is_cpu()) c10::AutogradState::get_tls_state().set_multithreading_enabled(false);
#else
    TORCH_CHECK(input.device().is_cpu(), "on ", input.device(), " the backward runs on another thread; it needs libtorch 2.0");
#endif
    auto segment = c10::make_intrusive<Segment>(info[2].As<Napi::Function>(), input.device());
    {
      at::NoGradGuard unrecorded;
      // A tensor of its own: the function may return its input, or a parameter.
      segment->output = TensorObject::expect(env, forward.Call({}), "checkpoint: output").detach();
    }
    return TensorObject::wrap(env, Checkpoint::apply(input, at::empty({0}).set_requires_grad(true), segment));
  });
}

}  // namespace

void defineCheckpoint(Napi::Env env, Napi::Object exports) {
  exports.Set("checkpoint", Napi::Function::New(env, checkpoint));
}

}  // namespace topofr
