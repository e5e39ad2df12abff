// Gradient checkpointing: a piece of the network whose activations are computed again when the backward needs them.
#pragma once

#include <napi.h>

namespace topofr {

// checkpoint(input, forward, again): the Tensor that `forward()` returns, with a gradient that calls `again(input, gradient)`.
void defineCheckpoint(Napi::Env env, Napi::Object exports);

}  // namespace topofr
