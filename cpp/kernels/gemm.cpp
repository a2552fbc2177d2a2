// Matrix products: C = op(A) op(B), row-major, for all four transposes.
//
// Small operands are read in place; larger ones are copied into scratch, block by block. If C has very few
// columns, the vectors run along k (gemm_dot.h) or along the rows of C (multiply_columns_first) instead of its columns.
//
// The sequence of operations for an element of C depends on the inner size, the number of columns, the transposes and
// the instruction set. It never depends on the number of rows or on the position of the element: a row gives the same
// result alone and among a thousand. A Product may be any rectangle of C, so threads can divide it by rows.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/gemm_dot.h"
#include "kernels/gemm_pack.h"
#include "kernels/gemm_tile.h"
#include "kernels/tables.h"
#include "simd.h"
#include "split.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

constexpr Index kDepth = 256;         // the longest chain of multiply-adds along k, see depth_block
constexpr Index kBytesA = 384 << 10;  // scratch for copies of A; the rest holds copies of B
constexpr Index kBytesB = 512 << 10;
static_assert(kBytesA + kBytesB <= static_cast<Index>(kScratchBytes));

// The elements in a copy, and the rows of A in a block: few enough to leave most of the L2 cache to B.
template <class T>
constexpr Index kRoomA = kBytesA / static_cast<Index>(sizeof(T));
template <class T>
constexpr Index kRoomB = kBytesB / static_cast<Index>(sizeof(T));
template <class T>
constexpr Index kCopiedRows = 12 * max_rows(2) * 4 / static_cast<Index>(sizeof(T));
constexpr Index copy_stride(Index depth, Index lanes) {
  return round_up(depth, lanes) + lanes;  // avoid powers of two, whose rows collide in the cache
}
static_assert(kCopiedRows<float> * copy_stride(kDepth, kLanes<float>) <= kRoomA<float>);
static_assert(kCopiedRows<double> * copy_stride(kDepth, kLanes<double>) <= kRoomA<double>);

// C = A op(B), where element (i, k) of A is a[i * a_row + k * a_depth]; b_row and c_row are the distances between
// stored rows.
template <class T>
struct Product {
  Index n_rows, n_columns, depth;
  const T* a;
  Index a_row, a_depth;
  const T* b;
  Index b_row;
  bool a_transposed, b_transposed;
  T* c;
  Index c_row;
  bool copy_a, copy_b;
  T* scratch_a;
  T* scratch_b;
  const T* bias = nullptr;  // applied to the product, see Tile
  bool relu = false;
  const T* gate = nullptr;
};

// Splits the inner dimension into nearly equal blocks, by its size alone, because the split affects the rounding.
constexpr Index depth_block(Index depth) {
  return depth <= kDepth ? depth : divide_up(depth, divide_up(depth, kDepth));
}

// A rectangle of C and the range of k to add to it.
struct Block {
  Index row, n_rows, column, n_columns, first, depth;
};

// The number of columns in a panel; if there are few rows, registers are left for more columns.
template <class T>
static inline Index panel_width(const Product<T>& p) {
  return (p.n_rows <= max_rows(kMaxVectors) ? kMaxVectors : 2) * kLanes<T>;
}

template <class T>
static inline void copy_panel(const Product<T>& p, Index first, Index depth, Index column, Index width, T* to) {
  const Index to_row = round_up(width, kLanes<T>);
  if (p.b_transposed) {
    pack_transposed(p.b + column * p.b_row + first, p.b_row, width, depth, to, to_row);
  } else {
    pack_rows(p.b + first * p.b_row + column, p.b_row, width, depth, to, to_row);
  }
}

// Copies what must be copied of op(B): the whole block, or only the last vector if it cannot be read in place.
template <class T>
static inline void copy_b(const Product<T>& p, const Block& block, Index width) {
  const Index n = block.n_columns;
  if (!p.copy_b) {
    if (kReadsMasked || n % kLanes<T> == 0) return;
    const Index j = (n - 1) & -width;  // width is a power of two
    return copy_panel(p, block.first, block.depth, block.column + j, n - j, p.scratch_b);
  }
  for (Index j = 0; j < n; j += width) {
    T* to = p.scratch_b + j * block.depth;
    copy_panel(p, block.first, block.depth, block.column + j, smaller(width, n - j), to);
  }
}

