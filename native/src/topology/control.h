// What a long computation shares with whoever started it: cancellation, progress, a bound on memory, and threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace topofr::topology {

// Thrown inside a computation that was cancelled, or whose other thread has failed.
struct Cancelled : std::exception {
  const char* what() const noexcept override { return "cancelled"; }
};

// The bound was reached, or the system has no memory left.
struct OutOfMemory : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Control {
 public:
  explicit Control(uint64_t memoryLimit = UINT64_MAX) : limit_(memoryLimit) {}
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  void cancel() { stopped_.store(true, std::memory_order_relaxed); }
  void check() const {
    if (stopped_.load(std::memory_order_relaxed)) throw Cancelled();
  }

  // Progress: `done` of `total` steps of `stage`.
  void begin(int stage, uint64_t total) {
    done_.store(0, std::memory_order_relaxed);
    total_.store(total, std::memory_order_relaxed);
    stage_.store(stage, std::memory_order_relaxed);
  }
  void advance(uint64_t steps) { done_.fetch_add(steps, std::memory_order_relaxed); }
  int stage() const { return stage_.load(std::memory_order_relaxed); }
  uint64_t done() const { return done_.load(std::memory_order_relaxed); }
  uint64_t total() const { return total_.load(std::memory_order_relaxed); }

  void charge(uint64_t bytes) {
    uint64_t used = used_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    if (used <= limit_) return;
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    throw OutOfMemory("needs more than " + std::to_string(used >> 20) + " MiB, and may use " +
                      std::to_string(limit_ >> 20) + " MiB");
  }
  void refund(uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  // body(thread) on `threads` threads, the caller's among them. The first failure stops the others and is thrown here.
  template <typename Body>
  void parallel(int threads, Body&& body) {
    std::exception_ptr failure;
    std::mutex mutex;
    auto guarded = [&](int thread) {
      try {
        body(thread);
      } catch (...) {
        std::lock_guard<std::mutex> lock(mutex);
        if (!failure) failure = std::current_exception();
        cancel();
      }
    };
    std::vector<std::thread> helpers;
    try {
      for (int thread = 1; thread < threads; ++thread) helpers.emplace_back(guarded, thread);
    } catch (...) {  // the system gives no more threads: those that run share the work
    }
    guarded(0);
    for (std::thread& helper : helpers) helper.join();
    if (failure) std::rethrow_exception(failure);
  }

 private:
  std::atomic<bool> stopped_{false};
  std::atomic<int> stage_{0};
  std::atomic<uint64_t> done_{0}, total_{0}, used_{0};
  uint64_t limit_;
};

// Memory that counts against the bound, aligned to a cache line.
template <typename T>
class Counted {
 public:
  using value_type = T;
  explicit Counted(Control& control) : control_(&control) {}
  template <typename U>
  Counted(const Counted<U>& other) : control_(other.control()) {}

  T* allocate(size_t count) {
    if (count > SIZE_MAX / 2 / sizeof(T)) throw std::bad_alloc();
    control_->charge(count * sizeof(T));
    try {
      return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t(64)));
    } catch (...) {
      control_->refund(count * sizeof(T));
      throw;
    }
  }
  void deallocate(T* memory, size_t count) {
    control_->refund(count * sizeof(T));
    ::operator delete(memory, std::align_val_t(64));
  }
  Control* control() const { return control_; }
  template <typename U>
  bool operator==(const Counted<U>& other) const { return control_ == other.control(); }
  template <typename U>
  bool operator!=(const Counted<U>& other) const { return !(*this == other); }

 private:
  Control* control_;
};

template <typename T>
using CountedVector = std::vector<T, Counted<T>>;

}  // namespace topofr::topology
