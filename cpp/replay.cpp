// Replays training runs that tools/dump_programs.py wrote, for sanitizers that do not work with a Python interpreter.
// Runs with 1 to 8 threads must give the same bytes. Then several sessions run at once, and some of them are cancelled.
//
// usage: replay FILE...
#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "executor.h"

namespace rosenblatt {
namespace {

using Bytes = std::vector<std::byte>;

// Reads 64-bit integers. An array is its length followed by its elements; other data is its size followed by its bytes.
class Reader {
 public:
  explicit Reader(const char* path) : file_(path, std::ios::binary) {
    if (!file_) throw std::runtime_error(std::string("cannot read ") + path);
  }
  std::int64_t integer() {
    std::int64_t value = 0;
    file_.read(reinterpret_cast<char*>(&value), sizeof value);
    if (!file_) throw std::runtime_error("the file is truncated");
    return value;
  }
  std::size_t length() {
    const std::int64_t value = integer();
    if (value < 0 || value > std::int64_t{1} << 32) throw std::runtime_error("the file has a wrong length");
    return static_cast<std::size_t>(value);
  }
  std::vector<std::int64_t> integers() {
    std::vector<std::int64_t> values(length());
    for (std::int64_t& value : values) value = integer();
    return values;
  }
  std::vector<std::int32_t> int32s() {
    std::vector<std::int32_t> values;
    for (const std::int64_t value : integers()) values.push_back(static_cast<std::int32_t>(value));
    return values;
  }
  Bytes bytes() {
    Bytes data(length());
    file_.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(data.size()));
    return data;
  }

 private:
  std::ifstream file_;
};

std::shared_ptr<const Program> read_program(Reader& in) {
  const auto dtype = static_cast<DType>(in.integer());
  const std::vector<std::int64_t> values = in.integers(), code = in.integers();
  Roles roles;
  roles.inputs = in.int32s();
  roles.slots = in.int32s();
  roles.outputs = in.int32s();
  roles.key = static_cast<std::int32_t>(in.integer());
  roles.inverse_weight = static_cast<std::int32_t>(in.integer());
  roles.weights = static_cast<std::int32_t>(in.integer());
  roles.loss = static_cast<std::int32_t>(in.integer());
  const std::int64_t capacity = in.integer(), persistent = in.integer(), workspace = in.integer();
  return std::make_shared<Program>(dtype, values, code, roles, capacity, persistent, workspace);
}

struct Run {
  std::shared_ptr<const Program> block, update;
  std::int64_t zero_offset, zero_bytes, batch_size, n_rows, n_epochs;
  Bytes persistent, x, y, slots;
  std::int64_t width, n_classes;
};

Run read_run(const char* path) {
  Reader in(path);
  Run run;
  run.block = read_program(in);
  if (in.integer() != 0) run.update = read_program(in);
  run.zero_offset = in.integer();
  run.zero_bytes = in.integer();
  run.batch_size = in.integer();
  run.n_rows = in.integer();
  run.n_epochs = in.integer();
  run.width = in.integer();
  run.n_classes = in.integer();
  run.persistent = in.bytes();
  run.x = in.bytes();
  run.y = in.bytes();
  run.slots = in.bytes();
  return run;
}

std::vector<std::int32_t> labels_of(const Run& run) {
  std::vector<std::int32_t> labels(static_cast<std::size_t>(run.n_rows));
  std::memcpy(labels.data(), run.y.data(), labels.size() * sizeof(std::int32_t));
  return labels;
}

// The persistent memory after the run, or after it was cancelled.
Bytes train(const Run& run, const Session::Interrupted& interrupted) {
  const bool wide = run.block->dtype() == DType::float64;
  const std::int64_t item = wide ? 8 : 4;
  const std::vector<Source> sources{Source::dense(run.x.data(), wide ? SourceType::float64 : SourceType::float32,
                                                  run.n_rows, run.width, run.width * item, item),
                                    Source::codes(labels_of(run), run.n_classes)};
  Buffer memory(run.persistent.size());
  std::memcpy(memory.data(), run.persistent.data(), run.persistent.size());
  TrainOptions options;
  options.batch_size = run.batch_size;
  options.order_rows = run.n_rows;
  options.n_epochs = run.n_epochs;
  options.shuffle = true;
  options.slots = {reinterpret_cast<const double*>(run.slots.data()), run.slots.size() / sizeof(double)};
  Session session(run.block, run.update, run.zero_offset, run.zero_bytes);
  session.train({memory.data(), run.persistent.size()}, sources, options, interrupted);
  return Bytes(memory.data(), memory.data() + run.persistent.size());
}

bool same_for_all_teams(const Run& run, const char* path) {
  Team::set_size(1);
  const Bytes serial = train(run, nullptr);
  for (const Sharing sharing : {Sharing::always, Sharing::measured}) {
    Runner::set_sharing(sharing);
    for (const int n : {2, 3, 4, 8}) {
      Team::set_size(n);
      if (train(run, nullptr) == serial) continue;
      std::fprintf(stderr, "%s: %d threads and one thread give different bytes\n", path, n);
      return false;
    }
  }
  return true;
}

void train_many_at_once(const Run& run) {
  Team::set_size(3);
  Runner::set_sharing(Sharing::always);
  std::atomic<int> n_asked{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] { train(run, [&n_asked, i] { return ++n_asked > 0 && i % 2 == 0; }); });
  }
  for (std::thread& thread : threads) thread.join();
}

int replay(int n_files, char** files) {
  for (int i = 0; i < n_files; ++i) {
    const Run run = read_run(files[i]);
    if (!same_for_all_teams(run, files[i])) return 1;
    train_many_at_once(run);
    std::printf("%s: the same bytes for 1, 2, 3, 4 and 8 threads\n", files[i]);
  }
  return 0;
}

}  // namespace
}  // namespace rosenblatt

int main(int n_arguments, char** arguments) {
  try {
    return rosenblatt::replay(n_arguments - 1, arguments + 1);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
