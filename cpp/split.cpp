#include "split.h"

namespace rosenblatt {

namespace {

constexpr std::int64_t kMany = 1024;  // from here on, parts of at least 2 * kMultiple begin at multiples of it
constexpr std::int64_t kMultiple = 16;
constexpr std::int64_t kWide = 64;  // from this many columns on, a reduction treats each column in the same way

std::int64_t item_size(const Operand& x) { return x.dtype == DType::float64 ? 8 : 4; }

void advance(Operand& x, std::int64_t elements) { x.data = static_cast<std::byte*>(x.data) + elements * item_size(x); }

void take_columns(Operand& x, Range columns) {
  if (x.row_stride == 0) x.row_stride = x.dims[1];
  x.dims[1] = columns.last - columns.first;
  advance(x, columns.first);
}

// Narrows the output to the part's rows. Returns false if there are none.
bool take_output_rows(Call& call, int part, int n_parts, Range& rows) {
  if (call.output.rank < 1) return false;
  rows = part_range(call.output.dims[0], part, n_parts);
  if (rows.first == rows.last) return false;
  take_rows(call.output, rows);
  call.first_row = rows.first;
  return true;
}

}  // namespace

Range part_range(std::int64_t n, int part, int n_parts) {
  const auto edge = [=](int p) {
    if (p == n_parts) return n;
    const std::int64_t at = n / n_parts * p + n % n_parts * p / n_parts;
    return n >= kMany && n / n_parts >= 2 * kMultiple ? at / kMultiple * kMultiple : at;
  };
  return {edge(part), edge(part + 1)};
}

void take_rows(Operand& x, Range rows) {
  std::int64_t row = 1;
  for (int d = 1; d < x.rank; ++d) row *= x.dims[d];
  x.dims[0] = rows.last - rows.first;
  advance(x, rows.first * row);
}

bool split_rows(Call& call, Operand* inputs, int part, int n_parts) {
  const Operand whole = call.output;
  Range rows;
  if (!take_output_rows(call, part, n_parts, rows)) return false;
  for (int i = 0; i < call.n_inputs; ++i) {
    Operand& x = inputs[i];
    if (!x.sparse && x.rank == whole.rank && x.dims[0] == whole.dims[0]) take_rows(x, rows);
  }
  return true;
}

bool split_all_rows(Call& call, Operand* inputs, int part, int n_parts) {
  Range rows;
  if (!take_output_rows(call, part, n_parts, rows)) return false;
  for (int i = 0; i < call.n_inputs; ++i) {
    if (inputs[i].rank >= 1) take_rows(inputs[i], rows);
  }
  return true;
}

bool split_output_rows(Call& call, Operand*, int part, int n_parts) {
  Range rows;
  return take_output_rows(call, part, n_parts, rows);
}

bool split_update(Call& call, Operand* inputs, int part, int n_parts) {
  const std::int64_t n = inputs[0].dims[0];
  if (inputs[0].rank < 1) return false;
  const Range rows = part_range(n, part, n_parts);
  if (rows.first == rows.last) return false;
  for (int i = 0; i < call.n_inputs; ++i) {
    if (inputs[i].rank >= 1) take_rows(inputs[i], rows);
  }
  return true;
}

bool split_gather(Call& call, Operand* inputs, int part, int n_parts) {
  Range rows;
  if (!take_output_rows(call, part, n_parts, rows)) return false;
  take_rows(inputs[kIndexOperand], rows);
  return true;
}

bool split_product(Call& call, Operand* inputs, int part, int n_parts) {
  Range rows;
  if (!take_output_rows(call, part, n_parts, rows)) return false;
  if (call.attrs[0] != 0) {
    take_columns(inputs[0], rows);
  } else {
    take_rows(inputs[0], rows);
  }
  if (call.n_inputs > 2) take_rows(inputs[2], rows);
  return true;
}

bool split_dense(Call& call, Operand* inputs, int part, int n_parts) {
  Range rows;
  if (!take_output_rows(call, part, n_parts, rows)) return false;
  take_rows(inputs[0], rows);
  return true;
}

bool split_reduction(Call& call, Operand* inputs, int part, int n_parts) {
  Operand& x = inputs[0];
  const std::int64_t axis = call.attrs[0];
  Range range;
  if (axis > 0) {
    if (!take_output_rows(call, part, n_parts, range)) return false;
    take_rows(x, range);
    return true;
  }
  if (axis != 0 || x.rank != 2 || x.dims[1] < kWide) return false;
  range = part_range(x.dims[1], part, n_parts);
  if (range.first == range.last) return false;
  take_columns(x, range);
  advance(call.output, range.first);
  call.output.dims[call.output.rank - 1] = range.last - range.first;
  return true;
}

bool split_sparse_transposed(Call& call, Operand* inputs, int part, int n_parts) {
  const Range columns = part_range(call.output.dims[1], part, n_parts);
  if (columns.first == columns.last) return false;
  take_columns(inputs[1], columns);
  take_columns(call.output, columns);
  return true;
}

}  // namespace rosenblatt
