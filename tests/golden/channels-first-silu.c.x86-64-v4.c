/* gn_f32_o1_g32_c10_i4096_silu: group normalisation, specialised by gngen.
 *
 * input   x        float[batch * 1310720]
 * input   gamma    float[320]
 * input   beta     float[320]
 * output  y        float[batch * 1310720]
 *
 * Machine: x86-64 with AVX-512; 512-bit vectors.
 * Multiplications and additions are fused only where fma_* says so: compile with -ffp-contract=off.
 */
#include <math.h>
#include <stdint.h>

typedef double f64x2 __attribute__((vector_size(16)));
typedef double f64x2_unaligned __attribute__((vector_size(16), aligned(8), may_alias));
typedef double f64x4 __attribute__((vector_size(32)));
typedef double f64x4_unaligned __attribute__((vector_size(32), aligned(8), may_alias));
typedef double f64x8 __attribute__((vector_size(64)));
typedef double f64x8_unaligned __attribute__((vector_size(64), aligned(8), may_alias));
typedef float f32x16 __attribute__((vector_size(64)));
typedef float f32x16_unaligned __attribute__((vector_size(64), aligned(4), may_alias));
typedef double f64x16 __attribute__((vector_size(128)));
typedef double f64x16_unaligned __attribute__((vector_size(128), aligned(8), may_alias));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16_unaligned __attribute__((vector_size(64), aligned(4), may_alias));

/* Where a loop of full steps leaves off; a step forward that stops at the end. */
static inline int64_t main_end(int64_t start, int64_t stop, int64_t step) { return start + (stop - start) / step * step; }
static inline int64_t advance(int64_t start, int64_t by, int64_t stop) { return start + by < stop ? start + by : stop; }
static inline int64_t min_i64(int64_t a, int64_t b) { return b < a ? b : a; }

static inline f32x16 bitcast_f32x16_from_i32(i32x16 a) { return (f32x16)a; }

static inline i32x16 bitcast_i32x16_from_f32(f32x16 a) { return (i32x16)a; }

static inline float cast_f32_from_f64(double a) { return (float)a; }

static inline double cast_f64_from_f32(float a) { return (double)a; }

static inline double cast_f64_from_i64(int64_t a) { return (double)a; }

static inline f64x16 cast_f64x16_from_f32(f32x16 a) { return __builtin_convertvector(a, f64x16); }

/* a * b + c, rounded once. */
static inline float fma_f32(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
}

/* a * b + c, rounded once. */
static inline f32x16 fma_f32x16(f32x16 a, f32x16 b, f32x16 c) {
#if defined(__clang__)
#pragma clang fp contract(fast)
    return a * b + c;
#else
    return __builtin_ia32_vfmaddps512_mask(a, b, c, (unsigned short)-1, 4);
#endif
}

/* a * b + c, rounded once. */
static inline double fma_f64(double a, double b, double c) {
    return __builtin_fma(a, b, c);
}


static inline f32x16 load_f32x16(const float *p, int64_t i) { return *(const f32x16_unaligned *)(p + i); }


/* The first n lanes from p + i, the rest from fill. */
static inline f32x16 load_part_f32x16(const float *p, int64_t i, int64_t n, f32x16 fill) {
    const unsigned mask = n >= 16 ? 65535u : (1u << n) - 1;
    return __builtin_ia32_loadups512_mask(p + i, fill, mask);
}

static inline f32x16 max_f32x16(f32x16 a, f32x16 b) {
#if !defined(__clang__)
    return __builtin_ia32_maxps512_mask(b, a, a, -1, 4);
#endif
    const i32x16 mask = b > a;
    return (f32x16)(((i32x16)b & mask) | ((i32x16)a & ~mask));
}

static inline double max_f64(double a, double b) { return b > a ? b : a; }

static inline f32x16 min_f32x16(f32x16 a, f32x16 b) {
#if !defined(__clang__)
    return __builtin_ia32_minps512_mask(b, a, a, -1, 4);
#endif
    const i32x16 mask = b < a;
    return (f32x16)(((i32x16)b & mask) | ((i32x16)a & ~mask));
}

static inline double min_f64(double a, double b) { return b < a ? b : a; }

static inline int64_t not_m64(int64_t mask) { return !mask; }

/* How many elements from p + i come before the first that is aligned to `lanes` elements. */
static inline int64_t peel_f32(const float *p, int64_t i, int64_t lanes) { return (int64_t)(-((uintptr_t)(p + i) / sizeof *p)) & (lanes - 1); }

/* Begin to fetch the line of p + i into the second cache; a hint, for which any address will do. */
static inline void prefetch_f32(const float *p, int64_t i) { __builtin_prefetch(p + i, 0, 2); }

