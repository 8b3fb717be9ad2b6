/* gn_bf16_o4096_g32_c10_i1: group normalisation, specialised by gngen.
 *
 * input   x        bf16[batch * 1310720]
 * input   gamma    float[320]
 * input   beta     float[320]
 * output  y        bf16[batch * 1310720]
 * scratch partial  float[batch * 10240]
 * scratch stats    double[batch * 64]
 *
 * bf16: the bits of a number in a uint16_t; it is computed with as a float.
 *
 * Machine: any AArch64 (NEON); 128-bit vectors.
 * Multiplications and additions are fused only where fma_* says so: compile with -ffp-contract=off.
 */
#include <math.h>
#include <stdint.h>
#include <arm_neon.h>

typedef float f32x2 __attribute__((vector_size(8)));
typedef float f32x2_unaligned __attribute__((vector_size(8), aligned(4), may_alias));
typedef double f64x2 __attribute__((vector_size(16)));
typedef double f64x2_unaligned __attribute__((vector_size(16), aligned(8), may_alias));
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
typedef uint16_t bf16x8 __attribute__((vector_size(16)));
typedef uint16_t bf16x8_unaligned __attribute__((vector_size(16), aligned(2), may_alias));

/* Where a loop of full steps leaves off; a step forward that stops at the end. */
static inline int64_t main_end(int64_t start, int64_t stop, int64_t step) { return start + (stop - start) / step * step; }
static inline int64_t advance(int64_t start, int64_t by, int64_t stop) { return start + by < stop ? start + by : stop; }
static inline int64_t min_i64(int64_t a, int64_t b) { return b < a ? b : a; }

/* The bits of a float, and the float of some bits. */
static inline uint32_t bits_of(float a) { union { float from; uint32_t to; } u = {a}; return u.to; }
static inline float float_of(uint32_t a) { union { uint32_t from; float to; } u = {a}; return u.to; }

static inline double abs_f64(double a) { return __builtin_fabs(a); }

/* The sums of neighbouring bfloat16s, the upper of each word first, added to a total. */
static inline f32x4 add_pairs_f32x4(f32x4 total, bf16x8 a) {
    typedef uint32_t bits __attribute__((vector_size(16)));
    const f32x4 even = (f32x4)((bits)a << 16), odd = (f32x4)((bits)a & 0xffff0000u);
    return (total + odd) + even;
}

static inline uint16_t cast_bf16_from_f32(float a) {
    typedef uint32_t bits;
    const bits word = bits_of(a), nan = -(bits)(a != a);
    const bits rounded = (word + 0x7fff + (word >> 16 & 1)) >> 16, quiet = word >> 16 | 0x40;
    return (uint16_t)((quiet & nan) | (rounded & ~nan));
}

static inline float cast_f32_from_bf16(uint16_t a) {
    typedef uint32_t bits;
    return float_of((bits)a << 16);
}

static inline float cast_f32_from_f64(double a) { return (float)a; }

static inline double cast_f64_from_f32(float a) { return (double)a; }

static inline f64x2 cast_f64x2_from_f32(f32x2 a) { return __builtin_convertvector(a, f64x2); }

/* The even lanes of bfloat16s as floats: the lower half of each word. */
static inline f32x4 even_f32x4(bf16x8 a) {
    typedef uint32_t bits __attribute__((vector_size(16)));
    return (f32x4)((bits)a << 16);
}

/* The even lanes of a, then of b. */
static inline f32x4 even_of_two_f32x4(f32x4 a, f32x4 b) {
#if defined(__clang__)
    return __builtin_shufflevector(a, b, 0, 2, 4, 6);
#else
    return __builtin_shuffle(a, b, (i32x4){0, 2, 4, 6});
#endif
}

/* a * b + c, rounded once. */
static inline f32x4 fma_f32x4(f32x4 a, f32x4 b, f32x4 c) {
    return (f32x4)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}

/* a * b + c, rounded once. */
static inline double fma_f64(double a, double b, double c) {
    return __builtin_fma(a, b, c);
}


static inline bf16x8 load_bf16x8(const uint16_t *p, int64_t i) { return *(const bf16x8_unaligned *)(p + i); }

static inline f32x2 load_f32x2(const float *p, int64_t i) { return *(const f32x2_unaligned *)(p + i); }

