/* gn_f32_o1_g32_c10_i4096_silu: group normalisation, specialised by gngen.
 *
 * input   x        float[batch * 1310720]
 * input   gamma    float[320]
 * input   beta     float[320]
 * output  y        float[batch * 1310720]
 *
 * Machine: x86-64 with AVX2 and FMA; 256-bit vectors.
 * Multiplications and additions are fused only where fma_* says so: compile with -ffp-contract=off.
 */
#include <math.h>
#include <stdint.h>

typedef double f64x2 __attribute__((vector_size(16)));
typedef double f64x2_unaligned __attribute__((vector_size(16), aligned(8), may_alias));
typedef double f64x4 __attribute__((vector_size(32)));
typedef double f64x4_unaligned __attribute__((vector_size(32), aligned(8), may_alias));
typedef float f32x8 __attribute__((vector_size(32)));
typedef float f32x8_unaligned __attribute__((vector_size(32), aligned(4), may_alias));
typedef double f64x8 __attribute__((vector_size(64)));
typedef double f64x8_unaligned __attribute__((vector_size(64), aligned(8), may_alias));
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef int32_t i32x8_unaligned __attribute__((vector_size(32), aligned(4), may_alias));

/* Where a loop of full steps leaves off; a step forward that stops at the end. */
static inline int64_t main_end(int64_t start, int64_t stop, int64_t step) { return start + (stop - start) / step * step; }
static inline int64_t advance(int64_t start, int64_t by, int64_t stop) { return start + by < stop ? start + by : stop; }
static inline int64_t min_i64(int64_t a, int64_t b) { return b < a ? b : a; }

static inline f32x8 bitcast_f32x8_from_i32(i32x8 a) { return (f32x8)a; }

static inline i32x8 bitcast_i32x8_from_f32(f32x8 a) { return (i32x8)a; }

static inline float cast_f32_from_f64(double a) { return (float)a; }

static inline double cast_f64_from_f32(float a) { return (double)a; }

static inline double cast_f64_from_i64(int64_t a) { return (double)a; }

static inline f64x8 cast_f64x8_from_f32(f32x8 a) { return __builtin_convertvector(a, f64x8); }

/* a * b + c, rounded once. */
static inline float fma_f32(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
}

/* a * b + c, rounded once. */
static inline f32x8 fma_f32x8(f32x8 a, f32x8 b, f32x8 c) {
#if defined(__clang__)
#pragma clang fp contract(fast)
    return a * b + c;
#else
    return __builtin_ia32_vfmaddps256(a, b, c);
#endif
}

/* a * b + c, rounded once. */
static inline double fma_f64(double a, double b, double c) {
    return __builtin_fma(a, b, c);
}


static inline f32x8 load_f32x8(const float *p, int64_t i) { return *(const f32x8_unaligned *)(p + i); }


/* The first n lanes from p + i, the rest from fill. */
static inline f32x8 load_part_f32x8(const float *p, int64_t i, int64_t n, f32x8 fill) {
    const i32x8 mask = (i32x8){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)(n < 8 ? n : 8);
    const f32x8 part = __builtin_ia32_maskloadps256((const f32x8 *)(p + i), mask);
    return (f32x8)(((i32x8)part & mask) | ((i32x8)fill & ~mask));
}

static inline f32x8 max_f32x8(f32x8 a, f32x8 b) {
#if !defined(__clang__)
    return __builtin_ia32_maxps256(b, a);
#endif
    const i32x8 mask = b > a;
    return (f32x8)(((i32x8)b & mask) | ((i32x8)a & ~mask));
}

static inline double max_f64(double a, double b) { return b > a ? b : a; }

static inline f32x8 min_f32x8(f32x8 a, f32x8 b) {
#if !defined(__clang__)
    return __builtin_ia32_minps256(b, a);
#endif
    const i32x8 mask = b < a;
    return (f32x8)(((i32x8)b & mask) | ((i32x8)a & ~mask));
}

static inline double min_f64(double a, double b) { return b < a ? b : a; }

static inline int64_t not_m64(int64_t mask) { return !mask; }

/* How many elements from p + i come before the first that is aligned to `lanes` elements. */
static inline int64_t peel_f32(const float *p, int64_t i, int64_t lanes) { return (int64_t)(-((uintptr_t)(p + i) / sizeof *p)) & (lanes - 1); }

