// dtype names of the TypeScript side <-> at::ScalarType.
#pragma once

#include <ATen/ATen.h>

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

}  // namespace topofr
