#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Rewrite what `gcc -m16` emits as smaller 16-bit code that does the same.

    narrow.py --asm rom/entry.S ... build/int13/chs.s ...

gcc knows no 16-bit code: with -m16 nearly every instruction works on 32 bits
and carries a prefix for it, and another one for a 32-bit address. The program
is read as a whole: all .s files; the .S files only tell who is called from
there. Every x.s is written again as x.16.s.

A general register is seen as three parts: low byte, high byte, upper half
(L, H, U). So is a value that gcc keeps on the stack. Three analyses:

  zeros   forward: which parts are surely zero
  copies  forward: which registers surely hold the same, in gcc's program
  live    backward: which parts and flags somebody looks at later

An instruction may be replaced by one that gives the same in the live parts,
whatever it does to the others; and where the upper half of a target is zero
and stays zero, nothing has to be done to it. What is not understood is kept,
and looks at everything. docs/narrow.md says why each rewriting is sound;
tests/test_narrow.py shows each, and where it does not happen.

Read Program.narrow() first, then narrower() and live_before().
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

# ---- Parts of the machine's state: bits of one number ---------------------

L, H, U = 1, 2, 4
WHOLE = L | H | U
OF_WIDTH = {1: L, 2: L | H, 4: WHOLE}
REGISTERS = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"]
ESP = 4
ADDRESSING = {3, 5, 6, 7}  # EBX EBP ESI EDI: those a 16-bit address may name
PRESERVED = ADDRESSING     # ... and the ones a function preserves

CF, ZF, SF, OF, PF = (1 << bit for bit in range(24, 29))
FLAGS = CF | ZF | SF | OF | PF
SLOTS = 32                 # spilled bytes: bits from here on
GENERAL = (1 << 24) - 1


def parts_of(register: int, parts: int = WHOLE) -> int:
    return 0 if register == ESP else parts << 3 * register


ARGUMENTS = parts_of(0) | parts_of(1) | parts_of(2)
UPPERS = sum(U << 3 * n for n in range(8))
KEPT = parts_of(3) | parts_of(5) | parts_of(6) | parts_of(7)

# What the .S files look at behind a call of C: a result, and EBP, which init's
# door needs. All doors restore the other registers from the stack.
ASM_WANTS = parts_of(0) | parts_of(2) | parts_of(5)

CONDITIONS = {"e": ZF, "ne": ZF, "z": ZF, "nz": ZF, "c": CF, "nc": CF, "b": CF, "nb": CF,
              "ae": CF, "nae": CF, "a": CF | ZF, "be": CF | ZF, "na": CF | ZF, "nbe": CF | ZF,
              "s": SF, "ns": SF, "l": SF | OF, "ge": SF | OF, "le": SF | OF | ZF,
              "g": SF | OF | ZF, "o": OF, "no": OF, "p": PF, "np": PF}


# ---- Operands --------------------------------------------------------------

@dataclass(frozen=True)
class Imm:
    text: str

    @property
    def value(self) -> int | None:
        """None if only the linker knows it."""
        try:
            return int(self.text, 0)
        except ValueError:
            return None

    def part(self, part: int) -> int | None:
        """The bits of a part, None if unknown."""
        if self.value is None:
            return 0 if part == U else None  # all symbols are offsets in a segment
        low = {L: 0, H: 8, U: 16}[part]
        return self.value >> low & (0xffff if part == U else 0xff)

    def show(self, width: int) -> str:
        if self.value is None:
            return f"${self.text}"
        value = self.value & (1 << 8 * width) - 1
        return f"${value - (1 << 8 * width) if value >> 8 * width - 1 else value}"


@dataclass(frozen=True)
class Reg:
    number: int
    high: bool = False  # AH, BH, CH, DH

    def show(self, width: int) -> str:
        name = REGISTERS[self.number]
        if width == 1:
            return f"%{name[1]}{'h' if self.high else 'l'}"
        return f"%{name if width == 4 else name[1:]}"


@dataclass(frozen=True)
class Mem:
    segment: str          # "%fs:" or ""
    offset: str
    base: int | None
    index: int | None
    scale: int
    slot: int | None = None  # bit of a spilled value's first byte
    near: bool = False       # LEA: the result has no upper half

    def registers(self) -> list[int]:
        return [r for r in (self.base, self.index) if r is not None]

    @property
    def short(self) -> bool:
        """A 16-bit address can say it: [BX|BP] + [SI|DI], or one of them."""
        regs = self.registers()
        if not regs:
            return True
        if self.scale > 1 or not set(regs) <= ADDRESSING:
            return False
        return len(regs) == 1 or len([r for r in regs if r in (3, 5)]) == 1

    def reads(self) -> int:
        """What of its registers an access looks at."""
        wanted = L | H if self.short else WHOLE
        return sum_parts(parts_of(r, wanted) for r in self.registers())

    def show(self, width: int) -> str:
        regs = self.registers()
        if not regs:
            return self.segment + self.offset
        if width == 2:
            inside = ",".join(f"%{REGISTERS[r][1:]}" for r in sorted(regs))  # BX, BP first
        else:
            inside = f"%{REGISTERS[self.base]}" if self.base is not None else ""
            if self.index is not None:
                inside += f",%{REGISTERS[self.index]},{self.scale}"
        return f"{self.segment}{self.offset}({inside})"


def sum_parts(parts) -> int:
    total = 0
    for each in parts:
        total |= each
    return total


NAMES = {}
for number_, name_ in enumerate(REGISTERS):
    NAMES[name_] = (Reg(number_), 4)
    NAMES[name_[1:]] = (Reg(number_), 2)
    if number_ < 4:
        NAMES[f"{name_[1]}l"] = (Reg(number_), 1)
        NAMES[f"{name_[1]}h"] = (Reg(number_, True), 1)

MEMORY = re.compile(r"(%[a-z]s:)?([^()%$]*)(?:\(([^)]*)\))?$")


def operand(text: str):
    """None for what we do not know (segment registers, indirect targets)."""
    if text.startswith("$"):
        return Imm(text[1:])
    if text.startswith("%") and ":" not in text:
        return NAMES[text[1:]][0] if text[1:] in NAMES else None
    found = MEMORY.match(text)
    if not found:
        return None
    inside = (found[3] or "").split(",") + ["", ""]
    if any(r and r[1:] not in REGISTERS for r in inside[:2]):
        return None
    base, index = (REGISTERS.index(r[1:]) if r else None for r in inside[:2])
    return Mem(found[1] or "", found[2], base, index, int(inside[2] or 1))


