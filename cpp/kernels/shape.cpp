// Kernels that move or repeat elements without computing anything.
#include "kernels/lanes.h"
#include "kernels/loops.h"
#include "kernels/tables.h"
#include "split.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

using Index = std::int64_t;

// Short copies without a call to memcpy.
template <class T>
inline void copy(T* to, const T* from, Index n) {
  for_vectors<T>(n, [=](Index i, auto size) { size.put(to + i, size.get(from + i)); });
}

template <class T>
inline void set(T* to, T value, Index n) {
  const Vec<T> v = broadcast(value);
  for_vectors<T>(n, [=](Index i, auto size) { size.put(to + i, v); });
}

template <class T>
void fill_kernel(const Call& call) {
  set(data_of<T>(call.output), static_cast<T>(attr_double(call.attrs[0])), call.output.size());
}

const char* check_fill(const Call& call) { return is_dense_float(call.output) ? nullptr : kWrongType; }

// The planner usually places the inputs where they belong in the output; then there is nothing to do.
template <class T>
void pack_kernel(const Call& call) {
  T* to = data_of<T>(call.output);
  for (int i = 0; i < call.n_inputs; ++i) {
    const Index n = call.inputs[i].size();
    if (data_of<T>(call.inputs[i]) != to) copy<T>(to, data_of<const T>(call.inputs[i]), n);
    to += n;
  }
}

const char* check_pack(const Call& call) {
  if (!one_float_type(call, 0, call.n_inputs)) return kWrongType;
  Index total = 0;
  for (int i = 0; i < call.n_inputs; ++i) total += call.inputs[i].size();
  return call.output.rank == 1 && call.output.dims[0] == total ? nullptr : kWrongOutput;
}

template <class T>
void concat_kernel(const Call& call) {
  const auto axis = static_cast<int>(call.attrs[0]);
  const AroundAxis out = around_axis(call.output, axis);
  T* to = data_of<T>(call.output);
  for (int k = 0; k < call.n_inputs; ++k) {
    const Index n = call.inputs[k].dims[axis] * out.inner;
    const T* from = data_of<const T>(call.inputs[k]);
    for (Index i = 0; i < out.outer; ++i) copy<T>(to + i * out.along * out.inner, from + i * n, n);
    to += n;
  }
}

const char* check_concat(const Call& call) {
  if (!one_float_type(call, 0, call.n_inputs)) return kWrongType;
  const Index axis = call.attrs[0];
  Index total = 0;
  for (int i = 0; i < call.n_inputs; ++i) {
    if (!same_but_axis(call.inputs[i], call.output, axis)) return kWrongShape;
    total += call.inputs[i].dims[axis];
  }
  return call.output.dims[axis] == total ? nullptr : kWrongOutput;
}

template <class T>
void slice_kernel(const Call& call) {
  const AroundAxis x = around_axis(call.inputs[0], static_cast<int>(call.attrs[0]));
  const Index n = (call.attrs[2] - call.attrs[1]) * x.inner;
  const T* from = data_of<const T>(call.inputs[0]) + call.attrs[1] * x.inner;
  T* to = data_of<T>(call.output);
  for (Index i = 0; i < x.outer; ++i) copy<T>(to + i * n, from + i * x.along * x.inner, n);
}

const char* check_slice(const Call& call) {
  if (!one_float_type(call, 0, 1)) return kWrongType;
  const Index axis = call.attrs[0], start = call.attrs[1], stop = call.attrs[2];
  if (!same_but_axis(call.inputs[0], call.output, axis)) return kWrongOutput;
  if (start < 0 || start > stop || stop > call.inputs[0].dims[axis]) return kWrongAttribute;
  return call.output.dims[axis] == stop - start ? nullptr : kWrongOutput;
}

template <class T>
void pad_kernel(const Call& call) {
  const AroundAxis x = around_axis(call.inputs[0], static_cast<int>(call.attrs[0]));
  const Index n = x.along * x.inner, before = call.attrs[1] * x.inner, after = call.attrs[2] * x.inner;
  const T* from = data_of<const T>(call.inputs[0]);
  T* to = data_of<T>(call.output);
  for (Index i = 0; i < x.outer; ++i, from += n, to += before + n + after) {
    set<T>(to, T(0), before);
    copy<T>(to + before, from, n);
    set<T>(to + before + n, T(0), after);
  }
}

const char* check_pad(const Call& call) {
  if (!one_float_type(call, 0, 1)) return kWrongType;
  const Index axis = call.attrs[0], before = call.attrs[1], after = call.attrs[2];
  if (!same_but_axis(call.inputs[0], call.output, axis)) return kWrongOutput;
  const Index along = call.inputs[0].dims[axis], along_out = call.output.dims[axis];
  if (before < 0 || after < 0 || before > along_out || after > along_out) return kWrongAttribute;
  return along_out == before + along + after ? nullptr : kWrongOutput;
}

// Interleaves the lanes of the lower halves (kHigh: the upper halves) of a and b.
template <class T, bool kHigh, int... I>
inline Vec<T> interleave(Vec<T> a, Vec<T> b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, ((kHigh ? kLanes<T> / 2 : 0) + I / 2 + (I % 2 ? kLanes<T> : 0))...);
}

