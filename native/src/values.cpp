#include "values.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/jit_type.h>
#include <c10/core/MemoryFormat.h>

#include <cmath>
#include <regex>

#include "compat.h"
#include "dtypes.h"
#include "errors.h"
#include "tensorObject.h"

namespace topofr {
namespace {

const napi_type_tag kGeneratorTag = {0x9e3779b97f4a7c15, 0x746f706f66720001};

bool isIntegral(Napi::Value value) {
  if (!value.IsNumber()) return false;
  double number = value.As<Napi::Number>().DoubleValue();
  return std::trunc(number) == number && std::abs(number) <= 9007199254740991.0;
}

bool toInt(Napi::Value value, int64_t& result) {
  if (isIntegral(value)) {
    result = value.As<Napi::Number>().Int64Value();
    return true;
  }
  if (value.IsBigInt()) {
    bool lossless = false;
    result = value.As<Napi::BigInt>().Int64Value(&lossless);
    return lossless;
  }
  return false;
}

bool toScalar(Napi::Value value, c10::IValue& result) {
  int64_t integer;
  if (value.IsBoolean()) {
    result = c10::Scalar(value.As<Napi::Boolean>().Value());
  } else if (toInt(value, integer)) {
    // As in Python, a whole number is an integer scalar: x.mul(2) keeps an int64 tensor int64.
    result = c10::Scalar(integer);
  } else if (value.IsNumber()) {
    result = c10::Scalar(value.As<Napi::Number>().DoubleValue());
  } else {
    return false;
  }
  return true;
}

// Checked here because c10::Device says no by an exception whose stack trace takes milliseconds, and overloads are tried
// in turn: x.to("bfloat16") would pay that on its way past to(device).
bool isDeviceName(const std::string& name) {
  static const std::regex pattern("(cpu|cuda|mps|meta|xpu|xla|hpu|privateuseone)(:[0-9]{1,3})?");
  return std::regex_match(name, pattern);
}

bool toMemoryFormat(const std::string& name, c10::IValue& result) {
  if (name == "contiguous") result = c10::MemoryFormat::Contiguous;
  else if (name == "preserve") result = c10::MemoryFormat::Preserve;
  else if (name == "channelsLast") result = c10::MemoryFormat::ChannelsLast;
  else if (name == "channelsLast3d") result = c10::MemoryFormat::ChannelsLast3d;
  else return false;
  return true;
}

bool toElement(Napi::Env env, Napi::Value value, const c10::Type& type, Optional<int32_t> length, c10::IValue& result);

template <typename T, typename Convert>
bool toList(Napi::Value value, Optional<int32_t> length, Convert&& convert, c10::IValue& result) {
  c10::List<T> list;
  T element;
  if (value.IsArray()) {
    Napi::Array array = value.As<Napi::Array>();
    uint32_t count = array.Length();
    list.reserve(count);
    for (uint32_t i = 0; i < count; ++i) {
      if (!convert(array.Get(i), element)) return false;
      list.push_back(element);
    }
  } else if (length.has_value() && convert(value, element)) {
    // int[2] stride=1: one number stands for all of them.
    for (int32_t i = 0; i < *length; ++i) list.push_back(element);
  } else {
    return false;
  }
  result = list;
  return true;
}

bool toListValue(Napi::Env env, Napi::Value value, const c10::Type& element, Optional<int32_t> length,
                 c10::IValue& result) {
  switch (element.kind()) {
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return toList<int64_t>(value, length, [](Napi::Value v, int64_t& out) { return toInt(v, out); }, result);
    case c10::TypeKind::FloatType:
      return toList<double>(value, length, [](Napi::Value v, double& out) {
        if (!v.IsNumber()) return false;
        out = v.As<Napi::Number>().DoubleValue();
        return true;
      }, result);
    case c10::TypeKind::BoolType:
      return toList<bool>(value, length, [](Napi::Value v, bool& out) {
        if (!v.IsBoolean()) return false;
        out = v.As<Napi::Boolean>().Value();
        return true;
      }, result);
    case c10::TypeKind::TensorType:
      return toList<at::Tensor>(value, Optional<int32_t>(), [env](Napi::Value v, at::Tensor& out) {
        const at::Tensor* tensor = TensorObject::find(env, v);
        if (tensor == nullptr) return false;
        out = *tensor;
        return true;
      }, result);
    case c10::TypeKind::OptionalType: {  // Tensor?[], the indices of aten::index
      if (!value.IsArray()) return false;
      c10::List<Optional<at::Tensor>> list;
      Napi::Array array = value.As<Napi::Array>();
      for (uint32_t i = 0; i < array.Length(); ++i) {
        Napi::Value item = array.Get(i);
        const at::Tensor* tensor = TensorObject::find(env, item);
        if (tensor != nullptr) list.push_back(*tensor);
        else if (item.IsNull() || item.IsUndefined()) list.push_back(Optional<at::Tensor>());
        else return false;
      }
      result = list;
      return true;
    }
    case c10::TypeKind::NumberType: {
      if (!value.IsArray()) return false;
      c10::List<c10::Scalar> list = c10::List<c10::Scalar>();
      Napi::Array array = value.As<Napi::Array>();
      for (uint32_t i = 0; i < array.Length(); ++i) {
        c10::IValue scalar;
        if (!toScalar(array.Get(i), scalar)) return false;
        list.push_back(scalar.toScalar());
      }
      result = list;
      return true;
    }
    default:
      return false;
  }
}

bool toElement(Napi::Env env, Napi::Value value, const c10::Type& type, Optional<int32_t> length, c10::IValue& result) {
  switch (type.kind()) {
    case c10::TypeKind::TensorType: {
      const at::Tensor* tensor = TensorObject::find(env, value);
      if (tensor == nullptr) return false;
      result = *tensor;
      return true;
    }
    case c10::TypeKind::OptionalType:
      if (value.IsNull() || value.IsUndefined()) {
        result = c10::IValue();
        return true;
      }
      return toElement(env, value, *type.castRaw<c10::OptionalType>()->getElementType(), length, result);
    case c10::TypeKind::NumberType:
      return toScalar(value, result);
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: {
      int64_t integer;
      if (!toInt(value, integer)) return false;
      result = integer;
      return true;
    }
    case c10::TypeKind::FloatType:
      if (!value.IsNumber()) return false;
      result = value.As<Napi::Number>().DoubleValue();
      return true;
    case c10::TypeKind::BoolType:
      if (!value.IsBoolean()) return false;
      result = value.As<Napi::Boolean>().Value();
      return true;
    case c10::TypeKind::ListType:
      return toListValue(env, value, *type.castRaw<c10::ListType>()->getElementType(), length, result);
    case c10::TypeKind::ScalarTypeType: {
      at::ScalarType dtype;
      if (!value.IsString() || !findDType(value.As<Napi::String>(), dtype)) return false;
      result = dtype;
      return true;
    }
    case c10::TypeKind::MemoryFormatType:
      return value.IsString() && toMemoryFormat(value.As<Napi::String>(), result);
    case c10::TypeKind::LayoutType:
      if (!value.IsString() || value.As<Napi::String>().Utf8Value() != "strided") return false;
      result = c10::Layout::Strided;
      return true;
    case c10::TypeKind::DeviceObjType:
      if (!value.IsString()) return false;
      if (!isDeviceName(value.As<Napi::String>())) return false;
      result = c10::Device(value.As<Napi::String>().Utf8Value());
      return true;
    case c10::TypeKind::StringType:
      if (!value.IsString()) return false;
      result = value.As<Napi::String>().Utf8Value();
      return true;
    case c10::TypeKind::GeneratorType: {
      bool ours = false;
      if (!value.IsExternal() || napi_check_object_type_tag(env, value, &kGeneratorTag, &ours) != napi_ok || !ours)
        return false;
      result = *value.As<Napi::External<at::Generator>>().Data();
      return true;
    }
    default:
      return false;
  }
}

template <typename List, typename Convert>
Napi::Value arrayOf(Napi::Env env, const List& list, Convert&& convert) {
  Napi::Array result = Napi::Array::New(env, list.size());
  for (uint32_t i = 0; i < list.size(); ++i) result.Set(i, convert(i));
  return result;
}

at::Generator& generatorFrom(const Napi::CallbackInfo& info) {
  bool ours = false;
  if (info.Length() < 1 || !info[0].IsExternal() ||
      napi_check_object_type_tag(info.Env(), info[0], &kGeneratorTag, &ours) != napi_ok || !ours)
    throw tensorError(info.Env(), "expected a generator (made by createGenerator)");
  return *info[0].As<Napi::External<at::Generator>>().Data();
}

}  // namespace

bool toIValue(Napi::Env env, Napi::Value value, const c10::Argument& argument, c10::IValue& result) {
  Optional<int32_t> length;
  if (argument.N().has_value()) length = *argument.N();
  return toElement(env, value, *argument.real_type(), length, result);
}

Napi::Value fromIValue(Napi::Env env, const c10::IValue& value) {
  if (value.isNone()) return env.Null();
  if (value.isTensor()) return TensorObject::wrap(env, value.toTensor());
  if (value.isBool()) return Napi::Boolean::New(env, value.toBool());
  if (value.isInt()) return Napi::Number::New(env, static_cast<double>(value.toInt()));
  if (value.isDouble()) return Napi::Number::New(env, value.toDouble());
  if (value.isScalar()) return Napi::Number::New(env, value.toScalar().toDouble());
  if (value.isString()) return Napi::String::New(env, value.toStringRef());
  if (value.isTensorList()) {
    auto list = value.toTensorVector();
    return arrayOf(env, list, [&](uint32_t i) { return TensorObject::wrap(env, list[i]); });
  }
  if (value.isTuple()) {
    const auto& elements = value.toTupleRef().elements();
    return arrayOf(env, elements, [&](uint32_t i) { return fromIValue(env, elements[i]); });
  }
  if (value.isList()) {
    auto list = value.toListRef();
    return arrayOf(env, list, [&](uint32_t i) { return fromIValue(env, list[i]); });
  }
  throw std::invalid_argument("the operator returned a " + value.tagKind() + ", which has no JavaScript form");
}

namespace {

constexpr uint32_t kShownElements = 4;
constexpr int kShownDepth = 3;
constexpr size_t kShownCharacters = 60;

std::string describeNested(Napi::Env env, Napi::Value value, int depth) {
  if (TensorObject::isDisposed(env, value)) return "a disposed Tensor";
  if (const at::Tensor* tensor = TensorObject::find(env, value)) return describe(*tensor);
  if (value.IsArray()) {
    Napi::Array array = value.As<Napi::Array>();
    if (depth >= kShownDepth) return "[…]";
    std::string text = "[";
    for (uint32_t i = 0; i < array.Length() && i < kShownElements; ++i)
      text += (i ? ", " : "") + describeNested(env, array.Get(i), depth + 1);
    return text + (array.Length() > kShownElements ? ", …]" : "]");
  }
  if (value.IsString()) {
    std::string text = value.As<Napi::String>();
    return '"' + (text.size() > kShownCharacters ? text.substr(0, kShownCharacters) + "…" : text) + '"';
  }
  if (value.IsTypedArray()) return "a typed array of " + std::to_string(value.As<Napi::TypedArray>().ElementLength());
  if (value.IsFunction()) return "a function";
  if (value.IsExternal()) return "a generator";
  if (value.IsObject()) return "an object";
  if (value.IsSymbol()) return "a symbol";
  return value.ToString().Utf8Value() + (value.IsBigInt() ? "n" : "");
}

}  // namespace

std::string describeValue(Napi::Env env, Napi::Value value) { return describeNested(env, value, 0); }

void defineRandom(Napi::Env env, Napi::Object exports) {
  exports.Set("manualSeed", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
    guarded(info.Env(), "manualSeed", [&] { at::manual_seed(info[0].ToNumber().Int64Value()); });
  }));
  exports.Set("createGenerator", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
    auto* generator = new at::Generator(at::detail::createCPUGenerator(info[0].ToNumber().Int64Value()));
    auto external = Napi::External<at::Generator>::New(
        info.Env(), generator, [](Napi::Env, at::Generator* finished) { delete finished; });
    napi_type_tag_object(info.Env(), external, &kGeneratorTag);
    return external;
  }));
  exports.Set("defaultGenerator", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
    auto* generator = new at::Generator(at::detail::getDefaultCPUGenerator());
    auto external = Napi::External<at::Generator>::New(
        info.Env(), generator, [](Napi::Env, at::Generator* finished) { delete finished; });
    napi_type_tag_object(info.Env(), external, &kGeneratorTag);
    return external;
  }));
  exports.Set("generatorState", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
    return guarded(info.Env(), "generatorState", [&] {
      at::Generator& generator = generatorFrom(info);
      std::lock_guard<std::mutex> lock(generator.mutex());
      return TensorObject::wrap(info.Env(), generator.get_state());
    });
  }));
  exports.Set("setGeneratorState", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
    guarded(info.Env(), "setGeneratorState", [&] {
      at::Generator& generator = generatorFrom(info);
      std::lock_guard<std::mutex> lock(generator.mutex());
      generator.set_state(TensorObject::expect(info.Env(), info[1], "state"));
    });
  }));
}

}  // namespace topofr
