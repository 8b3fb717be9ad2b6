"""ptxas and nvcc: found, run, and read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gngen import cudatools
from gngen.cudatools import Accesses, Report, assemble, command_of, count_accesses, lacks, read_reports, run_tool, version_of
from gngen.errors import BuildError
from gngen.target import machine_names

# Copies 16 bytes a thread, and rotates them through shared memory.
PTX = """
.version 8.7
.target {arch}
.address_size 64

.visible .entry copy(.param .u64 from, .param .u64 to)
{{
    .reg .b32 %r<3>;
    .reg .f32 %f<6>;
    .reg .b64 %rd<6>;
    .shared .align 16 .b8 held[512];

    ld.param.u64 %rd1, [from];
    ld.param.u64 %rd2, [to];
    mov.u32 %r1, %tid.x;
    mul.wide.u32 %rd3, %r1, 16;
    add.s64 %rd4, %rd1, %rd3;
    add.s64 %rd5, %rd2, %rd3;
    ld.global.v4.f32 {{%f1, %f2, %f3, %f4}}, [%rd4];
    mov.u32 %r2, held;
    mad.lo.u32 %r2, %r1, 4, %r2;
    st.shared.f32 [%r2], %f1;
    bar.sync 0;
    ld.shared.f32 %f5, [held];
    st.global.v4.f32 [%rd5], {{%f2, %f3, %f4, %f5}};
    ret;
}}
"""
SAID = """ptxas info    : 8 bytes gmem, 8 bytes cmem[4]
ptxas info    : Compiling entry function 'one' for 'sm_80'
ptxas info    : Function properties for one
    24 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads
ptxas info    : Used 58 registers, used 1 barriers, 64 bytes smem, 392 bytes cmem[0]
ptxas info    : Compiling entry function 'two' for 'sm_80'
ptxas info    : Function properties for two
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 8 registers, used 0 barriers
"""


def need_tool(tool: str) -> None:
    if lacks(tool):
        pytest.skip(lacks(tool))


def test_reports_are_read() -> None:
    found = read_reports(SAID)
    assert found == {"one": Report("one", "sm_80", 58, 24, 8, 12, 64), "two": Report("two", "sm_80", 8, 0, 0, 0, 0)}
    assert [r.spills for r in found.values()] == [20, 0]
    with pytest.raises(BuildError, match="said nothing of the registers or the stack of one"):
        read_reports("ptxas info    : Compiling entry function 'one' for 'sm_80'\n")


@pytest.mark.parametrize(
    ("text", "wide"),
    [
        ("ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1];", (1, 0)),
        ("ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd1];", (1, 0)),
        ("ld.global.v2.f64 {%fd1, %fd2}, [%rd1];", (1, 0)),
        ("ld.global.nc.L1::no_allocate.v4.b32 {%r1, %r2, %r3, %r4}, [%rd1];", (1, 0)),
        ("st.global.cs.v2.b64 [%rd1], {%rd2, %rd3};", (0, 1)),
        ("ld.global.v2.f32 {%f1, %f2}, [%rd1];", (0, 0)),
        ("st.global.f64 [%rd1], %fd1;", (0, 0)),
        ("ld.global.v8.b16 {%h1}, [%rd1];", (1, 0)),
    ],
)
def test_wide_accesses_are_counted(text: str, wide: tuple[int, int]) -> None:
    found = count_accesses(text)
    assert (found.wide_loads, found.wide_stores) == wide
    assert (found.loads, found.stores) == (int(text.startswith("ld")), int(text.startswith("st")))


@pytest.mark.parametrize(
    "text", ["ld.param.u64 %rd1, [x];", "st.shared.v4.f32 [%r1], {%f1};", "fold.global.v4.f32 x", "cvta.to.global.u64 %rd1"]
)
def test_what_is_no_access_to_global_memory(text: str) -> None:
    assert count_accesses(text) == Accesses(0, 0, 0, 0)


@pytest.mark.parametrize("arch", machine_names("gpu"))
def test_assembling(arch: str) -> None:
    need_tool("ptxas")
    ptx = PTX.format(arch=arch)
    (report,) = assemble(ptx, arch).values()
    assert (report.entry, report.arch, report.stack, report.spills, report.shared) == ("copy", arch, 0, 0, 512)
    assert 4 < report.registers < 32
    assert count_accesses(ptx) == Accesses(1, 1, 1, 1)


def test_what_ptxas_refuses() -> None:
    need_tool("ptxas")
    with pytest.raises(BuildError, match=r"^ptxas refused \(-v -arch=sm_90 .*Not a name of any known instruction"):
        assemble(PTX.format(arch="sm_90").replace("ret;", "return;"), "sm_90")


@pytest.mark.parametrize("tool", cudatools.TOOLS)
def test_versions(tool: str) -> None:
    need_tool(tool)
    assert "build" in version_of(tool).lower()


@pytest.mark.parametrize("tool", cudatools.TOOLS)
def test_a_tool_that_is_not_there(tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"GNGEN_{tool.upper()}", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(cudatools, "_PACKAGES", ())
    monkeypatch.setattr(cudatools, "_INSTALLED", tmp_path)
    cudatools._found.cache_clear()
    assert command_of(tool) == ()
    assert version_of(tool) == ""
    with pytest.raises(BuildError, match=f"^no {tool}: install the CUDA toolkit or gngen.cuda., or name it in GNGEN_{tool.upper()}$"):
        run_tool(tool, "--version")
    cudatools._found.cache_clear()


def test_a_tool_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "mine.py"
    program.write_text("import sys; print(sys.argv[1:])")
    monkeypatch.setenv("GNGEN_PTXAS", f"{sys.executable} {program}")
    assert command_of("ptxas") == (sys.executable, str(program))
    assert run_tool("ptxas", "-v", "x y") == f"['-v', 'x y']{os.linesep}"
    monkeypatch.setenv("GNGEN_PTXAS", str(tmp_path / "nowhere"))
    assert lacks("ptxas") == f"GNGEN_PTXAS names {tmp_path / 'nowhere'}, which cannot be run"
