/* gn_f64_o35_g3_c3_i1: group normalisation, specialised by gngen.
 *
 * input   x        double[batch * 315]
 * input   beta     double[9]
 * output  y        double[batch * 315]
 * output  mean     double[batch * 3]
 * output  rstd     double[batch * 3]
 * scratch partial  double[batch * 36]
 * scratch stats    double[batch * 6]
 *
 * Machine: any x86-64 (SSE2); 128-bit vectors.
 * Multiplications and additions are fused only where fma_* says so: compile with -ffp-contract=off.
 */
#include <math.h>
#include <stdint.h>

typedef double f64x2 __attribute__((vector_size(16)));
typedef double f64x2_unaligned __attribute__((vector_size(16), aligned(8), may_alias));
typedef int64_t i64x2 __attribute__((vector_size(16)));
typedef int64_t i64x2_unaligned __attribute__((vector_size(16), aligned(8), may_alias));

/* Where a loop of full steps leaves off; a step forward that stops at the end. */
static inline int64_t main_end(int64_t start, int64_t stop, int64_t step) { return start + (stop - start) / step * step; }
static inline int64_t advance(int64_t start, int64_t by, int64_t stop) { return start + by < stop ? start + by : stop; }
static inline int64_t min_i64(int64_t a, int64_t b) { return b < a ? b : a; }

/* a * b + c, rounded twice: this machine has no fused multiply-add. */
static inline double fma_f64(double a, double b, double c) {
    return a * b + c;
}

/* a * b + c, rounded twice: this machine has no fused multiply-add. */
static inline f64x2 fma_f64x2(f64x2 a, f64x2 b, f64x2 c) {
    return a * b + c;
}


static inline f64x2 load_f64x2(const double *p, int64_t i) { return *(const f64x2_unaligned *)(p + i); }

/* The first n lanes from p + i, the rest from fill. */
static inline f64x2 load_part_f64x2(const double *p, int64_t i, int64_t n, f64x2 fill) {
    for (int64_t k = 0; k < n && k < 2; k++) fill[k] = p[i + k];
    return fill;
}

static inline double max_f64(double a, double b) { return b > a ? b : a; }

static inline double min_f64(double a, double b) { return b < a ? b : a; }


static inline int64_t not_m64(int64_t mask) { return !mask; }

/* How many elements from p + i come before the first that is aligned to `lanes` elements. */
static inline int64_t peel_f64(const double *p, int64_t i, int64_t lanes) { return (int64_t)(-((uintptr_t)(p + i) / sizeof *p)) & (lanes - 1); }

static inline double select_f64(int64_t mask, double a, double b) { return mask ? a : b; }

static inline f64x2 splat_f64x2(double a) { return (f64x2){a, a}; }

static inline double sqrt_f64(double a) { return sqrt(a); }


static inline void store_f64x2(double *p, int64_t i, f64x2 v) { *(f64x2_unaligned *)(p + i) = v; }

/* The first n lanes to p + i. */
static inline void store_part_f64x2(double *p, int64_t i, int64_t n, f64x2 v) {
    for (int64_t k = 0; k < n && k < 2; k++) p[i + k] = v[k];
}

/* Make streaming stores visible before what follows. */
static inline void fence(void) { __builtin_ia32_sfence(); }

