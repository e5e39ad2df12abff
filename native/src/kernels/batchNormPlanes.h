// The inner loops of batchNorm.cpp for blocked activations: over the positions of one [h·w, 16] plane, whose 16 channels are
// one vector (64 bytes, and aligned so), and everything of a channel stays in a register. The same arithmetic as batchNormRows.h, float32 only.
#pragma once

#include <cstdint>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include "kernels/convolutionPlan.h"

namespace topofr {

typedef float Lanes __attribute__((vector_size(kBlock * sizeof(float)), may_alias, aligned(4)));

inline Lanes lanes(const float* p) { return *reinterpret_cast<const Lanes*>(p); }
// A result is as large as its input and not read again here: it goes past the caches, which spares reading it in first.
inline void stream(float* p, Lanes value) {
#ifdef __AVX512F__
  _mm512_stream_ps(p, reinterpret_cast<__m512>(value));
#else
  *reinterpret_cast<Lanes*>(p) = value;
#endif
}

// Other threads see what was streamed before.
inline void endStream() {
#ifdef __AVX512F__
  _mm_sfence();
#endif
}

inline Lanes& lanes(float* p) { return *reinterpret_cast<Lanes*>(p); }

inline void accumulatePlaneMoments(const float* __restrict x, int64_t positions, const float* offset, float* sum, float* squares) {
  Lanes shift = lanes(offset), total = lanes(sum), totalSquares = lanes(squares);
  for (int64_t p = 0; p < positions; ++p, x += kBlock) {
    Lanes value = lanes(x) - shift;
    total += value;
    totalSquares += value * value;
  }
  lanes(sum) = total;
  lanes(squares) = totalSquares;
}

template <bool kSlope, bool kResidual>
void normalizePlane(const float* __restrict x, const float* __restrict residual, float* __restrict y, int64_t positions,
                    const float* mean, const float* scale, const float* bias, const float* slope) {
  Lanes m = lanes(mean), s = lanes(scale), b = lanes(bias), a = kSlope ? lanes(slope) : m;
  for (int64_t p = 0; p < positions; ++p, x += kBlock, y += kBlock) {
    Lanes z = (lanes(x) - m) * s + b;
    if (kSlope) z = z > 0 ? z : z * a;
    if (kResidual) z += lanes(residual + p * kBlock);
    stream(y, z);
  }
  endStream();
}

template <bool kSlope>
void accumulatePlaneGradients(const float* __restrict dy, const float* __restrict x, int64_t positions, const float* mean,
                              const float* scale, const float* bias, const float* slope, float* sumDz, float* sumDzX,
                              float* sumSlope) {
  Lanes m = lanes(mean), s = lanes(scale), b = lanes(bias), a = kSlope ? lanes(slope) : m;
  Lanes dz = lanes(sumDz), dzX = lanes(sumDzX), dSlope = lanes(sumSlope), zero = {};
  for (int64_t p = 0; p < positions; ++p, x += kBlock, dy += kBlock) {
    Lanes g = lanes(dy), v = lanes(x) - m;
    if (kSlope) {
      Lanes z = v * s + b;
      dSlope += z > 0 ? zero : g * z;
      g = z > 0 ? g : g * a;
    }
    dz += g;
    dzX += g * v;
  }
  lanes(sumDz) = dz;
  lanes(sumDzX) = dzX;
  lanes(sumSlope) = dSlope;
}

template <bool kSlope>
void propagatePlaneGradients(const float* __restrict dy, const float* __restrict x, float* __restrict dx, int64_t positions,
                             const float* mean, const float* scale, const float* bias, const float* slope, const float* slant,
                             const float* offset) {
  Lanes m = lanes(mean), s = lanes(scale), b = lanes(bias), a = kSlope ? lanes(slope) : m;
  Lanes tilt = lanes(slant), shift = lanes(offset);
  for (int64_t p = 0; p < positions; ++p, x += kBlock, dy += kBlock, dx += kBlock) {
    Lanes g = lanes(dy), v = lanes(x) - m;
    if (kSlope) g = v * s + b > 0 ? g : g * a;
    stream(dx, s * g - tilt * v - shift);
  }
  endStream();
}

}  // namespace topofr