def split_operands(text: str) -> list[str]:
    return [part.strip() for part in re.split(r",(?![^(]*\))", text)] if text else []


# ---- Instructions ----------------------------------------------------------

@dataclass
class Insn:
    text: str                       # as gcc wrote it, without comment
    op: str = "?"                   # "?": kept, and looks at everything
    width: int = 4
    ops: tuple = ()
    source_width: int = 0           # of movz and movs
    target: str | None = None       # of jumps and calls
    spill: bool = False             # gcc: the memory operand is its own
    io: tuple = ()                  # parts that are read and written, if op says no more
    depth: int = 0                  # bytes pushed since the function's entry
    pointer: bool = False           # gcc: the result is one
    zeros: int = 0                  # parts that are zero before it
    sure: int = 0                   # parts that are zero behind it
    found: int = 0                  # the same, while it is being found
    copies: frozenset = frozenset()  # pairs of registers that are equal
    live: int = 0                   # live parts before it
    memo: tuple = (None, 0)         # live parts behind it, and what came of them
    next: list = field(default_factory=list)

    def show(self) -> str:
        if self.op == "deleted":
            return ""
        if not self.ops:
            return self.text
        if self.op == "const":
            return f"pushl\t{self.ops[0].show(4)}\n\tpopl\t{self.ops[1].show(4)}"
        if near := self.by_lea():
            return f"leal\t{near}, {self.ops[1].show(4)}"
        letters = LETTER.get(self.source_width, "") + LETTER[self.width]
        if self.op == "set":
            letters = self.text.split()[0][3:]
        return f"{self.op}{letters}\t{', '.join(map(self.show_operand, range(len(self.ops))))}"

    def by_lea(self) -> str | None:
        """LEA of a 16-bit address clears the upper half, and is a byte shorter
        than MOV of such a number or MOVZX of a register.
        """
        if len(self.ops) != 2 or self.width != 4:
            return None
        source, target = self.ops
        if self.op == "mov" and isinstance(source, Imm) and source.part(U) == 0 and isinstance(target, Reg):
            return source.text
        if self.op == "movz" and self.source_width == 2 and source in map(Reg, (3, 6, 7)):
            return f"({source.show(2)})"
        return None

    def show_operand(self, n: int) -> str:
        op = self.ops[n]
        if isinstance(op, Mem):
            long = self.op == "lea" and self.width == 4 and not op.near
            return op.show(4 if long or not op.short else 2)
        if n == 0 and self.op in SHIFTS and isinstance(op, Reg):
            return "%cl"
        return op.show(n == 0 and self.source_width or self.width)


LOW_FROM_LOW = {"mov", "const", "movz", "lea", "add", "sub", "inc", "dec", "and", "or", "xor",
                "imul", "neg", "sal", "shl", "shr"}
LETTER = {1: "b", 2: "w", 4: "l"}
BITWISE = {"and", "or", "xor"}
SHIFTS = {"sal", "shl", "shr", "sar", "rol", "ror"}
TWO = BITWISE | {"mov", "add", "sub", "adc", "sbb", "cmp", "test", "lea", "xchg"}
ONE = {"inc", "dec", "neg", "not"}
WIDE = {"div", "mul"}  # EDX:EAX
SIZED = re.compile(r"(\w+?)([bwl])$")
PORT_OR_SEGMENT = re.compile(r"inb \$\d+, %al$|outb %al, \$\d+$|"
                             r"movw %\w+, %[defgs]s$|movw %[cdefgs]s, %[a-z]+$")
MOVES_STACK = re.compile(r"(push|pop|enter|leave|call|ret|lret|iret|j|loop)|.*%e?sp(?!\))")
STRING = re.compile(r"rep (stos|movs)[bl]$")
IO = {"inb %dx, %al": (parts_of(2, L | H), parts_of(0, L)),
      "inw %dx, %ax": (parts_of(2, L | H), parts_of(0, L | H)),
      "inl %dx, %eax": (parts_of(2, L | H), parts_of(0)),
      "outb %al, %dx": (parts_of(2, L | H) | parts_of(0, L), 0),
      "outw %ax, %dx": (parts_of(2, L | H) | parts_of(0, L | H), 0),
      "outl %eax, %dx": (parts_of(2, L | H) | parts_of(0), 0),
      "rep; nop": (0, 0)}


# gcc -dP shows its own form of each instruction: "reg/f" and "mem/f" hold pointers.
POINTER_OUTSIDE = re.compile(r"\(compare:\w+ \((?:reg|mem)(?:/\w)*/f(?:/\w)*:SI .*?\(const_int (-?\d+)")
POINTER = re.compile(r"\(set \((?:reg(?:/\w)*/f(?:/\w)*:SI|"
                     r"[^()]*(?:\([^()]*\)[^()]*)*\)\s*\(mem(?:/\w)*/f(?:/\w)*:SI)")


def decode(text: str, comment: str, rtl: str, in_asm: bool) -> Insn:
    insn = Insn(text.strip(), spill="%sfp" in comment,
                pointer=bool(POINTER.search(rtl.split("(expr_list")[0])))  # notes follow
    words = " ".join(insn.text.split())
    if (found := POINTER_OUTSIDE.search(rtl.split("(expr_list")[0])) and not 0 <= int(found[1]) < 0xffff:
        raise ValueError(f"{insn.text}: a pointer has no upper half")
    if words in IO:
        insn.op, insn.io = "io", IO[words]
    elif PORT_OR_SEGMENT.match(words):
        insn.op, insn.io = "io", port_or_segment(words)
    elif not in_asm:
        understand(insn, words)
    return insn


def port_or_segment(words: str) -> tuple[int, int]:
    """What of the registers these read and write."""
    def parts(name):
        reg, width = NAMES.get(name[1:], (Reg(ESP), 4))
        return parts_of(reg.number, OF_WIDTH[width])
    first, second = split_operands(words.split(None, 1)[1])
    return (parts(first), parts(second))


def understand(insn: Insn, words: str) -> None:
    name, _, rest = words.partition(" ")
    if name in ("call", "callw", "jmp"):
        insn.op, insn.target = name.rstrip("w"), rest
        return
    if name == "ret":
        insn.op = "ret"
    elif name[0] == "j" and name[1:] in CONDITIONS:
        insn.op, insn.target = "jcc", rest
    elif STRING.match(words):
        insn.op = "string"
    elif name.startswith("set") and name[3:] in CONDITIONS:
        insn.op, insn.width = "set", 1
        insn.ops = (operand(rest),)
    elif (found := SIZED.match(name)):
        understand_sized(insn, found[1], {"b": 1, "w": 2, "l": 4}[found[2]], rest)
    if None in insn.ops:
        insn.op, insn.ops = "?", ()


