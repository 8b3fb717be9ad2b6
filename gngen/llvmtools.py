"""LLVM as llvmlite brings it: optimise a module, compile it for any processor that LLVM knows, load machine code into the process."""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

from gngen.errors import BuildError
from gngen.llvmapart import compile_apart
from gngen.target import Gpu, Machine

# What an OpenMP region needs: where the program has the library already, its threads are the ones that are used.
_OPENMP = ("GOMP_parallel", "GOMP_barrier", "omp_get_thread_num", "omp_get_num_threads")
_OPENMP_LIBRARIES = ("libgomp.so.1", "libomp.so.5", "libomp.dylib")
# Where there is no such library: one thread.
_ALONE = """
define void @GOMP_parallel(ptr %region, ptr %shared, i32 %threads, i32 %flags) { call void %region(ptr %shared) ret void }
define void @GOMP_barrier() { ret void }
define i32 @omp_get_thread_num() { ret i32 0 }
define i32 @omp_get_num_threads() { ret i32 1 }
"""
# All that a nest has to gain, whose vectors are there and whose loops say how they unroll: as fast as LLVM's -O2, in a quarter of its time.
_PASSES = (
    "always_inliner", "sroa", "simplify_cfg", "instruction_combine", "simplify_cfg", "loop_rotate", "loop_unroll", "instruction_combine",
    "simplify_cfg",
)  # fmt: skip
# GPUs' kernels, whose loops are unrolled, have all else in their processor's own passes; combined instructions take more registers.
_GPUS, _GPU_PASSES = ("nvptx64-", "amdgcn-"), ("always_inliner", "sroa", "simplify_cfg")
# Triples of processors that LLVM may end the process over.
_APART = ("amdgcn-",)
# LLVM's context is one for the process, and not for two threads at once.
_lock = threading.RLock()
_numbers = itertools.count()


@cache
def _llvm() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return llvm


@cache
def version() -> str:
    """llvmlite's version and LLVM's."""
    import llvmlite

    return f"llvmlite {llvmlite.__version__}, LLVM {'.'.join(map(str, _llvm().llvm_version_info))}"


@cache
def openmp() -> dict[str, int]:
    """Where the functions of the OpenMP library lie, by name; empty where there is none."""
    for name in _OPENMP_LIBRARIES:
        try:
            library = ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
            return {f: ctypes.cast(library[f], ctypes.c_void_p).value or 0 for f in _OPENMP}
        except (OSError, AttributeError):
            continue
    return {}


def flags(m: Machine | Gpu) -> tuple[str, ...]:
    """What LLVM is told of a machine, as its tool llc is told it."""
    if isinstance(m, Gpu):
        return (f"-mtriple={m.triple}", f"-mcpu={m.arch}", "-mattr=")
    abi = (f"-target-abi={m.llvm_abi}",) if m.llvm_abi else ()
    return (f"-mtriple={m.triple}", f"-mcpu={m.llvm_cpu}", f"-mattr={','.join(m.llvm_features)}", *abi)


def processor(flags: Sequence[str]) -> str:
    """The processor that flags say."""
    return _told(flags)["mcpu"]


def _told(flags: Sequence[str]) -> dict[str, str]:
    """Flags by their names."""
    return dict(flag.lstrip("-").split("=", 1) for flag in flags)


@cache
def _target_machine(flags: tuple[str, ...]) -> Any:
    """LLVM's description of the machine that `flags` say; of the machine that is any machine, this one's."""
    llvm = _llvm()
    told = _told(flags)
    triple = told["mtriple"] if told["mtriple"] != "unknown" else llvm.get_process_triple()
    try:
        target = llvm.Target.from_triple(triple)
    except RuntimeError as e:
        raise BuildError(f"LLVM does not compile for {triple}: {e}") from e
    return target.create_target_machine(
        cpu=told["mcpu"], features=told["mattr"], opt=2, reloc="pic", codemodel="default", abiname=told.get("target-abi", "")
    )


def _optimised(texts: Sequence[str], flags: tuple[str, ...]) -> Any:
    """One module of all the texts, checked and optimised; what vectors there are and how loops are unrolled is theirs."""
    llvm, tm = _llvm(), _target_machine(flags)
    try:
        module = llvm.parse_assembly(texts[0])
        for text in texts[1:]:
            module.link_in(llvm.parse_assembly(text))
        module.triple = tm.triple
        module.data_layout = str(tm.target_data)
        module.verify()
    except RuntimeError as e:
        raise BuildError(f"LLVM refused a module: {' '.join(str(e).split())[:500]}") from e
    builder = llvm.create_pass_builder(tm, llvm.create_pipeline_tuning_options(speed_level=2))
    passes = llvm.create_new_module_pass_manager()
    for name in _GPU_PASSES if tm.triple.startswith(_GPUS) else _PASSES:
        getattr(passes, f"add_{name}_pass")()
    passes.run(module, builder)
    return module


def compile_object(texts: Sequence[str], flags: tuple[str, ...]) -> bytes:
    """The object file of modules linked into one: position-independent machine code. BuildError with LLVM's words."""
    with _lock:
        found: bytes = _target_machine(flags).emit_object(_optimised(texts, flags))
        return found


def compile_assembly(texts: Sequence[str], flags: tuple[str, ...]) -> str:
    """The assembly of modules linked into one. BuildError with LLVM's words."""
    return compile_apart(texts, flags) if _told(flags)["mtriple"].startswith(_APART) else compile_here(texts, flags)


def compile_here(texts: Sequence[str], flags: tuple[str, ...]) -> str:
    """The same in this process, whatever the processor."""
    with _lock:
        found: str = _target_machine(flags).emit_assembly(_optimised(texts, flags))
        return found


def optimised_text(texts: Sequence[str], flags: tuple[str, ...]) -> str:
    """The LLVM IR that machine code is made from, of modules linked into one. BuildError with LLVM's words."""
    with _lock:
        return str(_optimised(texts, flags))


def text_bytes(data: bytes) -> int:
    """Bytes of machine code in an object file."""
    with _lock:
        sections = _llvm().ObjectFileRef.from_data(data).sections()
        return sum(s.size() for s in sections if s.is_text())


@cache
def _jit() -> Any:
    return _llvm().create_lljit_compiler()


def load_object(data: bytes, symbol: str) -> tuple[int, Any]:
    """Machine code in this process: the address of a function, and what keeps it there."""
    with _lock:
        builder = _llvm().JITLibraryBuilder().add_object_img(data).add_current_process().export_symbol(symbol)
        for name, address in openmp().items():
            builder = builder.import_symbol(name, address)
        if not openmp():
            builder = builder.add_ir(_ALONE)
        try:
            tracker = builder.link(_jit(), f"gngen{next(_numbers)}")
            return tracker[symbol], tracker
        except (RuntimeError, KeyError) as e:
            raise BuildError(f"the kernel {symbol} cannot be loaded: {e}") from e
