# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Random programs such as gcc -m16 writes, and a CPU to run them on, before
and after tools/narrow.py.

A program is one function that is called from outside and two that it calls.
What the outside sees must not change: EAX, EDX, EBP, the lower halves of the
other preserved registers, the stack's level, and memory. The calls made on the
way must not change it either. Registers hold integers of full width, or
pointers, which are only used to address memory.
"""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

from unicorn import UC_ARCH_X86, UC_MODE_16, Uc
from unicorn.x86_const import (
    UC_X86_REG_CS, UC_X86_REG_DS, UC_X86_REG_EAX, UC_X86_REG_EBP, UC_X86_REG_EBX,
    UC_X86_REG_ECX, UC_X86_REG_EDI, UC_X86_REG_EDX, UC_X86_REG_EFLAGS, UC_X86_REG_ES,
    UC_X86_REG_ESI, UC_X86_REG_ESP, UC_X86_REG_FS, UC_X86_REG_SS)

CODE, DATA = 0x10000, 0x30000  # linear; 64 KiB each
AREA, AREA_BYTES = 0x8000, 256  # what programs work on
STACK = 0x7000
DONE = 0xfff0                   # return address

GENERAL = {"eax": UC_X86_REG_EAX, "ecx": UC_X86_REG_ECX, "edx": UC_X86_REG_EDX,
           "ebx": UC_X86_REG_EBX, "ebp": UC_X86_REG_EBP, "esi": UC_X86_REG_ESI,
           "edi": UC_X86_REG_EDI}
SAVED = ["ebx", "esi", "edi", "ebp"]
CONDITIONS = ["e", "ne", "a", "be", "b", "nb", "s", "ns", "l", "ge", "le", "g"]


class Writer:
    """One function, as random instructions."""

    def __init__(self, rng: random.Random, name: str, callees: list[str]):
        self.rng = rng
        self.name = name
        self.callees = callees
        self.lines: list[str] = []
        self.labels = 0
        self.pushed = 0
        self.elsewhere: list[str] = []    # behind RET, jumped to
        self.saved = rng.sample(SAVED, rng.randint(1, 4))
        self.pointers: dict[str, bool] = {"eax": True}  # may a new one be made of it?
        self.local = rng.random() < 0.6   # frame: 12 bytes spilled, pointer, 32 bytes

    # ---- pieces of text

    def put(self, text: str, comment: str = "") -> None:
        self.lines.append(f"\t{text}\t# {comment}")

    def put_pointer(self, text: str, register: str) -> None:
        """gcc mostly knows that the result is a pointer."""
        if self.rng.random() < 0.8:
            self.lines.append(f"#(insn 1 2 3 2 (set (reg/f:SI 0 {register[1:]})")
        self.put(text)

    def integers(self) -> list[str]:
        return [r for r in ["eax", "ecx", "edx"] + self.saved if r not in self.pointers]

    def register(self) -> str:
        return self.rng.choice(self.integers())

    def part(self, register: str, width: int) -> str | None:
        if width == 1:
            return None if register in ("esi", "edi", "ebp") else \
                f"%{register[1]}{'l' if self.rng.random() < 0.8 else 'h'}"
        return f"%{register if width == 4 else register[1:]}"

    def memory(self, width: int) -> tuple[str, str] | None:
        """An operand in memory, and what gcc says of it."""
        if self.local and self.rng.random() < 0.4:
            return f"{self.pushed + self.rng.randrange(0, 13 - width)}(%esp)", "%sfp"
        if not self.pointers:
            return None
        return f"{self.rng.randrange(0, 13)}(%{self.rng.choice(sorted(self.pointers))})", ""

    def immediate(self, width: int) -> str:
        value = self.rng.choice([0, 1, -1, 5, 0x7f, 0x80, 0xff, 0xff00, 0x10000, 0xffff,
                                 self.rng.getrandbits(32)]) & (1 << 8 * width) - 1
        return f"${value - (1 << 8 * width) if value >> 8 * width - 1 else value}"

    # ---- instructions

    def body(self, count: int, depth: int = 0) -> None:
        kinds = [self.two, self.two, self.two, self.one, self.extend, self.extend, self.shift,
                 self.move, self.move, self.lea, self.lea_pointer, self.multiply, self.compare,
                 self.compare, self.carry, self.constant, self.constant, self.call,
                 self.double_shift, self.odd, self.exchange, self.last_use, self.last_use, self.last_use,
                 self.small_compare]
        for _ in range(count):
            if depth == 0 and self.rng.random() < 0.15:
                self.rng.choice([self.loop, self.loop, self.push_around])()
            else:
                self.rng.choice(kinds)()

    def last_use(self) -> None:
        """Of an integer only a part is looked at, then it is another one."""
        width = self.rng.choice([1, 2, 2])
        register = self.register()
        if (part := self.part(register, width)) and (memory := self.memory(width)):
            self.put(f"mov{' bw'[width]}\t{part}, {memory[0]}", memory[1])
        self.put(f"movl\t{self.immediate(4)}, %{register}")

    def small_compare(self) -> None:
        """Of integers that have no upper half, or no more than a byte."""
        first, second = self.register(), self.register()
        for register in (first, second):
            if memory := self.memory(2):
                self.put(f"movz{self.rng.choice('bw')}l\t{memory[0]}, %{register}", memory[1])
        other = self.rng.choice([f"%{first}", "$5", "$40000"])
        self.put(f"{self.rng.choice(['cmp', 'sub', 'test', 'and', 'or', 'add'])}l\t{other}, %{second}")
        self.maybe_branch()

    def push_around(self) -> None:
        register = self.register()
        before = dict(self.pointers)
        self.put(f"pushl\t%{register}")
        self.pushed += 4
        self.body(3, depth=2)
        self.pushed -= 4
        self.settle(before)
        self.put(f"popl\t%{register}")

    def two(self) -> None:
        width = self.rng.choice([4, 4, 4, 2, 1])
        target, comment = self.part(self.register(), width), ""
        source = self.rng.choice([self.immediate(width), self.part(self.register(), width)])
        if self.rng.random() < 0.3 and (memory := self.memory(width)):
            if self.rng.random() < 0.5:
                source, comment = memory
            else:
                target, comment = memory
        if source and target:
            self.put(f"{self.rng.choice(['add', 'sub', 'and', 'or', 'xor'])}"
                     f"{' bw l'[width]}\t{source}, {target}".replace(" ", ""), comment)
            self.maybe_branch()

    def one(self) -> None:
        width = self.rng.choice([4, 4, 2, 1])
        op = self.rng.choice(["inc", "dec", "neg", "not"])
        if target := self.part(self.register(), width):
            self.put(f"{op}{' bw l'[width]}\t{target}")
            if op in ("inc", "dec"):
                self.maybe_branch(["e", "ne", "s", "ns"])
            elif op == "neg":
                self.maybe_branch()

    def extend(self) -> None:
        width = self.rng.choice([1, 2])
        source, comment = self.part(self.register(), width), ""
        if self.rng.random() < 0.5 and (memory := self.memory(width)):
            source, comment = memory
        if source:
            self.put(f"mov{self.rng.choice('zzzs')}{' bw'[width]}l\t{source}, %{self.register()}",
                     comment)

    def shift(self) -> None:
        count = self.rng.choice(["$1", "$4", "$8", "$15", "$16", "$20", "$31", "%cl"])
        if count == "%cl" and "ecx" in self.pointers:
            return
        self.put(f"{self.rng.choice(['sal', 'shr', 'sar', 'rol'])}l\t{count}, %{self.register()}")

    def double_shift(self) -> None:
        if "ecx" not in self.pointers:
            self.put(f"sh{self.rng.choice('lr')}dl\t%{self.register()}, %{self.register()}")

    def move(self) -> None:
        width = self.rng.choice([4, 4, 4, 2, 1])
        source, comment = self.part(self.register(), width), ""
        target = self.part(self.register(), width)
        if self.rng.random() < 0.6 and (memory := self.memory(width)):
            if self.rng.random() < 0.5:
                source, comment = memory
            else:
                target, comment = memory
        if source and target:
            self.put(f"mov{' bw l'[width]}\t{source}, {target}".replace(" ", ""), comment)

    def exchange(self) -> None:
        """As gcc 14 writes MOV where the source is not looked at any more; or not so."""
        first, second = self.register(), self.register()
        self.put(f"xchgl\t%{first}, %{second}")
        if self.rng.random() < 0.6:
            self.put(f"movl\t{self.immediate(4)}, %{first}")

    def lea(self) -> None:
        self.put(f"leal\t{self.rng.choice([-1, 1, 12])}(%{self.register()},%{self.register()}"
                 f"{self.rng.choice(['', ',4'])}), %{self.register()}")

    def lea_pointer(self) -> None:
        """A new pointer, or the end of one."""
        if len(self.integers()) > 3 and (old := [r for r, fresh in self.pointers.items() if fresh]):
            new = self.register()
            base = self.rng.choice(old)
            if self.rng.random() < 0.5:
                self.put_pointer(f"leal\t{self.rng.randrange(1, 16)}(%{base}), %{new}", new)
                self.pointers[new] = False
            elif self.rng.random() < 0.3:
                self.put_pointer(f"xchgl\t%{base}, %{new}", new)
                self.pointers[new] = True
                del self.pointers[base]
            else:
                self.put_pointer(f"movl\t%{base}, %{new}", new)
                self.pointers[new] = True
        elif len(self.pointers) > 1:
            gone = self.rng.choice(sorted(self.pointers))
            del self.pointers[gone]
            self.put(f"movl\t{self.immediate(4)}, %{gone}")

    def multiply(self) -> None:
        self.put(f"imull\t${self.rng.choice([3, 20, 1000])}, %{self.register()}, %{self.register()}")

    def compare(self) -> None:
        width = self.rng.choice([4, 4, 4, 2, 1])
        second, comment = self.part(self.register(), width), ""
        first = self.rng.choice([self.immediate(width), self.part(self.register(), width)])
        if self.rng.random() < 0.3 and (memory := self.memory(width)):
            second, comment = memory
        if first == "$-1":
            first = "$-2"   # the tool takes it for the mark of no pointer
        if first and second:
            op = self.rng.choice(["cmp", "test"])
            self.put(f"{op}{' bw l'[width]}\t{first}, {second}".replace(" ", ""), comment)
            self.maybe_branch()

    def carry(self) -> None:
        """64-bit sums and comparisons."""
        low, high = (self.rng.choice(["add", "sub", "cmp"]), self.register())
        second = "adc" if low == "add" else "sbb"
        self.put(f"{low}l\t%{self.register()}, %{self.register()}")
        if self.rng.random() < 0.3:
            self.put(f"{self.rng.choice(['inc', 'dec', 'not'])}l\t%{high}")
        self.put(f"{second}l\t{self.rng.choice([f'%{self.register()}', '$0'])}, %{high}")
        self.maybe_branch(["b", "nb"])

    def constant(self) -> None:
        self.put(f"pushl\t${self.rng.randint(-128, 127)}")
        self.put(f"popl\t%{self.register()}")

    def odd(self) -> None:
        """Not understood by the tool, thus kept; or understood and rare."""
        kind = self.rng.randrange(4)
        free = self.integers()
        if kind == 0 and "eax" in free:
            self.put("xchgb\t%ah, %al")
        elif kind == 1:
            self.put(f"bswap\t%{self.register()}")
        elif kind == 2 and {"eax", "edx"} <= set(free):
            self.put(f"mull\t%{self.register()}")
        elif kind == 3:
            self.lines += ["#APP", f"\tmovw %{self.register()[1:]}, %fs\t#", "#NO_APP"]

    def maybe_branch(self, conditions=CONDITIONS) -> None:
        """Flags are only looked at where they are defined."""
        condition = self.rng.choice(conditions)
        what = self.rng.random()
        if what < 0.3 and (target := self.part(self.register(), 1)):
            self.put(f"set{condition}\t{target}")
        elif what < 0.7:
            self.branch(condition)

    def branch(self, condition: str) -> None:
        """Over some code, or to code that stands elsewhere and comes back."""
        label = self.label()
        before = dict(self.pointers)
        self.put(f"j{condition}\t{label}")
        if self.rng.random() < 0.5:
            self.body(self.rng.randint(1, 3), depth=2)
            self.settle(before)
            self.lines.append(f"{label}:")
            return
        back, other = self.label(), self.label()
        jumps = self.rng.random() < 0.5
        if jumps:
            self.put(f"jmp\t{other}")
        self.lines.append(f"{back}:")
        here, self.lines = self.lines, []
        for target in [label] + [other] * jumps:
            self.pointers = dict(before)
            self.lines.append(f"{target}:")
            self.body(self.rng.randint(1, 3), depth=2)
            self.settle(before)
            self.put(f"jmp\t{back}")
        self.elsewhere += self.lines
        self.lines = here

    def settle(self, before: dict[str, bool]) -> None:
        """Where ways meet a register is a pointer only if it is on both."""
        for register in before:
            if register not in self.pointers:
                self.pointers[register] = False
                self.put_pointer(f"movl\t$area, %{register}", register)
        for register in sorted(self.pointers.keys() - before):
            self.put(f"movl\t{self.immediate(4)}, %{register}")
        self.pointers = {r: before[r] and self.pointers[r] for r in before}

    def loop(self) -> None:
        if not self.local:
            return
        label = self.label()
        before = dict(self.pointers)
        self.put("movl\t$3, 44(%esp)")  # counts in memory that is no spill slot
        self.lines.append(f"{label}:")
        for register in self.pointers:
            self.pointers[register] = False
        self.body(self.rng.randint(2, 5), depth=2)
        self.settle(before)
        self.put("decl\t44(%esp)")
        self.put(f"jne\t{label}")

    def call(self) -> None:
        if not self.callees:
            return
        if "eax" not in self.pointers:
            if self.local and self.rng.random() < 0.5:
                self.put_pointer(f"leal\t{12 + self.pushed}(%esp), %eax", "eax")
            else:
                self.put_pointer("movl\t$area, %eax", "eax")
        elif not self.pointers["eax"]:
            self.put_pointer("movl\t$area, %eax", "eax")
        self.pointers["eax"] = True
        for gone in ("ecx", "edx"):  # integers again, unless they were read before
            if gone in self.pointers or self.rng.random() < 0.5:
                self.pointers.pop(gone, None)
                self.put(f"movl\t%{self.register()}, %{gone}")
        callee = self.rng.choice(self.callees)
        if self.local and self.rng.random() < 0.2:
            self.put(f"movl\t${callee}, {48 + self.pushed}(%esp)")
            callee = f"*{48 + self.pushed}(%esp)"
        self.put(f"call\t{callee}")
        self.pointers.pop("eax", None)
        self.put("movl\t$0, %ecx")
        if self.rng.random() < 0.8:
            self.put("movl\t$7, %edx")

    def label(self) -> str:
        self.labels += 1
        return f".L{self.name}_{self.labels}"

    def text(self) -> str:
        for register in self.saved:
            self.put(f"pushl\t%{register}")
        if self.local:
            self.put("subl\t$52, %esp")
            for offset in range(0, 12, 4):
                self.put(f"movl\t%{self.rng.choice(['ecx', 'edx'])}, {offset}(%esp)", "%sfp")
            for offset in range(12, 44, 4):
                self.put(f"movl\t$-{offset}, {offset}(%esp)")
        for register in self.saved:
            self.put(f"movl\t{self.immediate(4)}, %{register}")
        self.body(self.rng.randint(8, 30))
        result = self.rng.choice([r for r in self.integers() if r not in ("eax",)])
        self.put(self.rng.choice([f"movl\t%{result}, %eax", f"movzwl\t%{result[1:]}, %eax"]))
        if "edx" in self.pointers:
            self.put("movl\t%eax, %edx")
        if self.local:
            self.put("addl\t$52, %esp")
        for register in reversed(self.saved):
            self.put(f"popl\t%{register}")
        self.put("ret")
        self.lines += self.elsewhere
        return (f"\t.type\t{self.name}, @function\n{self.name}:\n" + "\n".join(self.lines)
                + f"\n\t.size\t{self.name}, .-{self.name}\n")


def programs(rng: random.Random, count: int) -> str:
    """Functions f0, f1, ...: those a .S file calls."""
    text = "\t.code16gcc\n\t.text\n\t.set area, 0x8000\n"
    for n in range(count):
        names = [f"g{n}", f"h{n}"]
        text += Writer(rng, f"f{n}", names).text()
        text += Writer(rng, names[0], names[1:]).text()
        text += Writer(rng, names[1], []).text()
    return text


class Machine:
    """An assembled program in a 16-bit CPU."""

    def __init__(self, source: str, where: Path, name: str):
        assembly, self.elf, binary = (where / f"{name}.{end}" for end in ("s", "elf", "bin"))
        assembly.write_text(source.replace(".code16gcc", ".code16"))
        subprocess.run(["as", "--32", "-o", f"{self.elf}.o", assembly], check=True)
        subprocess.run(["ld", "-m", "elf_i386", "-Ttext", "0", "-e", "0", "-o", self.elf,
                        f"{self.elf}.o"], check=True)
        subprocess.run(["objcopy", "-O", "binary", self.elf, binary], check=True)
        out = subprocess.run(["nm", self.elf], check=True, capture_output=True, text=True).stdout
        self.address = {m[2]: int(m[1], 16) for m in re.finditer(r"^(\w+) . (\w+)$", out, re.M)}
        self.bytes = len(code := binary.read_bytes())
        assert self.bytes < DONE
        self.cpu = Uc(UC_ARCH_X86, UC_MODE_16)
        self.cpu.mem_map(0, 0x200000)
        self.cpu.mem_write(CODE, code)

    def call(self, name: str, seed: int) -> tuple:
        """What the outside sees of a call with random registers."""
        rng = random.Random(seed)
        cpu = self.cpu
        cpu.mem_write(DATA, bytes(0x10000))
        cpu.mem_write(DATA + AREA, rng.randbytes(AREA_BYTES))
        for number in GENERAL.values():
            cpu.reg_write(number, rng.getrandbits(32))
        cpu.reg_write(UC_X86_REG_EAX, AREA)
        cpu.reg_write(UC_X86_REG_ESP, STACK)
        cpu.reg_write(UC_X86_REG_EFLAGS, 2)
        cpu.reg_write(UC_X86_REG_CS, CODE >> 4)
        for segment in (UC_X86_REG_DS, UC_X86_REG_ES, UC_X86_REG_SS, UC_X86_REG_FS):
            cpu.reg_write(segment, DATA >> 4)
        cpu.mem_write(DATA + STACK, DONE.to_bytes(2, "little"))
        cpu.emu_start(CODE + self.address[name], CODE + DONE, count=20000)
        low = tuple(cpu.reg_read(GENERAL[r]) & 0xffff for r in ("ebx", "esi", "edi"))
        whole = tuple(cpu.reg_read(n) for n in (
            UC_X86_REG_EAX, UC_X86_REG_EDX, UC_X86_REG_EBP, UC_X86_REG_ESP))
        return low, whole, bytes(cpu.mem_read(DATA + STACK, 0x10000 - STACK))
