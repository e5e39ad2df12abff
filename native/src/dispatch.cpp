#include "dispatch.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/jit_type.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "errors.h"
#include "tensorObject.h"
#include "values.h"

namespace topofr {
namespace {

// index_select -> indexSelect; leading and trailing underscores stay (they mean "private" and "in place").
std::string camelCase(const std::string& name) {
  std::string result;
  for (size_t i = 0; i < name.size(); ++i) {
    bool separator = name[i] == '_' && !result.empty() && result.back() != '_' && i + 1 < name.size() && name[i + 1] != '_';
    if (separator) result += static_cast<char>(std::toupper(name[++i]));
    else result += name[i];
  }
  return result;
}

struct Overload {
  c10::OperatorHandle handle;
  std::vector<std::string> names;  // camelCase argument names
};

struct Operator {
  std::string name;
  std::vector<Overload> overloads;
};

// Dimname arguments look like strings to the schema; numbers and lists must find the plain overloads first.
bool usesDimensionNames(const c10::FunctionSchema& schema) {
  const std::string& overload = schema.overload_name();
  return overload.find("name") != std::string::npos;
}

std::vector<c10::OperatorHandle> findOverloads(const std::string& name) {
  std::vector<c10::OperatorHandle> found;
  auto& dispatcher = c10::Dispatcher::singleton();
  for (const auto& candidate : dispatcher.getAllOpNames()) {
    if (candidate.name != name) continue;
    auto handle = dispatcher.findSchema(candidate);
    if (handle.has_value()) found.push_back(*handle);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    auto rank = [](const c10::OperatorHandle& handle) {
      return std::make_pair(usesDimensionNames(handle.schema()), handle.schema().overload_name());
    };
    return rank(a) < rank(b);
  });
  return found;
}

bool isPlainObject(Napi::Env env, Napi::Value value) {
  return value.IsObject() && !TensorObject::isWrapped(env, value) && !value.IsArray() && !value.IsExternal() &&
         !value.IsTypedArray() && !value.IsFunction();
}

// Fills `stack` for this overload, or returns false with the reason.
bool matchArguments(Napi::Env env, const Overload& overload, const Napi::CallbackInfo& info, size_t positional,
                    Napi::Object named, size_t namedCount, std::vector<c10::IValue>& stack, std::string* reason) {
  const auto& arguments = overload.handle.schema().arguments();
  stack.clear();
  size_t namedUsed = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    Napi::Value value = env.Undefined();
    if (i < positional) {
      if (arguments[i].kwarg_only()) {
        if (reason) *reason = "too many positional arguments";
        return false;
      }
      value = info[i];
    } else if (namedCount > 0) {
      value = named.Get(overload.names[i]);
      if (!value.IsUndefined()) ++namedUsed;
    }
    if (value.IsUndefined()) {
      if (!arguments[i].default_value().has_value()) {
        if (reason) *reason = "missing argument \"" + overload.names[i] + "\"";
        return false;
      }
      stack.push_back(*arguments[i].default_value());
      continue;
    }
    c10::IValue converted;
    if (!toIValue(env, value, arguments[i], converted)) {
      if (reason)
        *reason = "argument \"" + overload.names[i] + "\": expected " + arguments[i].real_type()->repr_str() + ", found " +
                  describeValue(env, value);
      return false;
    }
    stack.push_back(std::move(converted));
  }
  if (positional > arguments.size()) {
    if (reason) *reason = "too many arguments";
    return false;
  }
  if (namedUsed != namedCount) {
    if (reason) {
      Napi::Array keys = named.GetPropertyNames();
      for (uint32_t i = 0; i < keys.Length(); ++i) {
        std::string key = keys.Get(i).ToString();
        auto firstNamed = overload.names.begin() + std::min(positional, overload.names.size());
        bool known = std::find(firstNamed, overload.names.end(), key) != overload.names.end();
        if (!known && !named.Get(key).IsUndefined()) *reason = "unknown option \"" + key + "\"";
      }
    }
    return false;
  }
  return true;
}

std::string describeCall(Napi::Env env, const Operator& op, const Overload& overload, const Napi::CallbackInfo& info) {
  std::string text = op.name + "(";
  for (size_t i = 0; i < info.Length(); ++i) {
    if (i > 0) text += ", ";
    bool options = i + 1 == info.Length() && isPlainObject(env, info[i]);
    if (options) {
      Napi::Object object = info[i].As<Napi::Object>();
      Napi::Array keys = object.GetPropertyNames();
      for (uint32_t k = 0; k < keys.Length(); ++k) {
        std::string key = keys.Get(k).ToString();
        text += (k ? ", " : "") + key + ": " + describeValue(env, object.Get(key));
      }
    } else {
      text += (i < overload.names.size() ? overload.names[i] + ": " : "") + describeValue(env, info[i]);
    }
  }
  return text + ")";
}

