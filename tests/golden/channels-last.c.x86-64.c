/* gn_f32_o4096_g32_c10_i1: group normalisation, specialised by gngen.
 *
 * input   x        float[batch * 1310720]
 * input   gamma    float[320]
 * input   beta     float[320]
 * output  y        float[batch * 1310720]
 * scratch partial  float[batch * 20480]
 * scratch stats    double[batch * 64]
 *
 * Machine: any x86-64 (SSE2); 128-bit vectors.
 * Multiplications and additions are fused only where fma_* says so: compile with -ffp-contract=off.
 */
#include <math.h>
#include <stdint.h>

typedef float f32x2 __attribute__((vector_size(8)));
typedef float f32x2_unaligned __attribute__((vector_size(8), aligned(4), may_alias));
typedef double f64x2 __attribute__((vector_size(16)));
typedef double f64x2_unaligned __attribute__((vector_size(16), aligned(8), may_alias));
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));

/* Where a loop of full steps leaves off; a step forward that stops at the end. */
static inline int64_t main_end(int64_t start, int64_t stop, int64_t step) { return start + (stop - start) / step * step; }
static inline int64_t advance(int64_t start, int64_t by, int64_t stop) { return start + by < stop ? start + by : stop; }
static inline int64_t min_i64(int64_t a, int64_t b) { return b < a ? b : a; }

static inline float cast_f32_from_f64(double a) { return (float)a; }

static inline double cast_f64_from_f32(float a) { return (double)a; }

static inline f64x2 cast_f64x2_from_f32(f32x2 a) { return __builtin_convertvector(a, f64x2); }

/* a * b + c, rounded twice: this machine has no fused multiply-add. */
static inline f32x4 fma_f32x4(f32x4 a, f32x4 b, f32x4 c) {
    return a * b + c;
}

/* a * b + c, rounded twice: this machine has no fused multiply-add. */
static inline double fma_f64(double a, double b, double c) {
    return a * b + c;
}


static inline f32x2 load_f32x2(const float *p, int64_t i) { return *(const f32x2_unaligned *)(p + i); }

static inline f32x4 load_f32x4(const float *p, int64_t i) { return *(const f32x4_unaligned *)(p + i); }


static inline f64x2 load_f64x2(const double *p, int64_t i) { return *(const f64x2_unaligned *)(p + i); }

/* The first n lanes from p + i, the rest from fill. */
static inline f32x4 load_part_f32x4(const float *p, int64_t i, int64_t n, f32x4 fill) {
    for (int64_t k = 0; k < n && k < 4; k++) fill[k] = p[i + k];
    return fill;
}

static inline double max_f64(double a, double b) { return b > a ? b : a; }

static inline double min_f64(double a, double b) { return b < a ? b : a; }


static inline int64_t not_m64(int64_t mask) { return !mask; }

/* How many elements from p + i come before the first that is aligned to `lanes` elements. */
static inline int64_t peel_f32(const float *p, int64_t i, int64_t lanes) { return (int64_t)(-((uintptr_t)(p + i) / sizeof *p)) & (lanes - 1); }

/* Begin to fetch the line of p + i into the second cache; a hint, for which any address will do. */
static inline void prefetch_f32(const float *p, int64_t i) { __builtin_prefetch(p + i, 0, 2); }

/* The sum of the lanes, the upper half onto the lower, and so on. */
static inline double sum_f64x2(f64x2 v) {
    return v[0] + v[1];
}

static inline f32x4 splat_f32x4(float a) { return (f32x4){a, a, a, a}; }

static inline f64x2 splat_f64x2(double a) { return (f64x2){a, a}; }

static inline double sqrt_f64(double a) { return sqrt(a); }

static inline void store_f32x4(float *p, int64_t i, f32x4 v) { *(f32x4_unaligned *)(p + i) = v; }


static inline void store_f64x2(double *p, int64_t i, f64x2 v) { *(f64x2_unaligned *)(p + i) = v; }

/* The first n lanes to p + i. */
static inline void store_part_f32x4(float *p, int64_t i, int64_t n, f32x4 v) {
    for (int64_t k = 0; k < n && k < 4; k++) p[i + k] = v[k];
}

/* A streaming store: past the caches; p + i is aligned to the vector. */
static inline void stream_f32x4(float *p, int64_t i, f32x4 v) {
#if defined(__clang__)
    __builtin_nontemporal_store(v, (f32x4 *)(p + i));
#else
    __builtin_ia32_movntps(p + i, v);
#endif
}

/* Make streaming stores visible before what follows. */
static inline void fence(void) { __builtin_ia32_sfence(); }