def understand_sized(insn: Insn, op: str, width: int, rest: str) -> None:
    ops = split_operands(rest)
    if re.match(r"mov[sz][bw]$", op):
        insn.source_width = {"b": 1, "w": 2}[op[-1]]
        op = op[:-1]
    elif op in SHIFTS and len(ops) == 1:
        ops = ["$1"] + ops
    wanted = {1: ONE | WIDE | {"push", "pop"}, 3: {"imul", "shld", "shrd"},
              2: TWO | SHIFTS | {"movz", "movs", "imul", "shld", "shrd"}}.get(len(ops), set())
    if op not in wanted:
        return
    known = tuple(operand(o) for o in ops)
    if op == "xchg" and (width != 4 or not all(isinstance(o, Reg) and o.number != ESP for o in known)):
        return
    insn.op, insn.width, insn.ops = op, width, known


# ---- Functions -------------------------------------------------------------

class Function:
    """Instructions and labels of one function, and what its neighbours in
    the program must know of it.
    """

    def __init__(self, name: str):
        self.name = name
        self.body: list[Insn] = []
        self.scope: dict[str, Function] = {}  # those it may call by name
        self.callees: list[Function] = []     # those it does call
        self.uses = 0                         # preserved registers it names
        self.entry_zeros = self.return_zeros = 0
        self.entry_live = self.return_live = 0
        self.saves: dict[int, tuple[int, list[int]]] = {}  # register: push, pops
        self.wide: set[int] = set()           # saves of all 32 bits
        self.narrow: set[int] = set()         # saves that 16 bits are settled for
        self.keeps = KEPT                     # parts that come back as they were
        self.slots: dict[int, int] = {}       # stack byte: bit
        self.save_at: dict[int, int] = {}     # those PUSHes and POPs: register

    def names(self, register: int) -> bool:
        """Any instruction names the register or a part of it, or may use it."""
        name = REGISTERS[register]
        unsaid = r"|movs[bwl]$|stos[bwl]$" if name in ("esi", "edi") else ""
        said = re.compile(rf"%e?{name[1:]}\b|%{name[1]}[lh]\b{unsaid}")
        return any(i.op == "?" or said.search(i.text) for i in self.body)

    def prepare(self) -> None:
        self.join_constants()
        self.link()
        self.find_depths()
        self.find_slots()
        self.find_saves()

    def join_constants(self) -> None:
        """gcc -Oz loads a small number by PUSH and POP: one instruction."""
        body = []
        for insn in self.body:
            before = body[-1] if body else None
            if insn.op == "pop" and isinstance(insn.ops[0], Reg) and before and before.op == "push" \
                    and isinstance(before.ops[0], Imm):
                body[-1] = Insn(f"{before.text}\n\t{insn.text}", "const", 4,
                                (before.ops[0], insn.ops[0]))
            else:
                body.append(insn)
        self.body = body

    def link(self) -> None:
        places = {i.target: n for n, i in enumerate(self.body) if i.op == "label"}
        for n, insn in enumerate(self.body):
            insn.next = [n + 1] if insn.op not in ("jmp", "ret") else []
            if insn.op in ("jmp", "jcc") and insn.target in places:
                insn.next.append(places[insn.target])
            elif insn.op == "jcc":
                raise ValueError(f"{self.name}: {insn.text} leaves the function")
        if any(n >= len(self.body) for insn in self.body for n in insn.next):
            raise ValueError(f"{self.name} has no end")

    def find_depths(self) -> None:
        """Bytes on the stack, return address not counted, before each."""
        seen = {0: 0}
        todo = [0]
        while todo:
            n = todo.pop()
            insn = self.body[n]
            insn.depth = depth = seen[n]
            if insn.op == "pop" and ESP in getattr(insn.ops[0], "registers", list)():
                raise ValueError(f"{self.name}: {insn.text} counts from a new ESP")
            if insn.op in ("push", "pop") and insn.width != 4 or insn.text.startswith("ret\t"):
                raise ValueError(f"{self.name}: {insn.text} is not understood")
            if insn.op == "push":
                depth += 4
            elif insn.op == "pop":
                depth -= 4
            elif insn.op in ("add", "sub") and insn.ops[1] == Reg(ESP):
                depth += insn.ops[0].value * (1 if insn.op == "sub" else -1)
            elif Reg(ESP) in insn.ops[-1:] and insn.op not in ("cmp", "test") \
                    or insn.op == "?" and MOVES_STACK.match(insn.text):
                raise ValueError(f"{self.name}: {insn.text} is not understood")
            for m in insn.next:
                if m not in seen:
                    todo.append(m)
                if seen.setdefault(m, depth) != depth:
                    raise ValueError(f"{self.name}: stack differs at {self.body[m].text}")

    def stack_bytes(self, insn: Insn) -> range | None:
        """Which bytes an access by ESP touches, from the entry's ESP on."""
        for op in insn.ops:
            if isinstance(op, Mem) and op.base == ESP and op.index is None and insn.op != "lea":
                first = int(op.offset or "0", 0) - insn.depth
                return range(first, first + (insn.source_width or insn.width))
        return None

    def find_slots(self) -> None:
        """Spilled values: gcc says so of every access (-fverbose-asm)."""
        ours, others = set(), set()
        for insn in self.body:
            (ours if insn.spill else others).update(self.stack_bytes(insn) or ())
        if any((i.spill or not i.ops and "%esp" in i.text) and not self.stack_bytes(i) for i in self.body):
            return  # somebody looks at them whom we do not understand
        self.slots = {b: SLOTS + n for n, b in enumerate(sorted(ours - others))}
        for insn in self.body:
            touched = self.stack_bytes(insn)
            if touched and all(b in self.slots for b in touched):
                insn.ops = tuple(
                    replace(o, slot=self.slots[touched[0]]) if isinstance(o, Mem) else o for o in insn.ops)

    def find_saves(self) -> None:
        """PUSHes at the entry of registers that are POPped before RET."""
        for n, insn in enumerate(self.body):
            if insn.op in ("label", "call", "jcc", "jmp", "?", "string", "sub"):
                break
            if insn.op == "push":
                reg = getattr(insn.ops[0], "number", None)
                if reg not in PRESERVED or reg in self.saves or insn.depth != 4 * len(self.saves):
                    break
                self.saves[reg] = (n, [])
        top = {4 * (n + 1): reg for n, reg in enumerate(self.saves)}
        pushes = {push for push, _ in self.saves.values()}
        fits = True
        for n, insn in enumerate(self.body):
            if insn.op == "pop" and insn.depth in top:
                fits &= insn.ops[0] == Reg(top[insn.depth])
                self.saves[top[insn.depth]][1].append(n)
            elif insn.op == "push" and insn.depth < 4 * len(self.saves) and n not in pushes:
                fits = False
            fits &= not (b := self.stack_bytes(insn)) or b[-1] < -4 * len(self.saves)
        for reg, (push, _) in self.saves.items():  # until then it is the caller's
            fits &= not any(writes(i) & parts_of(reg) for i in self.body[:push])
        if not fits:
            self.saves = {}
        self.save_at = {n: reg for reg, (push, pops) in self.saves.items() for n in [push] + pops}


