// Operations across the lanes of a vector: sums, maxima, masked lanes, float32 read as float64.
#pragma once

#include <cstdint>
#include <utility>

#include "simd.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

template <class T>
using LaneNumber = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

template <class T, int... I>
inline Vec<LaneNumber<T>> lane_numbers(std::integer_sequence<int, I...>) {
  return Vec<LaneNumber<T>>{I...};
}

// The first n lanes of v; `rest` in the others.
template <class T>
inline Vec<T> first_lanes(Vec<T> v, int n, Vec<T> rest) {
  return lane_numbers<T>(std::make_integer_sequence<int, kLanes<T>>{}) < LaneNumber<T>(n) ? v : rest;
}

template <int kStep, class T, int... I>
inline Vec<T> swap_lanes(Vec<T> v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (I ^ kStep)...);
}

// Folds the lanes in halves, always in the same order. Every lane holds the result.
template <class T, int kStep = kLanes<T> / 2, class Combine>
inline Vec<T> fold_lanes(Vec<T> v, Combine combine) {
  if constexpr (kStep == 0) {
    return v;
  } else {
    const Vec<T> swapped = swap_lanes<kStep, T>(v, std::make_integer_sequence<int, kLanes<T>>{});
    return fold_lanes<T, kStep / 2>(combine(v, swapped), combine);
  }
}

template <class T>
inline Vec<T> sum_of_lanes(Vec<T> v) {
  return fold_lanes<T>(v, [](Vec<T> a, Vec<T> b) { return a + b; });
}

// May drop a NaN.
template <class T>
inline Vec<T> max_of_lanes(Vec<T> v) {
  return fold_lanes<T>(v, [](Vec<T> a, Vec<T> b) { return a > b ? a : b; });
}

inline constexpr int kWideLanes = kLanes<double>;
typedef float HalfVec __attribute__((vector_size(kVectorBytes / 2), aligned(alignof(float)), may_alias));

template <int... I>
inline HalfVec lower_half(Vec<float> v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, I...);
}

// Loads kWideLanes numbers as float64.
inline Vec<double> load_wide(const double* p) { return load<double>(p); }
inline Vec<double> load_wide(const float* p) {
  return __builtin_convertvector(*reinterpret_cast<const HalfVec*>(p), Vec<double>);
}
// Loads the first n of them; the rest is 0.
inline Vec<double> load_wide_n(const double* p, int n) { return load_n<double>(p, n); }
inline Vec<double> load_wide_n(const float* p, int n) {
  const Vec<float> v = load_n<float>(p, n);
  return __builtin_convertvector(lower_half(v, std::make_integer_sequence<int, kWideLanes>{}), Vec<double>);
}

}  // namespace
}  // namespace rosenblatt::ROSENBLATT_ISA
