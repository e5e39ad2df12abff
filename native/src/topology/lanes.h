// Sixty-four ranks (or sixteen) at once: the maximum of a few rows compared with bounds, as a bit mask.
#pragma once

#include <cstdint>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

namespace topofr::topology {

constexpr uint32_t kLanes = 64;
constexpr uint32_t kGroup = 16;  // ranks in a cache line

// Bit j says whether low <= max(least, rows[0][offset + j], ..., rows[K - 1][offset + j]) <= high.
template <int K, uint32_t kCount = kLanes>
inline uint64_t maximumWithin(const int32_t* const* rows, uint32_t offset, int32_t least, int32_t low, int32_t high) {
  uint64_t mask = 0;
#if defined(__AVX512F__)
  const __m512i leasts = _mm512_set1_epi32(least), lows = _mm512_set1_epi32(low), highs = _mm512_set1_epi32(high);
  for (int part = 0; part < static_cast<int>(kCount / 16); ++part) {
    __m512i value = leasts;
    for (int k = 0; k < K; ++k)  // maskz: GCC 12 warns of an uninitialised value in the plain form
      value = _mm512_maskz_max_epi32(0xffff, value, _mm512_loadu_si512(rows[k] + offset + part * 16));
    __mmask16 bits = _mm512_cmple_epi32_mask(value, highs) & _mm512_cmpge_epi32_mask(value, lows);
    mask |= static_cast<uint64_t>(bits) << (part * 16);
  }
#elif defined(__AVX2__)
  const __m256i leasts = _mm256_set1_epi32(least), lows = _mm256_set1_epi32(low), highs = _mm256_set1_epi32(high);
  for (int part = 0; part < static_cast<int>(kCount / 8); ++part) {
    __m256i value = leasts;
    for (int k = 0; k < K; ++k)
      value = _mm256_max_epi32(
          value, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[k] + offset + part * 8)));
    __m256i outside = _mm256_or_si256(_mm256_cmpgt_epi32(value, highs), _mm256_cmpgt_epi32(lows, value));
    uint32_t bits = ~_mm256_movemask_ps(_mm256_castsi256_ps(outside)) & 0xff;
    mask |= static_cast<uint64_t>(bits) << (part * 8);
  }
#else
  int32_t values[kCount];
  uint8_t inside[kCount];
  for (uint32_t j = 0; j < kCount; ++j) values[j] = least;
  for (int k = 0; k < K; ++k)
    for (uint32_t j = 0; j < kCount; ++j) {
      int32_t value = rows[k][offset + j];
      values[j] = values[j] < value ? value : values[j];
    }
  for (uint32_t j = 0; j < kCount; ++j) inside[j] = (values[j] >= low) & (values[j] <= high);
  for (uint32_t j = 0; j < kCount; ++j) mask |= static_cast<uint64_t>(inside[j]) << j;
#endif
  return mask;
}

}  // namespace topofr::topology
