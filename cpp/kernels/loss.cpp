// Losses, one number per row or element, the gradients that are cheaper in a single pass, and the softmax.
//
// `clip` is scikit-learn's: a probability is clipped to [clip, 1 - clip] before its logarithm is taken; 0 selects the
// exact form from logits. Class labels are below the number of classes: the kernels declare it as their index bound.
#include "kernels/softmax.h"
#include "kernels/tables.h"
#include "split.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

using Index = std::int64_t;

template <class T>
inline Vec<T> clipped(Vec<T> p, T low, T high) {
  return at_most<T>(at_least<T>(p, low), high);
}

template <class T>
void softmax_kernel(const Call& call) {
  const Index n_rows = call.output.dims[0], n = call.output.dims[1];
  const T* x = data_of<const T>(call.inputs[0]);
  T* out = data_of<T>(call.output);
  if (n <= kNarrow) {
    return for_narrow_rows<T>(n_rows, n, x, [=](Index first, NarrowRows<T>& rows) {
      const Vec<T> sum = rows.take_exponentials(rows.largest_logits());
      for (Index j = 0; j < n; ++j) rows.put(j, rows.get(j) / sum);
      rows.write(out + first * n);
    });
  }
  for (Index row = 0; row < n_rows; ++row, x += n, out += n) softmax_row<T>(n, x, out);
}

// For a vector of rows: the sums of the exponentials, and the logit of the right class minus the largest logit.
template <class T>
struct RowSums {
  T sum[kLanes<T>] = {}, logit[kLanes<T>] = {};
};

template <class T>
inline RowSums<T> narrow_sums(NarrowRows<T>& rows, const std::int32_t* labels) {
  RowSums<T> sums;
  const Vec<T> top = rows.largest_logits();
  for (int i = 0; i < rows.n_rows; ++i) sums.logit[i] = rows.column[labels[i]][i];
  store<T>(sums.logit, load<T>(sums.logit) - top);
  store<T>(sums.sum, rows.take_exponentials(top));
  return sums;
}

template <class T>
inline RowSums<T> wide_sums(Index n_rows, Index n, const T* x, const std::int32_t* labels) {
  RowSums<T> sums;
  for (Index i = 0; i < n_rows; ++i, x += n) {
    const Vec<T> top = largest<T>(n, x);
    sums.sum[i] = exponentials<T>(n, x, top, [](Index, auto, Vec<T>) {})[0];
    sums.logit[i] = x[labels[i]] - top[0];
  }
  return sums;
}

template <class T>
void class_loss_kernel(const Call& call) {
  const Index n_rows = call.inputs[0].dims[0], n = call.inputs[0].dims[1];
  const T* x = data_of<const T>(call.inputs[0]);
  const std::int32_t* labels = data_of<const std::int32_t>(call.inputs[1]);
  T* out = data_of<T>(call.output);
  const double clip = attr_double(call.attrs[0]);
  const T low = static_cast<T>(clip), high = static_cast<T>(1 - clip);
  const auto finish = [=](Index first, Index count, const RowSums<T>& sums) {
    const Vec<T> sum = load<T>(sums.sum), logit = load<T>(sums.logit);
    const Vec<T> loss = clip > 0 ? -log<T>(clipped<T>(exp<T>(logit) / sum, low, high)) : log<T>(sum) - logit;
    store_n<T>(out + first, loss, static_cast<int>(count));
  };
  if (n <= kNarrow) {
    return for_narrow_rows<T>(n_rows, n, x, [=](Index first, NarrowRows<T>& rows) {
      finish(first, rows.n_rows, narrow_sums<T>(rows, labels + first));
    });
  }
  for (Index first = 0; first < n_rows; first += kLanes<T>) {
    const Index count = n_rows - first < kLanes<T> ? n_rows - first : kLanes<T>;
    finish(first, count, wide_sums<T>(count, n, x + first * n, labels + first));
  }
}

