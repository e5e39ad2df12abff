// Persistent homology for JavaScript. The typed face is packages/torch/src/topology*.ts.
#pragma once

#include <napi.h>

namespace topofr {

// gramMatrix(tensor): inner products of its rows.
// rips(problem, limits): the pairs, computed on the calling thread and its helpers.
// startRips(problem, limits), startPointTree(points, limits): { promise, progress(), cancel() }; off the main thread.
void defineTopology(Napi::Env env, Napi::Object exports);

}  // namespace topofr
