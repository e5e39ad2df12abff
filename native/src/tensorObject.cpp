#include "tensorObject.h"

#include <cstring>

#include "dtypes.h"
#include "errors.h"

namespace topofr {
namespace {

Napi::Error disposedError(Napi::Env env) {
  return tensorError(env, "this Tensor was disposed (by dispose() or by the end of the scope() that made it); "
                          "return it from the scope to keep it");
}

}  // namespace

void TensorObject::define(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor = DefineClass(
      env, "Tensor",
      {
          InstanceAccessor<&TensorObject::shape>("shape"),
          InstanceAccessor<&TensorObject::dtype>("dtype"),
          InstanceAccessor<&TensorObject::device>("device"),
          InstanceAccessor<&TensorObject::size>("size"),
          InstanceAccessor<&TensorObject::strides>("strides"),
          InstanceAccessor<&TensorObject::isLeaf>("isLeaf"),
          InstanceAccessor<&TensorObject::disposed>("disposed"),
          InstanceAccessor<&TensorObject::requiresGrad, &TensorObject::setRequiresGrad>("requiresGrad"),
          InstanceAccessor<&TensorObject::grad, &TensorObject::setGrad>("grad"),
          InstanceMethod<&TensorObject::backward>("backward"),
          InstanceMethod<&TensorObject::item>("item"),
          InstanceMethod<&TensorObject::toTypedArray>("toTypedArray"),
          InstanceMethod<&TensorObject::toBytes>("toBytes"),
          InstanceMethod<&TensorObject::dispose>("dispose"),
      });
  Environment::of(env).tensorConstructor = Napi::Persistent(constructor);
  exports.Set("Tensor", constructor);
}

TensorObject::TensorObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<TensorObject>(info) {
  Environment& environment = Environment::of(info.Env());
  if (!environment.pending)
    throw tensorError(info.Env(), "a Tensor is made by tensor(), zeros() or an operator, not by new");
  handle_ = std::move(environment.pending);
  handle_->object = this;
  environment.objects.insert(this);
}

TensorObject::~TensorObject() {
  // Also runs when construction failed, or after the environment's data has gone at exit.
  auto* environment = Env().GetInstanceData<Environment>();
  if (environment == nullptr) return;
  if (handle_) release(Env(), *handle_);
}

void TensorObject::release(Napi::Env env, TensorHandle& handle) {
  if (handle.disposed) return;
  handle.disposed = true;
  handle.tensor.reset();
  Environment& environment = Environment::of(env);
  environment.objects.erase(handle.object);
  environment.liveTensors -= 1;
  if (handle.reportedBytes > 0) Napi::MemoryManagement::AdjustExternalMemory(env, -handle.reportedBytes);
}

// Only tensors that no scope will free: V8 answers growing external memory with garbage collection, some milliseconds
// each time, which would be a sixth of a training step whose activations all belong to its scope.
void TensorObject::report(Napi::Env env, TensorHandle& handle) {
  // A view shares its storage with a tensor that already reported it; sparse tensors have no single storage.
  const at::Tensor& tensor = handle.tensor;
  if (tensor.layout() != at::kStrided || tensor.is_view()) return;
  handle.reportedBytes = static_cast<int64_t>(tensor.nbytes());
  if (handle.reportedBytes > 0) Napi::MemoryManagement::AdjustExternalMemory(env, handle.reportedBytes);
}

Napi::Value TensorObject::wrap(Napi::Env env, at::Tensor tensor) {
  if (!tensor.defined()) return env.Null();
  Environment& environment = Environment::of(env);
  auto handle = std::make_shared<TensorHandle>();
  handle->tensor = std::move(tensor);
  environment.pending = handle;
  Napi::Object object = environment.tensorConstructor.New(std::initializer_list<napi_value>{});
  environment.liveTensors += 1;
  if (environment.scopes.empty()) report(env, *handle);
  else environment.scopes.back().push_back(std::move(handle));
  return object;
}

namespace {

void* wrapped(Napi::Env env, napi_value value) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return nullptr;
  void* object = nullptr;
  return napi_unwrap(env, value, &object) == napi_ok ? object : nullptr;
}

}  // namespace

bool TensorObject::isWrapped(Napi::Env env, napi_value value) { return wrapped(env, value) != nullptr; }

