// The field Z/p, p a prime below 2^16, and its words: simplex index and coefficient in one, the coefficient in the
// topmost bits (none for p = 2).
#pragma once

#include "simplex.h"

namespace topofr::topology {

class Field {
 public:
  explicit Field(uint32_t modulus) : modulus_(modulus) {
    int bits = 0;
    if (modulus > 2)
      while ((1u << bits) < modulus) ++bits;
    shift_ = 64 - bits;
  }
  uint32_t modulus() const { return modulus_; }
  int indexBits() const { return shift_; }

  uint64_t term(Index index, uint32_t coefficient) const {
    return shift_ == 64 ? index : index | (static_cast<uint64_t>(coefficient) << shift_);
  }
  Index index(uint64_t term) const { return shift_ == 64 ? term : term & ((uint64_t{1} << shift_) - 1); }
  uint32_t coefficient(uint64_t term) const { return shift_ == 64 ? 1 : static_cast<uint32_t>(term >> shift_); }

  uint32_t add(uint32_t a, uint32_t b) const { return modulus_ == 2 ? a ^ b : (a + b) % modulus_; }
  uint32_t multiply(uint32_t a, uint32_t b) const { return modulus_ == 2 ? a & b : a * b % modulus_; }
  uint32_t negative(uint32_t a) const { return a == 0 ? 0 : modulus_ - a; }
  uint32_t inverse(uint32_t a) const {  // a^(p - 2)
    uint32_t result = 1;
    for (uint32_t exponent = modulus_ - 2; exponent != 0; exponent >>= 1) {
      if (exponent & 1) result = multiply(result, a);
      a = multiply(a, a);
    }
    return result;
  }
  // Of the facet without the vertex at `position`, in a simplex oriented by its vertices in the caller's order.
  uint32_t sign(int position) const { return position & 1 ? modulus_ - 1 : 1; }

 private:
  uint32_t modulus_;
  int shift_;
};

}  // namespace topofr::topology
