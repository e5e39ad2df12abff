// Caches freed CPU blocks. Without it the kernel zeroes fresh pages for every activation, a third of a training step.
#pragma once

#include <napi.h>

namespace topofr {

// allocatorStats(), releaseCachedMemory(), setCacheLimit(bytes).
void defineAllocator(Napi::Env env, Napi::Object exports);

}  // namespace topofr
