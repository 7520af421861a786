# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""tools/narrow.py: each rewriting, where it must not happen, and random
programs that do the same before and after it.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys

import pytest

from machine import BUILD, TOP
from narrowing import Machine, STACK, programs

sys.path.insert(0, str(TOP / "tools"))
import narrow  # noqa: E402

PROGRAMS, INPUTS = 20, 12
POINTER = "#(insn 2 3 4 2 (set (reg/f:SI 3 bx)\n#    (reg:SI 0 ax))\n"
POP_NOTE = "#(insn 2 3 4 2 (set (reg:SI 3 bx)\n#   (expr_list:REG_CFA_ADJUST_CFA (set (reg/f:SI 7 sp)\n"


def function(body: str, name: str = "f") -> str:
    """Instructions are separated by semicolons. "^" before one: gcc says that
    its result is a pointer; "~": a spill slot.
    """
    text = f"\t.type\t{name}, @function\n{name}:\n"
    for line in body.split(";"):
        line = line.strip()
        if line.endswith(":"):
            text += line + "\n"
            continue
        text += POINTER if line.startswith("^") else ""
        text += POP_NOTE if line.startswith("popl") else ""
        comment = "%sfp" if line[0] == "~" else ""
        text += "\t" + line.lstrip("^~").replace(" ", "\t", 1) + f"\t# {comment}\n"
    return text + f"\t.size\t{name}, .-{name}\n"


def rewritten(*bodies: str, name: str = "f") -> str:
    """Function f, which a .S file calls, with its neighbours g, h, ...: EAX, EDX
    and EBP are looked at when f returns.
    """
    text = "\t.code16gcc\n\t.text\n" + "".join(map(function, bodies, "fgh"))
    out, = narrow.narrow([text], "callw f unknown")
    code = re.search(rf"^{name}:\n(.*?)^\t\.size", out, re.M | re.S).group(1)
    return "; ".join(re.sub(r"\s+", " ", line).strip() for line in code.splitlines())


STORE = "movw %cx, (%bx); ret"       # looks at no upper half
KEEP = "movl %ecx, (%bx); ret"       # looks at all of it
ZERO = "movzwl (%ebx), %ecx"         # an upper half that is zero


def gcc(text: str) -> str:
    return text.replace("(%bx)", "(%ebx)")


