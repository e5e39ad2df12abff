// Where the time of a step goes: libtorch calls back at the start and the end of every operator, forward and backward. An
// operator that calls others (a convolution calls its oneDNN version) keeps only the time that they do not take ("self").
#include "profiler.h"

#include <ATen/record_function.h>

#include <chrono>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "errors.h"

namespace topofr {
namespace {

using Clock = std::chrono::steady_clock;

struct Total {
  double seconds = 0, selfSeconds = 0;
  int64_t calls = 0;
};

std::mutex mutex;
std::map<std::pair<std::string, std::string>, Total> totals;  // by name and shapes
at::CallbackHandle running = 0;
bool isRunning = false;

// Seconds that the operators called by each open operator of this thread took.
thread_local std::vector<double> insideSeconds;

std::string shapesOf(const at::RecordFunction& call) {
  std::ostringstream text;
  bool first = true;
  for (const c10::IValue& input : call.inputs()) {
    if (!input.isTensor() || !input.toTensor().defined()) continue;
    const at::Tensor& tensor = input.toTensor();
    text << (first ? "" : " ") << c10::toString(tensor.scalar_type()) << tensor.sizes();
    first = false;
  }
  return text.str();
}

struct Span : public at::ObserverContext {
  std::string shapes;  // taken at the start: a kernel may consume its inputs
  Clock::time_point start;
};

std::unique_ptr<at::ObserverContext> open(const at::RecordFunction& call) {
  auto span = std::make_unique<Span>();
  span->shapes = shapesOf(call);
  insideSeconds.push_back(0);
  span->start = Clock::now();
  return span;
}

void close(const at::RecordFunction& call, at::ObserverContext* context) {
  auto span = static_cast<Span*>(context);
  double seconds = std::chrono::duration<double>(Clock::now() - span->start).count();
  double inside = insideSeconds.back();
  insideSeconds.pop_back();
  if (!insideSeconds.empty()) insideSeconds.back() += seconds;
  std::lock_guard<std::mutex> lock(mutex);
  Total& total = totals[{call.name(), span->shapes}];
  total.seconds += seconds;
  total.selfSeconds += seconds - inside;
  total.calls += 1;
}

void start(const Napi::CallbackInfo& info) {
  guarded(info.Env(), "startProfile", [] {
    TORCH_CHECK(!isRunning, "a profile is already being taken");
    totals.clear();
    running = at::addGlobalCallback(at::RecordFunctionCallback(open, close)
                                        .needsInputs(true)
                                        .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
    isRunning = true;
  });
}

// [{ name, shapes, calls, seconds, selfSeconds }], most self time first is the caller's business.
Napi::Value stop(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return guarded(env, "stopProfile", [&]() -> Napi::Value {
    TORCH_CHECK(isRunning, "no profile is being taken");
    at::removeCallback(running);
    isRunning = false;
    Napi::Array rows = Napi::Array::New(env);
    for (const auto& [key, total] : totals) {
      Napi::Object row = Napi::Object::New(env);
      row.Set("name", key.first);
      row.Set("shapes", key.second);
      row.Set("calls", static_cast<double>(total.calls));
      row.Set("seconds", total.seconds);
      row.Set("selfSeconds", total.selfSeconds);
      rows.Set(rows.Length(), row);
    }
    return rows;
  });
}

}  // namespace

void defineProfiler(Napi::Env env, Napi::Object exports) {
  exports.Set("startProfile", Napi::Function::New(env, start));
  exports.Set("stopProfile", Napi::Function::New(env, stop));
}

}  // namespace topofr
