// Splits the work of a kernel into parts for threads.
//
// Takes a call with copied operands, the index of a part and the number of parts. Narrows the operands to what this
// part reads and writes. Never changes a result: exactly one part computes each element of the output, and the kernels
// guarantee the same operations as in the whole call wherever these functions divide it.
#pragma once

#include "kernel.h"

namespace rosenblatt {

struct Range {
  std::int64_t first, last;
};

// Part `part` of n elements. If there are many, parts begin at multiples of 16, as cache lines do.
Range part_range(std::int64_t n, int part, int n_parts);

// Rows [first, last) of an operand with at least one axis.
void take_rows(Operand& x, Range rows);

// All return false if nothing is left for this part or if the call cannot be split.
// By rows of the output, and of the operands that have its rank and its first dimension (the others broadcast).
bool split_rows(Call& call, Operand* inputs, int part, int n_parts);
// By rows of the output and of every operand that has an axis.
bool split_all_rows(Call& call, Operand* inputs, int part, int n_parts);
// By rows of the output alone; first_row tells the kernel which rows they are.
bool split_output_rows(Call& call, Operand* inputs, int part, int n_parts);
// Like split_rows, for a call without output that updates its first input.
bool split_update(Call& call, Operand* inputs, int part, int n_parts);
// By rows of the output and of the indices of the gathered rows.
bool split_gather(Call& call, Operand* inputs, int part, int n_parts);
// By rows of op(a) b, and of the operands that are applied to the product row by row.
bool split_product(Call& call, Operand* inputs, int part, int n_parts);
bool split_dense(Call& call, Operand* inputs, int part, int n_parts);
// A reduction over an axis: by the remaining rows, or by columns.
bool split_reduction(Call& call, Operand* inputs, int part, int n_parts);
// By columns of a matrix that is multiplied by transposed sparse rows.
bool split_sparse_transposed(Call& call, Operand* inputs, int part, int n_parts);

}  // namespace rosenblatt
