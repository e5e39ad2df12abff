// dtype names of the TypeScript side <-> at::ScalarType.
#pragma once

#include <ATen/ATen.h>

#include <sstream>
#include <stdexcept>
#include <string>

namespace topofr {

struct DTypeName {
  at::ScalarType type;
  const char* name;
};

constexpr DTypeName kDTypes[] = {
    {at::kFloat, "float32"},   {at::kDouble, "float64"}, {at::kBFloat16, "bfloat16"}, {at::kHalf, "float16"},
    {at::kLong, "int64"},      {at::kInt, "int32"},      {at::kByte, "uint8"},        {at::kBool, "bool"},
};

inline const char* dtypeName(at::ScalarType type) {
  for (const auto& entry : kDTypes)
    if (entry.type == type) return entry.name;
  return c10::toString(type);
}

inline bool findDType(const std::string& name, at::ScalarType& type) {
  for (const auto& entry : kDTypes)
    if (name == entry.name) {
      type = entry.type;
      return true;
    }
  return false;
}

inline at::ScalarType dtypeFromName(const std::string& name) {
  at::ScalarType type;
  if (findDType(name, type)) return type;
  throw std::invalid_argument("unknown dtype \"" + name +
                              "\" (expected float32, float64, bfloat16, float16, int64, int32, uint8 or bool)");
}

// "float32[2, 3]"
inline std::string describe(const at::Tensor& tensor) {
  std::ostringstream text;
  text << dtypeName(tensor.scalar_type()) << "[";
  for (int64_t i = 0; i < tensor.dim(); ++i) text << (i ? ", " : "") << tensor.size(i);
  text << "]";
  if (!tensor.device().is_cpu()) text << " on " << tensor.device().str();
  return text.str();
}

}  // namespace topofr
