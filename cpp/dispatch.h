// Which instruction set's kernels this process uses: chosen once, at load.
#pragma once

#include <string>
#include <vector>

#include "kernel.h"

namespace rosenblatt {

struct KernelSet {
  std::string level;            // "v2", "v3", "v4" or "base"
  std::vector<Kernel> kernels;  // a kernel's place is its opcode
};

// The levels that were compiled in and that this processor can run, lowest first.
std::vector<std::string> available_levels();

// The best level, or the one named in ROSENBLATT_ISA. Throws std::invalid_argument if that one cannot run here.
const KernelSet& kernel_set();

}  // namespace rosenblatt