@pytest.mark.parametrize("before, after", [
    # 16-bit addresses
    ("movl 4(%ebx), %eax; ret", "movl 4(%bx), %eax; ret"),
    ("movl -4(%ebp), %eax; ret", "movl -4(%bp), %eax; ret"),
    ("movl (%esi,%ebx), %eax; ret", "movl (%bx,%si), %eax; ret"),
    ("movb %al, %fs:(%edi); ret", "movb %al, %fs:(%di); ret"),
    ("movl table+4(%ebx), %eax; ret", "movl table+4(%bx), %eax; ret"),
    ("sete 4(%esi); ret", "sete 4(%si); ret"),
    # ... of a register that holds the same
    ("movl %eax, %esi; movl 8(%eax), %eax; movl (%esi), %edx; ret",
     "xchgw %ax, %si; movl 8(%si), %eax; movl (%si), %edx; ret"),
    # nobody looks at the upper half
    ("movl 4(%ebx), %ecx; " + STORE, "movw 4(%bx), %cx; " + STORE),
    ("movl $-2, %ecx; " + STORE, "movw $-2, %cx; " + STORE),
    ("movl $table, %ecx; " + STORE, "movw $table, %cx; " + STORE),
    ("pushl $9; popl %ecx; " + STORE, "movw $9, %cx; " + STORE),
    ("movl $300, %ecx; movb %cl, (%ebx); ret", "movb $44, %cl; movb %cl, (%bx); ret"),
    ("movzwl 4(%ebx), %ecx; " + STORE, "movw 4(%bx), %cx; " + STORE),
    ("movzbl 4(%ebx), %ecx; " + STORE, "movzbw 4(%bx), %cx; " + STORE),
    ("movzbl 4(%ebx), %ecx; movb %cl, (%ebx); ret", "movb 4(%bx), %cl; movb %cl, (%bx); ret"),
    ("movzwl %cx, %ecx; " + STORE, STORE),
    ("xorl %ecx, %ecx; incl %ecx; " + STORE, "xorw %cx, %cx; incw %cx; " + STORE),
    ("addl $4, %ecx; subl %edx, %ecx; negl %ecx; " + STORE,
     "addw $4, %cx; subw %dx, %cx; negw %cx; " + STORE),
    ("imull $20, %edx, %ecx; " + STORE, "imulw $20, %dx, %cx; " + STORE),
    ("sall $4, %ecx; sall %cl, %ecx; " + STORE, "salw $4, %cx; salw %cl, %cx; " + STORE),
    ("movl %edi, %ecx; sall %cl, %eax; ret", "movw %di, %cx; sall %cl, %eax; ret"),
    ("leal 4(%ebx,%edx), %ecx; " + STORE, "leaw 4(%ebx,%edx,1), %cx; " + STORE),
    ("leal 4(%esi), %ecx; " + STORE, "leaw 4(%si), %cx; " + STORE),
    ("andl $255, %ecx; movb %cl, (%ebx); ret", "movb %cl, (%bx); ret"),
    ("addl $260, %eax; movb %al, (%ebx); xorl %eax, %eax; ret",
     "addb $4, %al; movb %al, (%bx); xorl %eax, %eax; ret"),
    ("andl $65280, %ecx; addl %edx, %ecx; movb %ch, (%ebx); ret",
     "andw $-256, %cx; addw %dx, %cx; movb %ch, (%bx); ret"),
    # flags of small numbers
    (f"{ZERO}; cmpl $40000, %ecx; jb .La; .La:; ret",
     "movw (%bx), %cx; cmpw $-25536, %cx; jb .La; .La:; ret"),
    (f"{ZERO}; testl %ecx, %ecx; je .La; .La:; ret", "movw (%bx), %cx; testw %cx, %cx; je .La; .La:; ret"),
    (f"{ZERO}; decl %ecx; jne .La; .La:; ret", "movw (%bx), %cx; decw %cx; jne .La; .La:; ret"),
    (f"{ZERO}; shrl $4, %ecx; " + STORE, "movw (%bx), %cx; shrw $4, %cx; " + STORE),
    ("movzwl (%ebx), %eax; cmpl $5, %eax; jb .La; .La:; movl $70000, %eax; ret",
     "movw (%bx), %ax; cmpw $5, %ax; jb .La; .La:; movl $70000, %eax; ret"),
    ("movzbl (%ebx), %eax; cmpl $5, %eax; jb .La; .La:; movl $70000, %eax; ret",
     "movb (%bx), %al; cmpb $5, %al; jb .La; .La:; movl $70000, %eax; ret"),
    # an upper half that is zero stays so
    (f"xorl %ecx, %ecx; movl %ecx, 4(%ebx); {ZERO}; " + KEEP,
     "xorl %ecx, %ecx; movl %ecx, 4(%bx); movw (%bx), %cx; " + KEEP),
    ("movzbl (%ebx), %ecx; movl %ecx, 4(%ebx); ^leal 4(%ebx), %ecx; " + KEEP,
     "movzbl (%bx), %ecx; movl %ecx, 4(%bx); leaw 4(%bx), %cx; " + KEEP),
    # LEA of a 16-bit address has no upper half
    ("movl $300, %eax; ret", "leal 300, %eax; ret"),
    ("movzwl %bx, %eax; ret", "leal (%bx), %eax; ret"),
    ("^leal 4(%ebx), %eax; ret", "leal 4(%bx), %eax; ret"),
    # the stack pointer; nobody looks at EAX behind XCHG
    ("subl $8, %esp; addl $8, %esp; ret", "subw $8, %sp; addw $8, %sp; ret"),
    ("movl %eax, %ebx; movl (%ebx), %eax; ret", "xchgw %ax, %bx; movl (%bx), %eax; ret"),
    # gcc 14 knows that, too; of a true exchange each part goes its way
    ("xchgl %eax, %ebx; movl (%ebx), %eax; ret", "xchgw %ax, %bx; movl (%bx), %eax; ret"),
    ("xchgl %edx, %ecx; movl $9, %edx; " + STORE, "movw %dx, %cx; leal 9, %edx; " + STORE),
    ("^xchgl %eax, %ecx; testl %ecx, %ecx; je .La; .La:; movl $9, %eax; ret",
     "xchgw %ax, %cx; testw %cx, %cx; je .La; .La:; leal 9, %eax; ret"),
    ("movl 4(%ebx), %ecx; xchgl %eax, %ecx; movw %ax, (%ebx); movl %ecx, %eax; ret",
     "movw 4(%bx), %cx; xchgl %eax, %ecx; movw %ax, (%bx); xchgl %ecx, %eax; ret"),
    # what only a JMP leads to
    ("testb %al, %al; je .Lb; .La:; ret; .Lb:; incb %al; jmp .La",
     "testb %al, %al; je .Lb; .La:; ret; .Lb:; incb %al; jmp .La"),
    ("testb %al, %al; je .Lb; jmp .Lc; .La:; ret; .Lb:; incb %al; jmp .La; .Lc:; decb %al; jmp .La",
     "testb %al, %al; je .Lb; .Lc:; decb %al; .La:; ret; .Lb:; incb %al; jmp .La"),
    ("cmpb $3, %al; ja .Lb; jmp .Lc; .La:; decb %al; .Lc:; ret; .Lb:; incb %al; jmp .La",
     "cmpb $3, %al; jbe .Lc; .Lb:; incb %al; .La:; decb %al; .Lc:; ret"),
    (".La:; decb %al; je .Lb; ret; .Lb:; incb %al; jmp .La",
     ".La:; decb %al; je .Lb; ret; .Lb:; incb %al; jmp .La"),
    ("call *%ebx; ret", "callw *%bx; ret"),
])
def test_becomes(before, after):
    assert rewritten(gcc(before)) == after


