/* gn_f32_o1_g1_c3_i1402000_masked: group normalisation, specialised by gngen.
 *
 * input   x        float[batch * 4206000]
 * input   mask     float[batch * 1402000]
 * input   gamma    float[3]
 * input   beta     float[3]
 * output  y        float[batch * 4206000]
 * scratch partial  double[batch * 771]
 *
 * Arrays lie on the device and begin at multiples of 16 bytes; outputs may be x or the residual themselves.
 * Machine: NVIDIA H100 (sm_90).
 * Multiplications and additions are fused only where fma_* says so: compile with -fmad=false.
 */
#include <cuda_runtime.h>
#include <math.h>
#include <stdint.h>

/* Vectors, lane by lane. */
template <class T, int N> struct vec { T at[N]; };
#define LANES _Pragma("unroll") for (int k = 0; k < N; k++)
template <class T, int N> __device__ __forceinline__ vec<T, N> operator+(vec<T, N> a, vec<T, N> b) { LANES a.at[k] = a.at[k] + b.at[k]; return a; }
template <class T, int N> __device__ __forceinline__ vec<T, N> operator-(vec<T, N> a, vec<T, N> b) { LANES a.at[k] = a.at[k] - b.at[k]; return a; }
template <class T, int N> __device__ __forceinline__ vec<T, N> operator*(vec<T, N> a, vec<T, N> b) { LANES a.at[k] = a.at[k] * b.at[k]; return a; }
template <class T, int N> __device__ __forceinline__ vec<T, N> operator/(vec<T, N> a, vec<T, N> b) { LANES a.at[k] = a.at[k] / b.at[k]; return a; }
template <class T, int N> __device__ __forceinline__ vec<T, N> operator-(vec<T, N> a) { LANES a.at[k] = -a.at[k]; return a; }
template <int N> __device__ __forceinline__ vec<int32_t, N> operator<<(vec<int32_t, N> a, vec<int32_t, N> b) { LANES a.at[k] = (uint32_t)a.at[k] << b.at[k]; return a; }
template <int N> __device__ __forceinline__ vec<int64_t, N> operator<<(vec<int64_t, N> a, vec<int64_t, N> b) { LANES a.at[k] = (uint64_t)a.at[k] << b.at[k]; return a; }
template <int N> __device__ __forceinline__ vec<int32_t, N> operator>(vec<float, N> a, vec<float, N> b) { vec<int32_t, N> m; LANES m.at[k] = a.at[k] > b.at[k]; return m; }
template <int N> __device__ __forceinline__ vec<int64_t, N> operator>(vec<double, N> a, vec<double, N> b) { vec<int64_t, N> m; LANES m.at[k] = a.at[k] > b.at[k]; return m; }
typedef vec<float, 2> f32x2;
typedef vec<double, 2> f64x2;
typedef vec<float, 4> f32x4;
typedef vec<double, 4> f64x4;
typedef vec<int32_t, 4> m32x4;
typedef vec<int64_t, 4> m64x4;