// Transposes a tile of n_rows x n_columns, each at most kLanes, from rows `from_row` apart to rows `to_row` apart.
template <class T>
inline void transpose_tile(const T* from, Index from_row, T* to, Index to_row, int n_rows, int n_columns) {
  constexpr int lanes = kLanes<T>;
  constexpr auto sequence = std::make_integer_sequence<int, lanes>{};
  Vec<T> row[lanes];
  if (n_rows == lanes && n_columns == lanes) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) row[i] = load<T>(from + i * from_row);
  } else {
    for (int i = 0; i < lanes; ++i) row[i] = i < n_rows ? load_n<T>(from + i * from_row, n_columns) : Vec<T>{};
  }
  // Each round interleaves rows that are half a tile apart. After log2(lanes) rounds, rows have become columns.
#pragma GCC unroll 4
  for (int width = 1; width < lanes; width *= 2) {
    Vec<T> next[lanes];
#pragma GCC unroll 8
    for (int i = 0; i < lanes / 2; ++i) {
      next[2 * i] = interleave<T, false>(row[i], row[i + lanes / 2], sequence);
      next[2 * i + 1] = interleave<T, true>(row[i], row[i + lanes / 2], sequence);
    }
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) row[i] = next[i];
  }
  if (n_rows == lanes && n_columns == lanes) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) store<T>(to + i * to_row, row[i]);
  } else {
    for (int i = 0; i < n_columns; ++i) store_n<T>(to + i * to_row, row[i], n_rows);
  }
}

template <class T>
void transpose_matrix(const T* from, Index from_row, T* to, Index to_row, Index n_rows, Index n_columns) {
  constexpr Index lanes = kLanes<T>;
  for (Index i = 0; i < n_rows; i += lanes) {
    const int rows_left = static_cast<int>(n_rows - i < lanes ? n_rows - i : lanes);
    for (Index j = 0; j < n_columns; j += lanes) {
      const int columns_left = static_cast<int>(n_columns - j < lanes ? n_columns - j : lanes);
      transpose_tile<T>(from + i * from_row + j, from_row, to + j * to_row + i, to_row, rows_left, columns_left);
    }
  }
}

// The axes of the transposed output: sizes, and strides in the operand and in the output.
struct Axes {
  Index size[kMaxRank] = {1, 1, 1, 1}, from[kMaxRank] = {}, to[kMaxRank] = {};
  int last = 0;  // the position of the operand's last axis
};

Axes transposed_axes(const Call& call) {
  const Operand &x = call.inputs[0], &out = call.output;
  Axes axes;
  Index stride[kMaxRank] = {}, n = 1;
  for (int d = x.rank - 1; d >= 0; --d) {
    stride[d] = n;
    n *= x.dims[d];
  }
  n = 1;
  for (int d = out.rank - 1; d >= 0; --d) {
    axes.size[d] = out.dims[d];
    axes.from[d] = stride[call.attrs[d]];
    axes.to[d] = n;
    n *= out.dims[d];
    if (call.attrs[d] == x.rank - 1) axes.last = d;
  }
  return axes;
}

template <class T>
void transpose_kernel(const Call& call) {
  if (call.output.size() == 0) return;
  const T* from = data_of<const T>(call.inputs[0]);
  T* to = data_of<T>(call.output);
  if (call.output.rank < 2) return copy<T>(to, from, call.output.size());
  Axes axes = transposed_axes(call);
  const int end = call.output.rank - 1, last = axes.last;
  const Index n_rows = axes.size[end], n_columns = axes.size[last];
  axes.size[end] = axes.size[last] = 1;  // handled by the inner loops
  for (Index i = 0; i < axes.size[0]; ++i) {
    for (Index j = 0; j < axes.size[1]; ++j) {
      for (Index k = 0; k < axes.size[2]; ++k) {
        const T* x = from + i * axes.from[0] + j * axes.from[1] + k * axes.from[2];
        T* y = to + i * axes.to[0] + j * axes.to[1] + k * axes.to[2];
        if (last == end) {
          copy<T>(y, x, n_rows);
        } else {
          transpose_matrix<T>(x, axes.from[end], y, axes.to[last], n_rows, n_columns);
        }
      }
    }
  }
}

const char* check_transpose(const Call& call) {
  if (!one_float_type(call, 0, 1)) return kWrongType;
  const Operand &x = call.inputs[0], &out = call.output;
  if (out.rank != x.rank || call.n_attrs != x.rank) return kWrongOutput;
  unsigned seen = 0;
  for (int d = 0; d < x.rank; ++d) {
    const Index axis = call.attrs[d];
    if (axis < 0 || axis >= x.rank || (seen >> axis & 1) != 0) return kWrongAttribute;
    seen |= 1u << axis;
    if (out.dims[d] != x.dims[axis]) return kWrongOutput;
  }
  return nullptr;
}

constexpr Kernel rows[] = {
    {"fill", 0, 1, check_fill, fill_kernel<float>, fill_kernel<double>, split_rows},
    {"pack", kVariadic, 0, check_pack, pack_kernel<float>, pack_kernel<double>},
    {"concat", kVariadic, 1, check_concat, concat_kernel<float>, concat_kernel<double>},
    {"slice", 1, 3, check_slice, slice_kernel<float>, slice_kernel<double>},
    {"pad", 1, 3, check_pad, pad_kernel<float>, pad_kernel<double>},
    {"transpose", 1, kVariadic, check_transpose, transpose_kernel<float>, transpose_kernel<double>},
};

}  // namespace

const KernelTable shape_table{rows, sizeof(rows) / sizeof(rows[0])};

}  // namespace rosenblatt::ROSENBLATT_ISA
