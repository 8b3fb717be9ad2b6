/* gn_f32_o300_g4_c10_i1_silu_residual_masked: group normalisation, specialised by gngen.
 *
 * input   x        float[batch * 12000]
 * input   residual float[batch * 12000]
 * input   mask     float[batch * 300]
 * input   gamma    float[40]
 * input   beta     float[40]
 * output  y        float[batch * 12000]
 * output  summed   float[batch * 12000]
 * scratch partial  float[batch * 160]
 * scratch stats    double[batch * 8]
 * scratch early    double[batch * 5]
 *
 * Machine: x86-64 with AVX2 and FMA; 256-bit vectors.
 * Multiplications and additions are fused only where fma_* says so: compile with -ffp-contract=off.
 */
#include <math.h>
#include <stdint.h>

typedef double f64x2 __attribute__((vector_size(16)));
typedef double f64x2_unaligned __attribute__((vector_size(16), aligned(8), may_alias));
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
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

static inline f64x4 cast_f64x4_from_f32(f32x4 a) { return __builtin_convertvector(a, f64x4); }

static inline f64x8 cast_f64x8_from_f32(f32x8 a) { return __builtin_convertvector(a, f64x8); }

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


static inline f32x4 load_f32x4(const float *p, int64_t i) { return *(const f32x4_unaligned *)(p + i); }

static inline f32x8 load_f32x8(const float *p, int64_t i) { return *(const f32x8_unaligned *)(p + i); }


static inline f64x4 load_f64x4(const double *p, int64_t i) { return *(const f64x4_unaligned *)(p + i); }

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

/* The sum of the lanes, the upper half onto the lower, and so on. */
static inline double sum_f64x4(f64x4 v) {
    const union { f64x4 whole; f64x2 half[2]; } u2 = {v};
    const f64x2 v2 = u2.half[0] + u2.half[1];
    return v2[0] + v2[1];
}

/* The sum of the lanes, the upper half onto the lower, and so on. */
static inline double sum_f64x8(f64x8 v) {
    const union { f64x8 whole; f64x4 half[2]; } u4 = {v};
    const f64x4 v4 = u4.half[0] + u4.half[1];
    const union { f64x4 whole; f64x2 half[2]; } u2 = {v4};
    const f64x2 v2 = u2.half[0] + u2.half[1];
    return v2[0] + v2[1];
}

static inline double select_f64(int64_t mask, double a, double b) { return mask ? a : b; }

static inline f32x8 splat_f32x8(float a) { return (f32x8){a, a, a, a, a, a, a, a}; }

static inline f64x4 splat_f64x4(double a) { return (f64x4){a, a, a, a}; }

static inline f64x8 splat_f64x8(double a) { return (f64x8){a, a, a, a, a, a, a, a}; }

static inline i32x8 splat_i32x8(int32_t a) { return (i32x8){a, a, a, a, a, a, a, a}; }

static inline double sqrt_f64(double a) { return sqrt(a); }

static inline void store_f32x8(float *p, int64_t i, f32x8 v) { *(f32x8_unaligned *)(p + i) = v; }


static inline void store_f64x4(double *p, int64_t i, f64x4 v) { *(f64x4_unaligned *)(p + i) = v; }

