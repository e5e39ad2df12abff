// Which column owns which pivot: a hash table that threads fill and change without locks. Keys are never removed.
#pragma once

#include <atomic>
#include <cstdint>

#include "control.h"
#include "simplex.h"

namespace topofr::topology {

// 0 stands for nobody. Published with release order, read with acquire: what an owner points to is complete.
using Owner = uint64_t;

class PivotTable {
 public:
  struct Slot {
    std::atomic<uint64_t> key{0};  // simplex index + 1
    std::atomic<Owner> owner{0};
  };

  // Room for `count` keys, at most three quarters full.
  PivotTable(uint64_t count, Control& control) : slots_(count + count / 3 + 16, Counted<Slot>(control)) {}

  uint64_t capacity() const { return slots_.size(); }

  // The slot of `simplex`, nullptr when it is in no slot.
  const Slot* find(Index simplex) const {
    for (uint64_t at = home(simplex);; at = next(at)) {
      uint64_t key = slots_[at].key.load(std::memory_order_acquire);
      if (key == simplex + 1) return &slots_[at];
      if (key == 0) return nullptr;
    }
  }
  bool contains(Index simplex) const { return find(simplex) != nullptr; }
  Owner owner(Index simplex) const {
    const Slot* slot = find(simplex);
    return slot == nullptr ? 0 : slot->owner.load(std::memory_order_acquire);
  }

  // As `find`, but makes the slot.
  Slot& at(Index simplex) {
    for (uint64_t at = home(simplex);; at = next(at)) {
      uint64_t key = slots_[at].key.load(std::memory_order_acquire);
      if (key == 0 && slots_[at].key.compare_exchange_strong(key, simplex + 1, std::memory_order_acq_rel))
        return slots_[at];
      if (key == simplex + 1) return slots_[at];
    }
  }

  // visit(simplex, owner) for every pivot, in the order of the table, which means nothing.
  template <typename Visit>
  void each(Visit&& visit) const {
    for (const Slot& slot : slots_) {
      Owner owner = slot.owner.load(std::memory_order_relaxed);
      if (owner != 0) visit(slot.key.load(std::memory_order_relaxed) - 1, owner);
    }
  }

 private:
  uint64_t home(Index simplex) const {
    uint64_t mixed = (simplex + 1) * 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 32)) * 0xd6e8feb86659fd93;
    return static_cast<uint64_t>((static_cast<unsigned __int128>(mixed) * slots_.size()) >> 64);
  }
  uint64_t next(uint64_t at) const { return at + 1 == slots_.size() ? 0 : at + 1; }

  CountedVector<Slot> slots_;
};

}  // namespace topofr::topology
