// Joins the families' tables of one instruction set into one list of kernels; a kernel's place in it is its opcode.
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