void gn_f32_o4096_g32_c10_i1(const float *x, const float *gamma, const float *beta, float *y, float *partial, double *stats, int64_t batch, int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
#pragma omp for schedule(static) collapse(2)
        for (int64_t n = 0; n < batch; n++)
        for (int64_t slab = 0; slab < 32; slab++) {
            const int64_t slab_first = slab * 40960;
            const int64_t slab_last = slab_first + 40960;
            float sums[320] __attribute__((aligned(64)));
            float squares[320] __attribute__((aligned(64)));
            float shifts[320] __attribute__((aligned(64)));
            for (int64_t j = 0; j + 4 <= 320; j += 4) {
                store_f32x4(sums, j, splat_f32x4(0.0f));
                store_f32x4(squares, j, splat_f32x4(0.0f));
            }
            for (int64_t g = 0; g < 32; g += 1) {
                const int64_t at = g * 10;
                float shift = (x[n * 1310720 + at] + x[n * 1310720 + 327680 + at] + (x[n * 1310720 + 655360 + at] + x[n * 1310720 + 983040 + at])) * 0.25f;
                const int64_t fill_end = at + 10;
                f32x4 filling = splat_f32x4(shift);
                for (int64_t e = at; e + 4 <= fill_end; e += 4) {
                    store_f32x4(shifts, e, filling);
                }
                store_part_f32x4(shifts, main_end(at, fill_end, 4), fill_end - main_end(at, fill_end, 4), filling);
            }
            for (int64_t strip = slab_first; strip + 2560 <= slab_last; strip += 2560) {
                for (int64_t j_2 = 0; j_2 + 4 <= 320; j_2 += 4) {
                    f32x4 s = load_f32x4(sums, j_2);
                    f32x4 q = load_f32x4(squares, j_2);
                    f32x4 k = load_f32x4(shifts, j_2);
                    prefetch_f32(x, n * 1310720 + (strip + j_2 + 5120));
                    f32x4 d = load_f32x4(x, n * 1310720 + (strip + j_2)) - k;
                    s = s + d;
                    q = fma_f32x4(d, d, q);
                    prefetch_f32(x, n * 1310720 + (strip + 320 + j_2 + 5120));
                    f32x4 d_2 = load_f32x4(x, n * 1310720 + (strip + 320 + j_2)) - k;
                    s = s + d_2;
                    q = fma_f32x4(d_2, d_2, q);
                    prefetch_f32(x, n * 1310720 + (strip + 640 + j_2 + 5120));
                    f32x4 d_3 = load_f32x4(x, n * 1310720 + (strip + 640 + j_2)) - k;
                    s = s + d_3;
                    q = fma_f32x4(d_3, d_3, q);
                    prefetch_f32(x, n * 1310720 + (strip + 960 + j_2 + 5120));
                    f32x4 d_4 = load_f32x4(x, n * 1310720 + (strip + 960 + j_2)) - k;
                    s = s + d_4;
                    q = fma_f32x4(d_4, d_4, q);
                    prefetch_f32(x, n * 1310720 + (strip + 1280 + j_2 + 5120));
                    f32x4 d_5 = load_f32x4(x, n * 1310720 + (strip + 1280 + j_2)) - k;
                    s = s + d_5;
                    q = fma_f32x4(d_5, d_5, q);
                    prefetch_f32(x, n * 1310720 + (strip + 1600 + j_2 + 5120));
                    f32x4 d_6 = load_f32x4(x, n * 1310720 + (strip + 1600 + j_2)) - k;
                    s = s + d_6;
                    q = fma_f32x4(d_6, d_6, q);
                    prefetch_f32(x, n * 1310720 + (strip + 1920 + j_2 + 5120));
                    f32x4 d_7 = load_f32x4(x, n * 1310720 + (strip + 1920 + j_2)) - k;
                    s = s + d_7;
                    q = fma_f32x4(d_7, d_7, q);
                    prefetch_f32(x, n * 1310720 + (strip + 2240 + j_2 + 5120));
                    f32x4 d_8 = load_f32x4(x, n * 1310720 + (strip + 2240 + j_2)) - k;
                    s = s + d_8;
                    q = fma_f32x4(d_8, d_8, q);
                    store_f32x4(sums, j_2, s);
                    store_f32x4(squares, j_2, q);
                }
            }
            const int64_t rest = main_end(slab_first, slab_last, 2560);
            for (int64_t strip_2 = rest; strip_2 + 320 <= slab_last; strip_2 += 320) {
                for (int64_t j_3 = 0; j_3 + 4 <= 320; j_3 += 4) {
                    f32x4 s_2 = load_f32x4(sums, j_3);
                    f32x4 q_2 = load_f32x4(squares, j_3);
                    f32x4 k_2 = load_f32x4(shifts, j_3);
                    f32x4 d_9 = load_f32x4(x, n * 1310720 + (strip_2 + j_3)) - k_2;
                    s_2 = s_2 + d_9;
                    q_2 = fma_f32x4(d_9, d_9, q_2);
                    store_f32x4(sums, j_3, s_2);
                    store_f32x4(squares, j_3, q_2);
                }
            }
            for (int64_t j_4 = 0; j_4 + 4 <= 320; j_4 += 4) {
                store_f32x4(partial, n * 20480 + slab * 640 + j_4, load_f32x4(sums, j_4));
                store_f32x4(partial, n * 20480 + slab * 640 + 320 + j_4, load_f32x4(squares, j_4));
            }
        }
#pragma omp for schedule(static) collapse(2)
        for (int64_t n_2 = 0; n_2 < batch; n_2++)
        for (int64_t part = 0; part < 4; part++) {
            const int64_t first = part * 80;
            double sums_2[80] __attribute__((aligned(64)));
            double squares_2[80] __attribute__((aligned(64)));
            for (int64_t j_5 = 0; j_5 + 2 <= 80; j_5 += 2) {
                f64x2 s_3 = splat_f64x2(0.0);
                f64x2 q_3 = splat_f64x2(0.0);
                for (int64_t slab_2 = 0; slab_2 < 32; slab_2 += 1) {
                    s_3 = s_3 + cast_f64x2_from_f32(load_f32x2(partial, n_2 * 20480 + slab_2 * 640 + (first + j_5)));
                    q_3 = q_3 + cast_f64x2_from_f32(load_f32x2(partial, n_2 * 20480 + slab_2 * 640 + 320 + (first + j_5)));
                }
                store_f64x2(sums_2, j_5, s_3);
                store_f64x2(squares_2, j_5, q_3);
            }
            for (int64_t g_2 = 0; g_2 < 8; g_2 += 1) {
                const int64_t at_2 = g_2 * 10;
                const int64_t column_end = at_2 + 10;
                f64x2 total = splat_f64x2(0.0);
                for (int64_t e_2 = at_2; e_2 + 2 <= column_end; e_2 += 2) {
                    total = total + load_f64x2(sums_2, e_2);
                }
                double total_2 = sum_f64x2(total);
                const int64_t column_end_2 = at_2 + 10;
                f64x2 squares_3 = splat_f64x2(0.0);
                for (int64_t e_3 = at_2; e_3 + 2 <= column_end_2; e_3 += 2) {
                    squares_3 = squares_3 + load_f64x2(squares_2, e_3);
                }
                double squares_4 = sum_f64x2(squares_3);
                const int64_t column = first + at_2;
                float shift_2 = (x[n_2 * 1310720 + column] + x[n_2 * 1310720 + 327680 + column] + (x[n_2 * 1310720 + 655360 + column] + x[n_2 * 1310720 + 983040 + column])) * 0.25f;
                double off = total_2 / 40960.0;
                double block_mean = cast_f64_from_f32(shift_2) + off;
                double block_m2 = squares_4 - total_2 * off;
                if (not_m64(squares_4 <= min_f64(block_m2 * 16.0, 3.4028234663852886e+38))) {
                    double redo = 0.0;
                    for (int64_t row = 0; row < 4096; row += 1) {
                        for (int64_t i = 0; i < 10; i += 1) {
                            redo = redo + cast_f64_from_f32(x[n_2 * 1310720 + row * 320 + (column + i)]);
                        }
                    }
                    double center = redo / 40960.0;
                    double redo_rest = 0.0;
                    double redo_square = 0.0;
                    for (int64_t row_2 = 0; row_2 < 4096; row_2 += 1) {
                        for (int64_t i_2 = 0; i_2 < 10; i_2 += 1) {
                            double e_4 = cast_f64_from_f32(x[n_2 * 1310720 + row_2 * 320 + (column + i_2)]) - center;
                            redo_rest = redo_rest + e_4;
                            redo_square = fma_f64(e_4, e_4, redo_square);
                        }
                    }
                    block_mean = center + redo_rest / 40960.0;
                    block_m2 = redo_square - redo_rest * redo_rest / 40960.0;
                }
                const int64_t group = part * 8 + g_2;
                double spread = max_f64(block_m2, 0.0) / 40960.0 + 0.001;
                double rstd_all = 1.0 / sqrt_f64(spread);
                stats[n_2 * 64 + group * 2] = block_mean;
                stats[n_2 * 64 + group * 2 + 1] = rstd_all;
            }
        }
#pragma omp for schedule(static) collapse(2)
        for (int64_t n_3 = 0; n_3 < batch; n_3++)
        for (int64_t piece = 0; piece < 20; piece++) {
            float high[324] __attribute__((aligned(64)));
            float scale[324] __attribute__((aligned(64)));
            float offset[324] __attribute__((aligned(64)));
            for (int64_t g_3 = 0; g_3 < 32; g_3 += 1) {
                double mean_all = stats[n_3 * 64 + g_3 * 2];
                double rstd_all_2 = stats[n_3 * 64 + g_3 * 2 + 1];
                float mean_high = cast_f32_from_f64(mean_all);
                float mean_low = cast_f32_from_f64(mean_all - cast_f64_from_f32(mean_high));
                float rstd_1 = cast_f32_from_f64(rstd_all_2);
                const int64_t base = g_3 * 10;
                for (int64_t c = 0; c + 4 <= 10; c += 4) {
                    f32x4 scale_2 = splat_f32x4(rstd_1) * load_f32x4(gamma, g_3 * 10 + c);
                    f32x4 offset_2 = fma_f32x4(-splat_f32x4(mean_low), scale_2, load_f32x4(beta, g_3 * 10 + c));
                    store_f32x4(high, base + c, splat_f32x4(mean_high));
                    store_f32x4(scale, base + c, scale_2);
                    store_f32x4(offset, base + c, offset_2);
                }
                f32x4 scale_3 = splat_f32x4(rstd_1) * load_part_f32x4(gamma, g_3 * 10 + 8, g_3 * 10 + 10 - (g_3 * 10 + 8), splat_f32x4(0.0f));
                f32x4 offset_3 = fma_f32x4(-splat_f32x4(mean_low), scale_3, load_part_f32x4(beta, g_3 * 10 + 8, g_3 * 10 + 10 - (g_3 * 10 + 8), splat_f32x4(0.0f)));
                store_part_f32x4(high, base + 8, base + 10 - (base + 8), splat_f32x4(mean_high));
                store_part_f32x4(scale, base + 8, base + 10 - (base + 8), scale_3);
                store_part_f32x4(offset, base + 8, base + 10 - (base + 8), offset_3);
            }
            /* the row again, for what reaches past its end */
            store_f32x4(high, 320, load_f32x4(high, 0));
            store_f32x4(scale, 320, load_f32x4(scale, 0));
            store_f32x4(offset, 320, load_f32x4(offset, 0));
            const int64_t piece_first = piece * 65600;
            const int64_t piece_last = min_i64(piece_first + 65600, 1310720);
            const int64_t phase = peel_f32(y, n_3 * 1310720 + piece_first, 4);
            const int64_t aligned = advance(piece_first, phase, piece_last);
            if (piece_first < aligned) {
                f32x4 highs = load_f32x4(high, 0);
                f32x4 scales = load_f32x4(scale, 0);
                f32x4 offsets = load_f32x4(offset, 0);
                store_part_f32x4(y, n_3 * 1310720 + piece_first, aligned - piece_first, fma_f32x4(load_part_f32x4(x, n_3 * 1310720 + piece_first, aligned - piece_first, splat_f32x4(0.0f)) - highs, scales, offsets));
                for (int64_t turn = 0; turn + 4 <= 320; turn += 4) {
                    store_f32x4(high, turn, load_f32x4(high, phase + turn));
                    store_f32x4(scale, turn, load_f32x4(scale, phase + turn));
                    store_f32x4(offset, turn, load_f32x4(offset, phase + turn));
                }
            }
            const int64_t full = main_end(aligned, piece_last, 320);
            for (int64_t row_3 = aligned; row_3 + 320 <= full; row_3 += 320) {
#pragma GCC unroll 4
                for (int64_t j_6 = 0; j_6 + 4 <= 320; j_6 += 4) {
                    f32x4 highs_2 = load_f32x4(high, j_6);
                    f32x4 scales_2 = load_f32x4(scale, j_6);
                    f32x4 offsets_2 = load_f32x4(offset, j_6);
                    const int64_t at_3 = row_3 + j_6;
                    prefetch_f32(x, n_3 * 1310720 + (at_3 + 4096));
                    stream_f32x4(y, n_3 * 1310720 + at_3, fma_f32x4(load_f32x4(x, n_3 * 1310720 + at_3) - highs_2, scales_2, offsets_2));
                }
            }
            for (int64_t j_7 = 0; j_7 + 4 <= 320; j_7 += 4) {
                const int64_t at_4 = full + j_7;
                if (at_4 < piece_last) {
                    f32x4 highs_3 = load_f32x4(high, j_7);
                    f32x4 scales_3 = load_f32x4(scale, j_7);
                    f32x4 offsets_3 = load_f32x4(offset, j_7);
                    store_part_f32x4(y, n_3 * 1310720 + at_4, piece_last - at_4, fma_f32x4(load_part_f32x4(x, n_3 * 1310720 + at_4, piece_last - at_4, splat_f32x4(0.0f)) - highs_3, scales_3, offsets_3));
                }
            }
            fence();
        }
}
}
