#include "computation.h"

#include <stdexcept>

#include "../errors.h"

namespace topofr::topology {
namespace {

Napi::Error coded(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Value().Set("code", Napi::String::New(env, code));
  return error;
}

class Worker : public Napi::AsyncWorker {
 public:
  Worker(Napi::Env env, const char* what, std::function<void()> work, std::function<Napi::Value(Napi::Env)> result,
         Napi::Object input)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), what_(what), work_(std::move(work)),
        result_(std::move(result)), input_(Napi::Persistent(input)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    try {
      work_();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  void OnOK() override {
    if (failure_ == nullptr) {
      try {
        deferred_.Resolve(result_(Env()));
        return;
      } catch (const Napi::Error& error) {
        deferred_.Reject(error.Value());
        return;
      } catch (...) {
        failure_ = std::current_exception();
      }
    }
    deferred_.Reject(errorOf(Env(), what_, failure_).Value());
  }

 private:
  Napi::Promise::Deferred deferred_;
  const char* what_;
  std::function<void()> work_;
  std::function<Napi::Value(Napi::Env)> result_;
  Napi::ObjectReference input_;
  std::exception_ptr failure_;
};

}  // namespace

Napi::Error errorOf(Napi::Env env, const char* what, std::exception_ptr failure) {
  const std::string where = std::string(what) + ": ";
  try {
    std::rethrow_exception(failure);
  } catch (const Cancelled& error) {
    return coded(env, "E_CANCELLED", where + error.what());
  } catch (const OutOfMemory& error) {
    return coded(env, "E_TOO_LARGE", where + error.what());
  } catch (const std::bad_alloc&) {
    return coded(env, "E_TOO_LARGE", where + "the system has no memory left");
  } catch (const std::length_error& error) {
    return coded(env, "E_TOO_LARGE", where + error.what());
  } catch (const std::invalid_argument& error) {
    return coded(env, "E_USAGE", where + error.what());
  } catch (const c10::Error& error) {
    return coded(env, "E_TENSOR", where + firstParagraph(error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return coded(env, "E_TENSOR", where + error.what());
  } catch (...) {
    return coded(env, "E_TENSOR", where + "unknown C++ exception");
  }
}

Napi::Object start(Napi::Env env, const char* what, std::shared_ptr<Control> control, std::function<void()> work,
                   std::function<Napi::Value(Napi::Env)> result, Napi::Object input) {
  auto* worker = new Worker(env, what, std::move(work), std::move(result), input);  // deletes itself when done
  Napi::Object handle = Napi::Object::New(env);
  handle.Set("promise", worker->promise());
  handle.Set("progress", Napi::Function::New(env, [control](const Napi::CallbackInfo& info) -> Napi::Value {
    Napi::Array values = Napi::Array::New(info.Env(), 3);
    values.Set(0u, control->stage());
    values.Set(1u, static_cast<double>(control->done()));
    values.Set(2u, static_cast<double>(control->total()));
    return values;
  }));
  handle.Set("cancel", Napi::Function::New(env, [control](const Napi::CallbackInfo&) { control->cancel(); }));
  worker->Queue();
  return handle;
}

}  // namespace topofr::topology