/* The first n lanes to p + i. */
static inline void store_part_f32x8(float *p, int64_t i, int64_t n, f32x8 v) {
    const i32x8 mask = (i32x8){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)(n < 8 ? n : 8);
    __builtin_ia32_maskstoreps256((f32x8 *)(p + i), mask, v);
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

void gn_f32_o300_g4_c10_i1_silu_residual_masked(const float *x, const float *residual, const float *mask, const float *gamma, const float *beta, float *y, float *summed, float *partial, double *stats, double *early, int64_t batch, int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1 && batch >= 3)
    {
#pragma omp for schedule(static)
        for (int64_t n = 0; n < batch; n++) {
            for (int64_t g = 0; g < 4; g += 1) {
                early[n * 5 + g] = 0.0;
            }
            double met = 0.0;
            float found = 0.0f;
            for (int64_t position = 0; position < 75; position += 1) {
                if (mask[n * 300 + position] > found) {
                    found = 1.0f;
                    met = met + 1.0;
                    for (int64_t g_2 = 0; g_2 < 4; g_2 += 1) {
                        early[n * 5 + g_2] = early[n * 5 + g_2] + cast_f64_from_f32(x[n * 12000 + position * 40 + g_2 * 10] + residual[n * 12000 + position * 40 + g_2 * 10]);
                    }
                }
            }
            float found_2 = 0.0f;
            for (int64_t position_2 = 75; position_2 < 150; position_2 += 1) {
                if (mask[n * 300 + position_2] > found_2) {
                    found_2 = 1.0f;
                    met = met + 1.0;
                    for (int64_t g_3 = 0; g_3 < 4; g_3 += 1) {
                        early[n * 5 + g_3] = early[n * 5 + g_3] + cast_f64_from_f32(x[n * 12000 + position_2 * 40 + g_3 * 10] + residual[n * 12000 + position_2 * 40 + g_3 * 10]);
                    }
                }
            }
            float found_3 = 0.0f;
            for (int64_t position_3 = 150; position_3 < 225; position_3 += 1) {
                if (mask[n * 300 + position_3] > found_3) {
                    found_3 = 1.0f;
                    met = met + 1.0;
                    for (int64_t g_4 = 0; g_4 < 4; g_4 += 1) {
                        early[n * 5 + g_4] = early[n * 5 + g_4] + cast_f64_from_f32(x[n * 12000 + position_3 * 40 + g_4 * 10] + residual[n * 12000 + position_3 * 40 + g_4 * 10]);
                    }
                }
            }
            float found_4 = 0.0f;
            for (int64_t position_4 = 225; position_4 < 300; position_4 += 1) {
                if (mask[n * 300 + position_4] > found_4) {
                    found_4 = 1.0f;
                    met = met + 1.0;
                    for (int64_t g_5 = 0; g_5 < 4; g_5 += 1) {
                        early[n * 5 + g_5] = early[n * 5 + g_5] + cast_f64_from_f32(x[n * 12000 + position_4 * 40 + g_5 * 10] + residual[n * 12000 + position_4 * 40 + g_5 * 10]);
                    }
                }
            }
            for (int64_t g_6 = 0; g_6 < 4; g_6 += 1) {
                early[n * 5 + g_6] = early[n * 5 + g_6] / max_f64(met, 1.0);
            }
            f64x8 kept = splat_f64x8(0.0);
            for (int64_t i = 0; i + 8 <= 300; i += 8) {
                kept = kept + cast_f64x8_from_f32(load_f32x8(mask, n * 300 + i));
            }
            if (296 < 300) {
                kept = kept + cast_f64x8_from_f32(load_part_f32x8(mask, n * 300 + 296, 4, splat_f32x8(0.0f)));
            }
            early[n * 5 + 4] = sum_f64x8(kept);
        }
#pragma omp for schedule(static) collapse(2)
        for (int64_t n_2 = 0; n_2 < batch; n_2++)
        for (int64_t slab = 0; slab < 2; slab++) {
            const int64_t slab_first = slab * 6000;
            const int64_t slab_last = slab_first + 6000;
            float sums[40] __attribute__((aligned(64)));
            float squares[40] __attribute__((aligned(64)));
            float shifts[40] __attribute__((aligned(64)));
            for (int64_t j = 0; j + 8 <= 40; j += 8) {
                store_f32x8(sums, j, splat_f32x8(0.0f));
                store_f32x8(squares, j, splat_f32x8(0.0f));
            }
            for (int64_t g_7 = 0; g_7 < 4; g_7 += 1) {
                const int64_t at = g_7 * 10;
                float shift = cast_f32_from_f64(early[n_2 * 5 + g_7]);
                const int64_t fill_end = at + 10;
                f32x8 filling = splat_f32x8(shift);
                for (int64_t e = at; e + 8 <= fill_end; e += 8) {
                    store_f32x8(shifts, e, filling);
                }
                store_part_f32x8(shifts, main_end(at, fill_end, 8), fill_end - main_end(at, fill_end, 8), filling);
            }
            for (int64_t strip = slab_first; strip + 320 <= slab_last; strip += 320) {
                for (int64_t j_2 = 0; j_2 + 8 <= 40; j_2 += 8) {
                    f32x8 s = load_f32x8(sums, j_2);
                    f32x8 q = load_f32x8(squares, j_2);
                    f32x8 k = load_f32x8(shifts, j_2);
                    f32x8 value = load_f32x8(x, n_2 * 12000 + (strip + j_2)) + load_f32x8(residual, n_2 * 12000 + (strip + j_2));
                    store_f32x8(summed, n_2 * 12000 + (strip + j_2), value);
                    if (mask[n_2 * 300 + strip / 40] > 0.0f) {
                        f32x8 d = value - k;
                        s = s + d;
                        q = fma_f32x8(d, d, q);
                    }
                    f32x8 value_2 = load_f32x8(x, n_2 * 12000 + (strip + 40 + j_2)) + load_f32x8(residual, n_2 * 12000 + (strip + 40 + j_2));
                    store_f32x8(summed, n_2 * 12000 + (strip + 40 + j_2), value_2);
                    if (mask[n_2 * 300 + (strip + 40) / 40] > 0.0f) {
                        f32x8 d_2 = value_2 - k;
                        s = s + d_2;
                        q = fma_f32x8(d_2, d_2, q);
                    }
                    f32x8 value_3 = load_f32x8(x, n_2 * 12000 + (strip + 80 + j_2)) + load_f32x8(residual, n_2 * 12000 + (strip + 80 + j_2));
                    store_f32x8(summed, n_2 * 12000 + (strip + 80 + j_2), value_3);
                    if (mask[n_2 * 300 + (strip + 80) / 40] > 0.0f) {
                        f32x8 d_3 = value_3 - k;
                        s = s + d_3;
                        q = fma_f32x8(d_3, d_3, q);
                    }
                    f32x8 value_4 = load_f32x8(x, n_2 * 12000 + (strip + 120 + j_2)) + load_f32x8(residual, n_2 * 12000 + (strip + 120 + j_2));
                    store_f32x8(summed, n_2 * 12000 + (strip + 120 + j_2), value_4);
                    if (mask[n_2 * 300 + (strip + 120) / 40] > 0.0f) {
                        f32x8 d_4 = value_4 - k;
                        s = s + d_4;
                        q = fma_f32x8(d_4, d_4, q);
                    }
                    f32x8 value_5 = load_f32x8(x, n_2 * 12000 + (strip + 160 + j_2)) + load_f32x8(residual, n_2 * 12000 + (strip + 160 + j_2));
                    store_f32x8(summed, n_2 * 12000 + (strip + 160 + j_2), value_5);
                    if (mask[n_2 * 300 + (strip + 160) / 40] > 0.0f) {
                        f32x8 d_5 = value_5 - k;
                        s = s + d_5;
                        q = fma_f32x8(d_5, d_5, q);
                    }
                    f32x8 value_6 = load_f32x8(x, n_2 * 12000 + (strip + 200 + j_2)) + load_f32x8(residual, n_2 * 12000 + (strip + 200 + j_2));
                    store_f32x8(summed, n_2 * 12000 + (strip + 200 + j_2), value_6);
                    if (mask[n_2 * 300 + (strip + 200) / 40] > 0.0f) {
                        f32x8 d_6 = value_6 - k;
                        s = s + d_6;
                        q = fma_f32x8(d_6, d_6, q);
                    }
                    f32x8 value_7 = load_f32x8(x, n_2 * 12000 + (strip + 240 + j_2)) + load_f32x8(residual, n_2 * 12000 + (strip + 240 + j_2));
                    store_f32x8(summed, n_2 * 12000 + (strip + 240 + j_2), value_7);
                    if (mask[n_2 * 300 + (strip + 240) / 40] > 0.0f) {
                        f32x8 d_7 = value_7 - k;
                        s = s + d_7;
                        q = fma_f32x8(d_7, d_7, q);
                    }
                    f32x8 value_8 = load_f32x8(x, n_2 * 12000 + (strip + 280 + j_2)) + load_f32x8(residual, n_2 * 12000 + (strip + 280 + j_2));
                    store_f32x8(summed, n_2 * 12000 + (strip + 280 + j_2), value_8);
                    if (mask[n_2 * 300 + (strip + 280) / 40] > 0.0f) {
                        f32x8 d_8 = value_8 - k;
                        s = s + d_8;
                        q = fma_f32x8(d_8, d_8, q);
                    }
                    store_f32x8(sums, j_2, s);
                    store_f32x8(squares, j_2, q);
                }
            }
            const int64_t rest = main_end(slab_first, slab_last, 320);
            for (int64_t strip_2 = rest; strip_2 + 40 <= slab_last; strip_2 += 40) {
                for (int64_t j_3 = 0; j_3 + 8 <= 40; j_3 += 8) {
                    f32x8 s_2 = load_f32x8(sums, j_3);
                    f32x8 q_2 = load_f32x8(squares, j_3);
                    f32x8 k_2 = load_f32x8(shifts, j_3);
                    f32x8 value_9 = load_f32x8(x, n_2 * 12000 + (strip_2 + j_3)) + load_f32x8(residual, n_2 * 12000 + (strip_2 + j_3));
                    store_f32x8(summed, n_2 * 12000 + (strip_2 + j_3), value_9);
                    if (mask[n_2 * 300 + strip_2 / 40] > 0.0f) {
                        f32x8 d_9 = value_9 - k_2;
                        s_2 = s_2 + d_9;
                        q_2 = fma_f32x8(d_9, d_9, q_2);
                    }
                    store_f32x8(sums, j_3, s_2);
                    store_f32x8(squares, j_3, q_2);
                }
            }
            for (int64_t j_4 = 0; j_4 + 8 <= 40; j_4 += 8) {
                store_f32x8(partial, n_2 * 160 + slab * 80 + j_4, load_f32x8(sums, j_4));
                store_f32x8(partial, n_2 * 160 + slab * 80 + 40 + j_4, load_f32x8(squares, j_4));
            }
        }
#pragma omp for schedule(static)
        for (int64_t n_3 = 0; n_3 < batch; n_3++) {
            double sums_2[40] __attribute__((aligned(64)));
            double squares_2[40] __attribute__((aligned(64)));
            for (int64_t j_5 = 0; j_5 + 4 <= 40; j_5 += 4) {
                f64x4 s_3 = splat_f64x4(0.0);
                f64x4 q_3 = splat_f64x4(0.0);
                for (int64_t slab_2 = 0; slab_2 < 2; slab_2 += 1) {
                    s_3 = s_3 + cast_f64x4_from_f32(load_f32x4(partial, n_3 * 160 + slab_2 * 80 + j_5));
                    q_3 = q_3 + cast_f64x4_from_f32(load_f32x4(partial, n_3 * 160 + slab_2 * 80 + 40 + j_5));
                }
                store_f64x4(sums_2, j_5, s_3);
                store_f64x4(squares_2, j_5, q_3);
            }
            double count = early[n_3 * 5 + 4] * 10.0;
            for (int64_t g_8 = 0; g_8 < 4; g_8 += 1) {
                const int64_t at_2 = g_8 * 10;
                const int64_t column_end = at_2 + 10;
                f64x4 total = splat_f64x4(0.0);
                for (int64_t e_2 = at_2; e_2 + 4 <= column_end; e_2 += 4) {
                    total = total + load_f64x4(sums_2, e_2);
                }
                double total_2 = 0.0;
                for (int64_t e_3 = at_2 + 8; e_3 < column_end; e_3 += 1) {
                    total_2 = total_2 + sums_2[e_3];
                }
                double total_3 = sum_f64x4(total) + total_2;
                const int64_t column_end_2 = at_2 + 10;
                f64x4 squares_3 = splat_f64x4(0.0);
                for (int64_t e_4 = at_2; e_4 + 4 <= column_end_2; e_4 += 4) {
                    squares_3 = squares_3 + load_f64x4(squares_2, e_4);
                }
                double squares_4 = 0.0;
                for (int64_t e_5 = at_2 + 8; e_5 < column_end_2; e_5 += 1) {
                    squares_4 = squares_4 + squares_2[e_5];
                }
                double squares_5 = sum_f64x4(squares_3) + squares_4;
                float shift_2 = cast_f32_from_f64(early[n_3 * 5 + g_8]);
                double off = total_3 / max_f64(count, 1.0);
                double block_mean = cast_f64_from_f32(shift_2) + off;
                double block_m2 = squares_5 - total_3 * off;
                if (not_m64(squares_5 <= min_f64(block_m2 * 16.0, 3.4028234663852886e+38))) {
                    double redo = 0.0;
                    for (int64_t row = 0; row < 300; row += 1) {
                        if (mask[n_3 * 300 + row] > 0.0f) {
                            for (int64_t i_2 = 0; i_2 < 10; i_2 += 1) {
                                redo = redo + cast_f64_from_f32(summed[n_3 * 12000 + row * 40 + (at_2 + i_2)]);
                            }
                        }
                    }
                    double center = redo / count;
                    double redo_rest = 0.0;
                    double redo_square = 0.0;
                    for (int64_t row_2 = 0; row_2 < 300; row_2 += 1) {
                        if (mask[n_3 * 300 + row_2] > 0.0f) {
                            for (int64_t i_3 = 0; i_3 < 10; i_3 += 1) {
                                double e_6 = cast_f64_from_f32(summed[n_3 * 12000 + row_2 * 40 + (at_2 + i_3)]) - center;
                                redo_rest = redo_rest + e_6;
                                redo_square = fma_f64(e_6, e_6, redo_square);
                            }
                        }
                    }
                    block_mean = center + redo_rest / count;
                    block_m2 = redo_square - redo_rest * redo_rest / count;
                }
                double spread = max_f64(block_m2, 0.0) / max_f64(count, 1.0) + 0.001;
                double rstd_all = 1.0 / sqrt_f64(spread);
                rstd_all = select_f64(count <= 0.0, 0.0, rstd_all);
                stats[n_3 * 8 + g_8 * 2] = block_mean;
                stats[n_3 * 8 + g_8 * 2 + 1] = rstd_all;
            }
        }
#pragma omp for schedule(static) collapse(2)
        for (int64_t n_4 = 0; n_4 < batch; n_4++)
        for (int64_t piece = 0; piece < 2; piece++) {
            float high[48] __attribute__((aligned(64)));
            float scale[48] __attribute__((aligned(64)));
            float offset[48] __attribute__((aligned(64)));
            for (int64_t g_9 = 0; g_9 < 4; g_9 += 1) {
                double mean_all = stats[n_4 * 8 + g_9 * 2];
                double rstd_all_2 = stats[n_4 * 8 + g_9 * 2 + 1];
                float mean_high = cast_f32_from_f64(mean_all);
                float mean_low = cast_f32_from_f64(mean_all - cast_f64_from_f32(mean_high));
                float rstd_1 = cast_f32_from_f64(rstd_all_2);
                const int64_t base = g_9 * 10;
                f32x8 scale_2 = splat_f32x8(rstd_1) * load_f32x8(gamma, g_9 * 10);
                f32x8 offset_2 = fma_f32x8(-splat_f32x8(mean_low), scale_2, load_f32x8(beta, g_9 * 10));
                store_f32x8(high, base, splat_f32x8(mean_high));
                store_f32x8(scale, base, scale_2);
                store_f32x8(offset, base, offset_2);
                f32x8 scale_3 = splat_f32x8(rstd_1) * load_part_f32x8(gamma, g_9 * 10 + 8, g_9 * 10 + 10 - (g_9 * 10 + 8), splat_f32x8(0.0f));
                f32x8 offset_3 = fma_f32x8(-splat_f32x8(mean_low), scale_3, load_part_f32x8(beta, g_9 * 10 + 8, g_9 * 10 + 10 - (g_9 * 10 + 8), splat_f32x8(0.0f)));
                store_part_f32x8(high, base + 8, base + 10 - (base + 8), splat_f32x8(mean_high));
                store_part_f32x8(scale, base + 8, base + 10 - (base + 8), scale_3);
                store_part_f32x8(offset, base + 8, base + 10 - (base + 8), offset_3);
            }
            /* the row again, for what reaches past its end */
            store_f32x8(high, 40, load_f32x8(high, 0));
            store_f32x8(scale, 40, load_f32x8(scale, 0));
            store_f32x8(offset, 40, load_f32x8(offset, 0));
            const int64_t piece_first = piece * 6000;
            const int64_t piece_last = piece_first + 6000;
            const int64_t phase = peel_f32(y, n_4 * 12000 + piece_first, 8);
            const int64_t aligned = advance(piece_first, phase, piece_last);
            if (piece_first < aligned) {
                f32x8 highs = load_f32x8(high, 0);
                f32x8 scales = load_f32x8(scale, 0);
                f32x8 offsets = load_f32x8(offset, 0);
                store_part_f32x8(y, n_4 * 12000 + piece_first, aligned - piece_first, silu_f32x8(fma_f32x8(load_part_f32x8(summed, n_4 * 12000 + piece_first, aligned - piece_first, splat_f32x8(0.0f)) - highs, scales, offsets)));
                for (int64_t turn = 0; turn + 8 <= 40; turn += 8) {
                    store_f32x8(high, turn, load_f32x8(high, phase + turn));
                    store_f32x8(scale, turn, load_f32x8(scale, phase + turn));
                    store_f32x8(offset, turn, load_f32x8(offset, phase + turn));
                }
            }
            const int64_t full = main_end(aligned, piece_last, 40);
            for (int64_t row_3 = aligned; row_3 + 160 <= full; row_3 += 160) {
                for (int64_t j_6 = 0; j_6 + 8 <= 40; j_6 += 8) {
                    f32x8 highs_2 = load_f32x8(high, j_6);
                    f32x8 scales_2 = load_f32x8(scale, j_6);
                    f32x8 offsets_2 = load_f32x8(offset, j_6);
                    /* 4 vectors side by side, so that no operation waits for the one before */
                    const int64_t at_3 = row_3 + j_6;
                    const int64_t at_4 = row_3 + 40 + j_6;
                    const int64_t at_5 = row_3 + 80 + j_6;
                    const int64_t at_6 = row_3 + 120 + j_6;
                    f32x8 x_2 = fma_f32x8(load_f32x8(summed, n_4 * 12000 + at_3) - highs_2, scales_2, offsets_2);
                    f32x8 x_3 = fma_f32x8(load_f32x8(summed, n_4 * 12000 + at_4) - highs_2, scales_2, offsets_2);
                    f32x8 x_4 = fma_f32x8(load_f32x8(summed, n_4 * 12000 + at_5) - highs_2, scales_2, offsets_2);
                    f32x8 x_5 = fma_f32x8(load_f32x8(summed, n_4 * 12000 + at_6) - highs_2, scales_2, offsets_2);
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
                    f32x8 n_5 = t - splat_f32x8(12583039.0f);
                    f32x8 n_6 = t_2 - splat_f32x8(12583039.0f);
                    f32x8 n_7 = t_3 - splat_f32x8(12583039.0f);
                    f32x8 n_8 = t_4 - splat_f32x8(12583039.0f);
                    f32x8 scale_4 = bitcast_f32x8_from_i32(bitcast_i32x8_from_f32(t) << splat_i32x8(23));
                    f32x8 scale_5 = bitcast_f32x8_from_i32(bitcast_i32x8_from_f32(t_2) << splat_i32x8(23));
                    f32x8 scale_6 = bitcast_f32x8_from_i32(bitcast_i32x8_from_f32(t_3) << splat_i32x8(23));
                    f32x8 scale_7 = bitcast_f32x8_from_i32(bitcast_i32x8_from_f32(t_4) << splat_i32x8(23));
                    f32x8 r = fma_f32x8(n_5, splat_f32x8(0.69314575f), inside);
                    f32x8 r_3 = fma_f32x8(n_6, splat_f32x8(0.69314575f), inside_2);
                    f32x8 r_5 = fma_f32x8(n_7, splat_f32x8(0.69314575f), inside_3);
                    f32x8 r_7 = fma_f32x8(n_8, splat_f32x8(0.69314575f), inside_4);
                    f32x8 r_2 = fma_f32x8(n_5, splat_f32x8(1.4286068e-06f), r);
                    f32x8 r_4 = fma_f32x8(n_6, splat_f32x8(1.4286068e-06f), r_3);
                    f32x8 r_6 = fma_f32x8(n_7, splat_f32x8(1.4286068e-06f), r_5);
                    f32x8 r_8 = fma_f32x8(n_8, splat_f32x8(1.4286068e-06f), r_7);
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
                    f32x8 under = fma_f32x8(p_5, scale_4, splat_f32x8(1.0f));
                    f32x8 under_2 = fma_f32x8(p_10, scale_5, splat_f32x8(1.0f));
                    f32x8 under_3 = fma_f32x8(p_15, scale_6, splat_f32x8(1.0f));
                    f32x8 under_4 = fma_f32x8(p_20, scale_7, splat_f32x8(1.0f));
                    store_f32x8(y, n_4 * 12000 + at_3, above / under);
                    store_f32x8(y, n_4 * 12000 + at_4, above_2 / under_2);
                    store_f32x8(y, n_4 * 12000 + at_5, above_3 / under_3);
                    store_f32x8(y, n_4 * 12000 + at_6, above_4 / under_4);
                }
            }
            const int64_t rest_2 = main_end(aligned, full, 160);
            for (int64_t row_4 = rest_2; row_4 + 40 <= full; row_4 += 40) {
                f32x8 highs_3 = load_f32x8(high, 0);
                f32x8 scales_3 = load_f32x8(scale, 0);
                f32x8 offsets_3 = load_f32x8(offset, 0);
                f32x8 highs_4 = load_f32x8(high, 8);
                f32x8 scales_4 = load_f32x8(scale, 8);
                f32x8 offsets_4 = load_f32x8(offset, 8);
                f32x8 highs_5 = load_f32x8(high, 16);
                f32x8 scales_5 = load_f32x8(scale, 16);
                f32x8 offsets_5 = load_f32x8(offset, 16);
                f32x8 highs_6 = load_f32x8(high, 24);
                f32x8 scales_6 = load_f32x8(scale, 24);
                f32x8 offsets_6 = load_f32x8(offset, 24);
                /* 4 vectors side by side, so that no operation waits for the one before */
                const int64_t at_7 = row_4 + 8;
                const int64_t at_8 = row_4 + 16;
                const int64_t at_9 = row_4 + 24;
                f32x8 x_6 = fma_f32x8(load_f32x8(summed, n_4 * 12000 + row_4) - highs_3, scales_3, offsets_3);
                f32x8 x_7 = fma_f32x8(load_f32x8(summed, n_4 * 12000 + at_7) - highs_4, scales_4, offsets_4);
                f32x8 x_8 = fma_f32x8(load_f32x8(summed, n_4 * 12000 + at_8) - highs_5, scales_5, offsets_5);
                f32x8 x_9 = fma_f32x8(load_f32x8(summed, n_4 * 12000 + at_9) - highs_6, scales_6, offsets_6);
                f32x8 above_5 = max_f32x8(x_6, splat_f32x8(-88.72284f));
                f32x8 above_6 = max_f32x8(x_7, splat_f32x8(-88.72284f));
                f32x8 above_7 = max_f32x8(x_8, splat_f32x8(-88.72284f));
                f32x8 above_8 = max_f32x8(x_9, splat_f32x8(-88.72284f));
                f32x8 inside_5 = min_f32x8(above_5, splat_f32x8(88.02969f));
                f32x8 inside_6 = min_f32x8(above_6, splat_f32x8(88.02969f));
                f32x8 inside_7 = min_f32x8(above_7, splat_f32x8(88.02969f));
                f32x8 inside_8 = min_f32x8(above_8, splat_f32x8(88.02969f));
                f32x8 t_5 = fma_f32x8(inside_5, splat_f32x8(-1.442695f), splat_f32x8(12583039.0f));
                f32x8 t_6 = fma_f32x8(inside_6, splat_f32x8(-1.442695f), splat_f32x8(12583039.0f));
                f32x8 t_7 = fma_f32x8(inside_7, splat_f32x8(-1.442695f), splat_f32x8(12583039.0f));
                f32x8 t_8 = fma_f32x8(inside_8, splat_f32x8(-1.442695f), splat_f32x8(12583039.0f));
                f32x8 n_9 = t_5 - splat_f32x8(12583039.0f);
                f32x8 n_10 = t_6 - splat_f32x8(12583039.0f);
                f32x8 n_11 = t_7 - splat_f32x8(12583039.0f);
                f32x8 n_12 = t_8 - splat_f32x8(12583039.0f);
                f32x8 scale_8 = bitcast_f32x8_from_i32(bitcast_i32x8_from_f32(t_5) << splat_i32x8(23));
                f32x8 scale_9 = bitcast_f32x8_from_i32(bitcast_i32x8_from_f32(t_6) << splat_i32x8(23));
                f32x8 scale_10 = bitcast_f32x8_from_i32(bitcast_i32x8_from_f32(t_7) << splat_i32x8(23));
                f32x8 scale_11 = bitcast_f32x8_from_i32(bitcast_i32x8_from_f32(t_8) << splat_i32x8(23));
                f32x8 r_9 = fma_f32x8(n_9, splat_f32x8(0.69314575f), inside_5);
                f32x8 r_11 = fma_f32x8(n_10, splat_f32x8(0.69314575f), inside_6);
                f32x8 r_13 = fma_f32x8(n_11, splat_f32x8(0.69314575f), inside_7);
                f32x8 r_15 = fma_f32x8(n_12, splat_f32x8(0.69314575f), inside_8);
                f32x8 r_10 = fma_f32x8(n_9, splat_f32x8(1.4286068e-06f), r_9);
                f32x8 r_12 = fma_f32x8(n_10, splat_f32x8(1.4286068e-06f), r_11);
                f32x8 r_14 = fma_f32x8(n_11, splat_f32x8(1.4286068e-06f), r_13);
                f32x8 r_16 = fma_f32x8(n_12, splat_f32x8(1.4286068e-06f), r_15);
                f32x8 p_21 = fma_f32x8(splat_f32x8(-0.008289932f), r_10, splat_f32x8(0.041898668f));
                f32x8 p_26 = fma_f32x8(splat_f32x8(-0.008289932f), r_12, splat_f32x8(0.041898668f));
                f32x8 p_31 = fma_f32x8(splat_f32x8(-0.008289932f), r_14, splat_f32x8(0.041898668f));
                f32x8 p_36 = fma_f32x8(splat_f32x8(-0.008289932f), r_16, splat_f32x8(0.041898668f));
                f32x8 p_22 = fma_f32x8(p_21, r_10, splat_f32x8(-0.16667648f));
                f32x8 p_27 = fma_f32x8(p_26, r_12, splat_f32x8(-0.16667648f));
                f32x8 p_32 = fma_f32x8(p_31, r_14, splat_f32x8(-0.16667648f));
                f32x8 p_37 = fma_f32x8(p_36, r_16, splat_f32x8(-0.16667648f));
                f32x8 p_23 = fma_f32x8(p_22, r_10, splat_f32x8(0.49999145f));
                f32x8 p_28 = fma_f32x8(p_27, r_12, splat_f32x8(0.49999145f));
                f32x8 p_33 = fma_f32x8(p_32, r_14, splat_f32x8(0.49999145f));
                f32x8 p_38 = fma_f32x8(p_37, r_16, splat_f32x8(0.49999145f));
                f32x8 p_24 = fma_f32x8(p_23, r_10, splat_f32x8(-0.9999997f));
                f32x8 p_29 = fma_f32x8(p_28, r_12, splat_f32x8(-0.9999997f));
                f32x8 p_34 = fma_f32x8(p_33, r_14, splat_f32x8(-0.9999997f));
                f32x8 p_39 = fma_f32x8(p_38, r_16, splat_f32x8(-0.9999997f));
                f32x8 p_25 = fma_f32x8(p_24, r_10, splat_f32x8(1.0f));
                f32x8 p_30 = fma_f32x8(p_29, r_12, splat_f32x8(1.0f));
                f32x8 p_35 = fma_f32x8(p_34, r_14, splat_f32x8(1.0f));
                f32x8 p_40 = fma_f32x8(p_39, r_16, splat_f32x8(1.0f));
                f32x8 under_5 = fma_f32x8(p_25, scale_8, splat_f32x8(1.0f));
                f32x8 under_6 = fma_f32x8(p_30, scale_9, splat_f32x8(1.0f));
                f32x8 under_7 = fma_f32x8(p_35, scale_10, splat_f32x8(1.0f));
                f32x8 under_8 = fma_f32x8(p_40, scale_11, splat_f32x8(1.0f));
                store_f32x8(y, n_4 * 12000 + row_4, above_5 / under_5);
                store_f32x8(y, n_4 * 12000 + at_7, above_6 / under_6);
                store_f32x8(y, n_4 * 12000 + at_8, above_7 / under_7);
                store_f32x8(y, n_4 * 12000 + at_9, above_8 / under_8);
                f32x8 highs_7 = load_f32x8(high, 32);
                f32x8 scales_7 = load_f32x8(scale, 32);
                f32x8 offsets_7 = load_f32x8(offset, 32);
                const int64_t at_10 = row_4 + 32;
                store_f32x8(y, n_4 * 12000 + at_10, silu_f32x8(fma_f32x8(load_f32x8(summed, n_4 * 12000 + at_10) - highs_7, scales_7, offsets_7)));
            }
            for (int64_t j_7 = 0; j_7 + 8 <= 40; j_7 += 8) {
                const int64_t at_11 = full + j_7;
                if (at_11 < piece_last) {
                    f32x8 highs_8 = load_f32x8(high, j_7);
                    f32x8 scales_8 = load_f32x8(scale, j_7);
                    f32x8 offsets_8 = load_f32x8(offset, j_7);
                    store_part_f32x8(y, n_4 * 12000 + at_11, piece_last - at_11, silu_f32x8(fma_f32x8(load_part_f32x8(summed, n_4 * 12000 + at_11, piece_last - at_11, splat_f32x8(0.0f)) - highs_8, scales_8, offsets_8)));
                }
            }
        }
}
}
