// JavaScript values <-> c10::IValue, driven by the type that an operator's schema declares.
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>
#include <napi.h>

namespace topofr {

// False when `value` cannot stand for `argument`; the caller then tries the next overload.
bool toIValue(Napi::Env env, Napi::Value value, const c10::Argument& argument, c10::IValue& result);

Napi::Value fromIValue(Napi::Env env, const c10::IValue& value);

// "float32[2, 3]", "2.5", "[1, 2]", "an object": what an error message says of a value. Never throws.
std::string describeValue(Napi::Env env, Napi::Value value);

// seed -> a generator object that operators take as `generator`.
void defineRandom(Napi::Env env, Napi::Object exports);

}  // namespace topofr
