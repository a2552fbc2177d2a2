// Reductions over one axis or all axes (sum, mean, max, sum of squares), and their transpose, broadcast_to.
//
// Sums are accumulated in float64 and rounded once. Down the columns of a float32 matrix, kChain rows at a time are
// first added in float32. The order of the additions depends only on the shape.
#include "kernels/lanes.h"
#include "kernels/loops.h"
#include "kernels/tables.h"
#include "split.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

using Index = std::int64_t;

// How to reduce: where to start, and one step.
struct Sum {
  static constexpr double neutral = 0;
  static Vec<double> step(Vec<double> sum, Vec<double> x) { return sum + x; }
  static double step(double sum, double x) { return sum + x; }
};
struct SumSquares : Sum {
  static Vec<double> step(Vec<double> sum, Vec<double> x) { return fma<double>(x, x, sum); }
};
// Maxima do not need the precision, but float64 allows the same code, and the conversion is exact.
struct Max {
  static constexpr double neutral = -__builtin_huge_val();
  static Vec<double> step(Vec<double> top, Vec<double> x) {
    const Vec<double> larger = x > top ? x : top;
    return x == x ? larger : x;  // keeps NaN: no comparison with a NaN in `top` is true
  }
  static double step(double top, double x) { return x > top || x != x ? x : top; }
};

// Joins two accumulators. Like a step, except that squares have already been taken.
template <class How>
inline auto join = [](Vec<double> a, Vec<double> b) { return How::step(a, b); };
template <>
inline auto join<SumSquares> = [](Vec<double> a, Vec<double> b) { return a + b; };

// Reduces n contiguous numbers.
template <class How, class T>
inline double reduce_row(Index n, const T* x) {
  constexpr Index lanes = kWideLanes;
  const Vec<double> neutral = broadcast(How::neutral);
  Vec<double> total = neutral;
  Index i = 0;
  if (n >= 8 * lanes) {
    Vec<double> part[4] = {neutral, neutral, neutral, neutral};  // independent chains
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
#pragma GCC unroll 4
      for (int p = 0; p < 4; ++p) part[p] = How::step(part[p], load_wide(x + i + p * lanes));
    }
    total = join<How>(join<How>(part[0], part[1]), join<How>(part[2], part[3]));
  }
  for (; i + lanes <= n; i += lanes) total = How::step(total, load_wide(x + i));
  if (i < n) {
    const int left = static_cast<int>(n - i);
    total = How::step(total, first_lanes<double>(load_wide_n(x + i, left), left, neutral));
  }
  return fold_lanes<double>(total, join<How>)[0];
}

// Reduces columns [0, kVectors * lanes) over n_rows rows; the last vector has only `tail` columns.
template <class How, int kVectors, class T>
inline void reduce_column_block(Index n_rows, Index stride, const T* x, int tail, double* out) {
  constexpr int last = kVectors - 1;
  Vec<double> total[kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) total[v] = broadcast(How::neutral);
  for (Index row = 0; row < n_rows; ++row, x += stride) {
#pragma GCC unroll 8
    for (int v = 0; v < last; ++v) total[v] = How::step(total[v], load_wide(x + v * kWideLanes));
    const T* end = x + last * kWideLanes;
    total[last] = How::step(total[last], tail == kWideLanes ? load_wide(end) : load_wide_n(end, tail));
  }
#pragma GCC unroll 8
  for (int v = 0; v < last; ++v) store<double>(out + v * kWideLanes, total[v]);
  store_n<double>(out + last * kWideLanes, total[last], tail);
}

inline constexpr Index kBlockColumns = 8 * kWideLanes;
inline constexpr Index kChain = 32;

// Like reduce_column_block, for sums of float32: a vector operation does four times as many additions.
template <int kVectors>
inline void sum_column_block(Index n_rows, Index stride, const float* x, int tail, double* out) {
  constexpr int last = kVectors - 1, lanes = kLanes<float>;
  float chain[kVectors * lanes];
  for (Index first = 0; first < n_rows; first += kChain) {
    const Index end = n_rows - first < kChain ? n_rows : first + kChain;
    Vec<float> part[kVectors] = {};
    for (Index row = first; row < end; ++row, x += stride) {
#pragma GCC unroll 4
      for (int v = 0; v < last; ++v) part[v] += load(x + v * lanes);
      part[last] += load_n(x + last * lanes, tail);
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) store<float>(chain + v * lanes, part[v]);
    for (int j = 0; j < kVectors * lanes; j += kWideLanes) {
      const Vec<double> sum = load_wide(chain + j);
      store<double>(out + j, first == 0 ? sum : load<double>(out + j) + sum);
    }
  }
}

// Reduces at most kBlockColumns columns.
template <class How, class T>
void reduce_columns(Index n_rows, Index n, Index stride, const T* x, double* out) {
  if constexpr (std::is_same_v<How, Sum> && std::is_same_v<T, float>) {
    using Sums = void (*)(Index, Index, const float*, int, double*);
    static constexpr Sums sums[] = {sum_column_block<1>, sum_column_block<2>, sum_column_block<3>, sum_column_block<4>};
    const Index last = (n - 1) / kLanes<float>;
    if (n_rows > 0) return sums[last](n_rows, stride, x, static_cast<int>(n - last * kLanes<float>), out);
  }
  using Function = void (*)(Index, Index, const T*, int, double*);
  static constexpr Function functions[] = {reduce_column_block<How, 1, T>, reduce_column_block<How, 2, T>,
                                           reduce_column_block<How, 3, T>, reduce_column_block<How, 4, T>,
                                           reduce_column_block<How, 5, T>, reduce_column_block<How, 6, T>,
                                           reduce_column_block<How, 7, T>, reduce_column_block<How, 8, T>};
  const Index n_vectors = (n + kWideLanes - 1) / kWideLanes;
  functions[n_vectors - 1](n_rows, stride, x, static_cast<int>(n - (n_vectors - 1) * kWideLanes), out);
}