/* The sum of the lanes, the upper half onto the lower, and so on. */
static inline double sum_f64x16(f64x16 v) {
    const union { f64x16 whole; f64x8 half[2]; } u8 = {v};
    const f64x8 v8 = u8.half[0] + u8.half[1];
    const union { f64x8 whole; f64x4 half[2]; } u4 = {v8};
    const f64x4 v4 = u4.half[0] + u4.half[1];
    const union { f64x4 whole; f64x2 half[2]; } u2 = {v4};
    const f64x2 v2 = u2.half[0] + u2.half[1];
    return v2[0] + v2[1];
}

static inline f32x16 splat_f32x16(float a) { return (f32x16){a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a}; }

static inline i32x16 splat_i32x16(int32_t a) { return (i32x16){a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a}; }

static inline double sqrt_f64(double a) { return sqrt(a); }

static inline void store_f32x16(float *p, int64_t i, f32x16 v) { *(f32x16_unaligned *)(p + i) = v; }


/* The first n lanes to p + i. */
static inline void store_part_f32x16(float *p, int64_t i, int64_t n, f32x16 v) {
    const unsigned mask = n >= 16 ? 65535u : (1u << n) - 1;
    __builtin_ia32_storeups512_mask(p + i, v, mask);
}

/* Make streaming stores visible before what follows. */
static inline void fence(void) { __builtin_ia32_sfence(); }