void gn_f64_o35_g3_c3_i1(const double *x, const double *beta, double *y, double *mean, double *rstd, double *partial, double *stats, int64_t batch, int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1 && batch >= 40)
    {
#pragma omp for schedule(static)
        for (int64_t n = 0; n < batch; n++) {
            double sums[18] __attribute__((aligned(64)));
            double squares[18] __attribute__((aligned(64)));
            double shifts[18] __attribute__((aligned(64)));
            for (int64_t j = 0; j + 2 <= 18; j += 2) {
                store_f64x2(sums, j, splat_f64x2(0.0));
                store_f64x2(squares, j, splat_f64x2(0.0));
            }
            for (int64_t g = 0; g < 3; g += 1) {
                const int64_t at = g * 3;
                double shift = (x[n * 315 + at] + x[n * 315 + 72 + at] + (x[n * 315 + 153 + at] + x[n * 315 + 234 + at])) * 0.25;
                const int64_t fill_end = at + 3;
                f64x2 filling = splat_f64x2(shift);
                for (int64_t e = at; e + 2 <= fill_end; e += 2) {
                    store_f64x2(shifts, e, filling);
                }
                store_part_f64x2(shifts, main_end(at, fill_end, 2), fill_end - main_end(at, fill_end, 2), filling);
            }
            for (int64_t copy_2 = 9; copy_2 + 2 <= 18; copy_2 += 2) {
                store_f64x2(shifts, copy_2, load_f64x2(shifts, copy_2 - 9));
            }
            store_part_f64x2(shifts, 17, 1, load_f64x2(shifts, 8));
            const int64_t full = 306;
            for (int64_t strip = 0; strip + 144 <= full; strip += 144) {
                for (int64_t j_2 = 0; j_2 + 2 <= 18; j_2 += 2) {
                    f64x2 s = load_f64x2(sums, j_2);
                    f64x2 q = load_f64x2(squares, j_2);
                    f64x2 k = load_f64x2(shifts, j_2);
                    f64x2 d = load_f64x2(x, n * 315 + (strip + j_2)) - k;
                    s = s + d;
                    q = fma_f64x2(d, d, q);
                    f64x2 d_2 = load_f64x2(x, n * 315 + (strip + 18 + j_2)) - k;
                    s = s + d_2;
                    q = fma_f64x2(d_2, d_2, q);
                    f64x2 d_3 = load_f64x2(x, n * 315 + (strip + 36 + j_2)) - k;
                    s = s + d_3;
                    q = fma_f64x2(d_3, d_3, q);
                    f64x2 d_4 = load_f64x2(x, n * 315 + (strip + 54 + j_2)) - k;
                    s = s + d_4;
                    q = fma_f64x2(d_4, d_4, q);
                    f64x2 d_5 = load_f64x2(x, n * 315 + (strip + 72 + j_2)) - k;
                    s = s + d_5;
                    q = fma_f64x2(d_5, d_5, q);
                    f64x2 d_6 = load_f64x2(x, n * 315 + (strip + 90 + j_2)) - k;
                    s = s + d_6;
                    q = fma_f64x2(d_6, d_6, q);
                    f64x2 d_7 = load_f64x2(x, n * 315 + (strip + 108 + j_2)) - k;
                    s = s + d_7;
                    q = fma_f64x2(d_7, d_7, q);
                    f64x2 d_8 = load_f64x2(x, n * 315 + (strip + 126 + j_2)) - k;
                    s = s + d_8;
                    q = fma_f64x2(d_8, d_8, q);
                    store_f64x2(sums, j_2, s);
                    store_f64x2(squares, j_2, q);
                }
            }
            const int64_t rest = main_end(0, full, 144);
            for (int64_t strip_2 = rest; strip_2 + 18 <= full; strip_2 += 18) {
                for (int64_t j_3 = 0; j_3 + 2 <= 18; j_3 += 2) {
                    f64x2 s_2 = load_f64x2(sums, j_3);
                    f64x2 q_2 = load_f64x2(squares, j_3);
                    f64x2 k_2 = load_f64x2(shifts, j_3);
                    f64x2 d_9 = load_f64x2(x, n * 315 + (strip_2 + j_3)) - k_2;
                    s_2 = s_2 + d_9;
                    q_2 = fma_f64x2(d_9, d_9, q_2);
                    store_f64x2(sums, j_3, s_2);
                    store_f64x2(squares, j_3, q_2);
                }
            }
            /* the last long row may be cut short */
            for (int64_t j_4 = 0; j_4 + 2 <= 18; j_4 += 2) {
                if (full + j_4 < 315) {
                    f64x2 s_3 = load_f64x2(sums, j_4);
                    f64x2 q_3 = load_f64x2(squares, j_4);
                    f64x2 k_3 = load_f64x2(shifts, j_4);
                    f64x2 d_10 = load_part_f64x2(x, n * 315 + (full + j_4), 315 - (full + j_4), k_3) - k_3;
                    s_3 = s_3 + d_10;
                    q_3 = fma_f64x2(d_10, d_10, q_3);
                    store_f64x2(sums, j_4, s_3);
                    store_f64x2(squares, j_4, q_3);
                }
            }
            for (int64_t j_5 = 0; j_5 + 2 <= 18; j_5 += 2) {
                store_f64x2(partial, n * 36 + j_5, load_f64x2(sums, j_5));
                store_f64x2(partial, n * 36 + 18 + j_5, load_f64x2(squares, j_5));
            }
        }
#pragma omp for schedule(static)
        for (int64_t n_2 = 0; n_2 < batch; n_2++) {
            double sums_2[10] __attribute__((aligned(64)));
            double squares_2[10] __attribute__((aligned(64)));
            for (int64_t j_6 = 0; j_6 + 2 <= 9; j_6 += 2) {
                f64x2 s_4 = splat_f64x2(0.0);
                f64x2 q_4 = splat_f64x2(0.0);
                for (int64_t fold = 0; fold < 2; fold += 1) {
                    const int64_t base = fold * 9;
                    s_4 = s_4 + load_f64x2(partial, n_2 * 36 + (base + j_6));
                    q_4 = q_4 + load_f64x2(partial, n_2 * 36 + 18 + (base + j_6));
                }
                store_f64x2(sums_2, j_6, s_4);
                store_f64x2(squares_2, j_6, q_4);
            }
            f64x2 s_5 = splat_f64x2(0.0);
            f64x2 q_5 = splat_f64x2(0.0);
            for (int64_t fold_2 = 0; fold_2 < 2; fold_2 += 1) {
                const int64_t base_2 = fold_2 * 9;
                s_5 = s_5 + load_part_f64x2(partial, n_2 * 36 + (base_2 + 8), base_2 + 9 - (base_2 + 8), splat_f64x2(0.0));
                q_5 = q_5 + load_part_f64x2(partial, n_2 * 36 + 18 + (base_2 + 8), base_2 + 9 - (base_2 + 8), splat_f64x2(0.0));
            }
            store_f64x2(sums_2, 8, s_5);
            store_f64x2(squares_2, 8, q_5);
            for (int64_t g_2 = 0; g_2 < 3; g_2 += 1) {
                const int64_t at_2 = g_2 * 3;
                const int64_t column_end = at_2 + 3;
                double total = 0.0;
                for (int64_t e_2 = at_2; e_2 < column_end; e_2 += 1) {
                    total = total + sums_2[e_2];
                }
                const int64_t column_end_2 = at_2 + 3;
                double squares_3 = 0.0;
                for (int64_t e_3 = at_2; e_3 < column_end_2; e_3 += 1) {
                    squares_3 = squares_3 + squares_2[e_3];
                }
                double shift_2 = (x[n_2 * 315 + at_2] + x[n_2 * 315 + 72 + at_2] + (x[n_2 * 315 + 153 + at_2] + x[n_2 * 315 + 234 + at_2])) * 0.25;
                double off = total / 105.0;
                double block_mean = shift_2 + off;
                double block_m2 = squares_3 - total * off;
                if (not_m64(squares_3 <= min_f64(block_m2 * 16.0, 1.7976931348623157e+308))) {
                    double redo = 0.0;
                    for (int64_t row = 0; row < 35; row += 1) {
                        for (int64_t i = 0; i < 3; i += 1) {
                            redo = redo + x[n_2 * 315 + row * 9 + (at_2 + i)];
                        }
                    }
                    double center = redo / 105.0;
                    double redo_rest = 0.0;
                    double redo_square = 0.0;
                    for (int64_t row_2 = 0; row_2 < 35; row_2 += 1) {
                        for (int64_t i_2 = 0; i_2 < 3; i_2 += 1) {
                            double e_4 = x[n_2 * 315 + row_2 * 9 + (at_2 + i_2)] - center;
                            redo_rest = redo_rest + e_4;
                            redo_square = fma_f64(e_4, e_4, redo_square);
                        }
                    }
                    block_mean = center + redo_rest / 105.0;
                    block_m2 = redo_square - redo_rest * redo_rest / 105.0;
                }
                double spread = max_f64(block_m2, 0.0) / 105.0 + 0.0;
                double rstd_all = 1.0 / sqrt_f64(spread);
                rstd_all = select_f64(spread <= 0.0, 0.0, rstd_all);
                mean[n_2 * 3 + g_2] = block_mean;
                rstd[n_2 * 3 + g_2] = rstd_all;
                stats[n_2 * 6 + g_2 * 2] = block_mean;
                stats[n_2 * 6 + g_2 * 2 + 1] = rstd_all;
            }
        }
#pragma omp for schedule(static) collapse(2)
        for (int64_t n_3 = 0; n_3 < batch; n_3++)
        for (int64_t piece = 0; piece < 2; piece++) {
            double high[20] __attribute__((aligned(64)));
            double scale[20] __attribute__((aligned(64)));
            double offset[20] __attribute__((aligned(64)));
            for (int64_t g_3 = 0; g_3 < 3; g_3 += 1) {
                double mean_all = stats[n_3 * 6 + g_3 * 2];
                double rstd_all_2 = stats[n_3 * 6 + g_3 * 2 + 1];
                const int64_t base_3 = g_3 * 3;
                for (int64_t c = 0; c < 3; c += 1) {
                    double offset_2 = beta[g_3 * 3 + c];
                    high[base_3 + c] = mean_all;
                    scale[base_3 + c] = rstd_all_2;
                    offset[base_3 + c] = offset_2;
                }
            }
            /* the row again, for what reaches past its end */
            for (int64_t copy_4 = 9; copy_4 + 2 <= 20; copy_4 += 2) {
                store_f64x2(high, copy_4, load_f64x2(high, copy_4 - 9));
                store_f64x2(scale, copy_4, load_f64x2(scale, copy_4 - 9));
                store_f64x2(offset, copy_4, load_f64x2(offset, copy_4 - 9));
            }
            store_part_f64x2(high, 19, 1, load_f64x2(high, 10));
            store_part_f64x2(scale, 19, 1, load_f64x2(scale, 10));
            store_part_f64x2(offset, 19, 1, load_f64x2(offset, 10));
            const int64_t piece_first = piece * 162;
            const int64_t piece_last = min_i64(piece_first + 162, 315);
            const int64_t phase = peel_f64(y, n_3 * 315 + piece_first, 2);
            const int64_t aligned = advance(piece_first, phase, piece_last);
            if (piece_first < aligned) {
                f64x2 highs = load_f64x2(high, 0);
                f64x2 scales = load_f64x2(scale, 0);
                f64x2 offsets = load_f64x2(offset, 0);
                store_part_f64x2(y, n_3 * 315 + piece_first, aligned - piece_first, fma_f64x2(load_part_f64x2(x, n_3 * 315 + piece_first, aligned - piece_first, splat_f64x2(0.0)) - highs, scales, offsets));
                for (int64_t turn = 0; turn + 2 <= 18; turn += 2) {
                    store_f64x2(high, turn, load_f64x2(high, phase + turn));
                    store_f64x2(scale, turn, load_f64x2(scale, phase + turn));
                    store_f64x2(offset, turn, load_f64x2(offset, phase + turn));
                }
            }
            const int64_t full_2 = main_end(aligned, piece_last, 18);
            for (int64_t row_3 = aligned; row_3 + 72 <= full_2; row_3 += 72) {
                for (int64_t j_7 = 0; j_7 + 2 <= 18; j_7 += 2) {
                    f64x2 highs_2 = load_f64x2(high, j_7);
                    f64x2 scales_2 = load_f64x2(scale, j_7);
                    f64x2 offsets_2 = load_f64x2(offset, j_7);
                    const int64_t at_3 = row_3 + j_7;
                    store_f64x2(y, n_3 * 315 + at_3, fma_f64x2(load_f64x2(x, n_3 * 315 + at_3) - highs_2, scales_2, offsets_2));
                    const int64_t at_4 = row_3 + 18 + j_7;
                    store_f64x2(y, n_3 * 315 + at_4, fma_f64x2(load_f64x2(x, n_3 * 315 + at_4) - highs_2, scales_2, offsets_2));
                    const int64_t at_5 = row_3 + 36 + j_7;
                    store_f64x2(y, n_3 * 315 + at_5, fma_f64x2(load_f64x2(x, n_3 * 315 + at_5) - highs_2, scales_2, offsets_2));
                    const int64_t at_6 = row_3 + 54 + j_7;
                    store_f64x2(y, n_3 * 315 + at_6, fma_f64x2(load_f64x2(x, n_3 * 315 + at_6) - highs_2, scales_2, offsets_2));
                }
            }
            const int64_t rest_2 = main_end(aligned, full_2, 72);
            for (int64_t row_4 = rest_2; row_4 + 18 <= full_2; row_4 += 18) {
#pragma GCC unroll 4
                for (int64_t j_8 = 0; j_8 + 2 <= 18; j_8 += 2) {
                    f64x2 highs_3 = load_f64x2(high, j_8);
                    f64x2 scales_3 = load_f64x2(scale, j_8);
                    f64x2 offsets_3 = load_f64x2(offset, j_8);
                    const int64_t at_7 = row_4 + j_8;
                    store_f64x2(y, n_3 * 315 + at_7, fma_f64x2(load_f64x2(x, n_3 * 315 + at_7) - highs_3, scales_3, offsets_3));
                }
            }
            for (int64_t j_9 = 0; j_9 + 2 <= 18; j_9 += 2) {
                const int64_t at_8 = full_2 + j_9;
                if (at_8 < piece_last) {
                    f64x2 highs_4 = load_f64x2(high, j_9);
                    f64x2 scales_4 = load_f64x2(scale, j_9);
                    f64x2 offsets_4 = load_f64x2(offset, j_9);
                    store_part_f64x2(y, n_3 * 315 + at_8, piece_last - at_8, fma_f64x2(load_part_f64x2(x, n_3 * 315 + at_8, piece_last - at_8, splat_f64x2(0.0)) - highs_4, scales_4, offsets_4));
                }
            }
        }
}
}
