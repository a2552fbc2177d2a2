#include "schedule.h"

#include <algorithm>
#include <limits>

#include "split.h"

namespace rosenblatt {

// A range of bytes that is read or written.
struct Access {
  const std::byte* begin;
  const std::byte* end;
  bool writes;
};

using Accesses = std::vector<Access>;

// One thread's part of a call.
struct Part {
  Call call;
  Accesses accesses;
};

namespace {

constexpr double kBarrier = 100, kBarrierPerThread = 10;  // nanoseconds
constexpr double kPart = 15;                              // nanoseconds of overhead for each part of a call

Access access_of(const Operand& x, bool writes) {
  const auto* begin = static_cast<const std::byte*>(x.data);
  std::int64_t bytes = sizeof(CsrRows);
  if (!x.sparse) {
    const std::int64_t n = x.row_stride != 0 && x.dims[0] > 0 ? (x.dims[0] - 1) * x.row_stride + x.dims[1] : x.size();
    bytes = n * item_bytes(x.dtype);
  }
  return {begin, begin + bytes, writes};
}

void add_accesses(const Call& call, const Kernel& kernel, Accesses& to) {
  for (std::int32_t i = 0; i < call.n_inputs; ++i) to.push_back(access_of(call.inputs[i], i < kernel.n_writes));
  if (call.output.rank >= 0) to.push_back(access_of(call.output, true));
}

bool conflict(const Accesses& a, const Accesses& b) {
  return std::ranges::any_of(a, [&](const Access& x) {
    return std::ranges::any_of(
        b, [&](const Access& y) { return (x.writes || y.writes) && x.begin < y.end && y.begin < x.end; });
  });
}

void append(Accesses& to, const Accesses& more) { to.insert(to.end(), more.begin(), more.end()); }

}  // namespace

// Fills one phase after the other, with barriers between them. Calls are considered in the order of the program. A call
// joins the phase if it depends on no deferred call, and if one thread (or all, each with its part) can make it without
// waiting for another thread's work in this phase. It is deferred as well if a barrier first is predicted to be faster.
class Schedule::Builder {
 public:
  Builder(Schedule& schedule, const Bound& bound, std::span<const double> costs, std::span<void* const> scratch)
      : to_(schedule),
        bound_(bound),
        costs_(costs),
        scratch_(scratch),
        clocks_(scratch.size()),
        phase_(scratch.size()) {
    for (std::size_t i = 0; i < bound.calls.size(); ++i) {
      whole_.emplace_back();
      add_accesses(bound.calls[i], *bound.kernels[i], whole_.back());
      parts_.push_back(parts_of(i));
      pending_.push_back(i);
    }
  }

  void build(std::span<const Operand> inputs) {
    take_prologue(inputs);
    for (int part = 0; part < n_parts(); ++part) {
      for (Operand input : inputs) {
        const Range rows = part_range(input.dims[0], part, n_parts());
        if (input.sparse || rows.first == rows.last) continue;
        take_rows(input, rows);
        phase_[index(part)].push_back(access_of(input, true));
      }
    }
    for (bool empty = inputs.empty(); !pending_.empty(); empty = true) {
      fill_phase(empty);
      if (!pending_.empty()) add_barrier();
    }
    to_.nanoseconds_ = *std::ranges::max_element(clocks_) + barrier_cost();
  }

 private:
  static std::size_t index(int part) { return static_cast<std::size_t>(part); }
  int n_parts() const { return static_cast<int>(scratch_.size()); }
  double barrier_cost() const { return kBarrier + kBarrierPerThread * n_parts(); }

  std::vector<Part> parts_of(std::size_t i) {
    const Call& whole = bound_.calls[i];
    const Kernel& kernel = *bound_.kernels[i];
    std::vector<Part> parts;
    for (int part = 0; part < n_parts() && kernel.split != nullptr; ++part) {
      auto operands = std::make_unique<Operand[]>(static_cast<std::size_t>(whole.n_inputs));
      std::copy_n(whole.inputs, whole.n_inputs, operands.get());
      Call call = whole;
      call.inputs = operands.get();
      call.scratch = scratch_[index(part)];
      if (!kernel.split(call, operands.get(), part, n_parts())) return {};
      parts.push_back({call, {}});
      add_accesses(call, kernel, parts.back().accesses);
      to_.operands_.push_back(std::move(operands));
    }
    return parts;
  }

