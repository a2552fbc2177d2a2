// Lists the kernel tables of one instruction set. The position of a kernel in the joined list is its opcode.
#include "kernels/tables.h"

namespace rosenblatt::ROSENBLATT_ISA {

extern const KernelTable* const all_tables[];
extern const int n_tables;

const KernelTable* const all_tables[] = {
    &gemm_table,   &sparse_table, &elementwise_table, &reduce_table, &shape_table,
    &gather_table, &loss_table,   &random_table,      &update_table,
};
const int n_tables = sizeof(all_tables) / sizeof(all_tables[0]);

}  // namespace rosenblatt::ROSENBLATT_ISA