template <class T>
void class_grad_narrow(Index n_rows, Index n, const T* x, const std::int32_t* labels, const T* g, T* out) {
  for_narrow_rows<T>(n_rows, n, x, [=](Index first, NarrowRows<T>& rows) {
    T right[kLanes<T>] = {};  // the labels, converted to the type of the lanes
    for (int i = 0; i < rows.n_rows; ++i) right[i] = static_cast<T>(labels[first + i]);
    const Vec<T> label = load<T>(right), factor = load_n<T>(g + first, rows.n_rows);
    const Vec<T> sum = rows.take_exponentials(rows.largest_logits());
    for (Index j = 0; j < n; ++j) {
      const Vec<T> onehot = label == static_cast<T>(j) ? broadcast(T(1)) : Vec<T>{};
      rows.put(j, (rows.get(j) / sum - onehot) * factor);
    }
    rows.write(out + first * n);
  });
}

// g (softmax - onehot)
template <class T>
void class_grad_kernel(const Call& call) {
  const Index n_rows = call.output.dims[0], n = call.output.dims[1];
  const T *x = data_of<const T>(call.inputs[0]), *g = data_of<const T>(call.inputs[2]);
  const std::int32_t* labels = data_of<const std::int32_t>(call.inputs[1]);
  T* out = data_of<T>(call.output);
  if (n <= kNarrow) return class_grad_narrow<T>(n_rows, n, x, labels, g, out);
  for (Index row = 0; row < n_rows; ++row, x += n, out += n) {
    const Vec<T> top = largest<T>(n, x), factor = broadcast(g[row]);
    const Vec<T> sum = exponentials<T>(n, x, top, [=](Index i, auto size, Vec<T> e) { size.put(out + i, e); });
    const T at_label = out[labels[row]] / sum[0] - T(1);
    for_vectors<T>(n, [=](Index i, auto size) { size.put(out + i, size.get(out + i) / sum * factor); });
    out[labels[row]] = at_label * g[row];
  }
}

// From probabilities: -log p[label], and g (p - onehot).
template <class T>
void picked_loss_kernel(const Call& call) {
  const Index n_rows = call.output.dims[0], n = call.inputs[0].dims[1];
  const T* p = data_of<const T>(call.inputs[0]);
  const std::int32_t* labels = data_of<const std::int32_t>(call.inputs[1]);
  T* out = data_of<T>(call.output);
  const double clip = attr_double(call.attrs[0]);
  const T low = static_cast<T>(clip), high = static_cast<T>(1 - clip);
  for (Index first = 0; first < n_rows; first += kLanes<T>) {
    const auto count = static_cast<int>(n_rows - first < kLanes<T> ? n_rows - first : kLanes<T>);
    T picked[kLanes<T>] = {};
    for (int i = 0; i < count; ++i) picked[i] = p[(first + i) * n + labels[first + i]];
    store_n<T>(out + first, -log<T>(clipped<T>(load<T>(picked), low, high)), count);
  }
}

template <class T>
void picked_grad_kernel(const Call& call) {
  const Index n_rows = call.output.dims[0], n = call.output.dims[1];
  const T *p = data_of<const T>(call.inputs[0]), *g = data_of<const T>(call.inputs[2]);
  const std::int32_t* labels = data_of<const std::int32_t>(call.inputs[1]);
  T* out = data_of<T>(call.output);
  for (Index row = 0; row < n_rows; ++row, p += n, out += n) {
    const T at_label = (p[labels[row]] - T(1)) * g[row];
    const Vec<T> factor = broadcast(g[row]);
    for_vectors<T>(n, [=](Index i, auto size) { size.put(out + i, size.get(p + i) * factor); });
    out[labels[row]] = at_label;
  }
}