@pytest.mark.parametrize("text", [
    # addresses that 16 bits cannot say
    "movl (%ecx), %eax; ret", "movl (%ebx,%ebp,1), %eax; ret", "movl (%ebx,%esi,2), %eax; ret",
    "movl (%esp), %eax; ret",
    # somebody looks at the upper half
    "movl 4(%bx), %ecx; " + KEEP, "addl $4, %ecx; " + KEEP, "leal 4(%ebx), %ecx; " + KEEP,
    "movl 4(%bx), %eax; ret", "movzwl %cx, %ecx; " + KEEP,
    # memory is stored to as wide as it was, and read so through FS
    "movl $1, (%bx); ret", "andl $0, (%bx); ret", "addl %ecx, (%bx); ret",
    "movl %fs:(%di), %ecx; " + STORE, "addl %fs:(%di), %ecx; " + STORE,
    # flags of numbers that may be large, and signs of small ones
    "cmpl $5, %ecx; jb .La; .La:; ret", "andl $-2, %ecx; cmpl $5, %ecx; jb .La; .La:; ret",
    "testl %ecx, %ecx; je .La; .La:; ret",
    "addl $4, %ecx; jb .La; .La:; " + STORE, "movzwl (%bx), %ecx; cmpl $5, %ecx; jl .La; .La:; ret",
    "movzwl (%bx), %ecx; testl %ecx, %ecx; js .La; .La:; ret",
    "movzwl (%bx), %ecx; cmpl $5, %ecx; js .La; .La:; ret",
    "movzwl (%bx), %ecx; cmpl $65536, %ecx; je .La; .La:; ret",
    "movzwl (%bx), %ecx; incl %ecx; je .La; .La:; ret",
    "leal 4(%ebx), %eax; ret", "movl $65536, %eax; ret", "movzwl %cx, %eax; ret",
    # what comes down from the upper half
    "shrl $4, %ecx; " + STORE, "sarl $4, %ecx; " + STORE, "shrdl %edx, %ecx; " + STORE,
    "roll $4, %ecx; " + STORE,
    # carries out of the lower half
    "addl %edx, %ecx; adcl $0, %esi; movl %esi, (%bx); " + STORE,
    # who does not restore a byte register needs the other bytes
    "movl %esi, %ecx; movb $1, %cl; " + KEEP, "movl %esi, %ecx; movw $1, %cx; " + KEEP,
    # on one way it is looked at
    "movl %esi, %ecx; testb %al, %al; je .La; movw %cx, (%bx); ret; .La:; movl %ecx, (%bx); ret",
    # ... or in the next round
    "movl %esi, %ecx; .La:; movl %ecx, (%bx); decb %al; jne .La; ret",
    "movl (%bx), %ecx; .La:; movw %cx, (%bx); shrl $1, %ecx; decb %al; jne .La; ret",
    # who is called from unknown code gets and gives all 32 bits
    "movl %esi, %ecx; call unknown; ret", "movl 4(%bx), %edx; call unknown; ret",
    "smsw %ecx; ret", "movl %esi, %ecx; bswap %ecx; " + STORE,
    "xchgb %ah, %al; ret", "xchgl %eax, %edx; ret", "xchgl %ecx, 4(%ebx); ret", "xchgl %ecx, counter; ret",
    "movzwl (%bx), %eax; xchgl %eax, %edx; testl %eax, %eax; je .La; .La:; ret",
])
def test_stays(text):
    before = re.sub(r"\(%(bx|si|di)\)", r"(%e\1)", text)
    assert rewritten(before) == text