// The rows of A in this block as the tiles read them: in place, or copied so that k is contiguous.
template <class T>
static inline void place_a(const Product<T>& p, const Block& block, Tile<T>& tile) {
  tile.a = p.a + block.row * p.a_row + block.first * p.a_depth;
  tile.a_row = p.a_row;
  tile.a_depth = p.a_depth;
  if (!p.copy_a) return;
  const Index stride = copy_stride(block.depth, kLanes<T>);
  if (p.a_depth == 1) {
    pack_rows(tile.a, p.a_row, block.depth, block.n_rows, p.scratch_a, stride);
  } else {
    pack_transposed(tile.a, p.a_depth, block.depth, block.n_rows, p.scratch_a, stride);
  }
  tile.a = p.scratch_a;
  tile.a_row = stride;
  tile.a_depth = 1;
}

template <class T>
static inline void multiply_block(const Product<T>& p, const Block& block, Index width) {
  constexpr Index lanes = kLanes<T>;
  Tile<T> tile;
  place_a(p, block, tile);
  tile.depth = block.depth;
  tile.c_row = p.c_row;
  tile.add = block.first > 0;
  Split<T> split{};
  int split_vectors = 0;
  for (Index j = 0; j < block.n_columns; j += width) {
    const Index n = smaller(width, block.n_columns - j);
    const int n_vectors = static_cast<int>(divide_up(n, lanes));
    if (n_vectors != split_vectors) {
      split = split_rows<T>(block.n_rows, n_vectors);
      split_vectors = n_vectors;
    }
    tile.tail = static_cast<int>(n - (n_vectors - 1) * lanes);
    if (p.copy_b || (!kReadsMasked && tile.tail != lanes)) {
      tile.b = p.scratch_b + (p.copy_b ? j * block.depth : 0);
      tile.b_depth = n_vectors * lanes;
    } else {
      tile.b = p.b + block.first * p.b_row + block.column + j;
      tile.b_depth = p.b_row;
    }
    const Index at = block.row * p.c_row + block.column + j;
    const bool complete = block.first + block.depth == p.depth;
    tile.c = p.c + at;
    tile.bias = complete && p.bias != nullptr ? p.bias + block.column + j : nullptr;
    tile.relu = complete && p.relu;
    tile.gate = complete && p.gate != nullptr ? p.gate + at : nullptr;
    multiply_panel(tile, split);
  }
}

// Blocks are as large as their copies may be. An operand that is not copied is not split.
template <class T>
static void multiply(const Product<T>& p) {
  const Index width = panel_width(p), depth = depth_block(p.depth);
  const Index most_rows = p.copy_a ? kCopiedRows<T> : smaller(p.n_rows, 1 << 20);
  Index n_columns = p.n_columns;
  if (p.copy_b && n_columns * depth > kRoomB<T>) {
    const Index most = kRoomB<T> / depth / width * width;
    n_columns = round_up(divide_up(n_columns, divide_up(n_columns, most)), width);
  }
  Block block;
  for (block.column = 0; block.column < p.n_columns; block.column += n_columns) {
    block.n_columns = smaller(n_columns, p.n_columns - block.column);
    for (block.first = 0; block.first < p.depth; block.first += depth) {
      block.depth = smaller(depth, p.depth - block.first);
      copy_b(p, block, width);
      for (block.row = 0; block.row < p.n_rows; block.row += most_rows) {
        block.n_rows = smaller(most_rows, p.n_rows - block.row);
        multiply_block(p, block, width);
      }
    }
  }
}

// For few columns and a transposed A: computes C^T = op(B)^T A, with vectors along the rows of C, and transposes it
// into C. Each element is the same chain of multiply-adds.
template <class T>
static void multiply_columns_first(const Product<T>& p) {
  const Index n = p.n_columns;
  Product<T> q = p;
  q.n_rows = n;
  q.a = p.b;
  q.a_row = p.b_transposed ? p.b_row : 1;
  q.a_depth = p.b_transposed ? 1 : p.b_row;
  q.b_row = p.a_depth;
  q.a_transposed = q.b_transposed = false;
  q.copy_a = q.copy_b = false;
  const Index room = kRoomA<T> / n / kLanes<T> * kLanes<T>;
  const Index chunk = n == 1 ? p.n_rows : smaller(room, p.n_rows);
  for (Index i = 0; i < p.n_rows; i += chunk) {
    q.n_columns = smaller(chunk, p.n_rows - i);
    q.b = p.a + i;
    q.c = n == 1 ? p.c + i : p.scratch_a;
    q.c_row = round_up(q.n_columns, kLanes<T>);
    multiply(q);
    if (n > 1) unpack_transposed(q.c, q.c_row, q.n_columns, n, p.c + i * n);
  }
}

