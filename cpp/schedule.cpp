#include "schedule.h"

#include <algorithm>
#include <limits>

#include "split.h"

namespace rosenblatt {

namespace {

constexpr double kMeeting = 100, kMeetingEach = 10;  // nanoseconds, for all and for each thread
constexpr double kPart = 15;                         // what a part costs beyond its share of the whole

// Bytes that are read or written.
struct Access {
  const std::byte* begin;
  const std::byte* end;
  bool writes;
};

Access access_of(const Operand& x, bool writes) {
  const auto* begin = static_cast<const std::byte*>(x.data);
  std::int64_t bytes = sizeof(CsrRows);
  if (!x.sparse) {
    const std::int64_t n = x.row_stride != 0 && x.dims[0] > 0 ? (x.dims[0] - 1) * x.row_stride + x.dims[1] : x.size();
    bytes = n * item_bytes(x.dtype);
  }
  return {begin, begin + bytes, writes};
}

using Accesses = std::vector<Access>;

void add_accesses(const Call& call, const Kernel& kernel, Accesses& to) {
  for (std::int32_t i = 0; i < call.n_inputs; ++i) to.push_back(access_of(call.inputs[i], i < kernel.n_writes));
  if (call.output.rank >= 0) to.push_back(access_of(call.output, true));
}

bool conflict(const Accesses& a, const Accesses& b) {
  return std::ranges::any_of(a, [&](const Access& x) {
    return std::ranges::any_of(b, [&](const Access& y) {
      return (x.writes || y.writes) && x.begin < y.end && y.begin < x.end;
    });
  });
}

void append(Accesses& to, const Accesses& more) { to.insert(to.end(), more.begin(), more.end()); }

// What one thread does of a call.
struct Part {
  Call call;
  Accesses accesses;
};

}  // namespace

// Fills phases, between which the threads meet, one after the other: in the order of the program each call joins the
// phase if no call before it was put off that it must wait for, and if a thread (or all, each with its part) can make
// it without waiting for another's work in this phase. It is put off too if meeting first promises to be quicker.
class Schedule::Builder {
 public:
  Builder(Schedule& schedule, const Bound& bound, std::span<const double> costs, std::span<void* const> scratch)
      : to_(schedule), bound_(bound), costs_(costs), scratch_(scratch), clocks_(scratch.size()), phase_(scratch.size()) {
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
        const Range rows = cut(input.dims[0], part, n_parts());
        if (input.sparse || rows.first == rows.last) continue;
        take_rows(input, rows);
        phase_[index(part)].push_back(access_of(input, true));
      }
    }
    for (bool empty = inputs.empty(); !pending_.empty(); empty = true) {
      fill_phase(empty);
      if (!pending_.empty()) meet();
    }
    to_.nanoseconds_ = *std::ranges::max_element(clocks_) + meeting();
  }

 private:
  static std::size_t index(int part) { return static_cast<std::size_t>(part); }
  int n_parts() const { return static_cast<int>(scratch_.size()); }
  double meeting() const { return kMeeting + kMeetingEach * n_parts(); }

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

  // Numbers that are made of numbers alone, such as 1 / rows: all threads read them, none should wait for them.
  void take_prologue(std::span<const Operand> inputs) {
    Accesses put_off;
    for (const Operand& input : inputs) put_off.push_back(access_of(input, true));  // filled later
    std::vector<std::size_t> left;
    for (const std::size_t i : pending_) {
      const Call& call = bound_.calls[i];
      const bool scalars = call.output.rank == 0 && std::all_of(call.inputs, call.inputs + call.n_inputs, [](const Operand& x) {
        return x.rank == 0 && !x.sparse;
      });
      if (scalars && !conflict(whole_[i], put_off)) {
        to_.prologue_.push_back({bound_.functions[i], call});
        for (double& clock : clocks_) clock += costs_[i];
      } else {
        append(put_off, whole_[i]);
        left.push_back(i);
      }
    }
    pending_ = std::move(left);
  }

  // An empty phase takes at least one call; one that began with the filling of inputs need not.
  void fill_phase(bool empty) {
    Accesses put_off;
    std::vector<std::size_t> left;
    for (const std::size_t i : pending_) {
      if (!conflict(whole_[i], put_off) && place(i, empty)) {
        empty = false;
      } else {
        append(put_off, whole_[i]);
        left.push_back(i);
      }
    }
    pending_ = std::move(left);
  }

  // Whether a thread that works on these bytes now would have to wait for another one's work in this phase.
  bool waits(const Accesses& accesses, int part) const {
    for (int other = 0; other < n_parts(); ++other) {
      if (other != part && conflict(accesses, phase_[index(other)])) return true;
    }
    return false;
  }

  // Puts call i into the phase, if that is possible and not slower than to meet first.
  bool place(std::size_t i, bool must) {
    const double latest = *std::ranges::max_element(clocks_);
    const double shared = costs_[i] / n_parts() + kPart;
    double best = must ? std::numeric_limits<double>::infinity()
                       : latest + meeting() + (parts_[i].empty() ? costs_[i] : std::min(shared, costs_[i]));
    int chosen = -1;
    for (int part = 0; part < n_parts(); ++part) {
      const double end = std::max(clocks_[index(part)] + costs_[i], latest);
      if (end < best && !waits(whole_[i], part)) {
        best = end;
        chosen = part;
      }
    }
    // Rather each thread its part: it can then go on with it, where else the threads would have to meet.
    if (!parts_[i].empty() && latest + shared < best + meeting()) {
      bool possible = true;
      for (int part = 0; part < n_parts() && possible; ++part) possible = !waits(parts_[i][index(part)].accesses, part);
      if (possible) {
        share(i, shared);
        return true;
      }
    }
    if (chosen < 0) return false;
    give(i, chosen);
    return true;
  }

  void share(std::size_t i, double cost) {
    for (int part = 0; part < n_parts(); ++part) {
      const Part& own = parts_[i][index(part)];
      to_.items_[index(part)].push_back({bound_.functions[i], own.call});
      append(phase_[index(part)], own.accesses);
      clocks_[index(part)] += cost;
    }
  }

  void give(std::size_t i, int part) {
    Call call = bound_.calls[i];
    call.scratch = scratch_[index(part)];
    to_.items_[index(part)].push_back({bound_.functions[i], call});
    append(phase_[index(part)], whole_[i]);
    clocks_[index(part)] += costs_[i];
  }

  void meet() {
    const double latest = *std::ranges::max_element(clocks_) + meeting();
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
  std::vector<double> clocks_;       // when each thread is done with what it has
  std::vector<Accesses> phase_;      // of each thread
  std::vector<Accesses> whole_;      // of each call
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
      team.meet(part, n_parts_);
    }
  }
}

}  // namespace rosenblatt
