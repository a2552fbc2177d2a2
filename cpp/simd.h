// Vectors of the instruction set that this file is compiled for, built on GCC and Clang vector extensions.
//
// Vec<T> fills one register. load and store take any address. load_n and store_n touch only the first n elements, so
// that edges need no scalar loop. fma rounds once if the instruction set supports it. Everything is in the namespace of
// the level: the same source is compiled into one library for several instruction sets, which must not share symbols.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
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
  return *reinterpret_cast<const Vec<T>*>(p);  // the type allows any address; in v3 memcpy would use the stack
}
template <class T>
static inline void store(T* p, Vec<T> v) {
  *reinterpret_cast<Vec<T>*>(p) = v;
}
template <class T>
static inline Vec<T> broadcast(T x) {
  return x - Vec<T>{};  // x + 0 would turn -0 into +0 and cost an addition
}

// Keeps v in a register. The compiler would otherwise reload it for each use, which is expensive across cache lines.
template <class T>
static inline Vec<T> in_register(Vec<T> v) {
#if defined(__AVX512F__)
  asm("" : "+v"(v));
#elif defined(__x86_64__)
  asm("" : "+x"(v));
#elif defined(__aarch64__)
  asm("" : "+w"(v));
#endif
  return v;
}

// a * b + c with a single rounding, except in v2, which has no such instruction and rounds twice.
template <class T>
static inline Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    return reinterpret_cast<Vec<T>>(
        _mm512_fmadd_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(c)));
  } else {
    return reinterpret_cast<Vec<T>>(
        _mm512_fmadd_pd(reinterpret_cast<__m512d>(a), reinterpret_cast<__m512d>(b), reinterpret_cast<__m512d>(c)));
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    return reinterpret_cast<Vec<T>>(
        _mm256_fmadd_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b), reinterpret_cast<__m256>(c)));
  } else {
    return reinterpret_cast<Vec<T>>(
        _mm256_fmadd_pd(reinterpret_cast<__m256d>(a), reinterpret_cast<__m256d>(b), reinterpret_cast<__m256d>(c)));
  }
#elif defined(__aarch64__)
  if constexpr (sizeof(T) == 4) {
    return reinterpret_cast<Vec<T>>(vfmaq_f32(reinterpret_cast<float32x4_t>(c), reinterpret_cast<float32x4_t>(a),
                                              reinterpret_cast<float32x4_t>(b)));
  } else {
    return reinterpret_cast<Vec<T>>(vfmaq_f64(reinterpret_cast<float64x2_t>(c), reinterpret_cast<float64x2_t>(a),
                                              reinterpret_cast<float64x2_t>(b)));
  }
#else
  return a * b + c;
#endif
}

// Stores the first n elements of the 16 bytes of `v` (0 <= n < 16 / sizeof(T)), by stores of fixed size.
template <class T, class V>
static inline void store_part(T* p, V v, int n) {
  static_assert(sizeof v == 16);
  T item[16 / sizeof(T)];
  std::memcpy(item, &v, sizeof v);
  if constexpr (sizeof(T) == 8) {
    if (n > 0) p[0] = item[0];
  } else {
    if (n >= 2) std::memcpy(p, item, 2 * sizeof(T));
    if (n == 1) p[0] = item[0];
    if (n == 3) p[2] = item[2];
  }
}

// Loads n elements into 16 bytes (0 <= n <= 16 / sizeof(T)); the rest is zero.
template <class T>
static inline auto load_part(const T* p, int n) {
  typedef T Part __attribute__((vector_size(16)));
#if defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    const __m128i lane = _mm_setr_epi32(0, 1, 2, 3);
    return reinterpret_cast<Part>(
        _mm_maskload_ps(reinterpret_cast<const float*>(p), _mm_cmpgt_epi32(_mm_set1_epi32(n), lane)));
  } else {
    const __m128i lane = _mm_set_epi64x(1, 0);
    return reinterpret_cast<Part>(
        _mm_maskload_pd(reinterpret_cast<const double*>(p), _mm_cmpgt_epi64(_mm_set1_epi64x(n), lane)));
  }
#else
  Part v{};
  if (n >= static_cast<int>(16 / sizeof(T))) {
    std::memcpy(&v, p, sizeof v);
  } else if constexpr (sizeof(T) == 8) {
    if (n == 1) v = Part{p[0], 0};
  } else {
    if (n == 1) v = Part{p[0], 0, 0, 0};
    if (n == 2) v = Part{p[0], p[1], 0, 0};
    if (n == 3) v = Part{p[0], p[1], p[2], 0};
  }
  return v;
#endif
}

// Loads the first n lanes (0 <= n <= kLanes<T>); the rest is zero.
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
    return reinterpret_cast<Vec<T>>(
        _mm256_maskload_ps(reinterpret_cast<const float*>(p), _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane)));
  } else {
    const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
    return reinterpret_cast<Vec<T>>(
        _mm256_maskload_pd(reinterpret_cast<const double*>(p), _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), lane)));
  }
#else
  return load_part<T>(p, n);
#endif
}

// Stores the first n lanes (0 <= n <= kLanes<T>).
template <class T>
static inline void store_n(T* p, Vec<T> v, int n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1u), reinterpret_cast<__m512>(v));
  } else {
    _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1u), reinterpret_cast<__m512d>(v));
  }
#else
  // On several AVX2 processors a masked store is many times slower than stores of its parts.
  if (n == kLanes<T>) return store(p, v);
#if defined(__AVX2__)
  constexpr int half = kLanes<T> / 2;
  const auto wide = reinterpret_cast<__m256i>(v);
  __m128i part = _mm256_castsi256_si128(wide);
  if (n >= half) {
    std::memcpy(p, &part, sizeof part);
    part = _mm256_extracti128_si256(wide, 1);
    p += half;
    n -= half;
  }
  store_part(p, part, n);
#else
  store_part(p, v, n);
#endif
#endif
}

}  // namespace rosenblatt::ROSENBLATT_ISA