/* Begin to fetch the line of p + i into the second cache; a hint, for which any address will do. */
static inline void prefetch_f32(const float *p, int64_t i) { __builtin_prefetch(p + i, 0, 2); }

/* The sum of the lanes, the upper half onto the lower, and so on. */
static inline double sum_f64x8(f64x8 v) {
    const union { f64x8 whole; f64x4 half[2]; } u4 = {v};
    const f64x4 v4 = u4.half[0] + u4.half[1];
    const union { f64x4 whole; f64x2 half[2]; } u2 = {v4};
    const f64x2 v2 = u2.half[0] + u2.half[1];
    return v2[0] + v2[1];
}

static inline f32x8 splat_f32x8(float a) { return (f32x8){a, a, a, a, a, a, a, a}; }

static inline i32x8 splat_i32x8(int32_t a) { return (i32x8){a, a, a, a, a, a, a, a}; }

static inline double sqrt_f64(double a) { return sqrt(a); }


/* The first n lanes to p + i. */
static inline void store_part_f32x8(float *p, int64_t i, int64_t n, f32x8 v) {
    const i32x8 mask = (i32x8){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)(n < 8 ? n : 8);
    __builtin_ia32_maskstoreps256((f32x8 *)(p + i), mask, v);
}

/* A streaming store: past the caches; p + i is aligned to the vector. */
static inline void stream_f32x8(float *p, int64_t i, f32x8 v) {
#if defined(__clang__)
    __builtin_nontemporal_store(v, (f32x8 *)(p + i));
#else
    __builtin_ia32_movntps256(p + i, v);
#endif
}

/* Make streaming stores visible before what follows. */
static inline void fence(void) { __builtin_ia32_sfence(); }

static inline f32x8 silu_f32x8(f32x8 x) {
    f32x8 above = max_f32x8(x, splat_f32x8(-88.72284f));
    f32x8 inside = min_f32x8(above, splat_f32x8(88.02969f));
    f32x8 t = fma_f32x8(inside, splat_f32x8(-1.442695f), splat_f32x8(12583039.0f));
    f32x8 n = t - splat_f32x8(12583039.0f);
    f32x8 scale = bitcast_f32x8_from_i32(bitcast_i32x8_from_f32(t) << splat_i32x8(23));
    f32x8 r = fma_f32x8(n, splat_f32x8(0.69314575f), inside);
    f32x8 r_2 = fma_f32x8(n, splat_f32x8(1.4286068e-06f), r);
    f32x8 p = fma_f32x8(splat_f32x8(-0.008289932f), r_2, splat_f32x8(0.041898668f));
    f32x8 p_2 = fma_f32x8(p, r_2, splat_f32x8(-0.16667648f));
    f32x8 p_3 = fma_f32x8(p_2, r_2, splat_f32x8(0.49999145f));
    f32x8 p_4 = fma_f32x8(p_3, r_2, splat_f32x8(-0.9999997f));
    f32x8 p_5 = fma_f32x8(p_4, r_2, splat_f32x8(1.0f));
    f32x8 under = fma_f32x8(p_5, scale, splat_f32x8(1.0f));
    return above / under;
}