Napi::Value callOperator(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const Operator& op = *static_cast<const Operator*>(info.Data());
  size_t positional = info.Length();
  while (positional > 0 && info[positional - 1].IsUndefined()) --positional;  // options that a caller passed on, not given
  Napi::Object named;
  size_t namedCount = 0;
  if (positional > 0 && isPlainObject(env, info[positional - 1])) {
    named = info[--positional].As<Napi::Object>();
    Napi::Array keys = named.GetPropertyNames();
    for (uint32_t i = 0; i < keys.Length(); ++i) namedCount += !named.Get(keys.Get(i)).IsUndefined();  // undefined: not given
  }

  std::vector<c10::IValue> stack;
  auto matches = [&](const Overload& overload, std::string* reason) {
    try {
      return matchArguments(env, overload, info, positional, named, namedCount, stack, reason);
    } catch (const Napi::Error& error) {  // a disposed Tensor: say to which operator it was given
      throw tensorError(env, op.name + ": " + error.Message());
    }
  };
  for (const Overload& overload : op.overloads) {
    if (!matches(overload, nullptr)) continue;
    auto call = [&]() -> Napi::Value {
      overload.handle.callBoxed(stack);
      if (stack.size() == 1) return fromIValue(env, stack[0]);
      Napi::Array results = Napi::Array::New(env, stack.size());
      for (uint32_t i = 0; i < stack.size(); ++i) results.Set(i, fromIValue(env, stack[i]));
      return stack.empty() ? env.Undefined() : results.As<Napi::Value>();
    };
    return guarded(env, call, [&] { return describeCall(env, op, overload, info); });
  }

  std::ostringstream message;
  message << describeCall(env, op, op.overloads.front(), info) << ": no overload takes these arguments";
  for (const Overload& overload : op.overloads) {
    const auto& arguments = overload.handle.schema().arguments();
    bool takesResult = std::any_of(arguments.begin(), arguments.end(), [](const auto& argument) { return argument.is_out(); });
    if (op.overloads.size() > 1 && (takesResult || usesDimensionNames(overload.handle.schema()))) continue;
    std::string reason;
    matches(overload, &reason);
    message << "\n  " << overload.handle.schema() << "\n    " << reason;
  }
  throw tensorError(env, message.str());
}

Napi::Object describeArgument(Napi::Env env, const c10::Argument& argument) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("name", camelCase(argument.name()));
  result.Set("type", argument.real_type()->repr_str());
  result.Set("length", argument.N().has_value() ? Napi::Number::New(env, *argument.N()) : env.Null());
  result.Set("keywordOnly", argument.kwarg_only());
  result.Set("hasDefault", argument.default_value().has_value());
  result.Set("out", argument.is_out());
  return result;
}

Napi::Value schemas(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto handles = findOverloads(info[0].ToString());
  Napi::Array result = Napi::Array::New(env, handles.size());
  for (uint32_t i = 0; i < handles.size(); ++i) {
    const auto& schema = handles[i].schema();
    Napi::Object entry = Napi::Object::New(env);
    std::ostringstream text;
    text << schema;
    entry.Set("schema", text.str());
    entry.Set("overload", schema.overload_name());
    Napi::Array arguments = Napi::Array::New(env);
    for (const auto& argument : schema.arguments()) arguments.Set(arguments.Length(), describeArgument(env, argument));
    entry.Set("arguments", arguments);
    Napi::Array returns = Napi::Array::New(env);
    for (const auto& value : schema.returns()) returns.Set(returns.Length(), Napi::String::New(env, value.real_type()->repr_str()));
    entry.Set("returns", returns);
    result.Set(i, entry);
  }
  return result;
}

Napi::Value makeOperator(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto op = std::make_unique<Operator>();
  op->name = info[0].ToString();
  for (const auto& handle : findOverloads(op->name)) {
    Overload overload{handle, {}};
    for (const auto& argument : handle.schema().arguments()) overload.names.push_back(camelCase(argument.name()));
    op->overloads.push_back(std::move(overload));
  }
  if (op->overloads.empty()) throw tensorError(env, "libtorch has no operator \"" + op->name + "\"");
  Napi::Function function = Napi::Function::New(env, callOperator, op->name, op.get());
  function.AddFinalizer([](Napi::Env, Operator* finished) { delete finished; }, op.release());
  return function;
}

Napi::Value operatorNames(const Napi::CallbackInfo& info) {
  std::set<std::string> names;
  for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) names.insert(name.name);
  Napi::Array result = Napi::Array::New(info.Env(), names.size());
  uint32_t i = 0;
  for (const auto& name : names) result.Set(i++, Napi::String::New(info.Env(), name));
  return result;
}

}  // namespace

void defineDispatch(Napi::Env env, Napi::Object exports) {
  exports.Set("operator", Napi::Function::New(env, makeOperator));
  exports.Set("schemas", Napi::Function::New(env, schemas));
  exports.Set("operatorNames", Napi::Function::New(env, operatorNames));
}

}  // namespace topofr
