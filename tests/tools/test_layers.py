# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Rules of the source tree: permitted includes, no cyclic dependencies, licence
lines, sizes of files and functions, and references from resident code.
"""

from __future__ import annotations

import graphlib
import re
import subprocess
from pathlib import Path

import pytest

from tests.build import BUILD, TOP, symbol

FOLDERS = ["pc", "scsi", "lsi", "int13", "rom"]
ALL_FOLDERS = [*FOLDERS, "efi"]

# The folders whose headers the files of a folder may include.
# lsi/ fulfils a contract of two headers and includes nothing else of scsi/.
CONTRACT = ["scsi/hba.h", "scsi/scsi.h"]
MAY_INCLUDE = {
    "pc": ["pc"],
    "pc/post": ["pc", "pc/post"],
    "scsi": ["scsi", "pc"],
    "scsi/cd": ["scsi", "pc"],
    "scsi/media": ["scsi", "pc"],
    "scsi/post": ["scsi", "scsi/post", "pc"],
    "lsi": ["lsi", "pc", *CONTRACT],
    "lsi/post": ["lsi", "lsi/post", "pc", *CONTRACT],
    "efi": ["efi", "efi/pc", "lsi", "scsi", "pc"],
    "efi/pc": ["efi", "pc"],
    "efi/aarch64": ["pc"],
    "int13": ["int13", "int13/cd", "int13/extra", "scsi", "pc"],
    "int13/cd": ["int13", "int13/cd", "int13/extra", "scsi", "pc"],
    "int13/extra": ["int13", "int13/extra", "int13/cd/cd.h", "scsi", "pc"],
    "int13/media": ["int13", "scsi", "pc"],
    "int13/removable": ["int13", "scsi", "pc"],
    "rom": ["rom", "rom/post", "int13", "lsi", "pc"],     # workspace.h holds the state of all
    "rom/boot": ["rom", "rom/boot", "rom/boot/cd", "rom/boot/extra", "int13", "pc"],
    "rom/boot/cd": ["rom", "rom/boot", "rom/boot/cd", "int13", "int13/cd", "int13/extra", "pc"],
    "rom/boot/extra": ["rom", "rom/boot", "rom/boot/cd", "rom/boot/extra", "int13", "int13/extra", "pc"],
    "rom/gates": ["rom"],
    "rom/post": ["rom", "rom/boot", "rom/boot/extra", "rom/post", "rom/post/setup", "int13", "scsi", "scsi/post", "lsi",
                 "pc", "pc/post"],
    "rom/post/setup": ["rom", "rom/post", "rom/post/setup", "scsi", "lsi", "pc", "pc/post"],
}
MAX_LINES = 420        # of a C file
MAX_FUNCTION_LINES = 60


def sources(folder: str, *suffixes: str) -> list[Path]:
    return sorted(p for p in (TOP / folder).rglob("*")
                  if p.suffix in (suffixes or (".c", ".h", ".S", ".inc", ".ld")))


def in_tree(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def includes(path: Path) -> list[str]:
    """Included files, relative to the top of the tree."""
    names = re.findall(r'^\s*(?:#|\.)include "([^"]+)"', path.read_text(), re.M)
    return [in_tree(path.parent / name) if (path.parent / name).exists() else name for name in names]


@pytest.mark.parametrize("folder", ALL_FOLDERS)
def test_includes_follow_table(folder):
    for path in sources(folder):
        name = in_tree(path)
        allowed = MAY_INCLUDE[in_tree(path.parent)]
        for header in includes(path):
            assert header in allowed or header.rpartition("/")[0] in allowed, f"{name} includes {header}"


# ---- Cyclic dependencies -------------------------------------------------------

GATES = "rom gates"


def unit(path: Path) -> str:
    """Name for a source file and its header: "rom boot" for rom/boot/boot.c."""
    return f"{path.relative_to(TOP).parts[0]} {path.stem}"


def objects() -> dict[Path, Path]:
    """Maps a source file to its object file."""
    return {path: BUILD / path.relative_to(TOP).with_suffix(".o")
            for folder in FOLDERS for path in sources(folder, ".c", ".S")}


def gates() -> dict[str, str]:
    """Maps the name of a gate (rom/gates/gates.S) to the function that it calls."""
    pairs = [line.split() for file in ("gates.in", "gates.out")
             for line in (BUILD / file).read_text().splitlines()]
    return {gate: name for name, gate in pairs}


def test_file_names_are_unique_in_each_folder():
    for folder in FOLDERS:
        for suffixes in ((".c", ".S"), (".h", ".inc")):
            names = [unit(path) for path in sources(folder, *suffixes)]
            assert len(names) == len(set(names)), folder


def references() -> dict[str, dict[str, str]]:
    """Maps a unit to the units that it includes or whose symbols it uses, with
    one reason for each. Symbols defined by a linker script belong to no unit. A call
    through a gate is one of the function that the gate is for."""
    found = {unit(path): {} for folder in FOLDERS for path in sources(folder) if path.suffix != ".ld"}
    for folder in FOLDERS:
        for path in sources(folder, ".c", ".h", ".S", ".inc"):
            for header in includes(path):
                found[unit(path)][unit(TOP / header)] = f"includes {header}"
    defined, used, through = {}, [], gates()
    for path, file in objects().items():
        for line in subprocess.run(["nm", file], capture_output=True, text=True, check=True).stdout.splitlines():
            *_, kind, name = line.split()
            if kind == "U":
                if unit(path) != GATES or name not in through.values():
                    used.append((unit(path), through.get(name, name)))
            elif kind.isupper():
                defined[name] = unit(path)
    placed = re.findall(r"\b(\w+) = ", (TOP / "rom/rom.ld").read_text() + (TOP / "rom/unpack.ld").read_text())
    for user, name in used:
        if name in defined:
            found[user][defined[name]] = f"uses {name}"
        else:
            assert name in placed or name.startswith("rom_image_"), f"{user}: {name}"
    for name, others in found.items():
        others.pop(name, None)
    return found


def test_dependencies_between_files_have_no_cycle():
    found = references()
    try:
        graphlib.TopologicalSorter(found).prepare()
    except graphlib.CycleError as error:
        cycle = error.args[1][::-1]
        pytest.fail("\n".join(f"{a} -> {b}: {found[a][b]}" for a, b in zip(cycle, cycle[1:])))


# ---- Functions that change FS --------------------------------------------------


def functions_that_move_fs() -> set[str]:
    """All functions that load FS or call the BIOS, and their callers."""
    moves, calls, name = set(), {}, ""
    for file in objects().values():
        code = subprocess.run(["objdump", "-dr", "-m", "i8086", file], capture_output=True, text=True,
                              check=True).stdout
        for line in code.splitlines():
            if found := re.match(r"[0-9a-f]+ <(\w+)>:", line):
                name = found[1]
                calls.setdefault(name, set())
            elif re.search(r"\t(?:movw?|popw?) +.*%fs$|\tl?lcall", line):
                moves.add(name)
            elif found := re.search(r"R_386_\w+\s+(?:\.text\.)?(\w+)|\t(?:call|j)\w* +[0-9a-f]+ <(\w+)>$", line):
                calls[name].add(found[1] or found[2])
    while more := {name for name, called in calls.items() if called & moves} - moves:
        moves |= more
    return moves


def declarations(header: Path) -> dict[str, tuple[str, str]]:
    """Maps a function to the comment that applies to it and to its text."""
    found, comment = {}, ""
    for block in re.findall(r"/\*.*?\*/|\n\n|^[a-z][\w *]*?[ *]\w+\([^;{}]*\)(?:;|\n\{.*?^\})",
                            header.read_text(), re.S | re.M):
        if block.startswith("/*") or block == "\n\n":
            comment = block
        else:
            found[re.search(r"(\w+)\(", block)[1]] = comment, block
    return found


def test_headers_mark_functions_that_move_fs():
    """The rule is in pc/far.h."""
    moves = functions_that_move_fs()
    assert {name for name in gates() if name in moves} == {gate for gate, name in gates().items() if name in moves}
    checked = 0
    for header in sources("pc", ".h") + sources("int13", ".h") + sources("rom", ".h"):
        for name, (comment, text) in declarations(header).items():
            body = text.partition("{")[2]
            inline = re.search(r"%%fs|\b(?:far|bda)_open\(", body) or moves & set(re.findall(r"(\w+)\(", body))
            assert ("Moves FS." in comment) == bool(inline or name in moves), f"{in_tree(header)}: {name}"
            checked += 1
    assert checked > 110


# ---- Source text ---------------------------------------------------------------


@pytest.mark.parametrize("folder, words", [
    ("int13", r"\blsi_|\bhba_|\bLSI_"), ("scsi", r"\blsi_|\bint13|\bINT 13|\bbios_"),
    ("pc", r"\bscsi|\blsi_|\bint13_|\bhba"), ("lsi", r"\bint13|\bbios_|\bfar_|__seg_fs|\befi_"),
    ("efi", r"\bint13|\bbios_|\bscsi_command|\bprogram_")])
def test_layers_use_no_forbidden_names(folder, words):
    for path in sources(folder):
        code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        assert not re.search(words, code), path.name


def test_headers_compile_standalone(tmp_path):
    for folder in FOLDERS:
        for header in (TOP / folder).rglob("*.h"):
            result = subprocess.run(
                ["gcc", "-m16", "-std=gnu11", "-ffreestanding", "-fshort-enums", "-Wall", "-Werror", f"-I{TOP}",
                 f"-I{BUILD}", "-fsyntax-only", "-x", "c", "-include", str(header), "/dev/null"],
                capture_output=True, text=True)
            assert result.returncode == 0, result.stderr
    for header in (TOP / "efi").rglob("*.h"):
        result = subprocess.run(
            ["gcc", "-m64", "-std=gnu11", "-ffreestanding", "-Wall", "-Werror", f"-I{TOP / 'efi'}", f"-I{TOP}",
             f"-I{BUILD}", "-fsyntax-only", "-x", "c", "-include", str(header), "/dev/null"],
            capture_output=True, text=True)
        assert result.returncode == 0, result.stderr


def test_every_file_has_licence_line():
    tracked = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True,
                             check=True).stdout.split()
    for name in tracked:
        if name in ("LICENSE", ".gitignore") or name.endswith(".png"):
            continue
        head = (TOP / name).read_text().splitlines()[:3]
        assert any("SPDX-License-Identifier: BSD-2-Clause" in line for line in head), name


def test_script_has_no_instructions_as_numbers():
    """Only the macros in lsi/script_insn.inc encode instructions."""
    assert not re.search(r"0x[0-9a-f]{5,}", (TOP / "lsi/post/script.S").read_text())


def test_files_and_functions_are_short():
    """The length of a function is counted from its name to its closing brace."""
    for folder in ALL_FOLDERS:
        for path in sources(folder, ".c"):
            text = path.read_text()
            assert text.count("\n") <= MAX_LINES, in_tree(path)
            for found in re.finditer(r"^\w[^\n;]*\([^;{]*\)\n\{\n.*?^\}", text, re.S | re.M):
                assert found.group().count("\n") < MAX_FUNCTION_LINES, f"{path.name}: {found.group()[:60]}"


# ---- Parts of the ROM ----------------------------------------------------------


def test_linker_script_names_folders_but_no_files():
    text = re.sub(r"/\*.*?\*/", "", (TOP / "rom/rom.ld").read_text(), flags=re.S)
    assert not re.findall(r"\w+\.o\b", text)


def test_linker_checks_references_from_resident_code():
    """The linker rejects references from resident code to code that init frees, and
    those to and from far code that pass no gate. This test checks that the linker script
    requests it, and that the sections are in the order in which the image is truncated."""
    text = (TOP / "rom/rom.ld").read_text()
    checked = {to: set(others.split()) for to, others in re.findall(r"^NOCROSSREFS_TO\((\S+) (.*)\)$", text, re.M)}
    rest = {".text", ".romdata", ".extra"}
    assert checked[".post"] == checked[".post_memory"] == rest | {".far_rom", ".removable", ".gates", ".media", ".cd"}
    assert all(checked[far] >= rest for far in (".removable", ".media", ".cd"))
    assert checked[".text"] >= {".removable", ".media", ".cd"}
    out = subprocess.run(["objdump", "-h", str(BUILD / "rom.elf")], capture_output=True,
                         text=True, check=True).stdout
    address = {m[1]: int(m[3], 16) for m in
               re.finditer(r"\d+ (\.\w+) +([0-9a-f]+) +([0-9a-f]+)", out)}
    order = [".text", ".romdata", ".extra", ".far_rom", ".removable", ".gates", ".media", ".cd", ".post"]
    assert sorted(order, key=lambda name: address[name]) == order


# References from code that is always resident to code in the optional parts, and from
# .extra to .far_rom, which has the gates to far code. The caller checks the condition in
# the comment before it makes the call.
CHECKED_REFERENCES = {
    ("boot_connect", "bootstrap_next"), ("boot_connect", "bootstrap_cd"),    # hooked vector; DISK_CD
    ("boot_connect", "in_cdboot_disconnect"),
    ("boot_connect", "bootstrap_connect_disks"),                # calls_first_only
    ("int13_check_medium", "in_media_measure"), ("int13_check_medium", "in_emulation_check"),  # DISK_UNKNOWN, DISK_EMULATED
    ("int13_49_changed", "in_media_changed"), ("int13_16_changed", "in_media_changed"),  # DISK_REMOVABLE
    ("int13_45_lock", "in_media_lock"), ("int13_46_eject", "in_media_eject"),
    ("int13_08_parameters", "emulation_floppy_parameters"),     # DISK_FLOPPY
    ("do_piece", "emulation_uses_buffer"), ("do_piece", "in_emulation_copy_part"),  # DISK_EMULATED
    ("boot_cds", "in_cdboot_boot"), ("bootstrap_cd", "in_cdboot_boot"),     # DISK_CD
}


def relocations(elf: Path, option: str) -> list[list[str]]:
    return [line.split() for line in subprocess.run(
        ["readelf", option, elf], capture_output=True, text=True, check=True).stdout.splitlines()]


def test_references_to_optional_parts_are_known(tmp_path):
    """A new reference must be reviewed for its check and added to the table."""
    link = next(line for line in subprocess.run(
        ["make", "-n", "-W", "rom/rom.ld", "build/rom.elf"], cwd=TOP, capture_output=True,
        text=True, check=True).stdout.splitlines() if re.match(r"ld .* -T build/rom/rom.ld", line))
    elf = tmp_path / "rom.elf"
    link = link.replace("build/rom.elf", str(elf)).replace("build/rom.map", str(tmp_path / "map"))
    subprocess.run(f"{link} --emit-relocs", shell=True, cwd=TOP, check=True)
    names = [(int(w[1], 16), int(w[2], 0) or w[7] in gates(), w[7]) for w in relocations(elf, "-sW")
             if len(w) == 8 and (w[3] in ("FUNC", "OBJECT") or w[7] in gates())]
    text, extra, end = symbol("text_end"), symbol("extra_end"), symbol("cd_end")
    found = set()
    for words in relocations(elf, "-rW"):
        if len(words) < 5 or not words[2].startswith("R_386"):
            continue
        at, to = int(words[0], 16), int(words[3], 16)
        if at < text <= to < end or at < extra <= to < end:
            found.add(tuple(next((n for a, size, n in names if a <= x < a + size), hex(x)) for x in (at, to)))
    assert found == CHECKED_REFERENCES


def test_ds_reaches_the_workspace_only():
    """Seen: gcc 12 combines two reads of bytes through GS to one read of a word through DS. This
    finds it where the operand has the address of the object."""
    placed = set(re.findall(r"\b(\w+) = ", (TOP / "rom/rom.ld").read_text()))
    seen = set()
    for file in (file for path, file in objects().items() if path.suffix == ".c"):
        code = subprocess.run(["objdump", "-dr", "-m", "i8086", "--no-show-raw-insn", file], capture_output=True,
                              text=True, check=True).stdout
        for instruction, name in re.findall(r"^ *[0-9a-f]+:\t(.*)\n\t+[0-9a-f]+: R_386_\w+\t(\S+)$", code, re.M):
            if "(" in instruction and not re.search(r"%[fgc]s:|\$|^lea|^l?j|^l?call", instruction):
                assert name in placed, f"{file.name}: {instruction} {name}"
                seen.add(name)
    assert {"workspace", "drive_table"} <= seen


def test_no_function_has_stack_arguments():
    """tools/code16.sed makes calls 16-bit, of which gcc is not aware. Arguments must
    therefore fit into three registers. A structure of up to four bytes takes one."""
    assert re.search(r"^ABI := [^#]* -fno-ipa-sra ", (TOP / "Makefile").read_text(), re.M), "without it, gcc adds arguments"
    found = 0
    for folder in FOLDERS:
        for path in (TOP / folder).rglob("*.[ch]"):
            for name, arguments in re.findall(r"^[\w *]+?[ *](\w+)\(([^;{}()]+)\)\n?[;{]",
                                              path.read_text(), re.M):
                found += 1
                words = [2 if re.match(r"u64 \w+$", a.strip()) else 1
                         for a in arguments.split(",")]
                assert sum(words) <= 3, f"{path.name}: {name}({arguments})"
    assert found > 200