# ---- What instructions read and write ---------------------------------------

def place_bits(op, parts: int) -> int | None:
    """Bits of a register's or a spill slot's parts; None for other memory."""
    if isinstance(op, Reg):
        return parts_of(op.number, H if op.high else parts)
    if isinstance(op, Mem) and op.slot is not None:
        return ((parts & 3) | (12 if parts & U else 0)) << op.slot
    return None


def needed(op, width: int, out: int) -> int:
    """Parts of a target of that width that are live; all of real memory."""
    if isinstance(op, Reg) and op.high:
        return L if out & parts_of(op.number, H) else 0
    bits = place_bits(op, WHOLE)
    if bits is None:
        return OF_WIDTH[width]
    found = sum_parts(p for p in (L, H, U) if out & place_bits(op, p))
    return found & OF_WIDTH[width]


def reads_of(op, parts: int) -> int:
    """Live bits that a source operand adds."""
    if isinstance(op, Mem):
        return (place_bits(op, parts) or 0) | op.reads()
    return place_bits(op, parts) or 0


def address_of(op) -> int:
    return op.reads() if isinstance(op, Mem) else 0


def writes(insn: Insn) -> int:
    """Parts that an instruction may write, for those who track values."""
    if insn.op == "io":
        return insn.io[1]
    if insn.op in ("label", "jmp", "jcc", "ret", "cmp", "test", "push"):
        return 0
    if insn.op == "call":
        return ARGUMENTS | FLAGS
    if insn.op in WIDE:
        return parts_of(0) | parts_of(2)
    if insn.op == "string":
        return parts_of(1, L | H) | parts_of(6, L | H) | parts_of(7, L | H)
    if insn.op == "?":
        return GENERAL | FLAGS
    if insn.op == "xchg":
        return sum_parts(parts_of(o.number) for o in insn.ops)
    return place_bits(insn.ops[-1], OF_WIDTH[insn.width]) or 0


def carries(parts: int) -> int:
    """Parts of the operands that parts of a sum or product come from."""
    return WHOLE if parts & U else L | H if parts & H else parts


def narrower(insn: Insn, out: int) -> Insn:
    """The same instruction in the smallest form that gives what is live."""
    new = replace(insn, ops=tuple(short_address(o, insn.copies) if isinstance(o, Mem) else o
                                  for o in insn.ops))
    shrink = SHRINK.get(insn.op)
    if shrink:
        shrink(new, out)
    return new


def short_address(mem: Mem, copies: frozenset) -> Mem:
    """Name a register that a 16-bit address knows, if one holds the same."""
    if mem.short or ESP in mem.registers():
        return mem

    def others(reg):
        return [reg] if reg is None else [reg] + [r for r in sorted(ADDRESSING)
                                                  if frozenset((reg, r)) in copies]
    for base in others(mem.base):
        for index in others(mem.index):
            new = replace(mem, base=base, index=index)
            if new.short:
                return new
    return mem


def delete_if_idle(insn: Insn, out: int) -> bool:
    """Nobody looks at the result, and no memory is touched."""
    if needed(insn.ops[-1], insn.width, out) or out & flags_written(insn) \
            or Reg(ESP) in insn.ops \
            or any(isinstance(o, Mem) and o.slot is None for o in insn.ops if insn.op != "lea"):
        return False
    insn.op = "deleted"
    return True


def flags_written(insn: Insn) -> int:
    if insn.op in ("inc", "dec"):
        return FLAGS & ~CF
    if insn.op in ("add", "sub", "adc", "sbb", "cmp", "test", "neg", "imul") or insn.op in BITWISE \
            or insn.op in SHIFTS:
        return FLAGS
    return 0


def is_far(insn: Insn) -> bool:
    return any(isinstance(o, Mem) and o.segment == "%fs:" for o in insn.ops)


def shrink_mov(insn: Insn, out: int) -> None:
    source, target = insn.ops
    if delete_if_idle(insn, out) or is_far(insn) or insn.width != 4 or Reg(ESP) in insn.ops[1:]:
        return
    parts = needed(target, 4, out)
    if not parts & U:
        insn.width = 2
    if isinstance(source, Imm) and source.value is not None and not parts & (H | U) and \
            isinstance(target, Reg) and target.number < 4:
        insn.width = 1


def shrink_const(insn: Insn, out: int) -> None:
    """PUSH and POP of a number: MOV is shorter if 16 bits will do."""
    if delete_if_idle(insn, out):
        return
    if not needed(insn.ops[1], 4, out) & U:
        insn.op = "mov"
        shrink_mov(insn, out)


def shrink_movx(insn: Insn, out: int) -> None:
    """MOVZX, MOVSX: a plain MOV if what they add is not live."""
    source, target = insn.ops
    if delete_if_idle(insn, out):
        return
    parts = needed(target, insn.width, out)
    fits_byte = not isinstance(target, Reg) or target.number < 4
    if not parts & ~OF_WIDTH[insn.source_width] and (insn.source_width == 2 or fits_byte):
        insn.op, insn.width, insn.source_width = "mov", insn.source_width, 0
        if source == target:
            insn.op = "deleted"
    elif not parts & U:
        insn.width = 2


# Flags that stay the same when both operands have upper halves of zero, and
# only the lower halves are looked at. Signs do not.
FLAGS_OF_LOW = {"cmp": ZF | CF | PF, "sub": ZF | CF | PF, "neg": ZF | CF | PF, "dec": ZF | PF | CF,
                "test": ZF | PF | CF | OF, "and": ZF | PF | CF | OF, "or": ZF | PF | CF | OF,
                "xor": ZF | PF | CF | OF}


def upper_is_zero(op, zeros: int, part: int = U) -> bool:
    if isinstance(op, Imm):
        return op.part(part) == 0
    if op == Reg(ESP):
        return part == U
    bits = place_bits(op, part)
    return bits is not None and zeros & bits == bits


