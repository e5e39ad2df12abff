#include "bindings.h"

#include <cmath>
#include <cstring>
#include <optional>

#include "../errors.h"
#include "../tensorObject.h"
#include "computation.h"
#include "gram.h"
#include "pointTree.h"
#include "rips.h"

namespace topofr {
namespace {

using namespace topology;

constexpr double kSparseShare = 1.0 / 64;  // below it neighbour lists are smaller and faster than a matrix

double number(Napi::Object object, const char* key, double low, double high, bool whole = true) {
  Napi::Value value = object.Get(key);
  double result = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  if (!(result >= low && result <= high) || (whole && std::trunc(result) != result))
    throw std::invalid_argument(std::string(key) + " is " + value.ToString().Utf8Value() + "; a " +
                                (whole ? "whole " : "") + "number expected, " +
                                std::to_string(static_cast<int64_t>(low)) +
                                (high < 1e15 ? " to " + std::to_string(static_cast<int64_t>(high)) : " or more"));
  return result;
}

// The elements of a typed array; throws when the value is no such array.
template <typename T>
const T* elements(Napi::Object object, const char* key, napi_typedarray_type type, size_t& count) {
  Napi::Value value = object.Get(key);
  napi_typedarray_type found;
  void* data = nullptr;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(value.Env(), value, &found, &count, &data, nullptr, nullptr) != napi_ok || found != type)
    throw std::invalid_argument(std::string(key) + ": expected a " +
                                (type == napi_float32_array ? "Float32Array" : "Int32Array"));
  return static_cast<const T*>(data);
}

bool isPrime(uint32_t value) {
  if (value < 2) return false;
  for (uint32_t factor = 2; factor * factor <= value; ++factor)
    if (value % factor == 0) return false;
  return true;
}

void assertLength(float length, Vertex u, Vertex v) {
  if (!(length >= 0))
    throw std::invalid_argument("distance (" + std::to_string(u) + ", " + std::to_string(v) + ") is " +
                                std::to_string(length) + "; distances are not negative and not NaN");
}

struct Limits {
  int threads;
  std::shared_ptr<Control> control;
  explicit Limits(Napi::Object limits)
      : threads(static_cast<int>(number(limits, "threads", 1, 1024))),
        control(std::make_shared<Control>(static_cast<uint64_t>(number(limits, "memoryLimit", 0, 9e15)))) {}
};

// A problem read from JavaScript: checked, and copied as far as its edges go. `solve` may run on another thread.
class RipsProblem {
 public:
  RipsProblem(Napi::Object problem, const Limits& limits) : control_(limits.control) {
    options_.threads = limits.threads;
    n_ = static_cast<Vertex>(number(problem, "n", 0, 4e9));
    options_.maxDimension = static_cast<int>(number(problem, "maxDimension", 0, 3));
    options_.modulus = static_cast<uint32_t>(number(problem, "modulus", 2, 65535));
    if (!isPrime(options_.modulus))
      throw std::invalid_argument("modulus is " + std::to_string(options_.modulus) + "; a prime expected");
    options_.representatives = problem.Get("representatives").ToBoolean();
    options_.cocycles = problem.Get("cocycles").ToBoolean();
    threshold_ = number(problem, "threshold", 0, INFINITY, false);
    if (problem.Has("distances")) readTriangle(problem);
    else readList(problem);
  }

  void solve() {
    if (n_ == 0) {
      pairs_.resize(options_.maxDimension + 1);
      for (int degree = 0; degree <= options_.maxDimension; ++degree) pairs_[degree].dimension = degree;
    } else if (dense_.has_value()) {
      dense_->finish();
      pairs_ = ripsPairs(*dense_, options_, *control_);
      dense_.reset();
    } else {
      SparseSpace space(n_, std::move(*edges_), *control_);
      pairs_ = ripsPairs(space, options_, *control_);
    }
  }

  Napi::Value result(Napi::Env env) const {
    Napi::Array result = Napi::Array::New(env, pairs_.size());
    for (uint32_t degree = 0; degree < pairs_.size(); ++degree) result.Set(degree, pairsOf(env, pairs_[degree]));
    return result;
  }