TensorObject* TensorObject::unwrap(Napi::Env env, napi_value value) {
  void* object = wrapped(env, value);
  return object != nullptr && Environment::of(env).objects.count(object) ? static_cast<TensorObject*>(object) : nullptr;
}

bool TensorObject::isDisposed(Napi::Env env, napi_value value) {
  void* object = wrapped(env, value);
  if (object == nullptr || Environment::of(env).objects.count(object)) return false;
  return Napi::Value(env, value).As<Napi::Object>().InstanceOf(Environment::of(env).tensorConstructor.Value());
}

const at::Tensor* TensorObject::find(Napi::Env env, napi_value value) {
  void* object = wrapped(env, value);
  if (object == nullptr) return nullptr;
  if (Environment::of(env).objects.count(object)) return &static_cast<TensorObject*>(object)->handle_->tensor;
  if (isDisposed(env, value)) throw disposedError(env);
  return nullptr;
}

const at::Tensor& TensorObject::expect(Napi::Env env, Napi::Value value, const char* what) {
  const at::Tensor* tensor = find(env, value);
  if (tensor == nullptr) throw tensorError(env, std::string(what) + ": expected a Tensor");
  return *tensor;
}

const at::Tensor& TensorObject::tensor(Napi::Env env) const {
  if (handle_->disposed) throw disposedError(env);
  return handle_->tensor;
}

Napi::Value TensorObject::shape(const Napi::CallbackInfo& info) {
  auto sizes = tensor(info.Env()).sizes();
  Napi::Array result = Napi::Array::New(info.Env(), sizes.size());
  for (uint32_t i = 0; i < sizes.size(); ++i) result.Set(i, Napi::Number::New(info.Env(), sizes[i]));
  return result;
}

Napi::Value TensorObject::strides(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "strides", [&]() -> Napi::Value {
    auto strides = tensor(info.Env()).strides();
    Napi::Array result = Napi::Array::New(info.Env(), strides.size());
    for (uint32_t i = 0; i < strides.size(); ++i) result.Set(i, Napi::Number::New(info.Env(), strides[i]));
    return result;
  });
}

Napi::Value TensorObject::dtype(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), dtypeName(tensor(info.Env()).scalar_type()));
}

Napi::Value TensorObject::device(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), tensor(info.Env()).device().str());
}

Napi::Value TensorObject::size(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), tensor(info.Env()).numel());
}

Napi::Value TensorObject::isLeaf(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), tensor(info.Env()).is_leaf());
}

Napi::Value TensorObject::disposed(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), handle_->disposed);
}

Napi::Value TensorObject::requiresGrad(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), tensor(info.Env()).requires_grad());
}

void TensorObject::setRequiresGrad(const Napi::CallbackInfo& info, const Napi::Value& value) {
  guarded(info.Env(), "requiresGrad", [&] { tensor(info.Env()).requires_grad_(value.ToBoolean()); });
}

Napi::Value TensorObject::grad(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "grad", [&] { return wrap(info.Env(), tensor(info.Env()).grad()); });
}

void TensorObject::setGrad(const Napi::CallbackInfo& info, const Napi::Value& value) {
  guarded(info.Env(), "grad", [&] {
    const at::Tensor& self = tensor(info.Env());
    at::Tensor gradient;
    if (!value.IsNull() && !value.IsUndefined()) gradient = expect(info.Env(), value, "grad");
    TORCH_CHECK(!gradient.defined() || (gradient.sizes() == self.sizes() && gradient.scalar_type() == self.scalar_type() &&
                                        gradient.device() == self.device()),
                "expected ", describe(self), " as the tensor itself, found ", describe(gradient));
    self.mutable_grad() = gradient;
  });
}

Napi::Value TensorObject::backward(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return guarded(env, "backward", [&]() -> Napi::Value {
    const at::Tensor& self = tensor(env);
    bool hasGradient = info.Length() > 0 && !info[0].IsNull() && !info[0].IsUndefined();
    at::Tensor gradient = hasGradient ? expect(env, info[0], "backward: gradient") : at::Tensor();
    TORCH_CHECK(hasGradient || self.numel() == 1, "the tensor is ", describe(self),
                ": give a gradient of that shape, or reduce it to one element first");
    bool retainGraph = info.Length() > 1 && info[1].IsObject() && info[1].As<Napi::Object>().Get("retainGraph").ToBoolean();
    self.backward(gradient, retainGraph);
    return env.Undefined();
  });
}

