"""Assembly read by kinds: small texts whose counts can be counted by eye, and what compilers write for a loop that is known."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from gngen.compare.dialects import dialect_of
from gngen.compare.instructions import Counts, read_assembly
from gngen.errors import TargetError


def counted(text: str, arch: str) -> dict[str, int | None]:
    """The kinds that occur, and all."""
    return {kind: count for kind, count in asdict(read_assembly(text, arch).counts).items() if count}


X86 = """
	.text
	.globl	f
f:                                      # @f
	pushq	%rbp
	movq	%rsp, %rbp
	subq	$64, %rsp
	vbroadcastss	.LC0(%rip), %zmm3     # a load that fills a vector
	vmovss	(%rdi), %xmm4                 # a scalar
	vcvtss2sd	%xmm4, %xmm4, %xmm4
	vmovaps	%zmm0, -64(%rbp)              # a spill
	movq	%rdi, 8(%rsp)                 # a spill
	vxorps	%xmm1, %xmm1, %xmm1           # zero
.L3:
	vmovups	(%rdi,%rax,4), %zmm0          # a load
	vsubps	64(%rdi,%rax,4), %zmm0, %zmm2 # a load and arithmetic
	vfmadd231ps	(%rsi), %zmm2, %zmm3  # a load and a multiply-add
	vfmadd231sd	%xmm4, %xmm4, %xmm5   # of scalars
	vpslld	$23, %zmm2, %zmm2             # arithmetic
	vmaxps	-64(%rbp), %zmm2, %zmm2       # arithmetic of a reload
	vmovntps	%zmm2, (%rdx)         # a store
	vmovaps	%zmm2, 128(%rsp,%rax,4)       # a store to an array on the stack
	{evex} vmovups	%ymm16, (%rdx){%k1}   # a store
	prefetcht1	(%rdi)
	cmpq	%rax, 8(%rsp)                 # a reload
	jne	.L3
	call	sqrt@PLT
	movq	8(%rsp), %rdi                 # a reload
	rep stosq
	leaq	8(%rsp), %rsi                 # no access
	ret
	.section	.rodata
.LC0:
	.long	1
"""
AARCH64 = """
f:
	stp	x29, x30, [sp, -32]!    // saved: a spill
	mov	x29, sp
	str	x19, [x29, 16]          // a spill
	str	q8, [sp, 32]            // a spill
	ld1r	{v7.4s}, [x0]           // a load that fills a vector
.L2:
	ldr	q0, [x0, x3]            // a load
	ldp	q1, q2, [x0, 32]        // a load
	ldr	s3, [x1]                // a scalar
	ldr	q5, [sp, x3]            // of an array on the stack: a load
	fsub	v0.4s, v0.4s, v1.4s     // arithmetic
	fmla	v2.4s, v0.4s, v0.4s     // a multiply-add
	fmadd	s3, s3, s3, s3          // of scalars
	mov	v4.16b, v2.16b
	str	q4, [x2, x3]            // a store
	subs	x4, x4, 1
	bne	.L2
	bl	memset
	ldr	x19, [x29, 16]          // a reload
	ret
"""
SVE = """
f:
	ptrue	p0.s
