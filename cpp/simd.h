// Vectors of the instruction set that this file is compiled for, over GCC/Clang vector extensions.
//
// Vec<T> holds as many T as one register; load and store take any address; load_n and store_n touch only the first
// n elements, so that edges need no scalar loop. Everything is in the level's namespace: the same source is compiled
// for several instruction sets into one library, and no two of them may share a symbol.
#pragma once

#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace rosenblatt::ROSENBLATT_ISA {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
inline constexpr int kRegisters = 32;
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32;
inline constexpr int kRegisters = 16;
#elif defined(__aarch64__)
inline constexpr int kVectorBytes = 16;
inline constexpr int kRegisters = 32;
#else
inline constexpr int kVectorBytes = 16;
inline constexpr int kRegisters = 16;
#endif

template <class T>
struct VecOf {
  typedef T type __attribute__((vector_size(kVectorBytes), aligned(alignof(T)), may_alias));
};
template <class T>
using Vec = typename VecOf<T>::type;

template <class T>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

template <class T>
static inline Vec<T> load(const T* p) {
  Vec<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
static inline void store(T* p, Vec<T> v) {
  std::memcpy(p, &v, sizeof v);
}
template <class T>
static inline Vec<T> broadcast(T x) {
  return Vec<T>{} + x;
}

// The first n lanes (0 <= n < kLanes<T>) from memory, the rest zero.
template <class T>
static inline Vec<T> load_n(const T* p, int n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    return reinterpret_cast<Vec<T>>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1u), p));
  } else {
    return reinterpret_cast<Vec<T>>(_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1u), p));
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return reinterpret_cast<Vec<T>>(_mm256_maskload_ps(
        reinterpret_cast<const float*>(p), _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane)));
  } else {
    const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
    return reinterpret_cast<Vec<T>>(_mm256_maskload_pd(
        reinterpret_cast<const double*>(p), _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), lane)));
  }
#else
  Vec<T> v{};
  std::memcpy(&v, p, static_cast<std::size_t>(n) * sizeof(T));
  return v;
#endif
}

template <class T>
static inline void store_n(T* p, Vec<T> v, int n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1u), reinterpret_cast<__m512>(v));
  } else {
    _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1u), reinterpret_cast<__m512d>(v));
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(reinterpret_cast<float*>(p), _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane),
                        reinterpret_cast<__m256>(v));
  } else {
    const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
    _mm256_maskstore_pd(reinterpret_cast<double*>(p), _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), lane),
                        reinterpret_cast<__m256d>(v));
  }
#else
  std::memcpy(p, &v, static_cast<std::size_t>(n) * sizeof(T));
#endif
}

}  // namespace rosenblatt::ROSENBLATT_ISA
