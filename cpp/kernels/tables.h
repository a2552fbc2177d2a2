// The table of each kernel family, once per instruction set: the namespace is the name of the level (v2, v3, v4, neon, base).
#pragma once

#include "kernel.h"

namespace rosenblatt::ROSENBLATT_ISA {

extern const KernelTable gemm_table;
extern const KernelTable sparse_table;
extern const KernelTable elementwise_table;
extern const KernelTable reduce_table;
extern const KernelTable shape_table;
extern const KernelTable gather_table;
extern const KernelTable loss_table;
extern const KernelTable random_table;
extern const KernelTable update_table;

}  // namespace rosenblatt::ROSENBLATT_ISA
