"""The self-test of a bundle for WebAssembly, run by wasmtime."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from test_bundle import LAYERS, compile_selftest, make, verdict

CLANG = "clang-22"


def test_the_self_test_passes_in_wasmtime(tmp_path: Path) -> None:
    wasmtime = pytest.importorskip("wasmtime", reason="wasmtime is not installed")
    if shutil.which(CLANG) is None or not Path("/usr/include/wasm32-wasi").is_dir():
        pytest.skip(f"{CLANG} and the C library of WASI (wasi-libc, libclang-rt-22-dev-wasm32) are not installed")
    where = make(LAYERS, tmp_path / "dist", "llvm:wasm32", missing="generic", openmp=False)
    program = compile_selftest(where, CLANG, "--target=wasm32-wasi", "-Wno-deprecated", "-O2", arch="wasm32")
    engine, output = wasmtime.Engine(), tmp_path / "output"
    linker, store, wasi = wasmtime.Linker(engine), wasmtime.Store(engine), wasmtime.WasiConfig()
    linker.define_wasi()
    wasi.argv, wasi.stdout_file = ["selftest"], str(output)
    store.set_wasi(wasi)
    linker.instantiate(store, wasmtime.Module.from_file(engine, str(program))).exports(store)["_start"](store)
    assert verdict(output.read_bytes())[1] == 0
