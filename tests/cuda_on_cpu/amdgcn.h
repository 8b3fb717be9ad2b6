/* What LLVM's intrinsics of AMD's processors do, on a CPU, with warps of 32. */
#pragma once
#include "nvptx.h"

extern "C" {

int on_cpu_workitem_id_x() { return threadIdx.x; }
int on_cpu_workgroup_id_x() { return blockIdx.x; }
void on_cpu_wave_barrier() { on_cpu::wait(on_cpu::WARP_SCOPE, CALLER); }
void on_cpu_s_barrier() { on_cpu::wait(on_cpu::BLOCK_SCOPE, CALLER); }

/* The value of lane ((own & and) | or) ^ xor, five bits each, from the lowest: and, or, xor. */
int on_cpu_ds_swizzle(int value, int how) {
    if (how < 0 || how > 0x7fff) on_cpu::fail("no swizzle by bits");
    return on_cpu::shuffle(value, ((on_cpu::lane() & (how & 31)) | (how >> 5 & 31)) ^ (how >> 10 & 31), CALLER);
}
int on_cpu_readlane_i32(int value, int lane) { return on_cpu::shuffle(value, lane, CALLER); }
float on_cpu_readlane_f32(float value, int lane) { return on_cpu::shuffle(value, lane, CALLER); }

}
