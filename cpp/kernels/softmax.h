// The softmax of rows of logits: of one row, or of one narrow row in each lane of a vector.
//
// Takes logits, finite or not; a row with NaN or +infinity gives NaN. Returns the largest logit, the exponentials of
// the differences from it, and their sum. Never mixes rows: a result depends only on the row and its width.
#pragma once

#include "kernels/lanes.h"
#include "kernels/loops.h"
#include "vector_math.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

// One row --------------------------------------------------------------------------------------------------------

// The largest of n >= 1 logits, in every lane. It may drop a NaN; the exponentials do not.
template <class T>
inline Vec<T> largest(std::int64_t n, const T* x) {
  constexpr std::int64_t lanes = kLanes<T>;
  const Vec<T> nothing = broadcast(-FloatTraits<T>::infinity);
  Vec<T> top = nothing;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const Vec<T> v = load<T>(x + i);
    top = v > top ? v : top;
  }
  if (i < n) {
    const int left = static_cast<int>(n - i);
    const Vec<T> v = first_lanes<T>(load_n<T>(x + i, left), left, nothing);
    top = v > top ? v : top;
  }
  return max_of_lanes<T>(top);
}

// Calls body(i, size, exponential) for every vector of exp(x - top). Returns their sum in every lane.
template <class T, class Body>
inline Vec<T> exponentials(std::int64_t n, const T* x, Vec<T> top, Body body) {
  constexpr std::int64_t lanes = kLanes<T>;
  Vec<T> sum{};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const Vec<T> e = exp<T>(load<T>(x + i) - top);
    sum += e;
    body(i, Whole<T>{}, e);
  }
  if (i < n) {
    const int left = static_cast<int>(n - i);
    const Vec<T> e = exp<T>(load_n<T>(x + i, left) - top);
    sum += first_lanes<T>(e, left, Vec<T>{});
    body(i, Part<T>{left}, e);
  }
  return sum_of_lanes<T>(sum);
}

// out = exp(x - max x) / sum; x may be out.
template <class T>
inline void softmax_row(std::int64_t n, const T* x, T* out) {
  const Vec<T> top = largest<T>(n, x);
  const Vec<T> sum = exponentials<T>(n, x, top, [=](std::int64_t i, auto size, Vec<T> e) { size.put(out + i, e); });
  for_vectors<T>(n, [=](std::int64_t i, auto size) { size.put(out + i, size.get(out + i) / sum); });
}

// Narrow rows ----------------------------------------------------------------------------------------------------

inline constexpr std::int64_t kNarrow = 16;

// Up to kLanes rows of n <= kNarrow logits, transposed: one lane per row.
template <class T>
struct NarrowRows {
  std::int64_t n;
  int n_rows;
  alignas(64) T column[kNarrow][kLanes<T>];

  void read(const T* x) {
    if (n_rows < kLanes<T>) std::memset(column, 0, sizeof column);
    for (int i = 0; i < n_rows; ++i) {
      for (std::int64_t j = 0; j < n; ++j) column[j][i] = x[i * n + j];
    }
  }
  void write(T* out) const {
    for (int i = 0; i < n_rows; ++i) {
      for (std::int64_t j = 0; j < n; ++j) out[i * n + j] = column[j][i];
    }
  }
  Vec<T> get(std::int64_t j) const { return load<T>(column[j]); }
  void put(std::int64_t j, Vec<T> v) { store<T>(column[j], v); }

  Vec<T> largest_logits() const {
    Vec<T> top = get(0);
    for (std::int64_t j = 1; j < n; ++j) {
      const Vec<T> v = get(j);
      top = v > top ? v : top;
    }
    return top;
  }
  // Replaces the logits by exp(logit - top). Returns their sums.
  Vec<T> take_exponentials(Vec<T> top) {
    Vec<T> sum{};
    for (std::int64_t j = 0; j < n; ++j) {
      const Vec<T> e = exp<T>(get(j) - top);
      put(j, e);
      sum += e;
    }
    return sum;
  }
};

// Reads each group of narrow rows and calls body(first row, rows) for it.
template <class T, class Body>
inline void for_narrow_rows(std::int64_t n_rows, std::int64_t n, const T* x, Body body) {
  NarrowRows<T> rows;
  rows.n = n;
  for (std::int64_t first = 0; first < n_rows; first += kLanes<T>) {
    rows.n_rows = static_cast<int>(n_rows - first < kLanes<T> ? n_rows - first : kLanes<T>);
    rows.read(x + first * n);
    body(first, rows);
  }
}

}  // namespace
}  // namespace rosenblatt::ROSENBLATT_ISA