def flags_allow(insn: Insn, out: int, part: int = U) -> bool:
    """The flags that are live do not depend on this part of the operands."""
    live = out & flags_written(insn)
    if not live or insn.op == "xor" and insn.ops[0] == insn.ops[1]:
        return True
    zero = [upper_is_zero(o, insn.zeros, part) for o in insn.ops]
    known = any(zero) if insn.op in ("and", "test") else all(zero)
    return known and not live & ~FLAGS_OF_LOW.get(insn.op, 0)


def shrink_arithmetic(insn: Insn, out: int) -> None:
    """Low parts of sums, products and bitwise results come from low parts."""
    target = insn.ops[-1]
    if target == Reg(ESP):
        if not out & flags_written(insn):
            insn.width = 2  # the stack never wraps, its upper half is zero
        return
    if insn.op not in ("adc", "sbb") and delete_if_idle(insn, out):
        return
    if is_far(insn) or insn.width != 4:
        return
    parts = needed(target, 4, out) if insn.op not in ("cmp", "test") else 0
    if parts & U or not flags_allow(insn, out):
        return
    insn.width = 2
    first = insn.ops[0]
    if target == Reg(0) and isinstance(first, Imm) and first.value is not None and not parts & H \
            and insn.op not in ("imul", *ONE) and flags_allow(insn, out, H):
        insn.width = 1
    if insn.op in ("and", "or", "xor") and isinstance(first, Imm) and not out & flags_written(insn):
        same = -1 if insn.op == "and" else 0
        if first.value is not None and isinstance(target, Reg) and all(
                first.part(p) == same & 0xff for p in (L, H) if parts & p):
            insn.op = "deleted"


def shrink_shift(insn: Insn, out: int) -> None:
    count, target = insn.ops
    if insn.op not in ("sal", "shl", "shr") or insn.width != 4:
        return
    if isinstance(count, Imm) and (count.value is None or count.value > 15):
        return
    if out & FLAGS or needed(target, 4, out) & U:
        return
    if insn.op != "shr" or upper_is_zero(target, insn.zeros):
        insn.width = 2


def shrink_lea(insn: Insn, out: int) -> None:
    source, target = insn.ops
    if delete_if_idle(insn, out):
        return
    if not needed(target, 4, out) & U:
        insn.width = 2
    elif source.short and insn.sure & place_bits(target, U):
        insn.ops = (replace(source, near=True), target)


SHRINK = {"mov": shrink_mov, "const": shrink_const, "movz": shrink_movx, "movs": shrink_movx,
          "lea": shrink_lea}
SHRINK |= {op: shrink_arithmetic
           for op in BITWISE | ONE | {"add", "sub", "adc", "sbb", "cmp", "test", "imul"}}
SHRINK |= {op: shrink_shift for op in SHIFTS}


# ---- Backward: what is live --------------------------------------------------

def live_before(insn: Insn, out: int) -> int:
    """What is live before an instruction in the form it now has."""
    op, ops, width = insn.op, insn.ops, insn.width
    if op in ("label", "deleted", "jmp"):
        return out
    if op == "?":
        return out | GENERAL | FLAGS
    if op == "jcc":
        return out | CONDITIONS[insn.text.split()[0][1:]]
    if op == "io":
        return out & ~insn.io[1] | insn.io[0]
    if op == "string":
        store = "stos" in insn.text
        from_ = (parts_of(0, L if insn.text.endswith("b") else WHOLE) if store
                 else parts_of(6, L | H))
        return out | from_ | parts_of(1, L | H) | parts_of(7, L | H)
    if op == "push":
        return out | reads_of(ops[0], WHOLE)
    if op in WIDE:
        return out & ~FLAGS | parts_of(0) | parts_of(2) | reads_of(ops[0], WHOLE)
    if op == "xchg":
        first, second = (needed(o, 4, out) for o in ops)
        return out & ~writes(insn) | parts_of(ops[0].number, second) | parts_of(ops[1].number, first)
    target = ops[-1]
    written = place_bits(target, OF_WIDTH[width]) or 0
    if op == "set":
        return out & ~written | CONDITIONS[insn.text.split()[0][3:]] | address_of(target)
    if op == "pop":
        return out & ~written | address_of(target)
    source = ops[0]
    parts = needed(target, width, out)
    flags = out & flags_written(insn)
    if op in ("mov", "const"):
        return out & ~written | reads_of(source, parts) | address_of(target)
    if op in ("movz", "movs"):
        wanted = OF_WIDTH[insn.source_width]
        if op == "movz":
            wanted &= parts
        return out & ~written | reads_of(source, wanted)
    if op == "lea":
        wanted = WHOLE if width == 4 and not source.near else L | H
        return out & ~written | sum_parts(parts_of(r, wanted) for r in source.registers())
    return live_before_arithmetic(insn, out, written, parts, flags)


def live_before_arithmetic(insn: Insn, out: int, written: int, parts: int, flags: int) -> int:
    op, ops, width = insn.op, insn.ops, insn.width
    target, source = ops[-1], ops[0]
    after = out & ~written
    if not (op in SHIFTS and not isinstance(source, Imm)):
        after &= ~flags_written(insn)
    if op in ("adc", "sbb"):
        after |= CF
    if op in ("xor", "sub") and source == target and isinstance(source, Reg):
        return after
    if op in ("cmp", "test"):
        return out & ~FLAGS | sum_parts(reads_of(o, OF_WIDTH[width]) for o in ops)
    if flags or not isinstance(target, Reg):
        wanted = OF_WIDTH[width]
    elif op in BITWISE or op == "not":
        wanted = parts
    elif op in ("shr", "sar", "rol", "ror"):
        wanted = OF_WIDTH[width]
    else:
        wanted = carries(parts)
    if op in SHIFTS:
        count = reads_of(source, L) if isinstance(source, Reg) else 0
        return after | reads_of(target, wanted) | count
    if op in ("shld", "shrd"):
        return out | parts_of(1, L) | sum_parts(reads_of(o, WHOLE) for o in ops)
    if op == "imul" and len(ops) == 3:
        return after | reads_of(ops[1], wanted)
    kept = wanted
    if op == "and" and isinstance(source, Imm) and not flags:
        kept = sum_parts(p for p in (L, H, U) if wanted & p and source.part(p) != 0)
    return after | reads_of(target, kept) | (reads_of(source, wanted) if len(ops) > 1 else 0)


# ---- Forward: zeros and copies -----------------------------------------------

