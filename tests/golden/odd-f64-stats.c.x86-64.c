/* gn_f64_o35_g3_c3_i1: group normalisation, specialised by gngen.
 *
 * input   x        double[batch * 315]
 * input   beta     double[9]
 * output  y        double[batch * 315]
 * output  mean     double[batch * 3]
 * output  rstd     double[batch * 3]
 * scratch partial  double[batch * 9]
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

static inline double cast_f64_from_i64(int64_t a) { return (double)a; }

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
            double shifts[18] __attribute__((aligned(64)));
            double sums[18] __attribute__((aligned(64)));
            double squares[18] __attribute__((aligned(64)));
            for (int64_t j = 0; j + 2 <= 18; j += 2) {
                store_f64x2(sums, j, splat_f64x2(0.0));
                store_f64x2(squares, j, splat_f64x2(0.0));
            }
            for (int64_t fold = 0; fold < 2; fold += 1) {
                for (int64_t g = 0; g < 3; g += 1) {
                    const int64_t at = g * 3;
                    double shift = x[n * 315 + at];
                    const int64_t place = fold * 9 + at;
                    const int64_t fill_end = place + 3;
                    f64x2 filling = splat_f64x2(shift);
                    for (int64_t e = place; e + 2 <= fill_end; e += 2) {
                        store_f64x2(shifts, e, filling);
                    }
                    store_part_f64x2(shifts, main_end(place, fill_end, 2), fill_end - main_end(place, fill_end, 2), filling);
                }
            }
            const int64_t full = 306;
            for (int64_t strip = 0; strip + 288 <= full + 270; strip += 288) {
                const int64_t strip_last = min_i64(strip + 288, full);
                for (int64_t j_2 = 0; j_2 + 4 <= 16; j_2 += 4) {
                    f64x2 k = load_f64x2(shifts, j_2);
                    f64x2 s = load_f64x2(sums, j_2);
                    f64x2 q = load_f64x2(squares, j_2);
                    f64x2 k_2 = load_f64x2(shifts, j_2 + 2);
                    f64x2 s_2 = load_f64x2(sums, j_2 + 2);
                    f64x2 q_2 = load_f64x2(squares, j_2 + 2);
                    for (int64_t row = strip; row + 18 <= strip_last; row += 18) {
                        f64x2 d = load_f64x2(x, n * 315 + (row + j_2)) - k;
                        s = s + d;
                        q = fma_f64x2(d, d, q);
                        f64x2 d_2 = load_f64x2(x, n * 315 + (row + (j_2 + 2))) - k_2;
                        s_2 = s_2 + d_2;
                        q_2 = fma_f64x2(d_2, d_2, q_2);
                    }
                    store_f64x2(sums, j_2, s);
                    store_f64x2(squares, j_2, q);
                    store_f64x2(sums, j_2 + 2, s_2);
                    store_f64x2(squares, j_2 + 2, q_2);
                }
                f64x2 k_3 = load_f64x2(shifts, 16);
                f64x2 s_3 = load_f64x2(sums, 16);
                f64x2 q_3 = load_f64x2(squares, 16);
                for (int64_t row_2 = strip; row_2 + 18 <= strip_last; row_2 += 18) {
                    f64x2 d_3 = load_f64x2(x, n * 315 + (row_2 + 16)) - k_3;
                    s_3 = s_3 + d_3;
                    q_3 = fma_f64x2(d_3, d_3, q_3);
                }
                store_f64x2(sums, 16, s_3);
                store_f64x2(squares, 16, q_3);
            }
            /* the last long row may be cut short */
            for (int64_t j_3 = 0; j_3 + 2 <= 18; j_3 += 2) {
                if (full + j_3 < 315) {
                    f64x2 k_4 = load_f64x2(shifts, j_3);
                    f64x2 s_4 = load_f64x2(sums, j_3);
                    f64x2 q_4 = load_f64x2(squares, j_3);
                    f64x2 d_4 = load_part_f64x2(x, n * 315 + (full + j_3), 315 - (full + j_3), k_4) - k_4;
                    s_4 = s_4 + d_4;
                    q_4 = fma_f64x2(d_4, d_4, q_4);
                    store_f64x2(sums, j_3, s_4);
                    store_f64x2(squares, j_3, q_4);
                }
            }
            double count = cast_f64_from_i64(105);
            for (int64_t g_2 = 0; g_2 < 3; g_2 += 1) {
                const int64_t at_2 = g_2 * 3;
                double total = 0.0;
                for (int64_t fold_2 = 0; fold_2 < 2; fold_2 += 1) {
                    const int64_t place_2 = fold_2 * 9 + at_2;
                    const int64_t column_end = place_2 + 3;
                    for (int64_t e_2 = place_2; e_2 < column_end; e_2 += 1) {
                        total = total + sums[e_2];
                    }
                }
                double squares_2 = 0.0;
                for (int64_t fold_3 = 0; fold_3 < 2; fold_3 += 1) {
                    const int64_t place_3 = fold_3 * 9 + at_2;
                    const int64_t column_end_2 = place_3 + 3;
                    for (int64_t e_3 = place_3; e_3 < column_end_2; e_3 += 1) {
                        squares_2 = squares_2 + squares[e_3];
                    }
                }
                const int64_t first = at_2;
                double shift_2 = x[n * 315 + first];
                double off = total / count;
                double block_mean = shift_2 + off;
                double block_m2 = squares_2 - total * off;
                if (not_m64(squares_2 <= min_f64(block_m2 * 16.0, 1.7976931348623157e+308))) {
                    double redo = 0.0;
                    for (int64_t row_3 = 0; row_3 + 9 <= 315; row_3 += 9) {
                        for (int64_t i = 0; i < 3; i += 1) {
                            redo = redo + x[n * 315 + (row_3 + first + i)];
                        }
                    }
                    double center = redo / count;
                    double redo_rest = 0.0;
                    double redo_square = 0.0;
                    for (int64_t row_4 = 0; row_4 + 9 <= 315; row_4 += 9) {
                        for (int64_t i_2 = 0; i_2 < 3; i_2 += 1) {
                            double e_4 = x[n * 315 + (row_4 + first + i_2)] - center;
                            redo_rest = redo_rest + e_4;
                            redo_square = fma_f64(e_4, e_4, redo_square);
                        }
                    }
                    block_mean = center + redo_rest / count;
                    block_m2 = redo_square - redo_rest * redo_rest / count;
                }
                partial[n * 9 + g_2 * 3] = block_mean;
                partial[n * 9 + g_2 * 3 + 1] = block_m2;
                partial[n * 9 + g_2 * 3 + 2] = count;
            }
        }