 private:
  bool within(float length) const { return length <= threshold_ && length < std::numeric_limits<float>::infinity(); }

  void readTriangle(Napi::Object problem) {
    size_t count;
    const float* distances = elements<float>(problem, "distances", napi_float32_array, count);
    const uint64_t expected = n_ == 0 ? 0 : uint64_t{n_} * (n_ - 1) / 2;
    if (count != expected)
      throw std::invalid_argument("distances: " + std::to_string(count) + " values given, " + std::to_string(n_) +
                                  " points have " + std::to_string(expected));
    size_t edges = 0, at = 0;
    for (Vertex v = 1; v < n_; ++v)
      for (Vertex u = 0; u < v; ++u, ++at) {
        assertLength(distances[at], u, v);
        edges += within(distances[at]);
      }
    auto each = [&](auto&& add) {
      for (Vertex u = 0; u < n_; ++u)
        for (Vertex v = u + 1; v < n_; ++v) {
          float length = distances[uint64_t{v} * (v - 1) / 2 + u];
          if (within(length)) add(u, v, length);
        }
    };
    if (n_ > DenseSpace::kMostVertices || static_cast<double>(edges) < kSparseShare * static_cast<double>(count)) {
      edges_.emplace(Counted<Edge>(*control_)).reserve(edges);
      each([&](Vertex u, Vertex v, float length) { edges_->push_back({u, v, length}); });
    } else {
      dense_.emplace(n_, *control_).reserve(edges);
      each([&](Vertex u, Vertex v, float length) { dense_->add(u, v, length); });
    }
  }

  void readList(Napi::Object problem) {
    size_t count, countOfV, countOfLengths;
    const int32_t* u = elements<int32_t>(problem, "u", napi_int32_array, count);
    const int32_t* v = elements<int32_t>(problem, "v", napi_int32_array, countOfV);
    const float* lengths = elements<float>(problem, "lengths", napi_float32_array, countOfLengths);
    if (countOfV != count || countOfLengths != count) throw std::invalid_argument("u, v and lengths differ in length");
    edges_.emplace(Counted<Edge>(*control_)).reserve(count);
    for (size_t k = 0; k < count; ++k) {
      if (u[k] < 0 || v[k] <= u[k] || static_cast<Vertex>(v[k]) >= n_)
        throw std::invalid_argument("edge " + std::to_string(k) + " joins " + std::to_string(u[k]) + " and " +
                                    std::to_string(v[k]) + "; 0 <= u < v < " + std::to_string(n_) + " expected");
      assertLength(lengths[k], u[k], v[k]);
      if (within(lengths[k])) edges_->push_back({static_cast<Vertex>(u[k]), static_cast<Vertex>(v[k]), lengths[k]});
    }
  }

  template <typename Array, typename T>
  static Array typed(Napi::Env env, const std::vector<T>& values) {
    Array array = Array::New(env, values.size());
    if (!values.empty()) std::memcpy(array.Data(), values.data(), values.size() * sizeof(T));
    return array;
  }

  Napi::Object pairsOf(Napi::Env env, const RipsPairs& pairs) const {
    Napi::Object result = Napi::Object::New(env);
    result.Set("dimension", pairs.dimension);
    result.Set("births", typed<Napi::Float32Array>(env, pairs.births));
    result.Set("deaths", typed<Napi::Float32Array>(env, pairs.deaths));
    if (options_.representatives) {
      result.Set("birthSimplices", typed<Napi::Uint32Array>(env, pairs.birthSimplices));
      result.Set("deathSimplices", typed<Napi::Uint32Array>(env, pairs.deathSimplices));
    }
    if (options_.cocycles) {
      Napi::Array cocycles = Napi::Array::New(env, pairs.cocycles.size());
      for (uint32_t k = 0; k < pairs.cocycles.size(); ++k) {
        Napi::HandleScope scope(env);
        Napi::Object cocycle = Napi::Object::New(env);
        cocycle.Set("simplices", typed<Napi::Uint32Array>(env, pairs.cocycles[k].simplices));
        cocycle.Set("coefficients", typed<Napi::Uint32Array>(env, pairs.cocycles[k].coefficients));
        cocycles.Set(k, cocycle);
      }
      result.Set("cocycles", cocycles);
    }
    return result;
  }

