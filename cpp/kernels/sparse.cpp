// Products with rows of a compressed-sparse-row matrix, whose values are read in the user's own array.
#include "kernels/loops.h"
#include "kernels/tables.h"
#include "split.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

using Index = std::int64_t;

// Computes kVectors vectors of one row of x w, starting at column `first`; `size` handles the last one.
template <class T, int kVectors, class Size>
inline void multiply_row(const CsrRows& x, Index begin, Index end, const T* w, Index width, T* out, Size size) {
  constexpr int last = kVectors - 1, lanes = kLanes<T>;
  const T* values = static_cast<const T*>(x.values);
  Vec<T> sum[kVectors] = {};
  for (Index e = begin; e < end; ++e) {
    const Vec<T> value = broadcast(values[e]);
    const T* row = w + x.columns[e] * width;
#pragma GCC unroll 4
    for (int v = 0; v < last; ++v) sum[v] = fma<T>(value, load<T>(row + v * lanes), sum[v]);
    sum[last] = fma<T>(value, size.get(row + last * lanes), sum[last]);
  }
#pragma GCC unroll 4
  for (int v = 0; v < last; ++v) store<T>(out + v * lanes, sum[v]);
  size.put(out + last * lanes, sum[last]);
}

template <class T>
void csr_matmul_kernel(const Call& call) {
  const CsrRows& x = *data_of<const CsrRows>(call.inputs[0]);
  const T* w = data_of<const T>(call.inputs[1]);
  T* out = data_of<T>(call.output);
  constexpr Index lanes = kLanes<T>;
  const Index n_rows = call.output.dims[0], width = call.output.dims[1];
  const Index* rows = x.rows + call.first_row;
  for (Index i = 0; i < n_rows; ++i, out += width) {
    const Index begin = x.offsets[rows[i]], end = x.offsets[rows[i] + 1];
    Index j = 0;
    for (; j + 4 * lanes <= width; j += 4 * lanes) multiply_row<T, 4>(x, begin, end, w + j, width, out + j, Whole<T>{});
    for (; j + lanes <= width; j += lanes) multiply_row<T, 1>(x, begin, end, w + j, width, out + j, Whole<T>{});
    if (j < width) multiply_row<T, 1>(x, begin, end, w + j, width, out + j, Part<T>{static_cast<int>(width - j)});
  }
}

template <class T>
void csr_matmul_transposed_kernel(const Call& call) {
  const CsrRows& x = *data_of<const CsrRows>(call.inputs[0]);
  const T* values = static_cast<const T*>(x.values);
  const T* g = data_of<const T>(call.inputs[1]);
  T* const out = data_of<T>(call.output);
  const Index n_rows = call.inputs[1].dims[0], width = call.output.dims[1], n_columns = call.output.dims[0];
  const Index stride = call.output.stride(), g_stride = call.inputs[1].stride();
  if (width == 0) return;
  if (stride == width) {
    std::memset(out, 0, static_cast<std::size_t>(n_columns * width) * sizeof(T));
  } else {
    for (Index i = 0; i < n_columns; ++i) std::memset(out + i * stride, 0, static_cast<std::size_t>(width) * sizeof(T));
  }
  for (Index i = 0; i < n_rows; ++i, g += g_stride) {
    const Index end = x.offsets[x.rows[i] + 1];
    for (Index e = x.offsets[x.rows[i]]; e < end; ++e) {
      const Vec<T> value = broadcast(values[e]);
      T* const to = out + x.columns[e] * stride;
      for_vectors<T>(width,
                     [=](Index j, auto size) { size.put(to + j, fma<T>(value, size.get(g + j), size.get(to + j))); });
    }
  }
}

// The operands are a sparse matrix [m, d] and a dense matrix; the output is a dense matrix.
const char* check_types(const Call& call) {
  if (!one_float_type(call, 1, 2)) return kWrongType;
  const Operand& x = call.inputs[0];
  if (!x.sparse || x.dtype != call.output.dtype) {
    return "the first operand must be sparse and have the program's float type";
  }
  return x.rank == 2 && call.inputs[1].rank == 2 && call.output.rank == 2 ? nullptr : kWrongShape;
}

const char* check_csr_matmul(const Call& call) {
  if (const char* error = check_types(call)) return error;
  const Operand &x = call.inputs[0], &w = call.inputs[1], &out = call.output;
  return x.dims[1] == w.dims[0] && x.dims[0] == out.dims[0] && w.dims[1] == out.dims[1] ? nullptr : kWrongShape;
}

const char* check_csr_matmul_transposed(const Call& call) {
  if (const char* error = check_types(call)) return error;
  const Operand &x = call.inputs[0], &g = call.inputs[1], &out = call.output;
  return x.dims[0] == g.dims[0] && x.dims[1] == out.dims[0] && g.dims[1] == out.dims[1] ? nullptr : kWrongShape;
}

constexpr Kernel rows[] = {
    {"csr_matmul", 2, 0, check_csr_matmul, csr_matmul_kernel<float>, csr_matmul_kernel<double>, split_output_rows},
    {"csr_matmul_transposed", 2, 0, check_csr_matmul_transposed, csr_matmul_transposed_kernel<float>,
     csr_matmul_transposed_kernel<double>, split_sparse_transposed},
};

}  // namespace

const KernelTable sparse_table{rows, sizeof(rows) / sizeof(rows[0])};

}  // namespace rosenblatt::ROSENBLATT_ISA