static inline f32x4 load_f32x4(const float *p, int64_t i) { return *(const f32x4_unaligned *)(p + i); }


static inline f64x2 load_f64x2(const double *p, int64_t i) { return *(const f64x2_unaligned *)(p + i); }

/* The first n lanes from p + i, the rest from fill. */
static inline bf16x8 load_part_bf16x8(const uint16_t *p, int64_t i, int64_t n, bf16x8 fill) {
    for (int64_t k = 0; k < n && k < 8; k++) fill[k] = p[i + k];
    return fill;
}

/* The first n lanes from p + i, the rest from fill. */
static inline f32x4 load_part_f32x4(const float *p, int64_t i, int64_t n, f32x4 fill) {
    for (int64_t k = 0; k < n && k < 4; k++) fill[k] = p[i + k];
    return fill;
}

static inline double max_f64(double a, double b) { return b > a ? b : a; }

static inline double min_f64(double a, double b) { return b < a ? b : a; }


static inline int64_t not_m64(int64_t mask) { return !mask; }

/* The odd lanes of bfloat16s as floats: the upper half of each word. */
static inline f32x4 odd_f32x4(bf16x8 a) {
    typedef uint32_t bits __attribute__((vector_size(16)));
    return (f32x4)((bits)a & 0xffff0000u);
}

/* The odd lanes of a, then of b. */
static inline f32x4 odd_of_two_f32x4(f32x4 a, f32x4 b) {
#if defined(__clang__)
    return __builtin_shufflevector(a, b, 1, 3, 5, 7);
#else
    return __builtin_shuffle(a, b, (i32x4){1, 3, 5, 7});
#endif
}

/* How many elements from p + i come before the first that is aligned to `lanes` elements. */
static inline int64_t peel_bf16(const uint16_t *p, int64_t i, int64_t lanes) { return (int64_t)(-((uintptr_t)(p + i) / sizeof *p)) & (lanes - 1); }

/* Begin to fetch the line of p + i into the second cache; a hint, for which any address will do. */
static inline void prefetch_bf16(const uint16_t *p, int64_t i) { __builtin_prefetch(p + i, 0, 2); }

/* The sum of the lanes, the upper half onto the lower, and so on. */
static inline double sum_f64x2(f64x2 v) {
    return v[0] + v[1];
}

static inline double select_f64(int64_t mask, double a, double b) { return mask ? a : b; }

static inline bf16x8 splat_bf16x8(uint16_t a) { return (bf16x8){a, a, a, a, a, a, a, a}; }

static inline f32x4 splat_f32x4(float a) { return (f32x4){a, a, a, a}; }

static inline f64x2 splat_f64x2(double a) { return (f64x2){a, a}; }

static inline double sqrt_f64(double a) { return sqrt(a); }

static inline void store_bf16x8(uint16_t *p, int64_t i, bf16x8 v) { *(bf16x8_unaligned *)(p + i) = v; }

static inline void store_f32x4(float *p, int64_t i, f32x4 v) { *(f32x4_unaligned *)(p + i) = v; }


static inline void store_f64x2(double *p, int64_t i, f64x2 v) { *(f64x2_unaligned *)(p + i) = v; }

/* The first n lanes to p + i. */
static inline void store_part_bf16x8(uint16_t *p, int64_t i, int64_t n, bf16x8 v) {
    for (int64_t k = 0; k < n && k < 8; k++) p[i + k] = v[k];
}

/* The first n lanes to p + i. */
static inline void store_part_f32x4(float *p, int64_t i, int64_t n, f32x4 v) {
    for (int64_t k = 0; k < n && k < 4; k++) p[i + k] = v[k];
}

static inline bf16x8 zip_bf16x8(f32x4 a, f32x4 b) {
    typedef uint32_t bits __attribute__((vector_size(16)));
    const bits x = (bits)a, y = (bits)b, x_nan = (bits)(a != a), y_nan = (bits)(b != b);
    const bits low = ((x + 0x7fff + (x >> 16 & 1)) & ~x_nan) | ((x | 0x400000) & x_nan);
    const bits high = ((y + 0x7fff + (y >> 16 & 1)) & ~y_nan) | ((y | 0x400000) & y_nan);
    return (bf16x8)(low >> 16 | (high & 0xffff0000u));
}

