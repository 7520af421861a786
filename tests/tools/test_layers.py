# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Rules of the source tree: who may include whom, licence lines, and what
stays in memory after init.
"""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.build import BUILD, TOP, symbol

FOLDERS = ["pc", "scsi", "lsi", "int13", "rom"]

# A folder may include its own headers and those of these places.
MAY_INCLUDE = {
    "pc": [],
    "scsi": ["pc/"],
    "lsi": ["pc/", "scsi/hba.h", "scsi/scsi.h"],
    "int13": ["pc/", "scsi/"],
    "rom": ["pc/", "scsi/", "int13/", "lsi/"],
}
# The one file in rom/ that knows chips besides what it needs to hold them.
KNOWS_CHIPS = {"rom/init.c", "rom/workspace.h", "rom/banner.h", "rom/rom.ld"}


def sources(folder: str):
    return sorted(p for p in (TOP / folder).rglob("*") if p.suffix in (".c", ".h", ".S", ".inc", ".ld"))


def includes(path) -> list[str]:
    return re.findall(r'^\s*(?:#|\.)include "([^"]+)"', path.read_text(), re.M)


@pytest.mark.parametrize("folder", FOLDERS)
def test_includes_go_only_where_they_may(folder):
    for path in sources(folder):
        for name in includes(path):
            if "/" not in name or name.startswith(f"{folder}/"):
                continue
            allowed = any(name.startswith(place) for place in MAY_INCLUDE[folder])
            assert allowed, f"{path.relative_to(TOP)} includes {name}"
            if folder == "rom" and name.startswith("lsi/"):
                assert str(path.relative_to(TOP)) in KNOWS_CHIPS


@pytest.mark.parametrize("folder, words", [
    ("int13", r"\blsi_|\bhba_|\bLSI_"), ("scsi", r"\blsi_|\bint13|\bINT 13|\bbios_"),
    ("pc", r"\bscsi|\blsi_|\bint13_|\bhba"), ("lsi", r"\bint13|\bbios_|\bfar_|__seg_fs")])
def test_no_layer_names_what_it_must_not_know(folder, words):
    for path in sources(folder):
        code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        assert not re.search(words, code), path.name


def test_headers_stand_alone(tmp_path):
    for folder in FOLDERS:
        for header in (TOP / folder).rglob("*.h"):
            result = subprocess.run(
                ["gcc", "-m16", "-std=gnu11", "-ffreestanding", "-fshort-enums", "-Wall", "-Werror", f"-I{TOP}",
                 f"-I{BUILD}", "-fsyntax-only", "-x", "c", "-include", str(header), "/dev/null"],
                capture_output=True, text=True)
            assert result.returncode == 0, result.stderr


def test_every_file_has_its_licence_line():
    tracked = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True,
                             check=True).stdout.split()
    for name in tracked:
        if name in ("LICENSE", ".gitignore") or name.endswith(".png"):
            continue
        head = (TOP / name).read_text().splitlines()[:3]
        assert any("SPDX-License-Identifier: BSD-2-Clause" in line for line in head), name


def test_script_instructions_are_spelled_only_in_the_macros():
    """script.S reads like a program: no instruction as a number."""
    assert not re.search(r"0x[0-9a-f]{5,}", (TOP / "lsi/post/script.S").read_text())


def test_functions_fit_a_screen():
    """60 lines from the name to the closing brace."""
    for folder in FOLDERS:
        for path in (TOP / folder).rglob("*.c"):
            for found in re.finditer(r"^\w[^\n;]*\([^;{]*\)\n\{\n.*?^\}", path.read_text(), re.S | re.M):
                assert found.group().count("\n") < 60, f"{path.name}: {found.group()[:60]}"


def test_nothing_resident_refers_to_what_init_gives_back():
    """The linker refuses such references; this shows that it was asked to,
    and that the parts lie where the image is cut."""
    assert "NOCROSSREFS_TO(.post .text" in (TOP / "rom/rom.ld").read_text()
    out = subprocess.run(["objdump", "-h", str(BUILD / "rom.elf")], capture_output=True,
                         text=True, check=True).stdout
    address = {m[1]: int(m[3], 16) for m in
               re.finditer(r"\d+ (\.\w+) +([0-9a-f]+) +([0-9a-f]+)", out)}
    order = [".text", ".romdata", ".pnp", ".extra", ".cd", ".post"]
    assert sorted(order, key=address.get) == order


# From what stays to what may not: who asks first, and for what
ASKS = {
    ("boot_connect", "bootstrap_next"), ("boot_connect", "cd_boot"),    # a vector; DISK_CD
    ("boot_connect", "cd_disconnect"),
    ("int13_know_size", "media_measure"), ("int13_know_size", "image_check"),  # DISK_UNKNOWN, DISK_IMAGE
    ("int13_49_changed", "media_changed"), ("int13_16_changed", "media_changed"),  # DISK_REMOVABLE
    ("int13_45_lock", "media_lock"), ("int13_46_eject", "media_eject"),
    ("int13_08_parameters", "image_floppy_parameters"),     # DISK_FLOPPY
    ("int13_dispatch", "image_view"),                       # for_image
    ("do_piece", "image_wants_part"), ("do_piece", "image_copy_part"),  # DISK_IMAGE
    ("functions", "image_4a_emulate"), ("functions", "image_4b_terminate"),    # about_cd() and DISK_CD
    ("functions", "image_4c_boot"), ("functions", "image_4d_catalog"),
}


def test_who_refers_to_what_may_not_stay_asks_first(tmp_path):
    """All such references are known: one more needs a look, and a line above."""
    link = next(line for line in subprocess.run(
        ["make", "-n", "-W", "rom/rom.ld", "build/rom.elf"], cwd=TOP, capture_output=True,
        text=True, check=True).stdout.splitlines() if re.match(r"ld .* -T build/rom/rom.ld", line))
    elf = tmp_path / "rom.elf"
    link = link.replace("build/rom.elf", str(elf)).replace("build/rom.map", str(tmp_path / "map"))
    subprocess.run(f"{link} --emit-relocs", shell=True, cwd=TOP, check=True)

    def table(option: str) -> list[list[str]]:
        return [line.split() for line in subprocess.run(
            ["readelf", option, elf], capture_output=True, text=True, check=True).stdout.splitlines()]
    names = [(int(w[1], 16), int(w[2], 0), w[7]) for w in table("-sW")
             if len(w) == 8 and w[3] in ("FUNC", "OBJECT")]
    end_of_text, first, end = symbol("pnp_slots"), symbol("extra_first"), symbol("cd_end")
    found = set()
    for words in table("-rW"):
        if len(words) < 5 or not words[2].startswith("R_386"):
            continue
        at, to = int(words[0], 16), int(words[3], 16)
        if at < end_of_text and first <= to < end:
            found.add(tuple(next((n for a, size, n in names if a <= x < a + size), hex(x)) for x in (at, to)))
    assert found == ASKS


def test_no_function_takes_arguments_on_the_stack():
    """Calls are 16-bit behind gcc's back: only three registers are left for
    arguments. A structure of up to four bytes is one of them."""
    assert re.search(r"^ABI := [^#]* -fno-ipa-sra ", (TOP / "Makefile").read_text(), re.M), "gcc would make more of them"
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