def test_a_call_hands_over_what_the_callee_looks_at():
    caller = "movl %esi, %ecx; movl %edi, %edx; call g; ret"
    callee = "movl %ecx, (%ebx); movb %dl, 4(%ebx); xorl %eax, %eax; xorl %edx, %edx; ret"
    assert rewritten(caller, callee).startswith("movl %esi, %ecx; movw %di, %dx; call g")


def test_a_caller_looks_at_what_a_callee_returns():
    callee = "movl 4(%ebx), %eax; ret"
    for use, width in [("movw %ax, (%ebx); ", "w"), ("movl %eax, (%ebx); ", "l")]:
        caller = f"call g; {use}xorl %eax, %eax; xorl %edx, %edx; ret"
        register = {"w": "ax", "l": "eax"}[width]
        assert rewritten(caller, callee, name="g").startswith(f"mov{width} 4(%bx), %{register}")


def test_a_small_result_is_small_for_every_caller():
    caller = "call g; testl %eax, %eax; je .La; movl $2, %eax; .La:; xorl %edx, %edx; ret"
    assert "testw %ax, %ax" in rewritten(caller, "movl $1, %eax; ret")
    assert "testl %eax, %eax" in rewritten(caller, "movl (%ebx), %eax; ret")


def test_whose_address_is_taken_may_be_called_by_any_pointer():
    caller = "movl $h, (%ebx); movl %esi, %ecx; call *(%ebx); ret"
    narrow_one = "movw %cx, (%ebx); xorl %eax, %eax; ret"
    assert "movw %si, %cx" in rewritten(caller, "ret", narrow_one)
    assert "movl %esi, %ecx" in rewritten(caller, "ret", "movl %ecx, (%ebx); xorl %eax, %eax; ret")


def test_the_last_line_of_a_table_takes_an_address_too():
    text = ("\t.code16gcc\n\t.text\n" + function("call *(%ebx); ret", "f")
            + function("movb $1, %al; ret", "g") + "\t.long\tg")
    out, = narrow.narrow([text], "callw f")
    assert "movb\t$1, %al" in out


SAVING = "pushl %ebx; movl %eax, %ebx; movl 4(%ebx), %ecx; popl %ebx; movl %ecx, %eax; ret"


def test_a_preserved_register_is_saved_in_16_bits_if_nobody_needs_more():
    caller = "movl %esi, %ebx; movl (%esi), %eax; call g; movw %bx, (%esi); xorl %eax, %eax; ret"
    code = rewritten(caller, SAVING, name="g")
    assert code.startswith("pushw %bx") and "popw %bx" in code


def test_a_preserved_register_is_saved_whole_if_a_caller_needs_it():
    """Its upper half is written; POP says nothing about pointers."""
    caller = "movl (%esi), %ebx; movl (%esi), %eax; call g; movl %ebx, (%esi); xorl %eax, %eax; ret"
    code = rewritten(caller, SAVING.replace("movl 4(", "addl $70000, %ebx; movl %ebx, 8(%ebx); movl 4("),
                     name="g")
    assert code.startswith("pushl %ebx") and "popl %ebx" in code