/* Of numbers that are never negative and of 32 bits. */
__device__ __forceinline__ int64_t div_i64(int64_t a, uint32_t b) { return (uint32_t)a / b; }
__device__ __forceinline__ int64_t rem_i64(int64_t a, uint32_t b) { return (uint32_t)a % b; }
__device__ __forceinline__ int64_t min_i64(int64_t a, int64_t b) { return b < a ? b : a; }
__device__ __forceinline__ int64_t max_i64(int64_t a, int64_t b) { return b > a ? b : a; }
__device__ __forceinline__ float cast_f32_from_f64(double a) { return (float)a; }
__device__ __forceinline__ double cast_f64_from_f32(float a) { return (double)a; }
__device__ __forceinline__ f64x4 cast_f64x4_from_f32(f32x4 a) {
    f64x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = (double)a.at[k];
    return r;
}
__device__ __forceinline__ float fma_f32(float a, float b, float c) { return fmaf(a, b, c); }
__device__ __forceinline__ f32x4 fma_f32x4(f32x4 a, f32x4 b, f32x4 c) {
    f32x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = fmaf(a.at[k], b.at[k], c.at[k]);
    return r;
}
__device__ __forceinline__ double fma_f64(double a, double b, double c) { return fma(a, b, c); }
__device__ __forceinline__ f64x4 fma_f64x4(f64x4 a, f64x4 b, f64x4 c) {
    f64x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = fma(a.at[k], b.at[k], c.at[k]);
    return r;
}
__device__ __forceinline__ float from_lane_f32(float a, int lane) { return __shfl_sync(0xffffffffu, a, lane); }
__device__ __forceinline__ f32x4 load_f32x4(const float *p, int64_t i) {
    const float4 *q = (const float4 *)(p + i);
    const float4 v0 = q[0];
    return { {v0.x, v0.y, v0.z, v0.w} };
}
__device__ __forceinline__ double max_f64(double a, double b) { return b > a ? b : a; }
__device__ __forceinline__ bool not_m32(bool mask) { return !mask; }
/* The sum of the lanes, the upper half onto the lower, and so on. */
__device__ __forceinline__ float sum_f32x4(f32x4 v) {
#pragma unroll
    for (int half = 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++) v.at[k] = v.at[k] + v.at[k + half];
    return v.at[0];
}
/* The sum of the lanes, the upper half onto the lower, and so on. */
__device__ __forceinline__ double sum_f64x4(f64x4 v) {
#pragma unroll
    for (int half = 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++) v.at[k] = v.at[k] + v.at[k + half];
    return v.at[0];
}
__device__ __forceinline__ f32x4 select_f32x4(m32x4 mask, f32x4 a, f32x4 b) {
    f32x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = mask.at[k] ? a.at[k] : b.at[k];
    return r;
}
__device__ __forceinline__ double select_f64(bool mask, double a, double b) { return mask ? a : b; }
__device__ __forceinline__ f64x4 select_f64x4(m64x4 mask, f64x4 a, f64x4 b) {
    f64x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = mask.at[k] ? a.at[k] : b.at[k];
    return r;
}
__device__ __forceinline__ float shuffle_xor_f32(float a, int lanes) { return __shfl_xor_sync(0xffffffffu, a, lanes); }
__device__ __forceinline__ double shuffle_xor_f64(double a, int lanes) { return __shfl_xor_sync(0xffffffffu, a, lanes); }
__device__ __forceinline__ f32x4 splat_f32x4(float a) {
    f32x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = a;
    return r;
}
__device__ __forceinline__ f64x4 splat_f64x4(double a) {
    f64x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = a;
    return r;
}
__device__ __forceinline__ double sqrt_f64(double a) { return sqrt(a); }
__device__ __forceinline__ void store_f32x4(float *p, int64_t i, f32x4 v) {
    float4 *q = (float4 *)(p + i);
    __stwb(q + 0, make_float4(v.at[0], v.at[1], v.at[2], v.at[3]));
}