static inline f32x16 silu_f32x16(f32x16 x) {
    f32x16 above = max_f32x16(x, splat_f32x16(-88.72284f));
    f32x16 inside = min_f32x16(above, splat_f32x16(88.02969f));
    f32x16 t = fma_f32x16(inside, splat_f32x16(-1.442695f), splat_f32x16(12583039.0f));
    f32x16 n = t - splat_f32x16(12583039.0f);
    f32x16 scale = bitcast_f32x16_from_i32(bitcast_i32x16_from_f32(t) << splat_i32x16(23));
    f32x16 r = fma_f32x16(n, splat_f32x16(0.69314575f), inside);
    f32x16 r_2 = fma_f32x16(n, splat_f32x16(1.4286068e-06f), r);
    f32x16 p = fma_f32x16(splat_f32x16(-0.008289932f), r_2, splat_f32x16(0.041898668f));
    f32x16 p_2 = fma_f32x16(p, r_2, splat_f32x16(-0.16667648f));
    f32x16 p_3 = fma_f32x16(p_2, r_2, splat_f32x16(0.49999145f));
    f32x16 p_4 = fma_f32x16(p_3, r_2, splat_f32x16(-0.9999997f));
    f32x16 p_5 = fma_f32x16(p_4, r_2, splat_f32x16(1.0f));
    f32x16 under = fma_f32x16(p_5, scale, splat_f32x16(1.0f));
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
                f32x16 shifts = splat_f32x16(shift);
                f32x16 sum = splat_f32x16(0.0f);
                f32x16 square = splat_f32x16(0.0f);
                f32x16 sum_2 = splat_f32x16(0.0f);
                f32x16 square_2 = splat_f32x16(0.0f);
                f32x16 sum_3 = splat_f32x16(0.0f);
                f32x16 square_3 = splat_f32x16(0.0f);
                f32x16 sum_4 = splat_f32x16(0.0f);
                f32x16 square_4 = splat_f32x16(0.0f);
                for (int64_t i = at_first; i + 64 <= at_last; i += 64) {
                    f32x16 d = load_f32x16(x, n * 1310720 + g * 40960 + i) - shifts;
                    sum = sum + d;
                    square = fma_f32x16(d, d, square);
                    f32x16 d_2 = load_f32x16(x, n * 1310720 + g * 40960 + (i + 16)) - shifts;
                    sum_2 = sum_2 + d_2;
                    square_2 = fma_f32x16(d_2, d_2, square_2);
                    f32x16 d_3 = load_f32x16(x, n * 1310720 + g * 40960 + (i + 32)) - shifts;
                    sum_3 = sum_3 + d_3;
                    square_3 = fma_f32x16(d_3, d_3, square_3);
                    f32x16 d_4 = load_f32x16(x, n * 1310720 + g * 40960 + (i + 48)) - shifts;
                    sum_4 = sum_4 + d_4;
                    square_4 = fma_f32x16(d_4, d_4, square_4);
                }
                double count = cast_f64_from_i64(at_last - at_first);
                double total = sum_f64x16(cast_f64x16_from_f32(sum + sum_2 + (sum_3 + sum_4)));
                double squares = sum_f64x16(cast_f64x16_from_f32(square + square_2 + (square_3 + square_4)));
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
                f32x16 highs = splat_f32x16(mean_high);
                f32x16 scales = splat_f32x16(scale);
                f32x16 offsets = splat_f32x16(offset);
                const int64_t phase = peel_f32(y, n * 1310720 + g * 40960 + c * 4096, 16);
                const int64_t aligned = advance(0, phase, 4096);
                if (0 < aligned) {
                    store_part_f32x16(y, n * 1310720 + g * 40960 + c * 4096, aligned, silu_f32x16(fma_f32x16(load_part_f32x16(x, n * 1310720 + g * 40960 + c * 4096, aligned, splat_f32x16(0.0f)) - highs, scales, offsets)));
                }
                for (int64_t i_4 = aligned; i_4 + 64 <= 4096; i_4 += 64) {
                    prefetch_f32(x, n * 1310720 + g * 40960 + c * 4096 + (i_4 + 40960));
                    prefetch_f32(x, n * 1310720 + g * 40960 + c * 4096 + (i_4 + 40976));
                    prefetch_f32(x, n * 1310720 + g * 40960 + c * 4096 + (i_4 + 40992));
                    prefetch_f32(x, n * 1310720 + g * 40960 + c * 4096 + (i_4 + 41008));
                    const int64_t at = i_4 + 16;
                    const int64_t at_2 = i_4 + 32;
                    const int64_t at_3 = i_4 + 48;
                    /* 4 vectors side by side, so that no operation waits for the one before */
                    f32x16 x_2 = fma_f32x16(load_f32x16(x, n * 1310720 + g * 40960 + c * 4096 + i_4) - highs, scales, offsets);
                    f32x16 x_3 = fma_f32x16(load_f32x16(x, n * 1310720 + g * 40960 + c * 4096 + at) - highs, scales, offsets);
                    f32x16 x_4 = fma_f32x16(load_f32x16(x, n * 1310720 + g * 40960 + c * 4096 + at_2) - highs, scales, offsets);
                    f32x16 x_5 = fma_f32x16(load_f32x16(x, n * 1310720 + g * 40960 + c * 4096 + at_3) - highs, scales, offsets);
                    f32x16 above = max_f32x16(x_2, splat_f32x16(-88.72284f));
                    f32x16 above_2 = max_f32x16(x_3, splat_f32x16(-88.72284f));
                    f32x16 above_3 = max_f32x16(x_4, splat_f32x16(-88.72284f));
                    f32x16 above_4 = max_f32x16(x_5, splat_f32x16(-88.72284f));
                    f32x16 inside = min_f32x16(above, splat_f32x16(88.02969f));
                    f32x16 inside_2 = min_f32x16(above_2, splat_f32x16(88.02969f));
                    f32x16 inside_3 = min_f32x16(above_3, splat_f32x16(88.02969f));
                    f32x16 inside_4 = min_f32x16(above_4, splat_f32x16(88.02969f));
                    f32x16 t = fma_f32x16(inside, splat_f32x16(-1.442695f), splat_f32x16(12583039.0f));
                    f32x16 t_2 = fma_f32x16(inside_2, splat_f32x16(-1.442695f), splat_f32x16(12583039.0f));
                    f32x16 t_3 = fma_f32x16(inside_3, splat_f32x16(-1.442695f), splat_f32x16(12583039.0f));
                    f32x16 t_4 = fma_f32x16(inside_4, splat_f32x16(-1.442695f), splat_f32x16(12583039.0f));
                    f32x16 n_2 = t - splat_f32x16(12583039.0f);
                    f32x16 n_3 = t_2 - splat_f32x16(12583039.0f);
                    f32x16 n_4 = t_3 - splat_f32x16(12583039.0f);
                    f32x16 n_5 = t_4 - splat_f32x16(12583039.0f);
                    f32x16 scale_2 = bitcast_f32x16_from_i32(bitcast_i32x16_from_f32(t) << splat_i32x16(23));
                    f32x16 scale_3 = bitcast_f32x16_from_i32(bitcast_i32x16_from_f32(t_2) << splat_i32x16(23));
                    f32x16 scale_4 = bitcast_f32x16_from_i32(bitcast_i32x16_from_f32(t_3) << splat_i32x16(23));
                    f32x16 scale_5 = bitcast_f32x16_from_i32(bitcast_i32x16_from_f32(t_4) << splat_i32x16(23));
                    f32x16 r = fma_f32x16(n_2, splat_f32x16(0.69314575f), inside);
                    f32x16 r_3 = fma_f32x16(n_3, splat_f32x16(0.69314575f), inside_2);
                    f32x16 r_5 = fma_f32x16(n_4, splat_f32x16(0.69314575f), inside_3);
                    f32x16 r_7 = fma_f32x16(n_5, splat_f32x16(0.69314575f), inside_4);
                    f32x16 r_2 = fma_f32x16(n_2, splat_f32x16(1.4286068e-06f), r);
                    f32x16 r_4 = fma_f32x16(n_3, splat_f32x16(1.4286068e-06f), r_3);
                    f32x16 r_6 = fma_f32x16(n_4, splat_f32x16(1.4286068e-06f), r_5);
                    f32x16 r_8 = fma_f32x16(n_5, splat_f32x16(1.4286068e-06f), r_7);
                    f32x16 p = fma_f32x16(splat_f32x16(-0.008289932f), r_2, splat_f32x16(0.041898668f));
                    f32x16 p_6 = fma_f32x16(splat_f32x16(-0.008289932f), r_4, splat_f32x16(0.041898668f));
                    f32x16 p_11 = fma_f32x16(splat_f32x16(-0.008289932f), r_6, splat_f32x16(0.041898668f));
                    f32x16 p_16 = fma_f32x16(splat_f32x16(-0.008289932f), r_8, splat_f32x16(0.041898668f));
                    f32x16 p_2 = fma_f32x16(p, r_2, splat_f32x16(-0.16667648f));
                    f32x16 p_7 = fma_f32x16(p_6, r_4, splat_f32x16(-0.16667648f));
                    f32x16 p_12 = fma_f32x16(p_11, r_6, splat_f32x16(-0.16667648f));
                    f32x16 p_17 = fma_f32x16(p_16, r_8, splat_f32x16(-0.16667648f));
                    f32x16 p_3 = fma_f32x16(p_2, r_2, splat_f32x16(0.49999145f));
                    f32x16 p_8 = fma_f32x16(p_7, r_4, splat_f32x16(0.49999145f));
                    f32x16 p_13 = fma_f32x16(p_12, r_6, splat_f32x16(0.49999145f));
                    f32x16 p_18 = fma_f32x16(p_17, r_8, splat_f32x16(0.49999145f));
                    f32x16 p_4 = fma_f32x16(p_3, r_2, splat_f32x16(-0.9999997f));
                    f32x16 p_9 = fma_f32x16(p_8, r_4, splat_f32x16(-0.9999997f));
                    f32x16 p_14 = fma_f32x16(p_13, r_6, splat_f32x16(-0.9999997f));
                    f32x16 p_19 = fma_f32x16(p_18, r_8, splat_f32x16(-0.9999997f));
                    f32x16 p_5 = fma_f32x16(p_4, r_2, splat_f32x16(1.0f));
                    f32x16 p_10 = fma_f32x16(p_9, r_4, splat_f32x16(1.0f));
                    f32x16 p_15 = fma_f32x16(p_14, r_6, splat_f32x16(1.0f));
                    f32x16 p_20 = fma_f32x16(p_19, r_8, splat_f32x16(1.0f));
                    f32x16 under = fma_f32x16(p_5, scale_2, splat_f32x16(1.0f));
                    f32x16 under_2 = fma_f32x16(p_10, scale_3, splat_f32x16(1.0f));
                    f32x16 under_3 = fma_f32x16(p_15, scale_4, splat_f32x16(1.0f));
                    f32x16 under_4 = fma_f32x16(p_20, scale_5, splat_f32x16(1.0f));
                    store_f32x16(y, n * 1310720 + g * 40960 + c * 4096 + i_4, above / under);
                    store_f32x16(y, n * 1310720 + g * 40960 + c * 4096 + at, above_2 / under_2);
                    store_f32x16(y, n * 1310720 + g * 40960 + c * 4096 + at_2, above_3 / under_3);
                    store_f32x16(y, n * 1310720 + g * 40960 + c * 4096 + at_3, above_4 / under_4);
                }
                const int64_t rest = main_end(aligned, 4096, 64);
                for (int64_t i_5 = rest; i_5 + 16 <= 4096; i_5 += 16) {
                    prefetch_f32(x, n * 1310720 + g * 40960 + c * 4096 + (i_5 + 40960));
                    store_f32x16(y, n * 1310720 + g * 40960 + c * 4096 + i_5, silu_f32x16(fma_f32x16(load_f32x16(x, n * 1310720 + g * 40960 + c * 4096 + i_5) - highs, scales, offsets)));
                }
                const int64_t tail = main_end(aligned, 4096, 16);
                if (tail < 4096) {
                    store_part_f32x16(y, n * 1310720 + g * 40960 + c * 4096 + tail, 4096 - tail, silu_f32x16(fma_f32x16(load_part_f32x16(x, n * 1310720 + g * 40960 + c * 4096 + tail, 4096 - tail, splat_f32x16(0.0f)) - highs, scales, offsets)));
                }
            }
        }
}
}