// Whether the vectors should run along k. This may depend only on the columns and the inner size: it changes the order
// of the sums.
template <class T>
static bool prefers_dots(const Product<T>& p) {
  const Index n = p.n_columns;
  if (p.a_transposed || n > kMaxDots || 2 * n > kLanes<T> || p.depth < kLanes<T>) return false;
  return n == 1 || p.b_transposed || n * round_up(p.depth, kLanes<T>) <= kRoomB<T>;
}

template <class T>
static void multiply_few_columns(const Product<T>& p) {
  const T* b = p.b;
  Index b_row = p.b_row;
  if (!p.b_transposed && p.n_columns > 1) {
    b_row = round_up(p.depth, kLanes<T>);
    pack_transposed(p.b, p.b_row, p.depth, p.n_columns, p.scratch_b, b_row);
    b = p.scratch_b;
  }
  multiply_dots(p.a, p.a_row, b, b_row, p.c, p.n_rows, p.n_columns, p.depth, p.bias);
}

// Compares the vector operations of both methods; a transpose costs about two per part of a row that it writes.
template <class T>
static bool prefers_columns_first(const Product<T>& p) {
  const Index m = p.n_rows, n = p.n_columns;
  if (!p.a_transposed || n > kLanes<T>) return false;
  const Index direct = m * divide_up(n, kLanes<T>), swapped = divide_up(m, kLanes<T>) * n;
  const Index transpose = n == 1 ? 0 : 2 * m * divide_up(n, kSide<T>);
  return swapped * p.depth + transpose < direct * p.depth;
}

template <class T>
static Product<T> product_of(const Call& call, bool a_transposed, bool b_transposed) {
  const Operand &a = call.inputs[0], &b = call.inputs[1];
  Product<T> p;
  p.n_rows = call.output.dims[0];
  p.n_columns = call.output.dims[1];
  p.depth = a.dims[a_transposed ? 0 : 1];
  p.a = static_cast<const T*>(a.data);
  p.a_row = a_transposed ? 1 : a.stride();
  p.a_depth = a_transposed ? a.stride() : 1;
  p.b = static_cast<const T*>(b.data);
  p.b_row = b.dims[1];
  p.a_transposed = a_transposed;
  p.b_transposed = b_transposed;
  p.c = static_cast<T*>(call.output.data);
  p.c_row = p.n_columns;
  p.scratch_a = static_cast<T*>(call.scratch);
  p.scratch_b = p.scratch_a + kRoomA<T>;
  return p;
}

// Applies bias, ReLU and gate in a separate pass, for the methods that do not end in tiles.
template <class T>
static void finish(const Product<T>& p) {
  if (p.bias == nullptr && !p.relu && p.gate == nullptr) return;
  for (Index i = 0; i < p.n_rows; ++i) {
    for (Index j = 0; j < p.n_columns; j += kLanes<T>) {
      const int n = static_cast<int>(smaller(kLanes<T>, p.n_columns - j));
      T* at = p.c + i * p.c_row + j;
      Vec<T> x = load_n(at, n);
      if (p.bias != nullptr) x += load_n(p.bias + j, n);
      if (p.relu) x = x < T(0) ? Vec<T>{} : x;
      if (p.gate != nullptr) x = load_n(p.gate + i * p.c_row + j, n) > T(0) ? x : Vec<T>{};
      store_n(at, x, n);
    }
  }
}

