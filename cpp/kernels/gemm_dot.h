// Matrix products with very few columns: the vectors run along k instead of along the columns.
//
// Takes op(A) and op(B)^T, both with k contiguous. Computes C = op(A) op(B) for 1 to 4 columns. Each element is a
// vector of partial sums over k, added up in a fixed tree. A row never depends on other rows.
#pragma once

#include "kernels/gemm_pack.h"
#include "simd.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

inline constexpr int kMaxDots = 4;

// The rows that are computed together: enough independent chains, and sums that fill a vector.
constexpr int dot_rows(int n_columns) {
  if (kRegisters == 32) return n_columns <= 2 ? 8 : 4;
  return n_columns == 1 ? 8 : n_columns == 2 ? 4 : 2;
}

// In each group of `group` elements, made of items of `item` elements: sums of adjacent items of a, then those of b.
template <class T, int item, int group, int... i>
static inline Vec<T> add_neighbours(Vec<T> a, Vec<T> b, std::integer_sequence<int, i...>) {
  constexpr auto source = [](int lane, bool odd) {
    const int place = lane % group, half = group / 2, within = place % half;
    const int from = lane - place + (2 * (within / item) + odd) * item + within % item;
    return place < half ? from : kLanes<T> + from;
  };
  return __builtin_shufflevector(a, b, source(i, false)...) + __builtin_shufflevector(a, b, source(i, true)...);
}

// Lane i of the result is the sum of x[i], added in a fixed tree; x is overwritten.
template <class T, int n = kLanes<T>>
static inline Vec<T> sum_each(Vec<T> (&x)[kLanes<T>]) {
  constexpr int lanes = kLanes<T>, side = kSide<T>;
  if constexpr (n == 1) {
    return x[0];
  } else {
#pragma GCC unroll 8
    for (int i = 0; i < n / 2; ++i) {
      if constexpr (n * side > lanes) {
        x[i] = add_neighbours<T, 1, side>(x[2 * i], x[2 * i + 1], Lanes<T, lanes>{});
      } else {
        x[i] = add_neighbours<T, side, lanes>(x[2 * i], x[2 * i + 1], Lanes<T, lanes>{});
      }
    }
    return sum_each<T, n / 2>(x);
  }
}

// Computes n_rows <= kRows rows of C, which has kColumns columns and contiguous rows. `bias`: nullptr, or the kRows *
// kColumns numbers to add.
template <class T, int kColumns, int kRows>
static inline void dot_block(const T* a, Index a_row, const T* b, Index b_row, T* c, Index n_rows, Index depth,
                             const T* bias) {
  constexpr int lanes = kLanes<T>, results = (kRows * kColumns + lanes - 1) / lanes * lanes;
  const T* row[kRows];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) row[i] = a + smaller(i, n_rows - 1) * a_row;
  Vec<T> sum[results] = {};  // padded to whole vectors of results
  const auto accumulate = [&](auto load_at, Index k) {
    Vec<T> y[kColumns];
#pragma GCC unroll 4
    for (int j = 0; j < kColumns; ++j) y[j] = load_at(b + j * b_row + k);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Vec<T> x = in_register<T>(load_at(row[i] + k));
#pragma GCC unroll 4
      for (int j = 0; j < kColumns; ++j) sum[i * kColumns + j] = fma<T>(x, y[j], sum[i * kColumns + j]);
    }
  };
  Index k = 0;
  for (; k + lanes <= depth; k += lanes) accumulate([](const T* p) { return load(p); }, k);
  const int rest = static_cast<int>(depth - k);
  if (rest > 0) accumulate([rest](const T* p) { return load_n(p, rest); }, k);
  const int n = static_cast<int>(n_rows) * kColumns;
#pragma GCC unroll 8
  for (int i = 0; i < results; i += lanes) {
    Vec<T> group[lanes];
#pragma GCC unroll 16
    for (int s = 0; s < lanes; ++s) group[s] = sum[i + s];
    Vec<T> total = sum_each<T>(group);
    if (bias != nullptr) total += load(bias + i);
    if (i < n) store_n<T>(c + i, total, static_cast<int>(smaller(lanes, n - i)));
  }
}

template <class T, int kColumns>
static void dot_rows_of(const T* a, Index a_row, const T* b, Index b_row, T* c, Index n_rows, Index depth,
                        const T* bias) {
  constexpr Index rows = dot_rows(kColumns);
  T repeated[rows * kColumns + kLanes<T>] = {};
  if (bias != nullptr) {
    for (Index i = 0; i < rows * kColumns; ++i) repeated[i] = bias[i % kColumns];
    bias = repeated;
  }
  if (n_rows == 1) return dot_block<T, kColumns, 1>(a, a_row, b, b_row, c, 1, depth, bias);
  for (Index i = 0; i < n_rows; i += rows) {
    dot_block<T, kColumns, rows>(a + i * a_row, a_row, b, b_row, c + i * kColumns, smaller(rows, n_rows - i), depth,
                                 bias);
  }
}

// C[i][j] = sum over k of a[i][k] b[j][k], plus bias[j] if there is a bias, for 1 <= n_columns <= kMaxDots.
template <class T>
static void multiply_dots(const T* a, Index a_row, const T* b, Index b_row, T* c, Index n_rows, Index n_columns,
                          Index depth, const T* bias) {
  switch (n_columns) {
    case 1: return dot_rows_of<T, 1>(a, a_row, b, b_row, c, n_rows, depth, bias);
    case 2: return dot_rows_of<T, 2>(a, a_row, b, b_row, c, n_rows, depth, bias);
    case 3: return dot_rows_of<T, 3>(a, a_row, b, b_row, c, n_rows, depth, bias);
    default: return dot_rows_of<T, 4>(a, a_row, b, b_row, c, n_rows, depth, bias);
  }
}

}  // namespace
}  // namespace rosenblatt::ROSENBLATT_ISA