// -sum(targets * log softmax)
template <class T>
inline T soft_loss_row(Index n, const T* x, const T* targets, T low, T high) {
  const Vec<T> top = largest<T>(n, x);
  const Vec<T> sum = exponentials<T>(n, x, top, [](Index, auto, Vec<T>) {}), log_sum = log<T>(sum);
  Vec<T> loss{};
  for_vectors<T>(n, [&](Index i, auto size) {
    const Vec<T> logit = size.get(x + i) - top, t = size.get(targets + i);
    const Vec<T> minus_log = low > 0 ? -log<T>(clipped<T>(exp<T>(logit) / sum, low, high)) : log_sum - logit;
    Vec<T> term = t * minus_log;
    if constexpr (std::is_same_v<decltype(size), Part<T>>) term = first_lanes<T>(term, size.n, Vec<T>{});
    loss += term;
  });
  return sum_of_lanes<T>(loss)[0];
}

template <class T>
void soft_loss_kernel(const Call& call) {
  const Operand& logits = call.inputs[0];
  const Index n_rows = logits.dims[0], n = logits.dims[1];
  const T *x = data_of<const T>(logits), *targets = data_of<const T>(call.inputs[1]);
  T* out = data_of<T>(call.output);
  const double clip = attr_double(call.attrs[0]);
  const T low = static_cast<T>(clip), high = static_cast<T>(1 - clip);
  for (Index row = 0; row < n_rows; ++row) out[row] = soft_loss_row<T>(n, x + row * n, targets + row * n, low, high);
}

// g (softmax sum(targets) - targets)
template <class T>
void soft_grad_kernel(const Call& call) {
  const Index n_rows = call.output.dims[0], n = call.output.dims[1];
  const T *x = data_of<const T>(call.inputs[0]), *targets = data_of<const T>(call.inputs[1]);
  const T* g = data_of<const T>(call.inputs[2]);
  T* out = data_of<T>(call.output);
  for (Index row = 0; row < n_rows; ++row, x += n, out += n, targets += n) {
    softmax_row<T>(n, x, out);
    Vec<T> part{};
    for_vectors<T>(n, [&](Index i, auto size) { part += size.get(targets + i); });
    const Vec<T> total = sum_of_lanes<T>(part), factor = broadcast(g[row]);
    for_vectors<T>(n, [=](Index i, auto size) {
      size.put(out + i, factor * (size.get(out + i) * total - size.get(targets + i)));
    });
  }
}

template <class T>
void logistic_loss_kernel(const Call& call) {
  const T *x = data_of<const T>(call.inputs[0]), *targets = data_of<const T>(call.inputs[1]);
  T* out = data_of<T>(call.output);
  const double clip = attr_double(call.attrs[0]);
  const T low = static_cast<T>(clip), high = static_cast<T>(1 - clip);
  if (clip > 0) {
    return for_vectors<T>(call.output.size(), [=](Index i, auto size) {
      const Vec<T> t = size.get(targets + i), p = clipped<T>(logistic<T>(size.get(x + i)), low, high);
      size.put(out + i, -(t * log<T>(p) + (T(1) - t) * log<T>(T(1) - p)));
    });
  }
  for_vectors<T>(call.output.size(), [=](Index i, auto size) {
    // log(1 + exp(x)) - t x, without subtracting t x from x for a positive x.
    const Vec<T> logit = size.get(x + i), t = size.get(targets + i), magnitude = absolute<T>(logit);
    const Vec<T> large = magnitude * (logit < T(0) ? t : T(1) - t);
    size.put(out + i, large + log1p_finite<T>(exp<T>(-magnitude)));
  });
}

struct LogisticGrad {
  template <class T>
  static Vec<T> apply(Vec<T> logits, Vec<T> targets, Vec<T> g) {
    return g * (logistic<T>(logits) - targets);
  }
};
struct SquaredError {
  template <class T>
  static Vec<T> apply(Vec<T> prediction, Vec<T> target) {
    const Vec<T> error = prediction - target;
    return error * error;
  }
};
// Half the Poisson deviance with p = exp(z): y log(y / p) - y + p.
struct PoissonLoss {
  template <class T>
  static Vec<T> apply(Vec<T> z, Vec<T> y) {
    const Vec<T> log_y = log<T>(y > T(0) ? y : broadcast(T(1)));
    return y * log_y - y * z - y + exp<T>(z);
  }
};

