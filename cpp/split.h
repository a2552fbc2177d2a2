// How the work of a kernel is cut into parts for threads.
//
// Goes in: a call whose operands are copies, the number of a part and of all parts. Comes out: the call of that part,
// whose operands are narrowed to what it reads and writes. Every element of an output is computed by exactly one part,
// by the same operations as in the whole: that is the kernels' promise, and the cuts keep to where it holds.
#pragma once

#include "kernel.h"

namespace rosenblatt {

struct Range {
  std::int64_t first, last;
};

// Part `part` of n things; parts of many things begin at multiples of 16, where cache lines do.
Range cut(std::int64_t n, int part, int n_parts);

// Rows [first, last) of an operand with at least one axis.
void take_rows(Operand& x, Range rows);

// All return false where nothing is left for this part or the call cannot be cut.
// Rows of the output and, as broadcasting has it, of the operands with its rank and its first dimension.
bool split_rows(Call& call, Operand* inputs, int part, int n_parts);
// Rows of the output and of every operand with an axis.
bool split_all_rows(Call& call, Operand* inputs, int part, int n_parts);
// Rows of the output alone; the kernel finds its place by first_row.
bool split_output_rows(Call& call, Operand* inputs, int part, int n_parts);
// As split_rows, for a call without output whose first input is updated.
bool split_update(Call& call, Operand* inputs, int part, int n_parts);
// Rows of the output and of the numbers of the rows that are gathered.
bool split_gather(Call& call, Operand* inputs, int part, int n_parts);
// Rows of op(a) b, and of what follows the product by its rows.
bool split_product(Call& call, Operand* inputs, int part, int n_parts);
bool split_dense(Call& call, Operand* inputs, int part, int n_parts);
// A reduction over an axis: the rows that are kept, or columns.
bool split_reduction(Call& call, Operand* inputs, int part, int n_parts);
// Columns of a matrix that is multiplied by transposed sparse rows.
bool split_sparse_transposed(Call& call, Operand* inputs, int part, int n_parts);

}  // namespace rosenblatt
