#pragma once

#include <napi.h>

namespace topofr {

// startProfile(), stopProfile(): time of every operator in between, by name and input shapes.
void defineProfiler(Napi::Env env, Napi::Object exports);

}  // namespace topofr