/* The sums of neighbouring bfloat16s' squares, the upper of each word first, added to a total. */
static inline f32x4 dot_pairs_f32x4(f32x4 total, bf16x8 a) {
    typedef uint32_t bits __attribute__((vector_size(16)));
    const f32x4 even = (f32x4)((bits)a << 16), odd = (f32x4)((bits)a & 0xffff0000u);
    return fma_f32x4(even, even, fma_f32x4(odd, odd, total));
}


void gn_bf16_o4096_g32_c10_i1(const uint16_t *x, const float *gamma, const float *beta, uint16_t *y, float *partial, double *stats, int64_t batch, int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        for (int64_t n = 0; n < batch; n += 1) {
#pragma omp for schedule(static)
            for (int64_t slab = 0; slab < 32; slab++) {
                const int64_t slab_first = slab * 40960;
                const int64_t slab_last = slab_first + 40960;
                float sums[160] __attribute__((aligned(64)));
                float squares[160] __attribute__((aligned(64)));
                for (int64_t j = 0; j + 4 <= 160; j += 4) {
                    store_f32x4(sums, j, splat_f32x4(0.0f));
                    store_f32x4(squares, j, splat_f32x4(0.0f));
                }
                for (int64_t strip = slab_first; strip + 2560 <= slab_last; strip += 2560) {
                    for (int64_t j_2 = 0; j_2 + 4 <= 160; j_2 += 4) {
                        f32x4 s = load_f32x4(sums, j_2);
                        f32x4 q = load_f32x4(squares, j_2);
                        prefetch_bf16(x, n * 1310720 + (strip + j_2 * 2 + 5120));
                        bf16x8 pairs = load_bf16x8(x, n * 1310720 + (strip + j_2 * 2));
                        s = add_pairs_f32x4(s, pairs);
                        q = dot_pairs_f32x4(q, pairs);
                        prefetch_bf16(x, n * 1310720 + (strip + 320 + j_2 * 2 + 5120));
                        bf16x8 pairs_2 = load_bf16x8(x, n * 1310720 + (strip + 320 + j_2 * 2));
                        s = add_pairs_f32x4(s, pairs_2);
                        q = dot_pairs_f32x4(q, pairs_2);
                        prefetch_bf16(x, n * 1310720 + (strip + 640 + j_2 * 2 + 5120));
                        bf16x8 pairs_3 = load_bf16x8(x, n * 1310720 + (strip + 640 + j_2 * 2));
                        s = add_pairs_f32x4(s, pairs_3);
                        q = dot_pairs_f32x4(q, pairs_3);
                        prefetch_bf16(x, n * 1310720 + (strip + 960 + j_2 * 2 + 5120));
                        bf16x8 pairs_4 = load_bf16x8(x, n * 1310720 + (strip + 960 + j_2 * 2));
                        s = add_pairs_f32x4(s, pairs_4);
                        q = dot_pairs_f32x4(q, pairs_4);
                        prefetch_bf16(x, n * 1310720 + (strip + 1280 + j_2 * 2 + 5120));
                        bf16x8 pairs_5 = load_bf16x8(x, n * 1310720 + (strip + 1280 + j_2 * 2));
                        s = add_pairs_f32x4(s, pairs_5);
                        q = dot_pairs_f32x4(q, pairs_5);
                        prefetch_bf16(x, n * 1310720 + (strip + 1600 + j_2 * 2 + 5120));
                        bf16x8 pairs_6 = load_bf16x8(x, n * 1310720 + (strip + 1600 + j_2 * 2));
                        s = add_pairs_f32x4(s, pairs_6);
                        q = dot_pairs_f32x4(q, pairs_6);
                        prefetch_bf16(x, n * 1310720 + (strip + 1920 + j_2 * 2 + 5120));
                        bf16x8 pairs_7 = load_bf16x8(x, n * 1310720 + (strip + 1920 + j_2 * 2));
                        s = add_pairs_f32x4(s, pairs_7);
                        q = dot_pairs_f32x4(q, pairs_7);
                        prefetch_bf16(x, n * 1310720 + (strip + 2240 + j_2 * 2 + 5120));
                        bf16x8 pairs_8 = load_bf16x8(x, n * 1310720 + (strip + 2240 + j_2 * 2));
                        s = add_pairs_f32x4(s, pairs_8);
                        q = dot_pairs_f32x4(q, pairs_8);
                        store_f32x4(sums, j_2, s);
                        store_f32x4(squares, j_2, q);
                    }
                }
                const int64_t rest = main_end(slab_first, slab_last, 2560);
                for (int64_t strip_2 = rest; strip_2 + 320 <= slab_last; strip_2 += 320) {
                    for (int64_t j_3 = 0; j_3 + 4 <= 160; j_3 += 4) {
                        f32x4 s_2 = load_f32x4(sums, j_3);
                        f32x4 q_2 = load_f32x4(squares, j_3);
                        bf16x8 pairs_9 = load_bf16x8(x, n * 1310720 + (strip_2 + j_3 * 2));
                        s_2 = add_pairs_f32x4(s_2, pairs_9);
                        q_2 = dot_pairs_f32x4(q_2, pairs_9);
                        store_f32x4(sums, j_3, s_2);
                        store_f32x4(squares, j_3, q_2);
                    }
                }
                for (int64_t j_4 = 0; j_4 + 4 <= 160; j_4 += 4) {
                    store_f32x4(partial, n * 10240 + slab * 320 + j_4, load_f32x4(sums, j_4));
                    store_f32x4(partial, n * 10240 + slab * 320 + 160 + j_4, load_f32x4(squares, j_4));
                }
            }
#pragma omp for schedule(static)
            for (int64_t part = 0; part < 4; part++) {
                const int64_t first = part * 40;
                double sums_2[40] __attribute__((aligned(64)));
                double squares_2[40] __attribute__((aligned(64)));
                for (int64_t j_5 = 0; j_5 + 2 <= 40; j_5 += 2) {
                    f64x2 s_3 = splat_f64x2(0.0);
                    f64x2 q_3 = splat_f64x2(0.0);
                    for (int64_t slab_2 = 0; slab_2 < 32; slab_2 += 1) {
                        s_3 = s_3 + cast_f64x2_from_f32(load_f32x2(partial, n * 10240 + slab_2 * 320 + (first + j_5)));
                        q_3 = q_3 + cast_f64x2_from_f32(load_f32x2(partial, n * 10240 + slab_2 * 320 + 160 + (first + j_5)));
                    }
                    store_f64x2(sums_2, j_5, s_3);
                    store_f64x2(squares_2, j_5, q_3);
                }
                for (int64_t g = 0; g < 8; g += 1) {
                    const int64_t at = g * 5;
                    const int64_t column_end = at + 5;
                    f64x2 total = splat_f64x2(0.0);
                    for (int64_t e = at; e + 2 <= column_end; e += 2) {
                        total = total + load_f64x2(sums_2, e);
                    }
                    double total_2 = 0.0;
                    for (int64_t e_2 = at + 4; e_2 < column_end; e_2 += 1) {
                        total_2 = total_2 + sums_2[e_2];
                    }
                    double total_3 = sum_f64x2(total) + total_2;
                    const int64_t column_end_2 = at + 5;
                    f64x2 squares_3 = splat_f64x2(0.0);
                    for (int64_t e_3 = at; e_3 + 2 <= column_end_2; e_3 += 2) {
                        squares_3 = squares_3 + load_f64x2(squares_2, e_3);
                    }
                    double squares_4 = 0.0;
                    for (int64_t e_4 = at + 4; e_4 < column_end_2; e_4 += 1) {
                        squares_4 = squares_4 + squares_2[e_4];
                    }
                    double squares_5 = sum_f64x2(squares_3) + squares_4;
                    const int64_t column = (first + at) * 2;
                    double off = total_3 / 40960.0;
                    double block_mean = off;
                    double block_m2 = squares_5 - total_3 * off;
                    if (not_m64(max_f64(squares_5, 40960.0 * 1e-30) <= min_f64(block_m2 * 16.0, 3.4028234663852886e+38))) {
                        double center = cast_f64_from_f32(cast_f32_from_bf16(cast_bf16_from_f32(cast_f32_from_f64(select_f64(abs_f64(block_mean) <= 1e+38, block_mean, 0.0)))));
                        double redo_rest = 0.0;
                        double redo_square = 0.0;
                        for (int64_t row = 0; row < 4096; row += 1) {
                            for (int64_t i = 0; i < 10; i += 1) {
                                double e_5 = cast_f64_from_f32(cast_f32_from_bf16(x[n * 1310720 + row * 320 + (column + i)])) - center;
                                redo_rest = redo_rest + e_5;
                                redo_square = fma_f64(e_5, e_5, redo_square);
                            }
                        }
                        block_mean = center + redo_rest / 40960.0;
                        block_m2 = redo_square - redo_rest * redo_rest / 40960.0;
                    }
                    const int64_t group = part * 8 + g;
                    double spread = max_f64(block_m2, 0.0) / 40960.0 + 0.001;
                    double rstd_all = 1.0 / sqrt_f64(spread);
                    stats[n * 64 + group * 2] = block_mean;
                    stats[n * 64 + group * 2 + 1] = rstd_all;
                }
            }
#pragma omp for schedule(static)
            for (int64_t piece = 0; piece < 20; piece++) {
                float high[328] __attribute__((aligned(64)));
                float scale[328] __attribute__((aligned(64)));
                float offset[328] __attribute__((aligned(64)));
                for (int64_t g_2 = 0; g_2 < 32; g_2 += 1) {
                    double mean_all = stats[n * 64 + g_2 * 2];
                    double rstd_all_2 = stats[n * 64 + g_2 * 2 + 1];
                    float mean_high = cast_f32_from_f64(mean_all);
                    float mean_low = cast_f32_from_f64(mean_all - cast_f64_from_f32(mean_high));
                    float rstd_1 = cast_f32_from_f64(rstd_all_2);
                    const int64_t base = g_2 * 10;
                    for (int64_t c = 0; c + 4 <= 10; c += 4) {
                        f32x4 scale_2 = splat_f32x4(rstd_1) * load_f32x4(gamma, g_2 * 10 + c);
                        f32x4 offset_2 = fma_f32x4(-splat_f32x4(mean_low), scale_2, load_f32x4(beta, g_2 * 10 + c));
                        store_f32x4(high, base + c, splat_f32x4(mean_high));
                        store_f32x4(scale, base + c, scale_2);
                        store_f32x4(offset, base + c, offset_2);
                    }
                    f32x4 scale_3 = splat_f32x4(rstd_1) * load_part_f32x4(gamma, g_2 * 10 + 8, g_2 * 10 + 10 - (g_2 * 10 + 8), splat_f32x4(0.0f));
                    f32x4 offset_3 = fma_f32x4(-splat_f32x4(mean_low), scale_3, load_part_f32x4(beta, g_2 * 10 + 8, g_2 * 10 + 10 - (g_2 * 10 + 8), splat_f32x4(0.0f)));
                    store_part_f32x4(high, base + 8, base + 10 - (base + 8), splat_f32x4(mean_high));
                    store_part_f32x4(scale, base + 8, base + 10 - (base + 8), scale_3);
                    store_part_f32x4(offset, base + 8, base + 10 - (base + 8), offset_3);
                }
                /* the row again, for what reaches past its end */
                for (int64_t copy_2 = 320; copy_2 + 4 <= 328; copy_2 += 4) {
                    store_f32x4(high, copy_2, load_f32x4(high, copy_2 - 320));
                    store_f32x4(scale, copy_2, load_f32x4(scale, copy_2 - 320));
                    store_f32x4(offset, copy_2, load_f32x4(offset, copy_2 - 320));
                }
                const int64_t piece_first = piece * 65600;
                const int64_t piece_last = min_i64(piece_first + 65600, 1310720);
                const int64_t phase = peel_bf16(y, n * 1310720 + piece_first, 8);
                const int64_t aligned = advance(piece_first, phase, piece_last);
                if (piece_first < aligned) {
                    f32x4 columns = load_f32x4(high, 0);
                    f32x4 columns_2 = load_f32x4(high, 4);
                    f32x4 columns_3 = load_f32x4(scale, 0);
                    f32x4 columns_4 = load_f32x4(scale, 4);
                    f32x4 columns_5 = load_f32x4(offset, 0);
                    f32x4 columns_6 = load_f32x4(offset, 4);
                    f32x4 highs = even_of_two_f32x4(columns, columns_2);
                    f32x4 scales = even_of_two_f32x4(columns_3, columns_4);
                    f32x4 offsets = even_of_two_f32x4(columns_5, columns_6);
                    f32x4 highs_2 = odd_of_two_f32x4(columns, columns_2);
                    f32x4 scales_2 = odd_of_two_f32x4(columns_3, columns_4);
                    f32x4 offsets_2 = odd_of_two_f32x4(columns_5, columns_6);
                    bf16x8 pairs_10 = load_part_bf16x8(x, n * 1310720 + piece_first, aligned - piece_first, splat_bf16x8(0));
                    store_part_bf16x8(y, n * 1310720 + piece_first, aligned - piece_first, zip_bf16x8(fma_f32x4(even_f32x4(pairs_10) - highs, scales, offsets), fma_f32x4(odd_f32x4(pairs_10) - highs_2, scales_2, offsets_2)));
                }
                for (int64_t turn = 0; turn + 8 <= 320; turn += 8) {
                    f32x4 columns_7 = load_f32x4(high, phase + turn);
                    f32x4 columns_8 = load_f32x4(high, phase + turn + 4);
                    f32x4 turned = even_of_two_f32x4(columns_7, columns_8);
                    f32x4 turned_2 = odd_of_two_f32x4(columns_7, columns_8);
                    store_f32x4(high, turn, turned);
                    store_f32x4(high, turn + 4, turned_2);
                    f32x4 columns_9 = load_f32x4(scale, phase + turn);
                    f32x4 columns_10 = load_f32x4(scale, phase + turn + 4);
                    f32x4 turned_3 = even_of_two_f32x4(columns_9, columns_10);
                    f32x4 turned_4 = odd_of_two_f32x4(columns_9, columns_10);
                    store_f32x4(scale, turn, turned_3);
                    store_f32x4(scale, turn + 4, turned_4);
                    f32x4 columns_11 = load_f32x4(offset, phase + turn);
                    f32x4 columns_12 = load_f32x4(offset, phase + turn + 4);
                    f32x4 turned_5 = even_of_two_f32x4(columns_11, columns_12);
                    f32x4 turned_6 = odd_of_two_f32x4(columns_11, columns_12);
                    store_f32x4(offset, turn, turned_5);
                    store_f32x4(offset, turn + 4, turned_6);
                }
                const int64_t full = main_end(aligned, piece_last, 320);
                for (int64_t row_2 = aligned; row_2 + 320 <= full; row_2 += 320) {
#pragma GCC unroll 4
                    for (int64_t j_6 = 0; j_6 + 8 <= 320; j_6 += 8) {
                        f32x4 highs_3 = load_f32x4(high, j_6);
                        f32x4 scales_3 = load_f32x4(scale, j_6);
                        f32x4 offsets_3 = load_f32x4(offset, j_6);
                        f32x4 highs_4 = load_f32x4(high, j_6 + 4);
                        f32x4 scales_4 = load_f32x4(scale, j_6 + 4);
                        f32x4 offsets_4 = load_f32x4(offset, j_6 + 4);
                        const int64_t at_2 = row_2 + j_6;
                        prefetch_bf16(x, n * 1310720 + (at_2 + 4096));
                        bf16x8 pairs_11 = load_bf16x8(x, n * 1310720 + at_2);
                        store_bf16x8(y, n * 1310720 + at_2, zip_bf16x8(fma_f32x4(even_f32x4(pairs_11) - highs_3, scales_3, offsets_3), fma_f32x4(odd_f32x4(pairs_11) - highs_4, scales_4, offsets_4)));
                    }
                }
                for (int64_t j_7 = 0; j_7 + 8 <= 320; j_7 += 8) {
                    const int64_t at_3 = full + j_7;
                    if (at_3 < piece_last) {
                        f32x4 highs_5 = load_f32x4(high, j_7);
                        f32x4 scales_5 = load_f32x4(scale, j_7);
                        f32x4 offsets_5 = load_f32x4(offset, j_7);
                        f32x4 highs_6 = load_f32x4(high, j_7 + 4);
                        f32x4 scales_6 = load_f32x4(scale, j_7 + 4);
                        f32x4 offsets_6 = load_f32x4(offset, j_7 + 4);
                        bf16x8 pairs_12 = load_part_bf16x8(x, n * 1310720 + at_3, piece_last - at_3, splat_bf16x8(0));
                        store_part_bf16x8(y, n * 1310720 + at_3, piece_last - at_3, zip_bf16x8(fma_f32x4(even_f32x4(pairs_12) - highs_5, scales_5, offsets_5), fma_f32x4(odd_f32x4(pairs_12) - highs_6, scales_6, offsets_6)));
                    }
                }
            }
        }
}
}
