#include "gram.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

namespace topofr::topology {
namespace {

#ifdef __AVX512F__
constexpr int kLanes = 16;
#else
constexpr int kLanes = 8;
#endif
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

constexpr int kRows = 4;          // a tile: kRows x kRows sums, which fit the registers
constexpr int64_t kChunk = 2048;  // columns at a time: a tile's rows about fit the first cache, a batch's the second

Lanes load(const float* values) {
  Lanes lanes;
  std::memcpy(&lanes, values, sizeof lanes);
  return lanes;
}

// sums[i][j] += <a_i, b_j> over `columns` columns, a multiple of kLanes.
void addTile(const float* const* a, const float* const* b, int64_t columns, double (*sums)[kRows]) {
  Lanes tile[kRows][kRows] = {};
  for (int64_t k = 0; k < columns; k += kLanes) {
    Lanes right[kRows];
    for (int j = 0; j < kRows; ++j) right[j] = load(b[j] + k);
    for (int i = 0; i < kRows; ++i) {
      const Lanes left = load(a[i] + k);
      for (int j = 0; j < kRows; ++j) tile[i][j] += left * right[j];
    }
  }
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < kRows; ++j) {
      float sum = 0;
      for (int lane = 0; lane < kLanes; ++lane) sum += tile[i][j][lane];
      sums[i][j] += sum;
    }
}

}  // namespace

at::Tensor gramMatrix(const at::Tensor& points) {
  TORCH_CHECK(points.dim() == 2 && points.scalar_type() == at::kFloat && points.device().is_cpu(),
              "gram matrix: points must be a float32 matrix on the CPU");
  const at::Tensor rows = points.contiguous();
  const float* values = rows.data_ptr<float>();
  const int64_t n = rows.size(0), d = rows.size(1);
  const int64_t blocks = (n + kRows - 1) / kRows, whole = d / kLanes * kLanes, chunks = (whole + kChunk - 1) / kChunk;
  std::vector<double> total(n * n, 0);
  std::mutex mutex;
  const int64_t share = std::max<int64_t>(1, (chunks + 1) / at::get_num_threads());
  at::parallel_for(0, chunks + 1, share, [&](int64_t first, int64_t end) {
    std::vector<double> sums(n * n, 0);  // of this thread's columns; the upper triangle
    for (int64_t chunk = first; chunk < end; ++chunk) {
      if (chunk == chunks) {  // the columns beyond whole lanes
        for (int64_t i = 0; i < n; ++i)
          for (int64_t j = i; j < n; ++j)
            for (int64_t k = whole; k < d; ++k) sums[i * n + j] += double{values[i * d + k]} * values[j * d + k];
        continue;
      }
      const float* from = values + chunk * kChunk;
      const int64_t columns = std::min(kChunk, whole - chunk * kChunk);
      for (int64_t bi = 0; bi < blocks; ++bi)
        for (int64_t bj = bi; bj < blocks; ++bj) {
          const float *a[kRows], *b[kRows];
          for (int r = 0; r < kRows; ++r) {  // rows beyond the last stand for the last, and are not written
            a[r] = from + std::min(bi * kRows + r, n - 1) * d;
            b[r] = from + std::min(bj * kRows + r, n - 1) * d;
          }
          double tile[kRows][kRows] = {};
          addTile(a, b, columns, tile);
          for (int64_t i = bi * kRows; i < std::min(n, (bi + 1) * kRows); ++i)
            for (int64_t j = bj * kRows; j < std::min(n, (bj + 1) * kRows); ++j)
              sums[i * n + j] += tile[i - bi * kRows][j - bj * kRows];
        }
    }
    std::lock_guard<std::mutex> lock(mutex);
    for (int64_t i = 0; i < n * n; ++i) total[i] += sums[i];
  });
  at::Tensor gram = at::empty({n, n}, at::kFloat);
  float* out = gram.data_ptr<float>();
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i; j < n; ++j) out[i * n + j] = out[j * n + i] = static_cast<float>(total[i * n + j]);
  return gram;
}

}  // namespace topofr::topology
