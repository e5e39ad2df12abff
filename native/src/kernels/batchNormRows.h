// The inner loops of batchNorm.cpp: over rows, and within a row over channels. Every pointer is a __restrict parameter of
// its own, because that is what lets the compiler vectorise them (pointers captured by a lambda do not count).
#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>
#include <cstring>

namespace topofr {

inline float load(const float* p) { return *p; }
inline void store(float* p, float value) { *p = value; }

inline float load(const c10::BFloat16* p) {
  uint32_t bits = static_cast<uint32_t>(p->x) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Round to nearest even. A NaN stays a NaN (payloads of all ones aside, which no arithmetic produces).
inline void store(c10::BFloat16* p, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits += 0x7fff + ((bits >> 16) & 1);
  p->x = static_cast<uint16_t>(bits >> 16);
}

// sum += x - offset; squares += (x - offset)²
template <typename T>
void accumulateMoments(const T* __restrict x, int64_t rows, int64_t channels, const float* __restrict offset,
                       float* __restrict sum, float* __restrict squares) {
  for (int64_t r = 0; r < rows; ++r, x += channels)
    for (int64_t c = 0; c < channels; ++c) {
      float value = load(x + c) - offset[c];
      sum[c] += value;
      squares[c] += value * value;
    }
}

// y = prelu((x - mean) · scale + bias) + residual. Not x · scale + (bias - mean · scale): one operation less, but a channel of
// equal values would miss its bias by the rounding of mean · scale (0.03 for a value of 1234.5 and a weight of 3).
template <typename T, bool kSlope, bool kResidual>
void normalizeRows(const T* __restrict x, const T* __restrict residual, T* __restrict y, int64_t rows, int64_t channels,
                   const float* __restrict mean, const float* __restrict scale, const float* __restrict bias,
                   const float* __restrict slope) {
  for (int64_t r = 0; r < rows; ++r, x += channels, y += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      float z = (load(x + c) - mean[c]) * scale[c] + bias[c];
      if (kSlope) z = z > 0 ? z : z * slope[c];
      if (kResidual) z += load(residual + c);
      store(y + c, z);
    }
    if (kResidual) residual += channels;
  }
}

// With z = (x - mean) · scale + bias and dz = dy · prelu'(z):
// sumDz += dz; sumDzX += dz · (x - mean); sumSlope += dy · z where z <= 0
template <typename T, bool kSlope>
void accumulateGradients(const T* __restrict dy, const T* __restrict x, int64_t rows, int64_t channels,
                         const float* __restrict mean, const float* __restrict scale, const float* __restrict bias,
                         const float* __restrict slope, float* __restrict sumDz, float* __restrict sumDzX,
                         float* __restrict sumSlope) {
  for (int64_t r = 0; r < rows; ++r, x += channels, dy += channels)
    for (int64_t c = 0; c < channels; ++c) {
      float g = load(dy + c);
      float v = load(x + c) - mean[c];
      if (kSlope) {
        float z = v * scale[c] + bias[c];
        sumSlope[c] += z > 0 ? 0.0f : g * z;
        g = z > 0 ? g : g * slope[c];
      }
      sumDz[c] += g;
      sumDzX[c] += g * v;
    }
}

// dx = scale · dz - slant · (x - mean) - offset
template <typename T, bool kSlope>
void propagateGradients(const T* __restrict dy, const T* __restrict x, T* __restrict dx, int64_t rows, int64_t channels,
                        const float* __restrict mean, const float* __restrict scale, const float* __restrict bias,
                        const float* __restrict slope, const float* __restrict slant, const float* __restrict offset) {
  for (int64_t r = 0; r < rows; ++r, x += channels, dy += channels, dx += channels)
    for (int64_t c = 0; c < channels; ++c) {
      float g = load(dy + c);
      float v = load(x + c) - mean[c];
      if (kSlope) g = v * scale[c] + bias[c] > 0 ? g : g * slope[c];
      store(dx + c, scale[c] * g - slant[c] * v - offset[c]);
    }
}

}  // namespace topofr