void gn_f32_o1_g32_c10_i4096_silu(const float *x, const float *gamma, const float *beta, float *y, int64_t batch, int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
#pragma omp for schedule(static) collapse(2)
        for (int64_t n = 0; n < batch; n++)
        for (int64_t g = 0; g < 32; g++) {
            double partial[30] __attribute__((aligned(64)));
            for (int64_t width_block = 0; width_block < 10; width_block += 1) {
                const int64_t at_first = width_block * 4096;
                const int64_t at_last = at_first + 4096;
                float shift = x[n * 1310720 + g * 40960 + at_first];
                f32x8 shifts = splat_f32x8(shift);
                f32x8 sum = splat_f32x8(0.0f);
                f32x8 square = splat_f32x8(0.0f);
                f32x8 sum_2 = splat_f32x8(0.0f);
                f32x8 square_2 = splat_f32x8(0.0f);
                f32x8 sum_3 = splat_f32x8(0.0f);
                f32x8 square_3 = splat_f32x8(0.0f);
                f32x8 sum_4 = splat_f32x8(0.0f);
                f32x8 square_4 = splat_f32x8(0.0f);
                for (int64_t i = at_first; i + 32 <= at_last; i += 32) {
                    f32x8 d = load_f32x8(x, n * 1310720 + g * 40960 + i) - shifts;
                    sum = sum + d;
                    square = fma_f32x8(d, d, square);
                    f32x8 d_2 = load_f32x8(x, n * 1310720 + g * 40960 + (i + 8)) - shifts;
                    sum_2 = sum_2 + d_2;
                    square_2 = fma_f32x8(d_2, d_2, square_2);
                    f32x8 d_3 = load_f32x8(x, n * 1310720 + g * 40960 + (i + 16)) - shifts;
                    sum_3 = sum_3 + d_3;
                    square_3 = fma_f32x8(d_3, d_3, square_3);
                    f32x8 d_4 = load_f32x8(x, n * 1310720 + g * 40960 + (i + 24)) - shifts;
                    sum_4 = sum_4 + d_4;
                    square_4 = fma_f32x8(d_4, d_4, square_4);
                }
                double count = cast_f64_from_i64(at_last - at_first);
                double total = sum_f64x8(cast_f64x8_from_f32(sum + sum_2 + (sum_3 + sum_4)));
                double squares = sum_f64x8(cast_f64x8_from_f32(square + square_2 + (square_3 + square_4)));
                double off = total / count;
                double block_mean = cast_f64_from_f32(shift) + off;
                double block_m2 = squares - total * off;
                if (not_m64(squares <= min_f64(block_m2 * 16.0, 3.4028234663852886e+38))) {
                    double redo = 0.0;
                    for (int64_t i_2 = at_first; i_2 < at_last; i_2 += 1) {
                        redo = redo + cast_f64_from_f32(x[n * 1310720 + g * 40960 + i_2]);
                    }
                    double center = redo / count;
                    double redo_rest = 0.0;
                    double redo_square = 0.0;
                    for (int64_t i_3 = at_first; i_3 < at_last; i_3 += 1) {
                        double e = cast_f64_from_f32(x[n * 1310720 + g * 40960 + i_3]) - center;
                        redo_rest = redo_rest + e;
                        redo_square = fma_f64(e, e, redo_square);
                    }
                    block_mean = center + redo_rest / count;
                    block_m2 = redo_square - redo_rest * redo_rest / count;
                }
                partial[width_block * 3] = block_mean;
                partial[width_block * 3 + 1] = block_m2;
                partial[width_block * 3 + 2] = count;
            }
            double mean_all = partial[0];
            double m2_all = partial[1];
            double count_all = partial[2];
            for (int64_t block = 1; block < 10; block += 1) {
                double delta = partial[block * 3] - mean_all;
                double more = partial[block * 3 + 2];
                double share = more / (count_all + more);
                mean_all = fma_f64(delta, share, mean_all);
                m2_all = m2_all + fma_f64(delta * delta, count_all * share, partial[block * 3 + 1]);
                count_all = count_all + more;
            }
            double spread = max_f64(m2_all, 0.0) / count_all + 0.001;
            double rstd_all = 1.0 / sqrt_f64(spread);
            float mean_high = cast_f32_from_f64(mean_all);
            float mean_low = cast_f32_from_f64(mean_all - cast_f64_from_f32(mean_high));
            float rstd_1 = cast_f32_from_f64(rstd_all);
            for (int64_t c = 0; c < 10; c += 1) {
                float scale = rstd_1 * gamma[g * 10 + c];
                float offset = fma_f32(-mean_low, scale, beta[g * 10 + c]);
                f32x8 highs = splat_f32x8(mean_high);
                f32x8 scales = splat_f32x8(scale);
                f32x8 offsets = splat_f32x8(offset);
                const int64_t phase = peel_f32(y, n * 1310720 + g * 40960 + c * 4096, 8);
                const int64_t aligned = advance(0, phase, 4096);
                if (0 < aligned) {
                    store_part_f32x8(y, n * 1310720 + g * 40960 + c * 4096, aligned, silu_f32x8(fma_f32x8(load_part_f32x8(x, n * 1310720 + g * 40960 + c * 4096, aligned, splat_f32x8(0.0f)) - highs, scales, offsets)));
                }
                for (int64_t i_4 = aligned; i_4 + 32 <= 4096; i_4 += 32) {
                    prefetch_f32(x, n * 1310720 + g * 40960 + c * 4096 + (i_4 + 40960));
                    prefetch_f32(x, n * 1310720 + g * 40960 + c * 4096 + (i_4 + 40976));
                    const int64_t at = i_4 + 8;
                    const int64_t at_2 = i_4 + 16;
                    const int64_t at_3 = i_4 + 24;
                    /* 4 vectors side by side, so that no operation waits for the one before */
                    f32x8 x_2 = fma_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + c * 4096 + i_4) - highs, scales, offsets);
                    f32x8 x_3 = fma_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + c * 4096 + at) - highs, scales, offsets);
                    f32x8 x_4 = fma_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + c * 4096 + at_2) - highs, scales, offsets);
                    f32x8 x_5 = fma_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + c * 4096 + at_3) - highs, scales, offsets);
                    f32x8 above = max_f32x8(x_2, splat_f32x8(-88.72284f));
                    f32x8 above_2 = max_f32x8(x_3, splat_f32x8(-88.72284f));
                    f32x8 above_3 = max_f32x8(x_4, splat_f32x8(-88.72284f));
                    f32x8 above_4 = max_f32x8(x_5, splat_f32x8(-88.72284f));
                    f32x8 inside = min_f32x8(above, splat_f32x8(88.02969f));
                    f32x8 inside_2 = min_f32x8(above_2, splat_f32x8(88.02969f));
                    f32x8 inside_3 = min_f32x8(above_3, splat_f32x8(88.02969f));
                    f32x8 inside_4 = min_f32x8(above_4, splat_f32x8(88.02969f));
                    f32x8 t = fma_f32x8(inside, splat_f32x8(-1.442695f), splat_f32x8(12583039.0f));
                    f32x8 t_2 = fma_f32x8(inside_2, splat_f32x8(-1.442695f), splat_f32x8(12583039.0f));
                    f32x8 t_3 = fma_f32x8(inside_3, splat_f32x8(-1.442695f), splat_f32x8(12583039.0f));
                    f32x8 t_4 = fma_f32x8(inside_4, splat_f32x8(-1.442695f), splat_f32x8(12583039.0f));
                    f32x8 n_2 = t - splat_f32x8(12583039.0f);
                    f32x8 n_3 = t_2 - splat_f32x8(12583039.0f);
                    f32x8 n_4 = t_3 - splat_f32x8(12583039.0f);
                    f32x8 n_5 = t_4 - splat_f32x8(12583039.0f);
                    f32x8 scale_2 = bitcast_f32x8_from_i32(bitcast_i32x8_from_f32(t) << splat_i32x8(23));
                    f32x8 scale_3 = bitcast_f32x8_from_i32(bitcast_i32x8_from_f32(t_2) << splat_i32x8(23));
                    f32x8 scale_4 = bitcast_f32x8_from_i32(bitcast_i32x8_from_f32(t_3) << splat_i32x8(23));
                    f32x8 scale_5 = bitcast_f32x8_from_i32(bitcast_i32x8_from_f32(t_4) << splat_i32x8(23));
                    f32x8 r = fma_f32x8(n_2, splat_f32x8(0.69314575f), inside);
                    f32x8 r_3 = fma_f32x8(n_3, splat_f32x8(0.69314575f), inside_2);
                    f32x8 r_5 = fma_f32x8(n_4, splat_f32x8(0.69314575f), inside_3);
                    f32x8 r_7 = fma_f32x8(n_5, splat_f32x8(0.69314575f), inside_4);
                    f32x8 r_2 = fma_f32x8(n_2, splat_f32x8(1.4286068e-06f), r);
                    f32x8 r_4 = fma_f32x8(n_3, splat_f32x8(1.4286068e-06f), r_3);
                    f32x8 r_6 = fma_f32x8(n_4, splat_f32x8(1.4286068e-06f), r_5);
                    f32x8 r_8 = fma_f32x8(n_5, splat_f32x8(1.4286068e-06f), r_7);
                    f32x8 p = fma_f32x8(splat_f32x8(-0.008289932f), r_2, splat_f32x8(0.041898668f));
                    f32x8 p_6 = fma_f32x8(splat_f32x8(-0.008289932f), r_4, splat_f32x8(0.041898668f));
                    f32x8 p_11 = fma_f32x8(splat_f32x8(-0.008289932f), r_6, splat_f32x8(0.041898668f));
                    f32x8 p_16 = fma_f32x8(splat_f32x8(-0.008289932f), r_8, splat_f32x8(0.041898668f));
                    f32x8 p_2 = fma_f32x8(p, r_2, splat_f32x8(-0.16667648f));
                    f32x8 p_7 = fma_f32x8(p_6, r_4, splat_f32x8(-0.16667648f));
                    f32x8 p_12 = fma_f32x8(p_11, r_6, splat_f32x8(-0.16667648f));
                    f32x8 p_17 = fma_f32x8(p_16, r_8, splat_f32x8(-0.16667648f));
                    f32x8 p_3 = fma_f32x8(p_2, r_2, splat_f32x8(0.49999145f));
                    f32x8 p_8 = fma_f32x8(p_7, r_4, splat_f32x8(0.49999145f));
                    f32x8 p_13 = fma_f32x8(p_12, r_6, splat_f32x8(0.49999145f));
                    f32x8 p_18 = fma_f32x8(p_17, r_8, splat_f32x8(0.49999145f));
                    f32x8 p_4 = fma_f32x8(p_3, r_2, splat_f32x8(-0.9999997f));
                    f32x8 p_9 = fma_f32x8(p_8, r_4, splat_f32x8(-0.9999997f));
                    f32x8 p_14 = fma_f32x8(p_13, r_6, splat_f32x8(-0.9999997f));
                    f32x8 p_19 = fma_f32x8(p_18, r_8, splat_f32x8(-0.9999997f));
                    f32x8 p_5 = fma_f32x8(p_4, r_2, splat_f32x8(1.0f));
                    f32x8 p_10 = fma_f32x8(p_9, r_4, splat_f32x8(1.0f));
                    f32x8 p_15 = fma_f32x8(p_14, r_6, splat_f32x8(1.0f));
                    f32x8 p_20 = fma_f32x8(p_19, r_8, splat_f32x8(1.0f));
                    f32x8 under = fma_f32x8(p_5, scale_2, splat_f32x8(1.0f));
                    f32x8 under_2 = fma_f32x8(p_10, scale_3, splat_f32x8(1.0f));
                    f32x8 under_3 = fma_f32x8(p_15, scale_4, splat_f32x8(1.0f));
                    f32x8 under_4 = fma_f32x8(p_20, scale_5, splat_f32x8(1.0f));
                    stream_f32x8(y, n * 1310720 + g * 40960 + c * 4096 + i_4, above / under);
                    stream_f32x8(y, n * 1310720 + g * 40960 + c * 4096 + at, above_2 / under_2);
                    stream_f32x8(y, n * 1310720 + g * 40960 + c * 4096 + at_2, above_3 / under_3);
                    stream_f32x8(y, n * 1310720 + g * 40960 + c * 4096 + at_3, above_4 / under_4);
                }
                const int64_t rest = main_end(aligned, 4096, 32);
                for (int64_t i_5 = rest; i_5 + 8 <= 4096; i_5 += 8) {
                    prefetch_f32(x, n * 1310720 + g * 40960 + c * 4096 + (i_5 + 40960));
                    stream_f32x8(y, n * 1310720 + g * 40960 + c * 4096 + i_5, silu_f32x8(fma_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + c * 4096 + i_5) - highs, scales, offsets)));
                }
                const int64_t tail = main_end(aligned, 4096, 8);
                if (tail < 4096) {
                    store_part_f32x8(y, n * 1310720 + g * 40960 + c * 4096 + tail, 4096 - tail, silu_f32x8(fma_f32x8(load_part_f32x8(x, n * 1310720 + g * 40960 + c * 4096 + tail, 4096 - tail, splat_f32x8(0.0f)) - highs, scales, offsets)));
                }
            }
            fence();
        }
}
}