__global__ void __launch_bounds__(256, 2) gn_f32_o1_g1_c3_i1402000_masked_1(const float *x, const float *__restrict__ mask, const float *__restrict__ gamma, const float *__restrict__ beta, float *y, double *partial, int64_t batch) {
    const int64_t n = blockIdx.x / 257;
    const int64_t g = blockIdx.x / 257 % 1;
    const int64_t part = blockIdx.x % 257;
    const int64_t warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    f32x4 held[8];
    __shared__ __align__(16) double own_part[48];
    const int64_t first = part * 16;
#pragma unroll 1
    for (int64_t r = 0; r < 2; r += 1) {
        const int64_t mine = r * 8 + warp;
        if (mine < 16) {
            const int64_t slice = first + mine;
            const int64_t start = slice * 256 + lane;
#pragma unroll
            for (int64_t j_2 = 0; j_2 < 8; j_2 += 1) {
                const int64_t v_2 = start + j_2 * 32;
                held[j_2] = splat_f32x4(0.0f);
                if (v_2 < 1051500) {
                    held[j_2] = load_f32x4(x, n * 4206000 + g * 4206000 + v_2 * 4);
                }
            }
            f32x4 kept = splat_f32x4(0.0f);
            const int64_t start_2 = slice * 256 + lane;
#pragma unroll
            for (int64_t j_4 = 0; j_4 < 8; j_4 += 1) {
                const int64_t v_4 = start_2 + j_4 * 32;
                if (v_4 < 1051500) {
                    kept = kept + load_f32x4(mask, n * 1402000 + rem_i64(v_4, 350500) * 4);
                }
            }
            float counted = sum_f32x4(kept);
            counted = counted + shuffle_xor_f32(counted, 16);
            counted = counted + shuffle_xor_f32(counted, 8);
            counted = counted + shuffle_xor_f32(counted, 4);
            counted = counted + shuffle_xor_f32(counted, 2);
            counted = counted + shuffle_xor_f32(counted, 1);
            double count = cast_f64_from_f32(counted);
            double whole = max_f64(count, 1.0);
            f32x4 total = splat_f32x4(0.0f);
            const int64_t start_3 = slice * 256 + lane;
#pragma unroll
            for (int64_t j_6 = 0; j_6 < 8; j_6 += 1) {
                const int64_t v_6 = start_3 + j_6 * 32;
                if (v_6 < 1051500) {
                    total = fma_f32x4(select_f32x4(load_f32x4(mask, n * 1402000 + rem_i64(v_6, 350500) * 4) > splat_f32x4(0.0f), held[j_6], splat_f32x4(0.0f)), splat_f32x4(0.0009765625f), total);
                }
            }
            float shared = sum_f32x4(total);
            shared = shared + shuffle_xor_f32(shared, 16);
            shared = shared + shuffle_xor_f32(shared, 8);
            shared = shared + shuffle_xor_f32(shared, 4);
            shared = shared + shuffle_xor_f32(shared, 2);
            shared = shared + shuffle_xor_f32(shared, 1);
            float center = cast_f32_from_f64(cast_f64_from_f32(shared) / whole * 1024.0);
            f32x4 rest = splat_f32x4(0.0f);
            f32x4 square = splat_f32x4(0.0f);
            f32x4 centers = splat_f32x4(center);
            const int64_t start_4 = slice * 256 + lane;
#pragma unroll
            for (int64_t j_8 = 0; j_8 < 8; j_8 += 1) {
                const int64_t v_8 = start_4 + j_8 * 32;
                if (v_8 < 1051500) {
                    f32x4 d_2 = select_f32x4(load_f32x4(mask, n * 1402000 + rem_i64(v_8, 350500) * 4) > splat_f32x4(0.0f), held[j_8] - centers, splat_f32x4(0.0f));
                    rest = rest + d_2;
                    square = fma_f32x4(d_2, d_2, square);
                }
            }
            float rest_sum = sum_f32x4(rest);
            rest_sum = rest_sum + shuffle_xor_f32(rest_sum, 16);
            rest_sum = rest_sum + shuffle_xor_f32(rest_sum, 8);
            rest_sum = rest_sum + shuffle_xor_f32(rest_sum, 4);
            rest_sum = rest_sum + shuffle_xor_f32(rest_sum, 2);
            rest_sum = rest_sum + shuffle_xor_f32(rest_sum, 1);
            float square_sum = sum_f32x4(square);
            square_sum = square_sum + shuffle_xor_f32(square_sum, 16);
            square_sum = square_sum + shuffle_xor_f32(square_sum, 8);
            square_sum = square_sum + shuffle_xor_f32(square_sum, 4);
            square_sum = square_sum + shuffle_xor_f32(square_sum, 2);
            square_sum = square_sum + shuffle_xor_f32(square_sum, 1);
            double rests = cast_f64_from_f32(rest_sum);
            double squares = cast_f64_from_f32(square_sum);
            if (not_m32(from_lane_f32(square_sum, 0) <= 3.4028235e+38f)) {
                f64x4 rest_2 = splat_f64x4(0.0);
                f64x4 square_2 = splat_f64x4(0.0);
                f64x4 centers_2 = splat_f64x4(cast_f64_from_f32(center));
                const int64_t start_5 = slice * 256 + lane;
#pragma unroll
                for (int64_t j_10 = 0; j_10 < 8; j_10 += 1) {
                    const int64_t v_10 = start_5 + j_10 * 32;
                    if (v_10 < 1051500) {
                        f64x4 d_4 = select_f64x4(cast_f64x4_from_f32(load_f32x4(mask, n * 1402000 + rem_i64(v_10, 350500) * 4)) > splat_f64x4(0.0), cast_f64x4_from_f32(held[j_10]) - centers_2, splat_f64x4(0.0));
                        rest_2 = rest_2 + d_4;
                        square_2 = fma_f64x4(d_4, d_4, square_2);
                    }
                }
                double rest_sum_2 = sum_f64x4(rest_2);
                rest_sum_2 = rest_sum_2 + shuffle_xor_f64(rest_sum_2, 16);
                rest_sum_2 = rest_sum_2 + shuffle_xor_f64(rest_sum_2, 8);
                rest_sum_2 = rest_sum_2 + shuffle_xor_f64(rest_sum_2, 4);
                rest_sum_2 = rest_sum_2 + shuffle_xor_f64(rest_sum_2, 2);
                rest_sum_2 = rest_sum_2 + shuffle_xor_f64(rest_sum_2, 1);
                double square_sum_2 = sum_f64x4(square_2);
                square_sum_2 = square_sum_2 + shuffle_xor_f64(square_sum_2, 16);
                square_sum_2 = square_sum_2 + shuffle_xor_f64(square_sum_2, 8);
                square_sum_2 = square_sum_2 + shuffle_xor_f64(square_sum_2, 4);
                square_sum_2 = square_sum_2 + shuffle_xor_f64(square_sum_2, 2);
                square_sum_2 = square_sum_2 + shuffle_xor_f64(square_sum_2, 1);
                rests = rest_sum_2;
                squares = square_sum_2;
            }
            double off = rests / whole;
            double slice_mean = cast_f64_from_f32(center) + off;
            double slice_m2 = squares - rests * off;
            if (lane < 1) {
                own_part[mine * 3] = slice_mean;
                own_part[mine * 3 + 1] = slice_m2;
                own_part[mine * 3 + 2] = count;
            }
        }
    }
    __syncthreads();
    double first_mean = own_part[0];
    double count_all = 0.0;
    double moved = 0.0;
    const int64_t i = lane;
    if (i < 16) {
        double n_i = own_part[i * 3 + 2];
        count_all = count_all + n_i;
        moved = fma_f64(n_i, own_part[i * 3] - first_mean, moved);
    }
    double count_2 = count_all;
    count_2 = count_2 + shuffle_xor_f64(count_2, 16);
    count_2 = count_2 + shuffle_xor_f64(count_2, 8);
    count_2 = count_2 + shuffle_xor_f64(count_2, 4);
    count_2 = count_2 + shuffle_xor_f64(count_2, 2);
    count_2 = count_2 + shuffle_xor_f64(count_2, 1);
    double whole_2 = max_f64(count_2, 1.0);
    double moves = moved;
    moves = moves + shuffle_xor_f64(moves, 16);
    moves = moves + shuffle_xor_f64(moves, 8);
    moves = moves + shuffle_xor_f64(moves, 4);
    moves = moves + shuffle_xor_f64(moves, 2);
    moves = moves + shuffle_xor_f64(moves, 1);
    double center_2 = first_mean + moves / whole_2;
    double rest_3 = 0.0;
    double square_3 = 0.0;
    const int64_t i_2 = lane;
    if (i_2 < 16) {
        double d_5 = own_part[i_2 * 3] - center_2;
        double n_d = own_part[i_2 * 3 + 2] * d_5;
        rest_3 = rest_3 + n_d;
        square_3 = fma_f64(n_d, d_5, square_3 + own_part[i_2 * 3 + 1]);
    }
    double rests_2 = rest_3;
    rests_2 = rests_2 + shuffle_xor_f64(rests_2, 16);
    rests_2 = rests_2 + shuffle_xor_f64(rests_2, 8);
    rests_2 = rests_2 + shuffle_xor_f64(rests_2, 4);
    rests_2 = rests_2 + shuffle_xor_f64(rests_2, 2);
    rests_2 = rests_2 + shuffle_xor_f64(rests_2, 1);
    double squares_2 = square_3;
    squares_2 = squares_2 + shuffle_xor_f64(squares_2, 16);
    squares_2 = squares_2 + shuffle_xor_f64(squares_2, 8);
    squares_2 = squares_2 + shuffle_xor_f64(squares_2, 4);
    squares_2 = squares_2 + shuffle_xor_f64(squares_2, 2);
    squares_2 = squares_2 + shuffle_xor_f64(squares_2, 1);
    double off_2 = rests_2 / whole_2;
    double mean_all = center_2 + off_2;
    double m2_all = squares_2 - rests_2 * off_2;
    if (lane < 1) {
        if (warp < 1) {
            partial[n * 771 + g * 771 + part * 3] = mean_all;
            partial[n * 771 + g * 771 + part * 3 + 1] = m2_all;
            partial[n * 771 + g * 771 + part * 3 + 2] = count_2;
        }
    }
}