template <class T>
static void run(Product<T>& p) {
  if (p.n_rows == 0 || p.n_columns == 0) return;
  if (p.depth == 0) {
    std::memset(p.c, 0, static_cast<std::size_t>(p.n_rows * p.n_columns) * sizeof(T));
    return finish(p);
  }
  if (prefers_dots(p)) {
    multiply_few_columns(p);
    p.bias = nullptr;
    return finish(p);
  }
  if (prefers_columns_first(p)) {
    Product<T> plain = p;
    plain.bias = plain.gate = nullptr;
    plain.relu = false;
    multiply_columns_first(plain);
    return finish(p);
  }
  constexpr Index item = sizeof(T);
  p.copy_a = p.n_columns >= 128 && p.n_rows * smaller(p.depth, kDepth) * item >= 32 << 10;
  p.copy_b = p.b_transposed || (p.n_rows >= 64 && p.n_columns * smaller(p.depth, kDepth) * item >= 32 << 10);
  multiply(p);
}

template <class T>
static void matmul(const Call& call) {
  Product<T> p = product_of<T>(call, call.attrs[0] != 0, call.attrs[1] != 0);
  run(p);
}

template <class T>
static void dense(const Call& call) {
  Product<T> p = product_of<T>(call, false, false);
  p.bias = static_cast<const T*>(call.inputs[2].data);
  p.relu = call.attrs[0] != 0;
  run(p);
}

template <class T>
static void matmul_gated(const Call& call) {
  Product<T> p = product_of<T>(call, call.attrs[0] != 0, call.attrs[1] != 0);
  p.gate = static_cast<const T*>(call.inputs[2].data);
  run(p);
}

static const char* check_product(const Call& call, bool a_transposed, bool b_transposed) {
  const Operand &a = call.inputs[0], &b = call.inputs[1], &c = call.output;
  if (a.rank != 2 || b.rank != 2 || c.rank != 2) return "the operands and the result of matmul must have rank 2";
  if (a.sparse || b.sparse || c.sparse) return "the operands and the result of matmul must be dense";
  if (c.dtype == DType::int32 || a.dtype != c.dtype || b.dtype != c.dtype) {
    return "the operands and the result of matmul must have the same float type";
  }
  for (int i = 0; i < 2; ++i) {
    if (a.dims[i] < 0 || b.dims[i] < 0 || c.dims[i] < 0) return "the sizes of matmul must not be negative";
  }
  if (a.dims[a_transposed ? 0 : 1] != b.dims[b_transposed ? 1 : 0]) return "the inner sizes of matmul must agree";
  if (c.dims[0] != a.dims[a_transposed ? 1 : 0]) return "the result of matmul must have the rows of op(a)";
  if (c.dims[1] != b.dims[b_transposed ? 0 : 1]) return "the result of matmul must have the columns of op(b)";
  return nullptr;
}

static const char* check_matmul(const Call& call) {
  if (call.n_attrs != 2) return "matmul takes two attributes";
  for (int i = 0; i < 2; ++i) {
    if (call.attrs[i] != 0 && call.attrs[i] != 1) return "the transposes of matmul must be 0 or 1";
  }
  return check_product(call, call.attrs[0] == 1, call.attrs[1] == 1);
}

static const char* check_dense(const Call& call) {
  if (call.n_attrs != 1 || (call.attrs[0] != 0 && call.attrs[0] != 1)) {
    return "the relu attribute of dense must be 0 or 1";
  }
  if (const char* error = check_product(call, false, false)) return error;
  const Operand& bias = call.inputs[2];
  if (bias.sparse || bias.dtype != call.output.dtype) return "the bias must be dense and have the type of the product";
  if (bias.rank != 1 || bias.dims[0] != call.output.dims[1]) return "the bias must have one element per column";
  return nullptr;
}

static const char* check_matmul_gated(const Call& call) {
  if (const char* error = check_matmul(call)) return error;
  const Operand &gate = call.inputs[2], &c = call.output;
  if (gate.sparse || gate.dtype != c.dtype) return "the gate must be dense and have the type of the product";
  if (gate.rank != 2 || gate.dims[0] != c.dims[0] || gate.dims[1] != c.dims[1]) {
    return "the gate must have the shape of the product";
  }
  return nullptr;
}

constexpr Kernel kernels[] = {
    {"matmul", 2, 2, check_matmul, matmul<float>, matmul<double>, split_product},
    {"dense", 3, 1, check_dense, dense<float>, dense<double>, split_dense},
    {"matmul_gated", 3, 2, check_matmul_gated, matmul_gated<float>, matmul_gated<double>, split_product},
};

}  // namespace

const KernelTable gemm_table{kernels, sizeof(kernels) / sizeof(kernels[0])};

}  // namespace rosenblatt::ROSENBLATT_ISA
