"""How assembly reads on each architecture: patterns over an instruction's text, as data.

An instruction's text is ``mnemonic operand, operand``, without its comment and prefixes, and with single spaces. A pattern is matched
from its start. What no pattern knows counts as an instruction and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gngen.errors import TargetError

# Scalars in x86's vector registers, which are no vectors: names that end in ss or sd but for packed integers, moves of one element.
_X86_SCALAR = (
    r"(?:(?!v?p|v?broadcast)\w*s[sdh]|v?cvt\w*2u?s[sdih]\w*|v?cvtt?s[sdih]2\w+|v?mov[dqw]|k\w+|v?p(?:insr|extr)\w|v?(?:insert|extract)ps) "
)
_X86_MEMORY = r"(?:%\ws:)?[^\s,()]*\([^()]*\)"
_X86_ARITHMETIC = (
    r"v?(?:add|sub|addsub|hadd|hsub|mul|div|sqrt|min|max|andn?|or|xor|cmp\w*|blend[vm]?|round|rndscale|rcp\w*|rsqrt\w*|scalef|getexp|getmant"
    r"|fixupimm|range|reduce|dp)(?:ps|pd|ph)"
    r"|v?cvt\w+|v?dpbf16ps"
    r"|v?p(?:h?add|h?sub|mul|madd|min|max|abs|sign|avg|sad|andn?|or|xor|ternlog|cmp|test|blend|s[lr]l|sra|ro[lr]|dp)\w*"
)
# Of a move between registers, or a register made zero, some assemblers say "or" and "xor".
_SAME = r"(?!\S*or\w* \S+, (\S+), \1$)(?!\S*xor\w* (\S+), \2(?:,|$))"
_ARM_CONDITIONS = r"(?:eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al)"


@dataclass(frozen=True)
class Dialect:
    """The patterns of one architecture.

    name: for people. comment: what begins a comment, to the end of the line. vector_load, vector_store: of vectors; load also of an
    element that fills one, and of operands in memory. fma: fused multiply-adds of vectors. arithmetic: what else computes with vectors;
    moves, shuffles and constants do not. branch: jumps, no calls and no returns. call: calls. stack: an operand at a fixed distance from
    the stack pointer, "" where a spill cannot be seen. frame: what makes a register a second stack pointer, which is its group.
    framed: as `stack`, of that register. write: the instructions that write such an operand. neither: those that do not access it.
    """

    name: str
    comment: str
    vector_load: str
    vector_store: str
    fma: str
    arithmetic: str
    branch: str
    call: str
    stack: str = ""
    frame: str = ""
    framed: str = ""
    write: str = ""
    neither: str = ""


X86 = Dialect(
    name="x86-64",
    comment="#",
    vector_load=rf"(?!{_X86_SCALAR})\S+ (?:.*, )?{_X86_MEMORY}(?:\{{1to\d+\}})?, %(?:[xyz]mm|k)\d",
    vector_store=rf"(?!{_X86_SCALAR})\S+ (?:\S+, )*%[xyz]mm\d+, {_X86_MEMORY}(?:\{{%k\d\}})?$",
    fma=r"vfn?m(?:add|sub|addsub|subadd)(?:132|213|231)?(?:ps|pd|ph) ",
    arithmetic=rf"(?!{_X86_SCALAR}){_SAME}(?:{_X86_ARITHMETIC}) .*%[xyz]mm",
    branch=r"j\w+ |loop\w* ",
    call=r"callq? ",
    stack=r"-?\w*\(%rsp\)",
    frame=r"movq? %rsp, (%rbp)$",
    framed=r"-?\w*\({}\)",
    write=rf"(?!cmp|test|bt\w? |push|v?u?comis|ptest).*(?<![\w)]){_X86_MEMORY}(?:\{{%k\d\}})?$",
    neither=r"lea|call|jmp|prefetch|push|pop",
)
AARCH64 = Dialect(
    name="AArch64",
    comment="//",
    vector_load=r"(?:ldn?[pr]|ldur) q|ldr z|ld[1-4]r? \{ ?v[^[]*\[|ld\w+ \{ ?z",
    vector_store=r"(?:stn?[pr]|stur) q|str z|st[1-4] \{ ?v[^}]*\}, ?\[|st\w+ \{ ?z",
    fma=r"(?:fn?ml[as]|fn?mad|fn?msb) [vz]\d+\.",
    arithmetic=(
        _SAME + r"(?:f(?:add|sub|subr|mul|mulx|div|divr|neg|abs|abd|sqrt|scale|max|min|cm|ac|rint|recp|rsqrt|cvt)\w*"
        r"|[su]cvtf|bf(?:cvt|dot|mlal)\w*"
        r"|add[pv]?|sub|subr|mul|neg|abs|and|orr|eor|bic|orn|not|mvn|bsl|bi[tf]|shl|[su]shll?2?|[su]shr|ls[lr]r?|asrr?|[su](?:min|max)\w*"
        r"|cm\w\w|sel|[su]dot|ml[as]|mad|msb) (?=.*\b[vz]\d+\.)"
    ),
    branch=rf"b |b\.\w+ |b{_ARM_CONDITIONS} |br |cbn?z |tbn?z ",
    call=r"blr? ",
    stack=r"\[sp(?:, #?-?\d\w*(?:, mul vl)?)?\]",
    frame=r"(?:mov|add) (x29), sp",
    framed=r"\[{}(?:, #?-?\d\w*(?:, mul vl)?)?\]",
    write=r"st",
    neither=r"prf",
)
RISCV = Dialect(
    name="RISC-V",
    comment="#",
    vector_load=r"vl(?:e\d+(?:ff)?|\dre\d+|\dr|se\d+|[uo]xei\d+|seg\w+)\.v ",
    vector_store=r"vs(?:e\d+|\dr|se\d+|[uo]xei\d+|seg\w+)\.v ",
    fma=r"vfw?n?m(?:acc|sac|add|sub)\.v",
    arithmetic=(
        r"v(?:f?[wn]?(?:add|sub|rsub|mul\w*|div|rdiv|min|max|red\w+|cvt)|f(?:sqrt|rsqrt7|rec7|sgnj[nx]?|neg|abs)|f?merge|mf?(?:eq|ne|lt|le|gt|ge)"
        r"|w?n?ms?(?:acc|sac|add|sub)|and|or|xor|not|neg|sll|srl|sra|ns[lr][la]|rem|[sz]ext|mf?s\w\w)u?(?:\.\w+)* v"
    ),
    branch=r"b(?:eq|ne|lt|ge|gt|le)u?z? |j |jr |tail ",
    call=r"call |jalr? ",
    stack=r"-?\d+\(sp\)",
    frame=r"addi (s0), sp",
    framed=r"-?\d+\({}\)",
    write=r"s[bhwd] |fs[wd] |vs",
)
WASM = Dialect(
    name="WebAssembly",
    comment="#",
    vector_load=r"v128\.load(?:\d+x\d+_[su]|\d+_splat)? ",
    vector_store=r"v128\.store ",
    fma=r"f(?:32x4|64x2)\.relaxed_n?madd",
    arithmetic=(
        r"(?:[fi]\d+x\d+)\.(?:add|sub|mul|div|neg|abs|sqrt|p?min|p?max|eq|ne|[lg][te]|shl|shr|convert|trunc|promote|demote|ceil|floor|nearest"
        r"|extend|extmul|extadd|dot|all_true|relaxed_(?:min|max|trunc|laneselect))|v128\.(?:and|or|xor|not|andnot|bitselect|any_true)"
    ),
    branch=r"br |br_if |br_table |if\b",
    call=r"call |call_indirect ",
)
ARM = Dialect(
    name="ARMv7",
    comment="@",
    vector_load=r"vld[1-4]\.\d+ \{(?![^}]*\[\d)|vldm\w* (?!sp)",
    vector_store=r"vst[1-4]\.\d+ \{(?![^}]*\[\d)|vstm\w* (?!sp)",
    fma=r"vfn?m[as]\.f(?:32 [qd]|16 )",
    arithmetic=(
        _SAME + r"v(?:p?add|sub|mul|ml[as]|p?min|p?max|abs|abd|neg|c(?:gt|ge|eq|lt|le)|ac\w\w|tst|bsl|bi[tf]|and|orr|eor|bic"
        r"|orn|mvn|shl|shll|shr|sra|sli|sri"
        r"|cvt|rint\w|recp[es]|rsqrt[es]|movl|movn)(?:\.(?!f64)\w+)* [qd]\d"
    ),
    branch=rf"b{_ARM_CONDITIONS}?(?:\.[nw])? |cbn?z |bx (?!lr)",
    call=rf"bl{_ARM_CONDITIONS}? |blx ",
    stack=r"\[sp(?:, #-?\d+)?(?::\d+)?\]",
    frame=r"(?:mov|add) (r7|r11|fp), sp",
    framed=r"\[{}(?:, #-?\d+)?(?::\d+)?\]",
    write=r"v?st",
    neither=r"pld",
)
PPC = Dialect(
    name="POWER",
    comment="#",
    vector_load=r"lxv\w* |lvxl? ",
    vector_store=r"stxv\w* |stvxl? ",
    fma=r"xvn?m(?:add|sub)[am][sd]p |vmaddfp |vnmsubfp ",
    arithmetic=(
        _SAME + r"(?:xv(?!n?m(?:add|sub)[am])\w+|xxl(?:and|or|xor|nor|andc|orc|nand|eqv)|xxsel"
        r"|v(?:add|sub|mul|max|min|cmp|neg|abs|ext|rl|cf|ct|rfi)\w+|v(?:sl|sr|sra)[bhwd]|v(?:and|or|xor|nor|andc|orc|sel)) "
    ),
    branch=r"b |bc |bdn?z[lt]?[+-]? |b(?:eq|ne|lt|le|gt|ge|so|ns|un|nu)[+-]? |bctr$",
    call=r"bl |bctrl|blrl",
    stack=r"-?\d+\(r?1\)",
    frame=r"mr (?:r)?(31), r?1$",
    framed=r"-?\d+\(r?{}\)",
    write=r"st",
    neither=r"stdux? ",
)
S390X = Dialect(
    name="z/Architecture",
    comment="#",
    vector_load=r"vlm? |vlrep[bhfg]? |vll ",
    vector_store=r"vstm? |vstl ",
    fma=r"vfn?m[as][sdx]b ",
    arithmetic=(
        r"vf(?:[asmdi]|sq|max|min|l[cpn]|pso|[ck][eh]e?)[sdx]bs? |v(?:ledb|ldeb|flls|flrd|cdg|cdlg|cgd|clgd|cefb|celfb|cfeb|clfeb)b? "
        r"|v(?:[as]|ml|mh|me|mo|mn|mx|mnl|mxl|lc|lp|ceq|ch|chl|esl|esr[la]|eslv|esrlv|esrav|mal|mah)[bhfgq]s? |v(?:n|o|x|nc|no|nn|nx|sel) "
    ),
    branch=r"j\w* |brc[th]?g? |brx\w+ |br %r(?!14)|c(?:l?g?|l?)[ir]j\w* |cl?g?r?j\w* ",
    call=r"br?asl? |bras ",
    stack=r"\d+\(%r15\)",
    frame=r"lgr (%r11), ?%r15",
    framed=r"\d+\({}\)",
    write=r"v?st|mv[cgh]|xc |ag?si ",
)
PTX = Dialect(
    name="PTX",
    comment="//",
    vector_load=r"ld\.(?!param|local)",
    vector_store=r"st\.(?!param|local)",
    fma=r"fma\.",
    arithmetic=r"(?:add|sub|mul|div|rcp|sqrt|rsqrt|min|max|neg|abs|ex2|lg2|tanh|cvt|setp|selp|copysign)\.(?:\w+\.)*(?:bf|f)(?:16|32|64)",
    branch=r"bra",
    call=r"call",
)

_ARCHES = {
    r"x86_64|amd64|i\d86": X86, r"aarch64|arm64": AARCH64, r"riscv64": RISCV, r"wasm(32|64)": WASM, r"arm|thumb": ARM,
    r"powerpc64|ppc64": PPC, r"s390x|systemz": S390X, r"sm_|nvptx": PTX,
}  # fmt: skip


def dialect_of(arch: str) -> Dialect:
    """The dialect of an architecture, in the words of a machine's `arch`: x86_64, aarch64, sm_90 and so on.

    Raises:
        TargetError: none is known.
    """
    for pattern, dialect in _ARCHES.items():
        if re.match(pattern, arch):
            return dialect
    names = ", ".join(dialect.name for dialect in _ARCHES.values())
    raise TargetError(f"the assembly of {arch!r} cannot be read; known are {names}")
