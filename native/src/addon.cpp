// The addon's exports. What JavaScript users see is packages/torch; this is the least that it needs.
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <napi.h>
#include <torch/version.h>

#include <cmath>
#include <cstring>

#include "allocator.h"
#include "checkpoint.h"
#include "compat.h"
#include "dispatch.h"
#include "dtypes.h"
#include "errors.h"
#include "profiler.h"
#include "tensorObject.h"
#include "topology/bindings.h"
#include "values.h"

namespace topofr {
namespace {

// tensorFromBytes(typedArray, dtype, shape): one copy in; the bytes are read as `dtype`.
Napi::Value tensorFromBytes(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return guarded(env, "tensorFromBytes", [&] {
    if (!info[0].IsTypedArray()) throw std::invalid_argument("expected a typed array");
    if (!info[2].IsArray()) throw std::invalid_argument("shape: expected an array of whole numbers");
    Napi::TypedArray data = info[0].As<Napi::TypedArray>();
    at::ScalarType dtype = dtypeFromName(info[1].ToString());
    Napi::Array sizes = info[2].As<Napi::Array>();
    std::vector<int64_t> shape;
    double elements = 1;
    for (uint32_t i = 0; i < sizes.Length(); ++i) {
      Napi::Value size = sizes.Get(i);
      double count = size.IsNumber() ? size.As<Napi::Number>().DoubleValue() : -1;
      if (!(count >= 0) || std::trunc(count) != count)
        throw std::invalid_argument("shape: expected whole numbers, found " + describeValue(env, sizes));
      elements *= count;
      shape.push_back(static_cast<int64_t>(count));
    }
    size_t itemBytes = c10::elementSize(dtype);
    if (elements * itemBytes != data.ByteLength())  // before anything is allocated
      throw std::invalid_argument("the data has " + std::to_string(data.ByteLength() / itemBytes) + " elements of " +
                                  dtypeName(dtype) + ", which do not fit the shape " + describeValue(env, sizes));
    at::Tensor tensor = at::empty(shape, dtype);
    void* source = nullptr;
    napi_get_typedarray_info(env, data, nullptr, nullptr, &source, nullptr, nullptr);
    if (tensor.nbytes() > 0) std::memcpy(tensor.data_ptr(), source, tensor.nbytes());
    return TensorObject::wrap(env, tensor);
  });
}

// setGradEnabled(flag): the previous value.
Napi::Value setGradEnabled(const Napi::CallbackInfo& info) {
  bool previous = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(info[0].ToBoolean());
  return Napi::Boolean::New(info.Env(), previous);
}

Napi::Value buildInfo(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return guarded(env, "buildInfo", [&]() -> Napi::Value {
    Napi::Object result = Napi::Object::New(env);
    result.Set("torchVersion", TORCH_VERSION);
    result.Set("compiler", __VERSION__);
    result.Set("threads", at::get_num_threads());
    result.Set("cuda", at::hasCUDA());
    result.Set("mkldnn", at::hasMKLDNN());
    result.Set("configuration", at::show_config());
    return result;
  });
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment());
  defineAllocator(env, exports);
  TensorObject::define(env, exports);
  defineScopes(env, exports);
  defineDispatch(env, exports);
  defineCheckpoint(env, exports);
  defineProfiler(env, exports);
  defineRandom(env, exports);
  defineTopology(env, exports);
  exports.Set("tensorFromBytes", Napi::Function::New(env, tensorFromBytes));
  exports.Set("setGradEnabled", Napi::Function::New(env, setGradEnabled));
  exports.Set("buildInfo", Napi::Function::New(env, buildInfo));
  exports.Set("setNumThreads", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
    guarded(info.Env(), "setNumThreads", [&] { at::set_num_threads(info[0].ToNumber().Int32Value()); });
  }));
  return exports;
}

}  // namespace
}  // namespace topofr

Napi::Object initialiseAddon(Napi::Env env, Napi::Object exports) { return topofr::initialise(env, exports); }
NODE_API_MODULE(topofr_torch, initialiseAddon)
