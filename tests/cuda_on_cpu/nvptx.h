/* What LLVM's intrinsics of NVIDIA's processors do, on a CPU: each is a function, told apart from others at a barrier by who calls it. */
#pragma once
#include "cuda_runtime.h"

#define CALLER ((int)(intptr_t)__builtin_return_address(0))

extern "C" {

int on_cpu_read_ptx_sreg_tid_x() { return threadIdx.x; }
int on_cpu_read_ptx_sreg_ctaid_x() { return blockIdx.x; }
int on_cpu_read_ptx_sreg_nctaid_x() { return on_cpu::block->team->size; }
int on_cpu_read_ptx_sreg_envreg1() { return (uint64_t)on_cpu::block->team->counter >> 32; }
int on_cpu_read_ptx_sreg_envreg2() { return (uint64_t)on_cpu::block->team->counter; }

void on_cpu_bar_warp_sync(int lanes) {
    if (lanes != -1) on_cpu::fail("not all lanes of a warp");
    on_cpu::wait(on_cpu::WARP_SCOPE, CALLER);
}
void on_cpu_barrier_cta_sync_aligned_all(int) { on_cpu::wait(on_cpu::BLOCK_SCOPE, CALLER); }
void on_cpu_barrier_cluster_arrive_aligned() {}
void on_cpu_barrier_cluster_wait_aligned() { on_cpu::wait(on_cpu::TEAM_SCOPE, CALLER); }

int on_cpu_shfl_sync_bfly_i32(int lanes, int value, int bits, int last) {
    if (lanes != -1 || last != 31) on_cpu::fail("not all lanes of a warp");
    return on_cpu::shuffle(value, on_cpu::lane() ^ bits, CALLER);
}
int on_cpu_shfl_sync_idx_i32(int lanes, int value, int from, int last) {
    if (lanes != -1 || last != 31) on_cpu::fail("not all lanes of a warp");
    return on_cpu::shuffle(value, from, CALLER);
}

char *on_cpu_mapa_shared_cluster(char *mine, int rank) {
    on_cpu::Team &team = *on_cpu::block->team;
    if (rank < 0 || (size_t)rank >= team.size) on_cpu::fail("no such block in the cluster");
    return team.anchors[rank] + (mine - on_cpu::anchor);
}

#ifdef __SSE2__
#include <emmintrin.h>
/* Where the processor does not round to bfloat16, LLVM calls this; the answer is in the low half of a vector register. */
__m128i __truncsfbf2(float a) {
    const uint32_t word = same_bits<uint32_t>(a);
    return _mm_cvtsi32_si128(a != a ? 0x7fff : (word + 0x7fff + (word >> 16 & 1)) >> 16);
}
#endif

}