def zeros_after(insn: Insn, zeros: int) -> int:
    """Parts that are zero behind an instruction, if these were before it."""
    written = writes(insn)
    after = zeros & ~written
    if len(insn.ops) != 2 or not written or getattr(insn.ops[1], "high", False):
        return after
    target = insn.ops[1]

    def zero(op, part):
        if part & ~OF_WIDTH[insn.source_width or insn.width]:
            return insn.op == "movz"
        if isinstance(op, Reg) and op.high:
            return False
        return upper_is_zero(op, zeros, part)
    clears = isinstance(insn.ops[0], Imm) and (insn.ops[0].value or 0) >= 16
    for part in (L, H, U):
        first, last = zero(insn.ops[0], part), zero(target, part)
        same = insn.ops[0] == target
        if part & OF_WIDTH[insn.width] and {
                "mov": first, "const": first, "movz": first, "and": first or last,
                "or": first and last, "xor": first and last or same, "sub": same,
                "shr": part == U and (last or clears)}.get(insn.op):
            after |= place_bits(target, part)
    return after


def copies_after(insn: Insn, copies: frozenset) -> frozenset:
    written = writes(insn)
    touched = {r for r in range(8) if written & parts_of(r)}
    after = frozenset(pair for pair in copies if not pair & touched) if touched else copies
    if insn.op == "mov" and insn.width == 4 and all(isinstance(o, Reg) for o in insn.ops) \
            and ESP not in [o.number for o in insn.ops]:
        source, target = (o.number for o in insn.ops)
        also = {r for pair in after if source in pair for r in pair} | {source}
        after |= {frozenset((target, r)) for r in also if r != target}
    return after


# ---- The whole program --------------------------------------------------------