def test_a_pointer_in_a_preserved_register_needs_no_upper_half():
    """Zero before, a pointer in between: nothing to save but 16 bits."""
    caller = "movzwl (%esi), %ebx; movl (%esi), %eax; call g; movl %ebx, (%esi); xorl %eax, %eax; ret"
    callee = SAVING.replace("movl %eax", "^movl %eax").replace("movl 4(", "movl %ebx, 8(%ebx); movl 4(")
    code = rewritten(caller, callee, name="g")
    assert code.startswith("pushw %bx") and "xchgw %ax, %bx" in code and "popw %bx" in code


def test_a_spilled_value_has_parts_too():
    body = "subl $4, %esp; movl (%ebx), %ecx; ~movl %ecx, (%esp); ~movl (%esp), %edx; " \
        "movw %dx, (%ebx); xorl %edx, %edx; addl $4, %esp; ret"
    assert "movw %cx, (%esp); movw (%esp), %dx" in rewritten(body)
    assert "movl %ecx, (%esp); movw (%esp), %dx" in rewritten(body.replace("~", ""))


@pytest.mark.parametrize("use", ["cltd; ~idivl (%esp)", "~btl $3, (%esp)", "~call *(%esp)", "call *(%esp)"])
def test_a_spilled_value_that_something_strange_looks_at_is_stored(use):
    body = f"subl $4, %esp; ~movl %eax, (%esp); {use}; addl $4, %esp; ret"
    assert "movl %eax, (%esp); " in rewritten(body, "ret")


def test_a_spilled_value_that_something_strange_writes_may_be_large():
    body = "subl $4, %esp; ~movl $0, (%esp); ~xchgl %ecx, (%esp); ~movl (%esp), %edx; shrl $4, %edx; " \
        "movw %dx, (%ebx); addl $4, %esp; ret"
    assert "shrl $4, %edx" in rewritten(body)


def test_a_register_that_is_not_used_points_to_the_local_variables():
    body = "pushl %ebx; subl $8, %esp; movl %eax, 4(%esp); incl 4(%esp); decl (%esp); " \
        "leal 4(%esp), %eax; addl 4(%esp), %edx; addl $8, %esp; popl %ebx; ret"
    assert rewritten(body) == (
        "pushw %si; pushw %bx; subw $8, %sp; movw %sp, %si; movl %eax, 4(%si); incl 4(%si); "
        "decl (%si); leal 4(%si), %eax; addl 4(%si), %edx; addw $8, %sp; popw %bx; popw %si; ret")


def test_a_pushed_value_moves_the_local_variables():
    body = "subl $8, %esp; movl %eax, 4(%esp); pushl %eax; movl %edx, 8(%esp); incl 8(%esp); popl %eax; " \
        "decl 4(%esp); incl (%esp); addl $8, %esp; ret"
    assert ("pushl %eax; movw %sp, %si; movl %edx, 8(%si); incl 8(%si); popl %eax; decl 8(%si); "
            "incl 4(%si)") in rewritten(body)


def test_a_pointer_is_never_compared_with_what_is_none():
    """FAR_UNREACHABLE: if gcc ever keeps it in what it calls a pointer."""
    with pytest.raises(ValueError):
        rewritten("^movl %eax, %ecx; cmpl $-1, %ecx; je .La; .La:; ret")


@pytest.mark.parametrize("bound", [0xFFFF, 0x10000, 0x10004])
def test_a_pointer_is_never_compared_with_an_end_that_it_cannot_reach(bound):
    text = ("\t.code16gcc\n\t.text\n\t.type\tf, @function\nf:\n"
            f"#(insn 2 3 4 2 (set (reg:CCZ 17 flags)\n#    (compare:CCZ (reg/v/f:SI 1 dx)\n"
            f"#        (const_int {bound}\n\tcmpl\t${bound}, %edx\n\tret\n\t.size\tf, .-f\n")
    with pytest.raises(ValueError):
        narrow.narrow([text], "callw f")
    narrow.narrow([text.replace(str(bound), "65532")], "callw f")


