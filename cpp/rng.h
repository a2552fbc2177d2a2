// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011): random words as a function of a key and a counter.
//
// Takes a key of two words and counters of four words. Returns four random 32-bit words for each counter. Never keeps
// state: a number depends only on its position in the sequence.
#pragma once

#include <cstdint>
#include <utility>

#include "simd.h"

namespace rosenblatt::ROSENBLATT_ISA {

using Words = Vec<std::uint64_t>;  // a 32-bit word in the lower half of each lane
inline constexpr int kPhiloxLanes = kLanes<std::uint64_t>;
inline constexpr int kPhiloxGroups = 2;  // independent vectors of counters, which hide the latency of the products
inline constexpr int kPhiloxBlocks = kPhiloxGroups * kPhiloxLanes;
inline constexpr int kPhiloxWords = 4 * kPhiloxBlocks;

struct PhiloxKey {
  std::uint32_t seed_low, seed_high;  // the key
  std::uint32_t step, stream;         // the third and fourth word of the counter
};

// The 64-bit products of the lower halves of the lanes.
static inline Words multiply_words(Words a, std::uint32_t b) {
  const Words factor = Words{} + b;
#if defined(__AVX512F__)
  return reinterpret_cast<Words>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(factor)));
#elif defined(__AVX2__)
  return reinterpret_cast<Words>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(factor)));
#elif defined(__x86_64__)
  return reinterpret_cast<Words>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(factor)));
#else
  return (a & 0xffffffffu) * factor;
#endif
}

template <int... I>
static inline void store_words(std::uint32_t* words, Words first, Words second, std::integer_sequence<int, I...>) {
  constexpr int half = kPhiloxLanes / 2;
  const Words low = __builtin_shufflevector(first, second, (I / 2 + (I % 2 ? kPhiloxLanes : 0))...);
  const Words high = __builtin_shufflevector(first, second, (half + I / 2 + (I % 2 ? kPhiloxLanes : 0))...);
  std::memcpy(words, &low, sizeof low);
  std::memcpy(words + 2 * kPhiloxLanes, &high, sizeof high);
}

// Words 4 * block to 4 * block + kPhiloxWords - 1 of the key's sequence; `block` is the counter's lower 64 bits.
static inline void philox(const PhiloxKey& key, std::uint64_t block, std::uint32_t* words) {
  // Only the lower half of a lane matters: the upper half may hold anything until the words are joined.
  Words c[kPhiloxGroups][4];
  for (int g = 0; g < kPhiloxGroups; ++g) {
    Words number{};
    for (int lane = 0; lane < kPhiloxLanes; ++lane) {
      number[lane] = block + static_cast<std::uint64_t>(g * kPhiloxLanes + lane);
    }
    c[g][0] = number;
    c[g][1] = number >> 32;
    c[g][2] = Words{} + key.step;
    c[g][3] = Words{} + key.stream;
  }
  std::uint32_t k0 = key.seed_low, k1 = key.seed_high;
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    for (auto& w : c) {
      const Words p0 = multiply_words(w[0], 0xD2511F53u), p1 = multiply_words(w[2], 0xCD9E8D57u);
      w[0] = (p1 >> 32) ^ w[1] ^ k0;
      w[2] = (p0 >> 32) ^ w[3] ^ k1;
      w[1] = p1;
      w[3] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  constexpr std::uint64_t low = 0xffffffffu;
  for (int g = 0; g < kPhiloxGroups; ++g) {
    const Words* w = c[g];
    store_words(words + 4 * kPhiloxLanes * g, (w[0] & low) | w[1] << 32, (w[2] & low) | w[3] << 32,
                std::make_integer_sequence<int, kPhiloxLanes>{});
  }
}

}  // namespace rosenblatt::ROSENBLATT_ISA