  std::shared_ptr<Control> control_;
  Vertex n_;
  double threshold_;
  RipsOptions options_;
  std::optional<DenseSpace> dense_;
  std::optional<CountedVector<Edge>> edges_;
  std::vector<RipsPairs> pairs_;
};

template <typename Body>
Napi::Value coded(Napi::Env env, const char* what, Body&& body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw errorOf(env, what, std::current_exception());
  }
}

Napi::Object object(Napi::Value value, const char* what) {
  if (!value.IsObject()) throw std::invalid_argument(std::string(what) + ": expected an object");
  return value.As<Napi::Object>();
}

Napi::Value rips(const Napi::CallbackInfo& info) {
  return coded(info.Env(), "persistence", [&] {
    RipsProblem problem(object(info[0], "problem"), Limits(object(info[1], "limits")));
    problem.solve();
    return problem.result(info.Env());
  });
}

Napi::Value startRips(const Napi::CallbackInfo& info) {
  return coded(info.Env(), "persistence", [&]() -> Napi::Value {
    Napi::Object input = object(info[0], "problem");
    Limits limits(object(info[1], "limits"));
    auto problem = std::make_shared<RipsProblem>(input, limits);
    return start(
        info.Env(), "persistence", limits.control, [problem] { problem->solve(); },
        [problem](Napi::Env env) { return problem->result(env); }, input);
  });
}

Metric metricOf(Napi::Value value) {
  std::string name = value.ToString();
  if (name == "euclidean") return Metric::kEuclidean;
  if (name == "cosine") return Metric::kCosine;
  if (name == "manhattan") return Metric::kManhattan;
  throw std::invalid_argument("metric is \"" + name + "\"; \"euclidean\", \"cosine\" or \"manhattan\" expected");
}

// startPointTree({ points, count, dimension, metric }, limits)
Napi::Value startPointTree(const Napi::CallbackInfo& info) {
  return coded(info.Env(), "minimum spanning tree", [&]() -> Napi::Value {
    Napi::Object input = object(info[0], "points");
    Limits limits(object(info[1], "limits"));
    size_t size;
    auto points = std::make_shared<Points>();
    points->values = elements<float>(input, "points", napi_float32_array, size);
    points->count = static_cast<Vertex>(number(input, "count", 0, 4e9));
    points->dimension = static_cast<size_t>(number(input, "dimension", 0, 4e9));
    points->metric = metricOf(input.Get("metric"));
    if (static_cast<double>(points->count) * static_cast<double>(points->dimension) != static_cast<double>(size))
      throw std::invalid_argument(std::to_string(size) + " values given, " + std::to_string(points->count) + " x " +
                                  std::to_string(points->dimension) + " expected");
    auto tree = std::make_shared<std::vector<PointEdge>>();
    return start(
        info.Env(), "minimum spanning tree", limits.control,
        [=] { *tree = spanningTree(*points, limits.threads, *limits.control); },
        [tree](Napi::Env env) -> Napi::Value {
          auto u = Napi::Uint32Array::New(env, tree->size()), v = Napi::Uint32Array::New(env, tree->size());
          auto weight = Napi::Float64Array::New(env, tree->size());
          for (size_t k = 0; k < tree->size(); ++k) {
            u[k] = (*tree)[k].u;
            v[k] = (*tree)[k].v;
            weight[k] = (*tree)[k].length;
          }
          Napi::Object result = Napi::Object::New(env);
          result.Set("u", u);
          result.Set("v", v);
          result.Set("weight", weight);
          return result;
        },
        input);
  });
}

Napi::Value gram(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "gramMatrix", [&] {
    return TensorObject::wrap(info.Env(), gramMatrix(TensorObject::expect(info.Env(), info[0], "points")));
  });
}

}  // namespace

void defineTopology(Napi::Env env, Napi::Object exports) {
  exports.Set("gramMatrix", Napi::Function::New(env, gram));
  exports.Set("rips", Napi::Function::New(env, rips));
  exports.Set("startRips", Napi::Function::New(env, startRips));
  exports.Set("startPointTree", Napi::Function::New(env, startPointTree));
}

}  // namespace topofr
