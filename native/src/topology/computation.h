// A computation off the main thread: a promise for its result, what it has done so far, and a way to end it.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>

#include "control.h"

namespace topofr::topology {

// Error with a code for what a computation threw: E_CANCELLED, E_TOO_LARGE, E_USAGE (bad input), E_TENSOR (the rest).
Napi::Error errorOf(Napi::Env env, const char* what, std::exception_ptr failure);

// `work` runs on another thread and must not touch JavaScript; `result` runs after it, on this one. `input` is kept from
// the garbage collector until then. Returns { promise, progress(): [stage, done, total], cancel() }.
Napi::Object start(Napi::Env env, const char* what, std::shared_ptr<Control> control, std::function<void()> work,
                   std::function<Napi::Value(Napi::Env)> result, Napi::Object input);

}  // namespace topofr::topology
