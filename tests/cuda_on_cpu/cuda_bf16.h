/* bfloat16 by its bits, on a CPU. */
#pragma once
#include "cuda_runtime.h"

struct __nv_bfloat16 { uint16_t bits; };

static inline __nv_bfloat16 __ushort_as_bfloat16(uint16_t a) { return {a}; }
static inline uint16_t __bfloat16_as_ushort(__nv_bfloat16 a) { return a.bits; }
static inline float __bfloat162float(__nv_bfloat16 a) { return same_bits<float>((uint32_t)a.bits << 16); }

/* To nearest, ties to even; NaN to a quiet NaN. */
static inline __nv_bfloat16 __float2bfloat16_rn(float a) {
    const uint32_t word = same_bits<uint32_t>(a);
    if (a != a) return {0x7fff};
    return {(uint16_t)((word + 0x7fff + (word >> 16 & 1)) >> 16)};
}