def test_who_is_called_by_nobody_we_know_gives_all_32_bits():
    code = rewritten("ret", "movl %ecx, (%ebx); movl 4(%ebx), %eax; shrl $4, %edx; ret", name="g")
    assert code == "movl %ecx, (%bx); movl 4(%bx), %eax; shrl $4, %edx; ret"


SAVED = "pushl %ebx; movl (%esi), %ebx; movl %ebx, 8(%esi); popl %ebx; ret"
CALLER = "movzwl (%esi), %ebx; movl %ebx, 12(%esi); addl $4, %ebx; movw %bx, (%esi); call g; " \
    "movzwl (%esi), %ecx; movl %ecx, %ebx; movl %ebx, 4(%esi); xorl %eax, %eax; xorl %edx, %edx; ret"


@pytest.mark.parametrize("neighbours", [
    (CALLER, SAVED), (CALLER, "call h; ret", SAVED), (CALLER, "jmp h", SAVED),
    (CALLER.replace("call g", "movl $h, (%esi); call *(%esi)"), "ret", SAVED)],
    ids=["itself", "by a call", "by a jump", "by a pointer"])
def test_a_register_saved_in_16_bits_keeps_the_upper_half_of_others(neighbours):
    """What its callee has put there is not zero behind the call."""
    assert "movl %ecx, %ebx" in rewritten(*neighbours)


def test_a_callee_may_change_the_upper_half_of_a_register_that_its_caller_saves():
    """g saves EBX, whose upper half h changes and f needs."""
    f, g, h = ("pushl %ebx; movl (%esi), %ebx; call g; movl %ebx, 4(%esi); popl %ebx; ret",
               "pushl %ebx; call h; movzwl 4(%esi), %ebx; movl %ebx, 8(%esi); popl %ebx; ret",
               "pushl %ebx; movzwl (%esi), %ebx; movl %ebx, 12(%esi); popl %ebx; ret")
    assert rewritten(f, g, h, name="g").startswith("pushl %ebx; call h; ")
    assert rewritten(f, g, h, name="h").startswith("pushw %bx; ")


def test_a_pointer_is_believed_in_only_where_it_is_needed():
    """What gcc said of EDX is true of ECX before the MOV that its XCHG has become."""
    assert rewritten("xchgl %ecx, %eax; ^movl %ecx, %edx; movl $5, %edx; ret").endswith(
        "leal 5, %edx; ret")


@pytest.mark.parametrize("body", [
    "je elsewhere; ret",                                   # leaves the function
    "testb %al, %al; je .La; pushl %eax; .La:; ret",       # two depths of the stack
    "pushw %ax; popw %ax; ret", "ret $4", ".La:; loop .La; ret", "xchgl %esp, %eax; ret",
    "call nobody; ret",
    "andl $-16, %esp; ret", "nop"])
def test_what_cannot_be_followed_stops_the_build(body):
    with pytest.raises(ValueError):
        rewritten(body)


@pytest.mark.parametrize("seed", range(6))
def test_random_programs_do_the_same(seed, tmp_path):
    rng = random.Random(seed)
    before = programs(rng, PROGRAMS)
    after, = narrow.narrow([before], " ".join(f"f{n}" for n in range(PROGRAMS)))
    wide, small = Machine(before, tmp_path, "wide"), Machine(after, tmp_path, "small")
    assert small.bytes < 0.85 * wide.bytes
    for n in range(PROGRAMS):
        for values in range(INPUTS):
            expected = wide.call(f"f{n}", values)
            assert expected[1][3] == STACK + 2, "the program itself returns"
            assert small.call(f"f{n}", values) == expected, (n, values)


def test_the_rom_was_built_with_it():
    out = subprocess.run(["objdump", "-d", "-M", "i8086", str(BUILD / "rom.elf")], capture_output=True,
                         text=True, check=True).stdout
    assert len(re.findall(r"\tdata16|addr32", out)) == 0
    assert len(re.findall(r"%[bsd][xip]\)", out)) > 500