.LBB0_1:
	ld1w	{ z0.s }, p0/z, [x0, x3, lsl #2]        // a load
	ld1rw	{ z1.s }, p0/z, [x1]                    // a load that fills a vector
	fmla	z2.s, p0/m, z0.s, z1.s                  // a multiply-add
	fadd	z0.s, z0.s, z1.s                        // arithmetic
	faddv	s3, p0, z0.s                            // arithmetic
	st1w	{ z0.s }, p0, [x2, x3, lsl #2]          // a store
	str	z2, [sp, #1, mul vl]                    // a spill
	ldr	z2, [sp, #1, mul vl]                    // a reload
	whilelo	p0.s, x3, x4
	b.mi	.LBB0_1
	ret
"""
RISCV = """
f:
	addi	sp, sp, -64
	sd	s0, 56(sp)              # a spill
	vsetvli	a3, zero, e32, m1, ta, ma
.LBB0_1:
	vle32.v	v8, (a0)                # a load
	vl1re32.v	v9, (a1)        # a load
	flw	fa5, 0(a1)
	vfmacc.vv	v9, v8, v8      # a multiply-add
	vfsub.vf	v8, v8, fa5     # arithmetic
	vmfgt.vf	v0, v8, fa5     # arithmetic
	vmerge.vxm	v8, v8, a4, v0  # arithmetic
	vmv.v.v	v10, v8
	vse32.v	v8, (a2)                # a store
	addi	a0, a0, 16
	bltu	a0, a5, .LBB0_1
	call	sqrtf
	ld	s0, 56(sp)              # a reload
	ret
"""
WASM = """
f:
	.functype	f (i32, i32) -> ()
	.local  	v128, f32
	loop    	                                # label0:
	local.get	0
	v128.load	0                               # a load
	local.tee	2
	local.get	0
	v128.load32_splat	16                      # a load that fills a vector
	f32x4.mul                                       # arithmetic
	local.get	2
	f32x4.relaxed_madd                              # a multiply-add
	f32x4.extract_lane	0
	call	fmaf
	v128.bitselect                                  # arithmetic
	v128.store	0                               # a store
	br_if   	0                               # 0: up to label0
	end_loop
	end_function
"""
ARM = """
f:
	push	{r4, r5, r11, lr}
	sub	sp, sp, #32
	str	r0, [sp, #8]            @ a spill
	vst1.64	{d8, d9}, [sp:128]      @ a spill
.LBB0_1:
	vld1.32	{d16, d17}, [r0]!       @ a load
	vld1.32	{d18[], d19[]}, [r1]    @ a load that fills a vector
	vld1.32	{d20[0]}, [r1:32]       @ one element
	vfma.f32	q8, q9, q9      @ a multiply-add
	vfma.f32	s0, s1, s2      @ of scalars
	vmla.f32	q8, q9, q9      @ arithmetic: rounded twice
	vadd.f64	d0, d1, d2      @ of scalars
	vorr	q10, q9, q9             @ a move
	vst1.32	{d16, d17}, [r2]!       @ a store
	subs	r3, r3, #4
	bne	.LBB0_1
	bl	sqrtf
	ldr	r0, [sp, #8]            @ a reload
	bx	lr
"""
PPC = """
f:
	stdu 1, -64(1)
	std 30, 48(1)                           # a spill
.LBB0_1:
	lxv 0, 0(3)                             # a load
	lxvdsx 1, 0, 4                          # a load that fills a vector
	lfs 2, 0(4)
	xvmaddasp 0, 1, 1                       # a multiply-add
	xsmaddadp 3, 4, 5                       # of scalars
	xvsubsp 0, 0, 1                         # arithmetic
	xxlor 34, 0, 0                          # a move
	xxlxor 35, 35, 35                       # zero
	vslw 2, 2, 3                            # arithmetic
	stxv 0, 0(5)                            # a store
	bdnz .LBB0_1
	bl sqrtf
	ld 30, 48(1)                            # a reload
	blr
"""
S390X = """
f:
	stmg	%r14, %r15, 112(%r15)           # a spill
	aghi	%r15, -160
.LBB0_1:
	vl	%v0, 0(%r3,%r2), 4              # a load
	vlrepf	%v1, 0(%r4)                     # a load that fills a vector
	lde	%f2, 0(%r4)
	vfmasb	%v0, %v1, %v1, %v0              # a multiply-add
	wfmasb	%f2, %f2, %f2, %f2              # of scalars
	vfmsb	%v0, %v0, %v1                   # arithmetic: a product
	vfchsb	%v2, %v0, %v1                   # arithmetic
	vst	%v0, 0(%r3,%r5), 4              # a store
	la	%r3, 16(%r3)
	clgijl	%r3, 64, .LBB0_1
	brasl	%r14, sqrtf@PLT
	lmg	%r14, %r15, 272(%r15)           # a reload
	br	%r14
"""
PTX = """
.visible .entry f(
	.param .u64 f_param_0
)
{
	.reg .f32 	%f<4>;
	ld.param.u64 	%rd1, [f_param_0];
$L__BB0_1:
	ld.global.nc.v4.f32 	{%f1, %f2, %f3, %f4}, [%rd1];
	fma.rn.f32 	%f1, %f2, %f2, %f3;
	add.rn.f32 	%f1, %f1, %f2;
	add.s64 	%rd1, %rd1, 16;
	st.global.v4.f32 	[%rd1], {%f1, %f2, %f3, %f4};
	setp.lt.u64 	%p1, %rd1, %rd2;
	@%p1 bra 	$L__BB0_1;
	ret;
}
"""


@pytest.mark.parametrize(
    ("arch", "text", "expected"),
    [
        ("x86_64", X86, Counts(4, 3, 1, 3, spills=2, reloads=3, branches=1, calls=1, all=26)),
        ("aarch64", AARCH64, Counts(4, 1, 1, 1, spills=3, reloads=1, branches=1, calls=1, all=19)),
        ("aarch64", SVE, Counts(2, 1, 1, 2, spills=1, reloads=1, branches=1, calls=0, all=12)),
        ("riscv64", RISCV, Counts(2, 1, 1, 3, spills=1, reloads=1, branches=1, calls=1, all=17)),
        ("wasm32", WASM, Counts(2, 1, 1, 2, spills=None, reloads=None, branches=1, calls=1, all=16)),
        ("armv7", ARM, Counts(2, 1, 1, 1, spills=2, reloads=1, branches=1, calls=1, all=18)),
        ("ppc64le", PPC, Counts(2, 1, 1, 2, spills=1, reloads=1, branches=1, calls=1, all=16)),
        ("s390x", S390X, Counts(2, 1, 1, 2, spills=1, reloads=1, branches=1, calls=1, all=15)),
        ("sm_90", PTX, Counts(1, 1, 1, 1, spills=None, reloads=None, branches=1, calls=0, all=9)),
    ],
    ids=["x86-64", "neon", "sve", "riscv", "wasm", "armv7", "ppc64le", "s390x", "ptx"],
)
def test_each_architecture_is_counted(arch: str, text: str, expected: Counts) -> None:
    program = read_assembly(text, arch)
    assert program.counts == expected
    [loop] = program.loops
    inside = program.loop_counts(loop)
    assert (inside.fma, inside.branches, inside.vector_stores) == (1, 1, expected.vector_stores)


def test_where_there_are_no_registers_there_are_no_spills() -> None:
    for arch in ("wasm32", "sm_90"):
        counts = read_assembly("", arch).counts
        assert (counts.spills, counts.reloads, counts.all) == (None, None, 0)
    assert read_assembly("", "x86_64").counts == Counts(0, 0, 0, 0, 0, 0, 0, 0, 0)


def test_a_compiler_that_marks_spills_is_believed() -> None:
    text = """
f:                                      # @f
# %bb.0:
	vmovaps	%ymm0, 32(%rsp)                 # 32-byte Spill
	vaddps	32(%rsp), %ymm1, %ymm0          # 32-byte Folded Reload
	vmovaps	%ymm0, 64(%rsp)
	vs1r.v	v8, (a0)                        # vscale x 8-byte Folded Spill
"""
    assert counted(text, "x86_64") == {"vector_stores": 1, "arithmetic": 1, "spills": 2, "reloads": 1, "all": 4}
    unmarked = text.replace("# %bb.0:", "")
    assert counted(unmarked, "x86_64") == {"arithmetic": 1, "spills": 2, "reloads": 1, "all": 4}


def test_a_frame_pointer_ends_with_its_function() -> None:
    framed = "f:\n\tmovq %rsp, %rbp\n\tmovq %rax, -8(%rbp)\n\tret\n"
    assert counted(framed + "g:\n\tmovq %rax, -8(%rbp)\n", "x86_64") == {"spills": 1, "all": 4}


def test_loops_are_the_innermost_and_whole() -> None:
    text = """
.L1:
	addq	$1, %rax
.L2:
	vaddps	%ymm0, %ymm0, %ymm0
	je	.L2
	vmulps	%ymm0, %ymm0, %ymm0
	jne	.L2
	jmp	.L4
	jl	.L1
.L4:
	jmp	*%rax
.L5:
	jmp	.L5
"""
    program = read_assembly(text, "x86_64")
    assert program.loops == ((1, 4), (8, 8))
    assert [i.text for i in program.loop_body((1, 4))] == [
        "vaddps %ymm0, %ymm0, %ymm0",
        "je .L2",
        "vmulps %ymm0, %ymm0, %ymm0",
        "jne .L2",
    ]


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(TargetError, match=r"^the assembly of 'mips' cannot be read; known are x86-64, AArch64, RISC-V, WebAssembly, "):
        dialect_of("mips")


# What compilers write

# Two vectors of four are read, one is written, and there are two multiply-adds and a subtraction.
LOOP = """
typedef float vec __attribute__((vector_size(16)));
void f(vec *restrict y, const vec *restrict x, const vec *restrict z, long n) {
    #pragma {pragma} unroll {no}
    for (long i = 0; i < n; i++) {
        vec a = x[i], b = z[i];
        vec d = a - b;
        d = __builtin_elementwise_fma(d, d, a);
        y[i] = __builtin_elementwise_fma(d, b, a);
    }
}
"""
CLANG = {
    "x86_64": ("--target=x86_64-linux-gnu", "-march=x86-64-v3"),
    "aarch64": ("--target=aarch64-linux-gnu",),
    "riscv64": ("--target=riscv64-linux-gnu", "-march=rv64gcv", "-mabi=lp64d"),
    "wasm32": ("--target=wasm32", "-msimd128", "-mrelaxed-simd"),
    "armv7": ("--target=armv7-linux-gnueabihf", "-mfpu=neon-vfpv4"),
    "ppc64le": ("--target=powerpc64le-linux-gnu", "-mcpu=pwr9"),
    "s390x": ("--target=s390x-linux-gnu", "-march=z14"),
}


def compiled(compiler: str, flags: tuple[str, ...], text: str, folder: Path) -> str:
    """The assembly of a C text."""
    path = folder / "loop.c"
    path.write_text(text)
    command = [compiler, *flags, "-O2", "-fno-tree-vectorize", "-ffp-contract=off", "-S", "-o", "-", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("arch", CLANG)
def test_a_loop_of_clang_is_counted(arch: str, tmp_path: Path) -> None:
    clang = shutil.which("clang-22") or pytest.skip("no clang-22")
    text = LOOP.replace("{pragma}", "clang loop").replace("unroll {no}", "unroll(disable)")
    program = read_assembly(compiled(clang, CLANG[arch], text, tmp_path), arch)
    [loop] = program.loops
    inside = program.loop_counts(loop)
    fused = arch != "wasm32"  # an exact one is a function there
    assert (inside.vector_loads, inside.vector_stores) == (2, 1)
    assert (inside.fma, inside.arithmetic) == ((2, 1) if fused else (0, 1))
    assert (inside.branches, bool(inside.calls)) == (1, not fused)
    assert not inside.spills
    assert not inside.reloads


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_a_loop_of_gcc_is_counted(arch: str, tmp_path: Path) -> None:
    name = {"x86_64": "x86_64-linux-gnu-gcc", "aarch64": "aarch64-linux-gnu-gcc"}[arch]
    gcc = shutil.which(name) or pytest.skip(f"no {name}")
    header, fma = {"x86_64": ("immintrin.h", "_mm_fmadd_ps(a, b, c)"), "aarch64": ("arm_neon.h", "vfmaq_f32(c, a, b)")}[arch]
    text = f"#include <{header}>\n#define __builtin_elementwise_fma(a, b, c) (vec){fma}\n" + LOOP.replace(
        "{pragma} unroll {no}", "GCC unroll 1"
    )
    program = read_assembly(compiled(gcc, ("-mfma",) if arch == "x86_64" else (), text, tmp_path), arch)
    [loop] = program.loops
    inside = program.loop_counts(loop)
    assert (inside.vector_stores, inside.fma, inside.arithmetic, inside.branches) == (1, 2, 1, 1)
    assert inside.vector_loads in (2, 3)  # z may be read again as an operand
