#include "dispatch.h"

#include <cstdlib>
#include <stdexcept>

namespace rosenblatt {

#define ROSENBLATT_LEVEL(name)                  \
  namespace name {                              \
  extern const KernelTable* const all_tables[]; \
  extern const int n_tables;                    \
  }
#ifdef ROSENBLATT_HAS_v2
ROSENBLATT_LEVEL(v2)
#endif
#ifdef ROSENBLATT_HAS_v3
ROSENBLATT_LEVEL(v3)
#endif
#ifdef ROSENBLATT_HAS_v4
ROSENBLATT_LEVEL(v4)
#endif
#ifdef ROSENBLATT_HAS_neon
ROSENBLATT_LEVEL(neon)
#endif
#ifdef ROSENBLATT_HAS_base
ROSENBLATT_LEVEL(base)
#endif
#undef ROSENBLATT_LEVEL

namespace {

struct Level {
  const char* name;
  const KernelTable* const* tables;
  int n_tables;
  bool supported;
};

std::vector<Level> supported_levels() {
  std::vector<Level> levels;
#ifdef ROSENBLATT_HAS_neon
  levels.push_back({"neon", neon::all_tables, neon::n_tables, true});
#endif
#ifdef ROSENBLATT_HAS_base
  levels.push_back({"base", base::all_tables, base::n_tables, true});
#endif
#if defined(__x86_64__)
  __builtin_cpu_init();
  [[maybe_unused]] const bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
  [[maybe_unused]] const bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                                   __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  [[maybe_unused]] const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                   __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                                   __builtin_cpu_supports("avx512vl");
#endif
#ifdef ROSENBLATT_HAS_v2
  levels.push_back({"v2", v2::all_tables, v2::n_tables, v2});
#endif
#ifdef ROSENBLATT_HAS_v3
  levels.push_back({"v3", v3::all_tables, v3::n_tables, v3});
#endif
#ifdef ROSENBLATT_HAS_v4
  levels.push_back({"v4", v4::all_tables, v4::n_tables, v4});
#endif
  std::erase_if(levels, [](const Level& level) { return !level.supported; });
  return levels;
}

KernelSet load_kernel_set() {
  const std::vector<Level> levels = supported_levels();
  const char* forced = std::getenv("ROSENBLATT_ISA");
  std::string names;
  const Level* chosen = nullptr;
  for (const Level& level : levels) {
    names += (names.empty() ? "" : ", ") + std::string(level.name);
    if (forced == nullptr || *forced == '\0' || level.name == std::string(forced)) chosen = &level;
  }
  if (chosen == nullptr) {
    throw std::invalid_argument(
        forced == nullptr ? std::string("this processor is older than x86-64-v2 (SSE4.2), the oldest supported")
                          : "ROSENBLATT_ISA is '" + std::string(forced) + "'; this processor can run: " + names);
  }
  KernelSet set{chosen->name, {}};
  for (int t = 0; t < chosen->n_tables; ++t) {
    const KernelTable& table = *chosen->tables[t];
    set.kernels.insert(set.kernels.end(), table.rows, table.rows + table.size);
  }
  return set;
}

}  // namespace

std::vector<std::string> available_levels() {
  std::vector<std::string> names;
  for (const Level& level : supported_levels()) names.emplace_back(level.name);
  return names;
}

const KernelSet& kernel_set() {
  // Never destroyed: a daemon thread may still run kernels while the process exits.
  static const KernelSet& set = *new KernelSet(load_kernel_set());
  return set;
}

}  // namespace rosenblatt