class Program:
    def __init__(self, functions: list[Function], asm_text: str, data_text: str):
        self.functions = functions
        code = "\n".join(i.text for f in functions for i in f.body if i.op not in ("call", "jmp"))
        taken = set(re.findall(r"[A-Za-z_][\w.]*", f"{data_text}\n{code}"))
        self.taken = [f for f in functions if f.name in taken]
        self.from_asm = set(re.findall(r"[A-Za-z_]\w*", asm_text))
        for f in functions:
            f.prepare()
            find_copies(f)
            f.uses = sum_parts(parts_of(r) for r in PRESERVED if f.names(r))
            f.callees = list({id(g): g for i in f.body if i.op in ("call", "jmp")
                              for g in self.called(f, i)}.values())
        known = {g.name for f in functions for g in f.callees + self.taken}
        self.from_asm |= {f.name for f in functions} - known  # called by whom we do not see

    def called(self, f: Function, insn: Insn) -> list[Function]:
        """Who may run, nobody if that is not C. A pointer may call anyone whose
        address is taken.
        """
        if insn.target.startswith("*"):
            return self.taken
        if insn.next and insn.op == "jmp":
            return []
        if insn.target not in f.scope and insn.target not in self.from_asm:
            raise ValueError(f"{f.name}: {insn.text}, but nobody has that")
        return [f.scope[insn.target]] if insn.target in f.scope else []

    def narrow(self) -> None:
        """Each step makes a new program, equal to the one before in all that is
        live; the last ones find nothing more.
        """
        self.find_all_live()
        for f in self.functions:
            f.body = [undo_exchange(i, self.out(f, i)) if i.op == "xchg" else i for i in f.body]
        while True:
            self.find_all_zeros()
            changed = self.apply_zeros()
            self.find_all_live()
            changed |= self.apply_live()
            if not changed:
                break

    def repeat(self, step) -> None:
        """Until nothing changes; functions of which nothing changed are skipped."""
        seen: dict[int, list] = {}
        again = True
        while again:
            again = False
            for f in self.functions:
                known = self.known(f)
                if seen.get(id(f)) != known:
                    seen[id(f)] = known
                    step(f)
                    again = True

    def known(self, f: Function) -> list:
        """What the analysis of a function rests on besides its code."""
        return [f.entry_zeros, f.return_live, sorted(f.wide)] + [
            (g.return_zeros, g.keeps, g.entry_live) for g in f.callees]

    # ---- forward: what is zero

    def find_all_zeros(self) -> None:
        for f in self.functions:
            f.keeps = KEPT
            f.entry_zeros = 0 if f.name in self.from_asm else GENERAL
            f.return_zeros = GENERAL
        self.repeat(self.find_kept)
        self.repeat(self.find_zeros)
        for f in self.functions:
            for insn in f.body:
                insn.pointer = False  # said once, of gcc's program
                if insn.op == "cmp" and insn.ops[0] == Imm("-1") and insn.width == 4 \
                        and upper_is_zero(insn.ops[1], insn.zeros):
                    raise ValueError(f"{f.name}: {insn.text}, but it has no upper half")

    def find_kept(self, f: Function) -> None:
        """Which registers come back whole from a call of this function."""
        spoilt = 0
        for n, insn in enumerate(f.body):
            if insn.op in ("call", "jmp") and (callees := self.called(f, insn)):
                for g in callees:
                    spoilt |= KEPT & ~g.keeps
            elif n not in f.save_at:
                spoilt |= writes(insn) & KEPT
        for reg in f.saves:
            spoilt &= ~(parts_of(reg, L | H) if reg in f.narrow else parts_of(reg))
        spoilt &= sum_parts(parts_of(r, U) for r in PRESERVED)
        f.keeps &= ~spoilt

    def find_zeros(self, f: Function) -> bool:
        """True if something changed that others rely on."""
        everything = (1 << SLOTS + len(f.slots)) - 1
        before = [everything] * len(f.body)
        before[0] = f.entry_zeros
        changed = False
        todo = [0]
        seen = set()
        while todo:
            n = todo.pop()
            insn = f.body[n]
            seen.add(n)
            zeros = before[n]
            if insn.op == "call" or insn.op == "jmp" and not insn.next:
                after, told = self.zeros_after_call(f, insn, zeros)
                changed |= told
            elif n in f.save_at and insn.op == "pop":
                reg = f.save_at[n]
                back = parts_of(reg, L | H if reg in f.narrow else WHOLE)
                after = zeros & ~back | f.entry_zeros & back
            else:
                after = zeros_after(insn, zeros)
            after |= insn.sure & self.out(f, insn)
            if insn.pointer and len(insn.ops) > 1:
                after |= (place_bits(insn.ops[-1], U) or 0) & self.out(f, insn)
            if not insn.next:
                changed |= bool(f.return_zeros & ~after)
                f.return_zeros &= after
            insn.found = after
            insn.zeros = zeros
            for m in insn.next:
                if before[m] & ~after or m not in seen:
                    before[m] &= after
                    todo.append(m)
        return changed

    def zeros_after_call(self, f: Function, insn: Insn, zeros: int) -> tuple[int, bool]:
        callees = self.called(f, insn)
        if not callees:
            return zeros & ~ARGUMENTS & ~FLAGS, False
        told = False
        result = keeps = GENERAL
        for g in callees:
            told |= bool(g.entry_zeros & ~zeros)
            g.entry_zeros &= zeros
            result &= g.return_zeros
            keeps &= g.keeps
        kept = keeps & KEPT | ~GENERAL
        return zeros & kept | result & GENERAL & ~(KEPT & ~UPPERS), told

    def apply_zeros(self) -> bool:
        """Where the upper half of a target is zero and stays so, nothing has to
        be done to it.
        """
        changed = False
        for f in self.functions:
            for n, insn in enumerate(f.body):
                insn.sure = insn.found
                new = self.without_upper(f, n, insn)
                if new:
                    f.body[n] = new
                    changed = True
            for reg in set(f.saves) - f.narrow:
                upper = parts_of(reg, U)
                if f.entry_zeros & upper and all(f.body[n].zeros & upper for n in f.saves[reg][1]):
                    f.narrow.add(reg)
                    changed = True
        return changed

    def without_upper(self, f: Function, n: int, insn: Insn) -> Insn | None:
        if insn.op not in LOW_FROM_LOW or insn.width != 4 or n in f.save_at:
            return None
        upper = place_bits(insn.ops[-1], U)
        if not upper or upper & ~(insn.zeros & insn.sure):
            return None
        new = narrower(insn, (GENERAL | self.out(f, insn)) & ~upper)
        return new if new.width < 4 else None

    # ---- backward: what is live

    def find_all_live(self) -> None:
        for f in self.functions:
            f.entry_live = 0
            f.return_live = ASM_WANTS if f.name in self.from_asm else 0
            f.wide = set()
            for insn in f.body:
                insn.live = 0
                insn.memo = (None, 0)
        self.repeat(self.find_live)

    def apply_live(self) -> bool:
        changed = False
        for f in self.functions:
            new = [i if n in f.save_at else narrower(i, self.out(f, i))
                   for n, i in enumerate(f.body)]
            changed |= [i.show() for i in new] != [i.show() for i in f.body]
            changed |= f.narrow != set(f.saves) - f.wide
            f.narrow = set(f.saves) - f.wide
            f.body = new
            for insn in f.body:
                insn.copies = frozenset()
        return changed

    def find_live(self, f: Function) -> bool:
        changed = False
        again = True
        while again:
            again = False
            for n in reversed(range(len(f.body))):
                insn = f.body[n]
                live, told = self.live_at(f, n, insn)
                changed |= told
                if live & ~insn.live:
                    insn.live |= live
                    again = changed = True
        entry = f.body[0].live & (ARGUMENTS | f.uses & UPPERS | sum_parts(
            g.entry_live for g in f.callees))
        if f.entry_live != entry:
            f.entry_live = entry
            changed = True
        for reg in set(f.saves) - f.wide - f.narrow:
            if f.return_live & parts_of(reg, U) and self.spoils(f, reg):
                f.wide.add(reg)
                changed = True
        return changed

    def out(self, f: Function, insn: Insn) -> int:
        live = f.return_live if not insn.next else 0
        for m in insn.next:
            live |= f.body[m].live
        return live

    def spoils(self, f: Function, reg: int) -> bool:
        """The function, or one that it calls, leaves another upper half in a
        register it preserves."""
        return any(not g.keeps & parts_of(reg, U) for g in f.callees) or any(
            writes(narrower(i, self.out(f, i))) & parts_of(reg, U)
            for n, i in enumerate(f.body) if n not in f.save_at)

    def live_at(self, f: Function, n: int, insn: Insn) -> tuple[int, bool]:
        out = self.out(f, insn)
        if n in f.save_at:
            reg = f.save_at[n]
            if insn.op == "pop":
                out &= ~parts_of(reg, WHOLE if reg in f.wide else L | H)
            return out, False
        if insn.op == "ret":
            return out, False
        if insn.op != "call" and (insn.op != "jmp" or insn.next):
            if insn.memo[0] != out:
                insn.memo = (out, live_before(narrower(insn, out), out))
            return insn.memo[1], False
        told = False
        live = out & ~FLAGS & ~ARGUMENTS
        callees = self.called(f, insn)
        if not callees:
            live |= ARGUMENTS
        for g in callees:
            wanted = out & GENERAL
            told |= bool(wanted & ~g.return_live)
            g.return_live |= wanted
            live |= g.entry_live
        if insn.target.startswith("*"):
            live |= target_reads(insn)
        return live, told

    # ---- the new text

    def rewrite(self, f: Function) -> list[str]:
        lines = []
        frame = find_frame(f)
        if frame:
            lines.append(f"\tpushw\t{Reg(frame.register).show(2)}")
        for n, insn in enumerate(f.body):
            if frame:
                insn = frame.use(n, insn)
            text = self.new_text(f, n, insn)
            if frame and insn.op in ("ret", "jmp") and not insn.next:
                lines.append(f"\tpopw\t{Reg(frame.register).show(2)}")
            if text:
                lines.append(text if insn.op == "label" else f"\t{text}")
            if frame and n == frame.after:
                lines.append(f"\tmovw\t%sp, {Reg(frame.register).show(2)}")
        return lines

    def new_text(self, f: Function, n: int, insn: Insn) -> str:
        if n in f.save_at:
            reg = f.save_at[n]
            return f"{insn.op}w\t{Reg(reg).show(2)}" if reg in f.narrow else insn.text
        if insn.op in ("call", "jmp") and insn.target.startswith("*%"):
            return f"{insn.op}w\t*{NAMES[insn.target[2:]][0].show(2)}"
        return exchange(insn, self.out(f, insn)) or insn.show()


@dataclass
class Frame:
    """A register that no one uses points to the local variables: an address
    by ESP takes two bytes more.
    """
    register: int
    after: int   # the instruction behind which it is set
    depth: int

    def operand(self, op, n: int, insn: Insn):
        if n <= self.after or not isinstance(op, Mem) or op.base != ESP:
            return op
        offset = int(op.offset or "0", 0) + self.depth - insn.depth
        new = replace(op, offset=str(offset) if offset else "", base=self.register, near=True)
        return new if new.short else op

    def use(self, n: int, insn: Insn) -> Insn:
        ops = tuple(self.operand(op, n, insn) for op in insn.ops)
        return insn if ops == insn.ops else replace(insn, ops=ops)

    def gain(self, f: Function) -> int:
        bytes_ = -3
        for n, insn in enumerate(f.body):
            if not insn.next:
                bytes_ -= 1
            if insn.op != "deleted" and self.use(n, insn) is not insn:
                bytes_ += 2
        return bytes_


