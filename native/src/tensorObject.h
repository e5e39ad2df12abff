// A JavaScript Tensor: a reference to an at::Tensor that can be let go before the garbage collector gets to it.
#pragma once

#include <ATen/ATen.h>
#include <napi.h>

#include <memory>
#include <unordered_set>
#include <vector>

namespace topofr {

// What a JavaScript Tensor owns. The scope that made it shares the handle, so that the end of the scope can release the
// memory while the JavaScript object is still waiting for its finalizer.
struct TensorHandle {
  const void* object = nullptr;  // the TensorObject, while it is in Environment::objects
  at::Tensor tensor;
  int64_t reportedBytes = 0;  // told to V8, so that it collects under native memory pressure
  bool disposed = false;
  bool kept = false;  // set while a scope ends, for the tensors that leave it
};

class TensorObject;

// State of one JavaScript environment (the main thread, or a worker).
struct Environment {
  Napi::FunctionReference tensorConstructor;
  // TensorObjects that are not disposed: tells a Tensor from another wrapped object. Not those that only wait for the
  // garbage collector: a tight loop leaves millions, and the set would no longer fit the processor's cache.
  std::unordered_set<const void*> objects;
  std::vector<std::vector<std::shared_ptr<TensorHandle>>> scopes;
  std::shared_ptr<TensorHandle> pending;  // handed to the constructor of the Tensor being made
  int64_t liveTensors = 0;

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};

class TensorObject : public Napi::ObjectWrap<TensorObject> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  // A new JavaScript Tensor, registered in the innermost scope. An undefined tensor becomes null.
  static Napi::Value wrap(Napi::Env env, at::Tensor tensor);
  // A Tensor, disposed or not, or another addon's object: in any case no options object.
  static bool isWrapped(Napi::Env env, napi_value value);
  static bool isDisposed(Napi::Env env, napi_value value);
  // nullptr when `value` is not a Tensor; throws when it was disposed.
  static const at::Tensor* find(Napi::Env env, napi_value value);
  static const at::Tensor& expect(Napi::Env env, Napi::Value value, const char* what);
  static void release(Napi::Env env, TensorHandle& handle);
  static void report(Napi::Env env, TensorHandle& handle);

  explicit TensorObject(const Napi::CallbackInfo& info);
  ~TensorObject() override;

 private:
  std::shared_ptr<TensorHandle> handle_;

  const at::Tensor& tensor(Napi::Env env) const;
  // nullptr when `value` is not a Tensor, or a disposed one.
  static TensorObject* unwrap(Napi::Env env, napi_value value);

  Napi::Value shape(const Napi::CallbackInfo& info);
  Napi::Value dtype(const Napi::CallbackInfo& info);
  Napi::Value device(const Napi::CallbackInfo& info);
  Napi::Value size(const Napi::CallbackInfo& info);
  Napi::Value strides(const Napi::CallbackInfo& info);
  Napi::Value isLeaf(const Napi::CallbackInfo& info);
  Napi::Value disposed(const Napi::CallbackInfo& info);
  Napi::Value requiresGrad(const Napi::CallbackInfo& info);
  void setRequiresGrad(const Napi::CallbackInfo& info, const Napi::Value& value);
  Napi::Value grad(const Napi::CallbackInfo& info);
  void setGrad(const Napi::CallbackInfo& info, const Napi::Value& value);
  Napi::Value backward(const Napi::CallbackInfo& info);
  Napi::Value item(const Napi::CallbackInfo& info);
  Napi::Value toTypedArray(const Napi::CallbackInfo& info);
  Napi::Value toBytes(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);

  friend void defineScopes(Napi::Env env, Napi::Object exports);
};

void defineScopes(Napi::Env env, Napi::Object exports);

}  // namespace topofr