  // Scalars computed from scalars, such as 1 / rows: all threads read them, and none should wait for them.
  void take_prologue(std::span<const Operand> inputs) {
    Accesses deferred;
    for (const Operand& input : inputs) deferred.push_back(access_of(input, true));  // filled later
    std::vector<std::size_t> left;
    for (const std::size_t i : pending_) {
      const Call& call = bound_.calls[i];
      const bool scalars =
          call.output.rank == 0 && std::all_of(call.inputs, call.inputs + call.n_inputs,
                                               [](const Operand& x) { return x.rank == 0 && !x.sparse; });
      if (scalars && !conflict(whole_[i], deferred)) {
        to_.prologue_.push_back({bound_.functions[i], call});
        for (double& clock : clocks_) clock += costs_[i];
      } else {
        append(deferred, whole_[i]);
        left.push_back(i);
      }
    }
    pending_ = std::move(left);
  }

  // If the phase is empty, it must take at least one call. A phase that fills inputs may take none.
  void fill_phase(bool empty) {
    Accesses deferred;
    std::vector<std::size_t> left;
    for (const std::size_t i : pending_) {
      if (!conflict(whole_[i], deferred) && try_add(i, empty)) {
        empty = false;
      } else {
        append(deferred, whole_[i]);
        left.push_back(i);
      }
    }
    pending_ = std::move(left);
  }

  // Whether this part would have to wait for the work of another thread in this phase.
  bool waits(const Accesses& accesses, int part) const {
    for (int other = 0; other < n_parts(); ++other) {
      if (other != part && conflict(accesses, phase_[index(other)])) return true;
    }
    return false;
  }

  // Adds call i to the phase, if that is possible and not slower than a barrier first.
  bool try_add(std::size_t i, bool must) {
    const double latest = *std::ranges::max_element(clocks_);
    const double shared = costs_[i] / n_parts() + kPart;
    double best = must ? std::numeric_limits<double>::infinity()
                       : latest + barrier_cost() + (parts_[i].empty() ? costs_[i] : std::min(shared, costs_[i]));
    int chosen = -1;
    for (int part = 0; part < n_parts(); ++part) {
      const double end = std::max(clocks_[index(part)] + costs_[i], latest);
      if (end < best && !waits(whole_[i], part)) {
        best = end;
        chosen = part;
      }
    }
    // Prefer to split the call: each thread can then continue with its own part, where a whole call needs a barrier.
    if (!parts_[i].empty() && latest + shared < best + barrier_cost()) {
      bool possible = true;
      for (int part = 0; part < n_parts() && possible; ++part) possible = !waits(parts_[i][index(part)].accesses, part);
      if (possible) {
        add_split(i, shared);
        return true;
      }
    }
    if (chosen < 0) return false;
    add_whole(i, chosen);
    return true;
  }

  void add_split(std::size_t i, double cost) {
    for (int part = 0; part < n_parts(); ++part) {
      const Part& own = parts_[i][index(part)];
      to_.items_[index(part)].push_back({bound_.functions[i], own.call});
      append(phase_[index(part)], own.accesses);
      clocks_[index(part)] += cost;
    }
  }

  void add_whole(std::size_t i, int part) {
    Call call = bound_.calls[i];
    call.scratch = scratch_[index(part)];
    to_.items_[index(part)].push_back({bound_.functions[i], call});
    append(phase_[index(part)], whole_[i]);
    clocks_[index(part)] += costs_[i];
  }

  void add_barrier() {
    const double latest = *std::ranges::max_element(clocks_) + barrier_cost();
    for (int part = 0; part < n_parts(); ++part) {
      to_.items_[index(part)].push_back({nullptr, {}});
      phase_[index(part)].clear();
      clocks_[index(part)] = latest;
    }
  }

  Schedule& to_;
  const Bound& bound_;
  std::span<const double> costs_;
  std::span<void* const> scratch_;
  std::vector<double> clocks_;   // the time at which each thread has finished its calls so far
  std::vector<Accesses> phase_;  // of each thread, in this phase
  std::vector<Accesses> whole_;  // of each call
  std::vector<std::vector<Part>> parts_;
  std::vector<std::size_t> pending_;
};

Schedule::Schedule(const Bound& bound, std::span<const double> costs, std::span<const Operand> inputs,
                   std::span<void* const> scratch)
    : n_parts_(static_cast<int>(scratch.size())), items_(scratch.size()) {
  Builder(*this, bound, costs, scratch).build(inputs);
}

void Schedule::run_prologue() const {
  for (const Item& item : prologue_) item.function(item.call);
}

void Schedule::run(int part, Team& team) const {
  for (const Item& item : items_[static_cast<std::size_t>(part)]) {
    if (item.function != nullptr) {
      item.function(item.call);
    } else {
      team.barrier(part, n_parts_);
    }
  }
}

}  // namespace rosenblatt