def find_frame(f: Function) -> Frame | None:
    after = None
    for n, insn in enumerate(f.body):
        if insn.op in ("label", "call", "jcc", "jmp", "ret"):
            break
        if insn.op == "push" or insn.op == "sub" and insn.ops[1] == Reg(ESP):
            after = n
    if after is None:
        return None
    depth = f.body[after + 1].depth
    frames = [Frame(r, after, depth) for r in (6, 7, 3, 5) if not f.names(r)]
    best = max(frames, key=lambda frame: frame.gain(f), default=None)
    return best if best and best.gain(f) > 0 else None


INVERSE = {"e": "ne", "z": "nz", "c": "nc", "b": "nb", "a": "be", "s": "ns", "l": "ge",
           "g": "le", "o": "no", "p": "np", "ae": "b", "na": "a", "nbe": "be", "nae": "ae"}
INVERSE |= {b: a for a, b in list(INVERSE.items()) if b not in INVERSE}


def jump(line: str) -> tuple[str, str] | None:
    """Condition and label of a jump inside the function."""
    found = re.match(r"\tj(\w+)\s+(\.L\w+)$", line)
    return (found[1], found[2]) if found else None


def straighten(lines: list[str]) -> list[str]:
    """Put parts that only a JMP leads to where it stands, and leave it out."""
    chains: list[list[str]] = [[]]
    for line in lines:
        chains[-1].append(line)
        if re.match(r"\t(jmpw?|ret)\b", line):
            chains.append([])
    chains = [c for c in chains if c]

    def heads(label):
        """The chain that begins with this label, but not the function's first."""
        for c in chains[1:]:
            for line in c:
                if not re.match(r"\.L\w+:$", line):
                    break
                if line == f"{label}:":
                    return c
        return None
    changed = True
    while changed:
        changed = False
        for chain in chains:
            last = jump(chain[-1])
            if not last or last[0] != "mp":
                continue
            goal = heads(last[1])
            if goal is not None and goal is not chain:
                chain[-1:] = goal
            else:
                before = jump(chain[-2]) if len(chain) > 1 else None
                goal = heads(before[1]) if before and before[0] in INVERSE else None
                if goal is None or goal is chain:
                    continue
                chain[-2:] = [f"\tj{INVERSE[before[0]]}\t{last[1]}"] + goal
            chains = [c for c in chains if c is not goal]
            changed = True
            break
    return [line for chain in chains for line in chain]


def target_reads(insn: Insn) -> int:
    """Parts that an indirect call or jump needs to find its target."""
    return reads_of(operand(insn.target[1:]), L | H) | sum_parts(
        parts_of(r) for r in getattr(operand(insn.target[1:]), "registers", list)())


def exchange(insn: Insn, out: int) -> str | None:
    """XCHG with EAX is a byte shorter than MOV, if the source is not live."""
    if insn.op != "mov" or insn.width == 1 or not all(isinstance(o, Reg) for o in insn.ops):
        return None
    source, target = insn.ops
    if 0 not in (source.number, target.number) or ESP in (source.number, target.number) \
            or out & parts_of(source.number, OF_WIDTH[insn.width]):
        return None
    return f"xchg{LETTER[insn.width]}\t{source.show(insn.width)}, {target.show(insn.width)}"


def undo_exchange(insn: Insn, out: int) -> Insn:
    """MOV, of which more is known, if the source is not live."""
    source, _ = insn.ops
    return insn if out & parts_of(source.number) else replace(insn, op="mov")


def find_copies(f: Function) -> None:
    before: list = [None] * len(f.body)
    before[0] = frozenset()
    todo = [0]
    while todo:
        n = todo.pop()
        f.body[n].copies = before[n]
        after = copies_after(f.body[n], before[n])
        for m in f.body[n].next:
            met = after if before[m] is None else before[m] & after
            if met != before[m]:
                before[m] = met
                todo.append(m)


# ---- Files -----------------------------------------------------------------------

def read_text(text: str) -> tuple[list, list[Function]]:
    """Lines as they are, and functions in their places."""
    items, functions = [], []
    names = set(re.findall(r"^\t\.type\t([\w.]+), @function", text, re.M))
    current = None
    in_asm = False
    rtl = ""
    for line in text.splitlines():
        code, _, comment = line.partition("#")
        code = code.rstrip()
        label = code[:-1] if re.match(r"[\w.]+:$", code) else None
        if current is None and label not in names:
            if not line.startswith("#"):
                items.append(line.replace(".code16gcc", ".code16"))
        elif current is None:
            current = Function(label)
            functions.append(current)
            items.append(current)
        elif code.startswith("\t.size"):
            current = None
            items.append(line)
        elif line.startswith(("#APP", "#NO_APP")):
            in_asm = line.startswith("#APP")
        elif label:
            current.body.append(Insn(code, "label", target=label))
        elif code.strip():
            current.body.append(decode(code, comment, rtl, in_asm))
            rtl = ""
        elif line.startswith(("#(", "# ")):
            rtl += comment + " "
    if re.search(r"\.long\t\.L\d", text):
        raise ValueError("jumps by a table are not followed")
    return items, functions


def narrow(texts: list[str], asm_text: str) -> list[str]:
    """All files of the program that gcc made, and the text of the others."""
    files = [read_text(text) for text in texts]
    data = "\n".join(i for items, _ in files for i in items
                     if isinstance(i, str) and re.match(r"\t\.(long|value)\t", i))
    public = {f.name: f for text, (_, found) in zip(texts, files) for f in found
              if f"\t.globl\t{f.name}\n" in text}
    for _, found in files:
        scope = public | {f.name: f for f in found}
        for f in found:
            f.scope = scope
    program = Program([f for _, found in files for f in found], asm_text, data)
    program.narrow()
    results = []
    for items, _ in files:
        lines = []
        for item in items:
            if isinstance(item, Function):
                lines += [f"{item.name}:"] + straighten(program.rewrite(item))
            else:
                lines.append(item)
        results.append("\n".join(lines) + "\n")
    return results


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="narrow.py", description=__doc__.split("\n")[0])
    parser.add_argument("--asm", type=Path, action="append", default=[])
    parser.add_argument("files", type=Path, nargs="+")
    args = parser.parse_args(argv)
    texts = narrow([p.read_text() for p in args.files], "\n".join(p.read_text() for p in args.asm))
    for path, text in zip(args.files, texts):
        path.with_suffix(".16.s").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