__global__ void __launch_bounds__(256, 2) gn_f32_o1_g1_c3_i1402000_masked_2(const float *x, const float *__restrict__ mask, const float *__restrict__ gamma, const float *__restrict__ beta, float *y, double *partial, int64_t batch) {
    const int64_t n_2 = blockIdx.x / 129;
    const int64_t g_2 = blockIdx.x / 129 % 1;
    const int64_t part_2 = blockIdx.x % 129;
    const int64_t warp_2 = threadIdx.x / 32, lane_2 = threadIdx.x % 32;
    const int64_t thread = warp_2 * 32 + lane_2;
    __shared__ __align__(16) double near[771];
#pragma unroll 1
    for (int64_t k = 0; k < 2; k += 1) {
        const int64_t i_3 = k * 256 + thread;
        if (i_3 < 257) {
            near[i_3 * 3] = partial[n_2 * 771 + g_2 * 771 + i_3 * 3];
            near[i_3 * 3 + 1] = partial[n_2 * 771 + g_2 * 771 + i_3 * 3 + 1];
            near[i_3 * 3 + 2] = partial[n_2 * 771 + g_2 * 771 + i_3 * 3 + 2];
        }
    }
    __syncthreads();
    double first_mean_2 = near[0];
    double count_all_2 = 0.0;
    double moved_2 = 0.0;
#pragma unroll 1
    for (int64_t k_2 = 0; k_2 < 9; k_2 += 1) {
        const int64_t i_4 = k_2 * 32 + lane_2;
        if (i_4 < 257) {
            double n_i_2 = near[i_4 * 3 + 2];
            count_all_2 = count_all_2 + n_i_2;
            moved_2 = fma_f64(n_i_2, near[i_4 * 3] - first_mean_2, moved_2);
        }
    }
    double count_3 = count_all_2;
    count_3 = count_3 + shuffle_xor_f64(count_3, 16);
    count_3 = count_3 + shuffle_xor_f64(count_3, 8);
    count_3 = count_3 + shuffle_xor_f64(count_3, 4);
    count_3 = count_3 + shuffle_xor_f64(count_3, 2);
    count_3 = count_3 + shuffle_xor_f64(count_3, 1);
    double whole_3 = max_f64(count_3, 1.0);
    double moves_2 = moved_2;
    moves_2 = moves_2 + shuffle_xor_f64(moves_2, 16);
    moves_2 = moves_2 + shuffle_xor_f64(moves_2, 8);
    moves_2 = moves_2 + shuffle_xor_f64(moves_2, 4);
    moves_2 = moves_2 + shuffle_xor_f64(moves_2, 2);
    moves_2 = moves_2 + shuffle_xor_f64(moves_2, 1);
    double center_3 = first_mean_2 + moves_2 / whole_3;
    double rest_4 = 0.0;
    double square_4 = 0.0;
#pragma unroll 1
    for (int64_t k_3 = 0; k_3 < 9; k_3 += 1) {
        const int64_t i_5 = k_3 * 32 + lane_2;
        if (i_5 < 257) {
            double d_6 = near[i_5 * 3] - center_3;
            double n_d_2 = near[i_5 * 3 + 2] * d_6;
            rest_4 = rest_4 + n_d_2;
            square_4 = fma_f64(n_d_2, d_6, square_4 + near[i_5 * 3 + 1]);
        }
    }
    double rests_3 = rest_4;
    rests_3 = rests_3 + shuffle_xor_f64(rests_3, 16);
    rests_3 = rests_3 + shuffle_xor_f64(rests_3, 8);
    rests_3 = rests_3 + shuffle_xor_f64(rests_3, 4);
    rests_3 = rests_3 + shuffle_xor_f64(rests_3, 2);
    rests_3 = rests_3 + shuffle_xor_f64(rests_3, 1);
    double squares_3 = square_4;
    squares_3 = squares_3 + shuffle_xor_f64(squares_3, 16);
    squares_3 = squares_3 + shuffle_xor_f64(squares_3, 8);
    squares_3 = squares_3 + shuffle_xor_f64(squares_3, 4);
    squares_3 = squares_3 + shuffle_xor_f64(squares_3, 2);
    squares_3 = squares_3 + shuffle_xor_f64(squares_3, 1);
    double off_3 = rests_3 / whole_3;
    double mean_all_2 = center_3 + off_3;
    double m2_all_2 = squares_3 - rests_3 * off_3;
    double spread = max_f64(m2_all_2, 0.0) / max_f64(count_3, 1.0) + 0.001;
    double rstd_all = 1.0 / sqrt_f64(spread);
    rstd_all = select_f64(count_3 <= 0.0, 0.0, rstd_all);
    float mean_high = cast_f32_from_f64(mean_all_2);
    float mean_low = cast_f32_from_f64(mean_all_2 - cast_f64_from_f32(mean_high));
    float rstd_1 = cast_f32_from_f64(rstd_all);
#pragma unroll 1
    for (int64_t r_2 = 0; r_2 < 4; r_2 += 1) {
        const int64_t slice_2 = part_2 * 32 + r_2 * 8 + warp_2;
        f32x4 highs = splat_f32x4(mean_high);
        const int64_t start_6 = slice_2 * 256 + lane_2;
#pragma unroll
        for (int64_t j_12 = 0; j_12 < 8; j_12 += 1) {
            const int64_t v_12 = start_6 + j_12 * 32;
            if (v_12 < 1051500) {
                float scale_2 = rstd_1 * gamma[g_2 * 3 + div_i64(v_12 * 4, 1402000)];
                float offset_2 = fma_f32(-mean_low, scale_2, beta[g_2 * 3 + div_i64(v_12 * 4, 1402000)]);
                store_f32x4(y, n_2 * 4206000 + g_2 * 4206000 + v_12 * 4, fma_f32x4(load_f32x4(x, n_2 * 4206000 + g_2 * 4206000 + v_12 * 4) - highs, splat_f32x4(scale_2), splat_f32x4(offset_2)));
            }
        }
    }
}

