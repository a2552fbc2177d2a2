// Matrix products of very few columns: vectors along k instead of along the columns.
//
// Goes in: op(A) and op(B)^T, both with k contiguous. Comes out: C = op(A) op(B) for 1 to 4 columns. Each element is
// one vector of partial sums over k, added up in a fixed tree: a row depends on nothing but itself.
#pragma once

#include "kernels/gemm_pack.h"
#include "simd.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

inline constexpr int kMaxDots = 4;

// Rows that are worked on together: enough independent chains, and a whole number of kSide results.
constexpr int dot_rows(int n_columns) {
  return n_columns == 1 ? 8 : n_columns == 4 && kRegisters < 32 ? 2 : 4;
}

// The sums of each of kSide vectors.
template <class T>
static inline Part<T> sum_each(Vec<T> (&x)[kSide<T>]) {
  transpose_squares<T>(x);
  Vec<T> sum;
  if constexpr (kSide<T> == 4) {
    sum = (x[0] + x[1]) + (x[2] + x[3]);
  } else {
    sum = x[0] + x[1];
  }
  constexpr auto side = Lanes<T, kSide<T>>{};
  if constexpr (kLanes<T> == kSide<T>) {
    return extract<T, 0>(sum, side);
  } else if constexpr (kLanes<T> == 2 * kSide<T>) {
    return extract<T, 0>(sum, side) + extract<T, 1>(sum, side);
  } else {
    return (extract<T, 0>(sum, side) + extract<T, 1>(sum, side)) +
           (extract<T, 2>(sum, side) + extract<T, 3>(sum, side));
  }
}

// n_rows <= dot_rows(kColumns) rows of C, which has kColumns columns and nothing between its rows.
template <class T, int kColumns>
static inline void dot_block(const T* a, Index a_row, const T* b, Index b_row, T* c, Index n_rows, Index depth) {
  constexpr int lanes = kLanes<T>, side = kSide<T>, rows = dot_rows(kColumns), results = rows * kColumns;
  static_assert(results % side == 0);
  const T* row[rows];
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) row[i] = a + smaller(i, n_rows - 1) * a_row;
  Vec<T> sum[results] = {};
  const auto accumulate = [&](auto load_at, Index k) {
    Vec<T> y[kColumns];
#pragma GCC unroll 4
    for (int j = 0; j < kColumns; ++j) y[j] = load_at(b + j * b_row + k);
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      const Vec<T> x = load_at(row[i] + k);
#pragma GCC unroll 4
      for (int j = 0; j < kColumns; ++j) sum[i * kColumns + j] = fma<T>(x, y[j], sum[i * kColumns + j]);
    }
  };
  Index k = 0;
  for (; k + lanes <= depth; k += lanes) accumulate([](const T* p) { return load(p); }, k);
  const int rest = static_cast<int>(depth - k);
  if (rest > 0) accumulate([rest](const T* p) { return load_n(p, rest); }, k);
  const Index n = n_rows * kColumns;
#pragma GCC unroll 8
  for (int i = 0; i < results; i += side) {
    Vec<T> group[side];
#pragma GCC unroll 4
    for (int s = 0; s < side; ++s) group[s] = sum[i + s];
    const Part<T> result = sum_each<T>(group);
    if (i + side <= n) {
      *reinterpret_cast<Part<T>*>(c + i) = result;
    } else if (i < n) {
      store_part(c + i, result, static_cast<int>(n - i));
    }
  }
}

template <class T, int kColumns>
static void dot_rows_of(const T* a, Index a_row, const T* b, Index b_row, T* c, Index n_rows, Index depth) {
  constexpr Index rows = dot_rows(kColumns);
  for (Index i = 0; i < n_rows; i += rows) {
    dot_block<T, kColumns>(a + i * a_row, a_row, b, b_row, c + i * kColumns, smaller(rows, n_rows - i), depth);
  }
}

// C[i][j] = sum over k of a[i][k] b[j][k] for 1 <= n_columns <= kMaxDots.
template <class T>
static void multiply_dots(const T* a, Index a_row, const T* b, Index b_row, T* c, Index n_rows, Index n_columns,
                          Index depth) {
  switch (n_columns) {
    case 1: return dot_rows_of<T, 1>(a, a_row, b, b_row, c, n_rows, depth);
    case 2: return dot_rows_of<T, 2>(a, a_row, b, b_row, c, n_rows, depth);
    case 3: return dot_rows_of<T, 3>(a, a_row, b, b_row, c, n_rows, depth);
    default: return dot_rows_of<T, 4>(a, a_row, b, b_row, c, n_rows, depth);
  }
}

}  // namespace
}  // namespace rosenblatt::ROSENBLATT_ISA
