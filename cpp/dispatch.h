// Chooses the kernels for the instruction set of this processor, once, when the module is loaded.
#pragma once

#include <string>
#include <vector>

#include "kernel.h"

namespace rosenblatt {

struct KernelSet {
  std::string level;            // "v2", "v3", "v4", "neon" or "base"
  std::vector<Kernel> kernels;  // a kernel's position is its opcode
};

// The compiled levels that this processor can run, lowest first.
std::vector<std::string> available_levels();

// The kernels of the highest level, or of the one in ROSENBLATT_ISA. Throws std::invalid_argument if it cannot run
// here.
const KernelSet& kernel_set();

}  // namespace rosenblatt