/* Launch on a stream; the CUDA error, 0 for none. */
extern "C" int gn_f32_o1_g1_c3_i1402000_masked(const float *x, const float *__restrict__ mask, const float *__restrict__ gamma, const float *__restrict__ beta, float *y, double *partial, int64_t batch, void *stream) {
    {
        const int64_t blocks = batch * 257;
        if (blocks == 0) return 0;
        if (blocks > INT32_MAX) return cudaErrorInvalidConfiguration;
        cudaLaunchConfig_t config = {};
        config.gridDim = dim3((unsigned)blocks);
        config.blockDim = dim3(256);
        config.stream = (cudaStream_t)stream;
        const cudaError_t error = cudaLaunchKernelEx(&config, gn_f32_o1_g1_c3_i1402000_masked_1, x, mask, gamma, beta, y, partial, batch);
        if (error != cudaSuccess) return error;
    }
    {
        const int64_t blocks = batch * 129;
        if (blocks == 0) return 0;
        if (blocks > INT32_MAX) return cudaErrorInvalidConfiguration;
        cudaLaunchConfig_t config = {};
        config.gridDim = dim3((unsigned)blocks);
        config.blockDim = dim3(256);
        config.stream = (cudaStream_t)stream;
        const cudaError_t error = cudaLaunchKernelEx(&config, gn_f32_o1_g1_c3_i1402000_masked_2, x, mask, gamma, beta, y, partial, batch);
        if (error != cudaSuccess) return error;
    }
    return 0;
}