bool is_clip(std::int64_t bits) {
  const double clip = attr_double(bits);
  return clip >= 0 && clip < 0.5;
}

const char* check_softmax(const Call& call) {
  if (const char* error = check_same_shape<1>(call)) return error;
  return call.output.rank == 2 && call.output.dims[1] >= 1 ? nullptr : "logits must have the shape [m, k] with k >= 1";
}

// Logits [m, k], k >= 1, with labels int32[m] or targets of the same shape as the logits.
template <bool kSoft>
const char* check_logits(const Call& call) {
  const Operand &logits = call.inputs[0], &targets = call.inputs[1];
  if (!one_float_type(call, 0, kSoft ? 2 : 1)) return kWrongType;
  if (logits.rank != 2 || logits.dims[1] < 1) return "logits must have the shape [m, k] with k >= 1";
  if (kSoft) return same_shape(logits, targets) ? nullptr : kWrongShape;
  return is_indices(targets, logits.dims[0]) ? nullptr : "labels must be int32, one for each row";
}

template <bool kSoft>
const char* check_loss(const Call& call) {
  if (const char* error = check_logits<kSoft>(call)) return error;
  if (!is_clip(call.attrs[0])) return kWrongAttribute;
  return call.output.rank == 1 && call.output.dims[0] == call.inputs[0].dims[0] ? nullptr : kWrongOutput;
}

template <bool kSoft>
const char* check_grad(const Call& call) {
  if (const char* error = check_logits<kSoft>(call)) return error;
  const Operand &logits = call.inputs[0], &g = call.inputs[2];
  if (!is_dense(g, logits.dtype)) return kWrongType;
  if (g.rank != 1 || g.dims[0] != logits.dims[0]) return kWrongShape;
  return same_shape(logits, call.output) ? nullptr : kWrongOutput;
}

const char* check_logistic_loss(const Call& call) {
  if (const char* error = check_same_shape<2>(call)) return error;
  return is_clip(call.attrs[0]) ? nullptr : kWrongAttribute;
}

Index n_classes(const Call& call) { return call.inputs[0].dims[1]; }

constexpr Kernel rows[] = {
    {"softmax", 1, 0, check_softmax, softmax_kernel<float>, softmax_kernel<double>, split_rows},
    {"softmax_cross_entropy", 2, 1, check_loss<false>, class_loss_kernel<float>, class_loss_kernel<double>,
     split_all_rows, 0, n_classes},
    {"softmax_cross_entropy_grad", 3, 0, check_grad<false>, class_grad_kernel<float>, class_grad_kernel<double>,
     split_all_rows, 0, n_classes},
    {"picked_cross_entropy", 2, 1, check_loss<false>, picked_loss_kernel<float>, picked_loss_kernel<double>,
     split_all_rows, 0, n_classes},
    {"picked_cross_entropy_grad", 3, 0, check_grad<false>, picked_grad_kernel<float>, picked_grad_kernel<double>,
     split_all_rows, 0, n_classes},
    {"softmax_cross_entropy_soft", 2, 1, check_loss<true>, soft_loss_kernel<float>, soft_loss_kernel<double>,
     split_all_rows},
    {"softmax_cross_entropy_soft_grad", 3, 0, check_grad<true>, soft_grad_kernel<float>, soft_grad_kernel<double>,
     split_all_rows},
    {"logistic_cross_entropy", 2, 1, check_logistic_loss, logistic_loss_kernel<float>, logistic_loss_kernel<double>,
     split_rows},
    same_shape_row<LogisticGrad, 3>("logistic_cross_entropy_grad"),
    same_shape_row<SquaredError, 2>("squared_error"),
    same_shape_row<PoissonLoss, 2>("poisson_loss"),
};

}  // namespace

const KernelTable loss_table{rows, sizeof(rows) / sizeof(rows[0])};

}  // namespace rosenblatt::ROSENBLATT_ISA