Napi::Value TensorObject::item(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return guarded(env, "item", [&]() -> Napi::Value {
    at::Scalar scalar = tensor(env).item();
    return Napi::Number::New(env, scalar.isBoolean() ? (scalar.toBool() ? 1 : 0) : scalar.toDouble());
  });
}

namespace {

// V8 ends the process when asked for a longer array.
constexpr int64_t kMaxArrayBytes = int64_t{1} << 32;

at::Tensor rowMajor(const at::Tensor& tensor, at::ScalarType type) {
  int64_t bytes = tensor.numel() * static_cast<int64_t>(c10::elementSize(type));
  TORCH_CHECK(bytes <= kMaxArrayBytes, describe(tensor), " needs ", bytes, " bytes, more than one typed array holds (",
              kMaxArrayBytes, "); copy it in parts (narrow)");
  return tensor.detach().to(at::kCPU, type).contiguous();
}

template <typename Array>
Napi::Value copyOut(Napi::Env env, const at::Tensor& values) {
  Array result = Array::New(env, values.numel());
  std::memcpy(result.ArrayBuffer().Data(), values.data_ptr(), values.nbytes());
  return result;
}

}  // namespace

Napi::Value TensorObject::toTypedArray(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return guarded(env, "toTypedArray", [&]() -> Napi::Value {
    at::ScalarType type = tensor(env).scalar_type();
    // JavaScript has no 16-bit floats: widened, which is exact.
    at::Tensor values = rowMajor(tensor(env), type == at::kBFloat16 || type == at::kHalf ? at::kFloat : type);
    switch (values.scalar_type()) {
      case at::kFloat: return copyOut<Napi::Float32Array>(env, values);
      case at::kDouble: return copyOut<Napi::Float64Array>(env, values);
      case at::kLong: return copyOut<Napi::BigInt64Array>(env, values);
      case at::kInt: return copyOut<Napi::Int32Array>(env, values);
      case at::kByte:
      case at::kBool: return copyOut<Napi::Uint8Array>(env, values);
      default: throw std::invalid_argument(std::string("no typed array for dtype ") + dtypeName(values.scalar_type()));
    }
  });
}

Napi::Value TensorObject::toBytes(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return guarded(env, "toBytes", [&]() -> Napi::Value {
    at::Tensor values = rowMajor(tensor(env), tensor(env).scalar_type());
    Napi::Uint8Array result = Napi::Uint8Array::New(env, values.nbytes());
    std::memcpy(result.Data(), values.data_ptr(), values.nbytes());
    return result;
  });
}

Napi::Value TensorObject::dispose(const Napi::CallbackInfo& info) {
  release(info.Env(), *handle_);
  return info.Env().Undefined();
}

// beginScope() / endScope(kept: Tensor[]): everything made in between is released, but for `kept`, which moves to the
// enclosing scope.
void defineScopes(Napi::Env env, Napi::Object exports) {
  exports.Set("beginScope", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
    Environment::of(info.Env()).scopes.emplace_back();
  }));
  exports.Set("endScope", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    Environment& environment = Environment::of(env);
    if (environment.scopes.empty()) throw tensorError(env, "endScope without beginScope");
    auto made = std::move(environment.scopes.back());
    environment.scopes.pop_back();
    Napi::Array kept = info[0].As<Napi::Array>();
    for (uint32_t i = 0; i < kept.Length(); ++i) {
      Napi::Value value = kept[i];
      if (TensorObject* object = TensorObject::unwrap(env, value)) object->handle_->kept = true;
    }
    for (auto& handle : made) {
      if (!handle->kept) {
        TensorObject::release(env, *handle);
      } else {
        handle->kept = false;
        if (environment.scopes.empty()) TensorObject::report(env, *handle);
        else environment.scopes.back().push_back(handle);
      }
    }
    for (uint32_t i = 0; i < kept.Length(); ++i) {
      Napi::Value value = kept[i];
      if (TensorObject* object = TensorObject::unwrap(env, value)) object->handle_->kept = false;
    }
  }));
  exports.Set("liveTensors", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(Environment::of(info.Env()).liveTensors));
  }));
}

}  // namespace topofr
