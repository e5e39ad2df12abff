#include "allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "compat.h"
#include "errors.h"

namespace topofr {
namespace {

constexpr size_t kHeader = 64;                // keeps the data on a cache line, and a 512-bit vector
constexpr size_t kHugePage = size_t{2} << 20;  // blocks of this size and more ask for transparent huge pages
constexpr size_t kSmallest = 256;

// Eight size classes per power of two: at most 12.5% of a block is unused.
struct SizeClass {
  int index;
  size_t bytes;
};

SizeClass sizeClass(size_t bytes) {
  if (bytes < kSmallest) bytes = kSmallest;
  int exponent = 63 - __builtin_clzll(bytes);
  size_t step = size_t{1} << (exponent - 3);
  size_t rounded = (bytes + step - 1) & ~(step - 1);
  exponent = 63 - __builtin_clzll(rounded);
  int eighth = static_cast<int>((rounded >> (exponent - 3)) & 7);
  return {exponent * 8 + eighth, rounded};
}

class CachingAllocator final : public c10::Allocator {
 public:
  CachingAllocator() {
    // At most half of the machine's memory waits for reuse.
    physical_ = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGE_SIZE));
    limit_ = physical_ / 2;
  }

  c10::DataPtr allocate(size_t bytes) TOPOFR_ALLOCATE_CONST override {
    if (bytes == 0) return {nullptr, nullptr, &CachingAllocator::free, c10::Device(c10::kCPU)};
    void* data = const_cast<CachingAllocator*>(this)->take(bytes);
    return {data, data, &CachingAllocator::free, c10::Device(c10::kCPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &CachingAllocator::free; }

#if TOPOFR_TORCH_AT_LEAST(2, 2)
  void copy_data(void* target, const void* source, std::size_t bytes) const override { std::memcpy(target, source, bytes); }
#endif

  void releaseCached() {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& blocks : free_) {
      for (void* block : blocks) std::free(block);
      blocks.clear();
    }
    cached_ = 0;
  }

  void setLimit(size_t bytes) {
    { std::lock_guard<std::mutex> lock(mutex_); limit_ = bytes; }
    releaseCached();
  }

  size_t cached() const { return cached_; }
  size_t used() const { return used_; }
  size_t limit() const { return limit_; }

  static CachingAllocator& instance() {
    // Never destroyed: tensors of static lifetime may outlive main().
    static auto* allocator = new CachingAllocator();
    return *allocator;
  }

 private:
  std::mutex mutex_;
  std::array<std::vector<void*>, 64 * 8> free_;
  size_t cached_ = 0, used_ = 0, limit_ = 0, physical_ = 0;

  void* take(size_t bytes) {
    SizeClass wanted = sizeClass(bytes);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      used_ += wanted.bytes;
      auto& blocks = free_[wanted.index];
      if (!blocks.empty()) {
        void* block = blocks.back();
        blocks.pop_back();
        cached_ -= wanted.bytes;
        return static_cast<char*>(block) + kHeader;
      }
    }
    void* block = fresh(wanted.bytes + kHeader);
    if (block == nullptr) {  // other size classes may hold what the system no longer has
      releaseCached();
      block = fresh(wanted.bytes + kHeader);
    }
    if (block == nullptr) {
      std::lock_guard<std::mutex> lock(mutex_);
      used_ -= wanted.bytes;
      TORCH_CHECK(false, "out of memory: could not allocate ", bytes, " bytes (", used_, " in use); try a smaller batch");
    }
    *static_cast<SizeClass*>(block) = wanted;
    return static_cast<char*>(block) + kHeader;
  }

  void* fresh(size_t bytes) const {
    if (bytes > physical_) return nullptr;  // a system that overcommits would grant it, and end the process on first use
    void* block = nullptr;
    bool huge = bytes >= kHugePage;
    if (posix_memalign(&block, huge ? kHugePage : kHeader, bytes) != 0) return nullptr;
    if (huge) madvise(block, bytes, MADV_HUGEPAGE);
    return block;
  }

  static void free(void* data) {
    if (data != nullptr) instance().give(static_cast<char*>(data) - kHeader);
  }

  void give(void* block) {
    SizeClass size = *static_cast<SizeClass*>(block);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      used_ -= size.bytes;
      if (cached_ + size.bytes <= limit_) {
        free_[size.index].push_back(block);
        cached_ += size.bytes;
        return;
      }
    }
    std::free(block);
  }
};

}  // namespace

void defineAllocator(Napi::Env env, Napi::Object exports) {
  static std::once_flag installed;
  std::call_once(installed, [] {
    // oneDNN's own scratch memory comes from malloc: keep its large blocks in the heap instead of unmapping them.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    c10::SetCPUAllocator(&CachingAllocator::instance(), /*priority=*/100);
  });
  exports.Set("allocatorStats", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
    auto& allocator = CachingAllocator::instance();
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("usedBytes", static_cast<double>(allocator.used()));
    result.Set("cachedBytes", static_cast<double>(allocator.cached()));
    result.Set("limitBytes", static_cast<double>(allocator.limit()));
    return result;
  }));
  exports.Set("releaseCachedMemory", Napi::Function::New(env, [](const Napi::CallbackInfo&) {
    CachingAllocator::instance().releaseCached();
    malloc_trim(0);
  }));
  exports.Set("setCacheLimit", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
    double bytes = info[0].ToNumber().DoubleValue();
    if (!(bytes >= 0)) throw tensorError(info.Env(), "setCacheLimit: expected a number of bytes, 0 or more");
    CachingAllocator::instance().setLimit(static_cast<size_t>(bytes));
  }));
}

}  // namespace topofr