// out[j] = the reduction of x[i, j] over i, divided by `divisor`. Several narrow rows are read as one wide row, to fill
// the vectors and to have more independent chains of additions.
template <class How, class T>
void reduce_matrix(Index n_rows, Index n, Index stride, const T* x, double divisor, T* out) {
  double total[kBlockColumns];
  const bool narrow = stride == n && n <= kBlockColumns / 2 && n_rows * n >= 2 * kBlockColumns;
  const Index group = narrow ? kBlockColumns / n : 1;
  for (Index first = 0; first < n; first += kBlockColumns) {
    const Index width = n - first < kBlockColumns ? n - first : kBlockColumns;
    const Index n_groups = n_rows / group;
    reduce_columns<How, T>(n_groups, width * group, stride * group, x + first, total);
    for (Index g = 1; g < group; ++g) {
      for (Index j = 0; j < width; ++j) total[j] = How::step(total[j], total[g * width + j]);
    }
    for (Index i = n_groups * group; i < n_rows; ++i) {
      for (Index j = 0; j < width; ++j) total[j] = How::step(total[j], static_cast<double>(x[i * stride + first + j]));
    }
    for (Index j = 0; j < width; ++j) out[first + j] = static_cast<T>(total[j] / divisor);
  }
}

template <class How, bool kMean, class T>
void reduce_kernel(const Call& call) {
  const Operand& x = call.inputs[0];
  const auto axis = static_cast<int>(call.attrs[0]);
  const T* from = data_of<const T>(x);
  T* out = data_of<T>(call.output);
  const AroundAxis n = axis < 0 ? AroundAxis{1, x.size(), 1} : around_axis(x, axis);
  const double divisor = kMean ? static_cast<double>(n.along) : 1.0;
  for (Index i = 0; i < n.outer; ++i, from += n.along * n.inner, out += n.inner) {
    if (n.inner == 1 && x.row_stride == 0) {
      *out = static_cast<T>(reduce_row<How, T>(n.along, from) / divisor);
    } else {
      reduce_matrix<How, T>(n.along, n.inner, x.row_stride != 0 ? x.row_stride : n.inner, from, divisor, out);
    }
  }
}

const char* check_reduce(const Call& call) {
  if (!one_float_type(call, 0, 1)) return kWrongType;
  const Operand& x = call.inputs[0];
  const Index axis = call.attrs[0], keepdims = call.attrs[1];
  if (axis < -1 || axis >= x.rank || (keepdims != 0 && keepdims != 1)) return kWrongAttribute;
  int rank = 0;
  for (int d = 0; d < x.rank; ++d) {
    const bool reduced = axis < 0 || d == axis;
    if (reduced && keepdims == 0) continue;
    if (rank >= call.output.rank || call.output.dims[rank] != (reduced ? 1 : x.dims[d])) return kWrongOutput;
    ++rank;
  }
  return rank == call.output.rank ? nullptr : kWrongOutput;
}

template <class T>
void sum_squares_kernel(const Call& call) {
  const Operand& x = call.inputs[0];
  *data_of<T>(call.output) = static_cast<T>(reduce_row<SumSquares, T>(x.size(), data_of<const T>(x)));
}

const char* check_sum_squares(const Call& call) {
  if (!one_float_type(call, 0, 1)) return kWrongType;
  return call.output.rank == 0 ? nullptr : kWrongOutput;
}

struct Copy {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return x;
  }
};

template <class T>
void broadcast_to_kernel(const Call& call) {
  const Index size = call.output.size();
  if (size == 0) return;
  if (call.inputs[0].size() == 1) {
    return map<Copy, T>(size, data_of<T>(call.output), Fixed<T>{broadcast(*data_of<const T>(call.inputs[0]))});
  }
  broadcast_kernel<Copy, 1, T>(call);
}

const char* check_broadcast_to(const Call& call) {
  if (!one_float_type(call, 0, 1)) return kWrongType;
  const Operand &x = call.inputs[0], &out = call.output;
  if (x.rank > out.rank) return kWrongOutput;
  for (int axis = 0; axis < out.rank; ++axis) {
    const Index dim = aligned_dim(x, out.rank, axis);
    if (dim != 1 && dim != out.dims[axis]) return kWrongOutput;
  }
  return nullptr;
}

constexpr Kernel rows[] = {
    {"sum", 1, 2, check_reduce, reduce_kernel<Sum, false, float>, reduce_kernel<Sum, false, double>, split_reduction},
    {"mean", 1, 2, check_reduce, reduce_kernel<Sum, true, float>, reduce_kernel<Sum, true, double>, split_reduction},
    {"max", 1, 2, check_reduce, reduce_kernel<Max, false, float>, reduce_kernel<Max, false, double>, split_reduction},
    {"sum_squares", 1, 0, check_sum_squares, sum_squares_kernel<float>, sum_squares_kernel<double>},
    {"broadcast_to", 1, 0, check_broadcast_to, broadcast_to_kernel<float>, broadcast_to_kernel<double>, split_rows},
};

}  // namespace

const KernelTable reduce_table{rows, sizeof(rows) / sizeof(rows[0])};

}  // namespace rosenblatt::ROSENBLATT_ISA