#pragma omp for schedule(static) collapse(2)
        for (int64_t n_2 = 0; n_2 < batch; n_2++)
        for (int64_t g_3 = 0; g_3 < 3; g_3++) {
            double mean_all = partial[n_2 * 9 + g_3 * 3];
            double m2_all = partial[n_2 * 9 + g_3 * 3 + 1];
            double count_all = partial[n_2 * 9 + g_3 * 3 + 2];
            double spread = max_f64(m2_all, 0.0) / count_all + 0.0;
            double rstd_all = 1.0 / sqrt_f64(spread);
            if (spread <= 0.0) {
                rstd_all = 0.0;
            }
            mean[n_2 * 3 + g_3] = mean_all;
            rstd[n_2 * 3 + g_3] = rstd_all;
            stats[n_2 * 6 + g_3 * 2] = mean_all;
            stats[n_2 * 6 + g_3 * 2 + 1] = rstd_all;
        }
#pragma omp for schedule(static)
        for (int64_t n_3 = 0; n_3 < batch; n_3++) {
            double high[20] __attribute__((aligned(64)));
            double scale[20] __attribute__((aligned(64)));
            double offset[20] __attribute__((aligned(64)));
            for (int64_t g_4 = 0; g_4 < 3; g_4 += 1) {
                double mean_all_2 = stats[n_3 * 6 + g_4 * 2];
                double rstd_all_2 = stats[n_3 * 6 + g_4 * 2 + 1];
                const int64_t base = g_4 * 3;
                for (int64_t c = 0; c < 3; c += 1) {
                    double offset_2 = beta[g_4 * 3 + c];
                    high[base + c] = mean_all_2;
                    scale[base + c] = rstd_all_2;
                    offset[base + c] = offset_2;
                }
            }
            /* the row again, for what reaches past its end */
            for (int64_t copy = 9; copy < 20; copy += 1) {
                high[copy] = high[copy - 9];
                scale[copy] = scale[copy - 9];
                offset[copy] = offset[copy - 9];
            }
            const int64_t full_2 = 306;
            for (int64_t strip_2 = 0; strip_2 + 288 <= full_2 + 270; strip_2 += 288) {
                const int64_t strip_last_2 = min_i64(strip_2 + 288, full_2);
                for (int64_t j_4 = 0; j_4 + 4 <= 16; j_4 += 4) {
                    f64x2 highs = load_f64x2(high, j_4);
                    f64x2 scales = load_f64x2(scale, j_4);
                    f64x2 offsets = load_f64x2(offset, j_4);
                    f64x2 highs_2 = load_f64x2(high, j_4 + 2);
                    f64x2 scales_2 = load_f64x2(scale, j_4 + 2);
                    f64x2 offsets_2 = load_f64x2(offset, j_4 + 2);
                    for (int64_t row_5 = strip_2; row_5 + 18 <= strip_last_2; row_5 += 18) {
                        const int64_t at_3 = row_5 + j_4;
                        store_f64x2(y, n_3 * 315 + at_3, fma_f64x2(load_f64x2(x, n_3 * 315 + at_3) - highs, scales, offsets));
                        const int64_t at_4 = row_5 + (j_4 + 2);
                        store_f64x2(y, n_3 * 315 + at_4, fma_f64x2(load_f64x2(x, n_3 * 315 + at_4) - highs_2, scales_2, offsets_2));
                    }
                }
                f64x2 highs_3 = load_f64x2(high, 16);
                f64x2 scales_3 = load_f64x2(scale, 16);
                f64x2 offsets_3 = load_f64x2(offset, 16);
                for (int64_t row_6 = strip_2; row_6 + 18 <= strip_last_2; row_6 += 18) {
                    const int64_t at_5 = row_6 + 16;
                    store_f64x2(y, n_3 * 315 + at_5, fma_f64x2(load_f64x2(x, n_3 * 315 + at_5) - highs_3, scales_3, offsets_3));
                }
            }
            for (int64_t j_5 = 0; j_5 + 2 <= 18; j_5 += 2) {
                const int64_t at_6 = full_2 + j_5;
                if (at_6 < 315) {
                    f64x2 highs_4 = load_f64x2(high, j_5);
                    f64x2 scales_4 = load_f64x2(scale, j_5);
                    f64x2 offsets_4 = load_f64x2(offset, j_5);
                    store_part_f64x2(y, n_3 * 315 + at_6, 315 - at_6, fma_f64x2(load_part_f64x2(x, n_3 * 315 + at_6, 315 - at_6, splat_f64x2(0.0)) - highs_4, scales_4, offsets_4));
                }
            }
        }
}
}
