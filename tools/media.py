#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Boot media made from Debian packages: a disk with GRUB, Linux and a busybox
initramfs for BIOS and UEFI, and a SeaBIOS without its own LSI driver.

All files go to build/media and are made once. Root is not needed.
As a command: media.py linux|nolsi makes one of them and prints its path.
"""

from __future__ import annotations

import fcntl
import functools
import gzip
import lzma
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
MEDIA = TOP / "build" / "media"
GRUB_DIR = Path("/usr/lib/grub/i386-pc")
GRUB_EFI_DIR = Path("/usr/lib/grub/x86_64-efi")
SECTOR = 512

PARTITION_START = 2048  # sectors: the gap before it holds GRUB's core image
DISK_MIB = 64
ESP_SECTORS = 4 * 2048  # the disk's last: the EFI system partition, a FAT with GRUB alone
DISK_SIGNATURE = 0x13C8952A

MODULES = ["sym53c8xx", "sd_mod", "edd", "ext4", "loop"]
EFI_FALLBACK = "EFI/BOOT/BOOTX64.EFI"  # the program of a disk without a boot entry [UEFI 2.10 "Boot Manager"]
GRUB_KERNEL_SECTOR = 0x5C  # offset in boot.img: first sector of core.img
GRUB_BLOCK_LIST = 0x1F4    # offset in core.img: first sector of its remainder
GRUB_MODULES = ["biosdisk", "part_msdos", "part_gpt", "ext2", "normal", "linux16", "serial",
                "terminal", "echo", "configfile", "search", "test", "ls", "cat", "hexdump"]
GRUB_EFI_MODULES = ["part_msdos", "part_gpt", "ext2", "fat", "normal", "linux", "serial", "terminal",
                    "echo", "configfile", "test", "regexp"]

# The guest prints this when the kernel's own driver has mounted the file system
# of the boot disk.
GUEST_MOUNTED = "lsi8xx-rom guest: mounted"

INIT = """#!/bin/busybox sh
# Made by tools/media.py: the first process of the demonstration guest.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
echo 4 > /proc/sys/kernel/printk
for module in $(cat /modules/order); do insmod /modules/$module 2>/dev/null; done
for try in $(seq 300); do [ -b /dev/sda1 ] && break; sleep 0.1; done
# Linux finds no partitions on a disk with 4096-byte blocks if its table counts
# 512-byte sectors. The file system is then mounted by its offset.
mount -t ext4 -o ro /dev/sda1 /mnt ||
    { losetup -r -o @OFFSET@ /dev/loop0 /dev/sda && mount -t ext4 -o ro /dev/loop0 /mnt; } ||
    echo "lsi8xx-rom guest: no file system"
driver=$(basename $(readlink -f $(readlink -f /sys/block/sda/device)/../../../driver))
bios=$(cat /sys/firmware/edd/int13_dev80/mbr_signature 2>/dev/null)
disk=$(dd if=/dev/sda bs=1 skip=440 count=4 2>/dev/null | od -An -tx4 | tr -d ' ')
printf '\\033[?7h\\n'    # SeaBIOS has turned line wrap off
for drive in /sys/firmware/edd/*; do
    [ -e $drive ] && echo "BIOS drive $(basename $drive): signature \\
$(cat $drive/mbr_signature 2>/dev/null), $(cat $drive/sectors 2>/dev/null) sectors"
done
edd=/sys/firmware/edd/int13_dev80
for file in $(cd $edd 2>/dev/null && ls); do
    [ $file = raw_data ] || [ -L $edd/$file ] || sed "s/^/edd $file: /" $edd/$file
done
[ -e $edd/pci_dev ] && echo "edd pci_dev: $(readlink -f $edd/pci_dev)"
by="BIOS drive 80h by its signature $bios"
if [ -d /sys/firmware/efi ]; then   # no drive numbers
    by="booted by UEFI"
    bios="0x$disk"
    dmesg | grep -e secureboot: -e RAMDISK:     # Secure Boot, and where the loader has put our initramfs
fi
[ -e /mnt/who ] && [ "$bios" = "0x$disk" ] &&
    echo "@MOUNTED@ $(cat /mnt/who) of /dev/sda ($driver), $by"
for tool in sg_inq sg_readcap; do
    [ -x /bin/$tool ] && echo "$tool:" && $tool /dev/sda && $tool --hex /dev/sda
done
[ -e /large ] && echo "large: $(md5sum < /large)"   # of tests/efi/efidisks.py
case " $(cat /proc/cmdline) " in *" poweroff "*) poweroff -f ;; esac
echo "This is a shell in the guest. Type poweroff -f to leave, or Ctrl-A X to end QEMU."
setsid sh -c 'exec sh </dev/ttyS0 >/dev/ttyS0 2>&1'
poweroff -f
"""

GRUB_EARLY = """
serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
set root=(@PARTITION@)
set prefix=(@PARTITION@)/boot/grub
configfile (@PARTITION@)/boot/grub/grub.cfg
"""

# UEFI: the files are in the first partition of the disk from which the firmware loaded GRUB.
GRUB_EFI_EARLY = """
regexp --set=1:disk '(hd[0-9]+),' "$root"
""" + GRUB_EARLY.replace("@PARTITION@", "$disk,@TABLE@1")

GRUB_CFG = """
echo "GRUB: loading Linux from $root"
set arguments="console=ttyS0 quiet edd=on panic=1 @ARGUMENTS@"
if [ $grub_platform = efi ]; then
    linux /boot/vmlinuz $arguments
    initrd /boot/initrd
else
    linux16 /boot/vmlinuz $arguments
    initrd16 /boot/initrd
fi
boot
"""


class MediaError(Exception):
    """A package or tool did not give the expected result."""


def run(*command: str | Path, cwd: Path | None = None, text_in: str | None = None) -> str:
    # depmod, mke2fs and others are not in a user's PATH but do not need root
    environment = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    result = subprocess.run([str(c) for c in command], cwd=cwd, input=text_in,
                            capture_output=True, text=True, env=environment)
    if result.returncode:
        raise MediaError(f"{' '.join(map(str, command))}: {result.stderr.strip()}")
    return result.stdout


def report(text: str) -> None:
    print(f"  MEDIA {text}", file=sys.stderr, flush=True)


def fresh(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


_depth = 0


def one_at_a_time(make):
    """Decorator for functions that make files in build/: only one process at a
    time runs them, as tests run in several processes. Nested calls do not lock
    again."""
    @functools.wraps(make)
    def locked(*arguments, **options):
        global _depth
        MEDIA.mkdir(parents=True, exist_ok=True)
        with open(MEDIA / "lock", "w") as lock:
            if not _depth:
                fcntl.flock(lock, fcntl.LOCK_EX)
            _depth += 1
            try:
                return make(*arguments, **options)
            finally:
                _depth -= 1
    return locked


def is_made(out: Path, *recipes: Path) -> bool:
    """True if the file exists and is newer than its recipes."""
    return out.exists() and all(out.stat().st_mtime > recipe.stat().st_mtime
                                for recipe in (Path(__file__), *recipes))


# ---- Linux -----------------------------------------------------------------


def _kernel_package() -> str:
    """The versioned package that linux-image-amd64 depends on."""
    out = run("apt-cache", "depends", "linux-image-amd64")
    found = re.search(r"Depends: (linux-image-\S+)", out)
    if not found:
        raise MediaError("no linux-image-amd64 in the apt lists: run apt-get update")
    return found.group(1)


def _unpack(package: str, work: Path) -> None:
    """Download a package and unpack it, without its scripts."""
    run("apt-get", "download", package, cwd=work)
    deb = next(work.glob("*.deb"))
    run("dpkg-deb", "-x", deb, work)
    deb.unlink()


@one_at_a_time
def unpacked(package: str) -> Path:
    """The files of a package which is not to be installed on this machine."""
    tree = MEDIA / "packages" / package
    if not tree.exists():
        report(f"downloading {package}")
        work = fresh(tree.with_name(f"{package}.work"))
        _unpack(package, work)
        work.rename(tree)
    return tree


@one_at_a_time
def kernel() -> Path:
    """The unpacked kernel package, with modules.dep."""
    tree = MEDIA / "kernel"
    done = tree / "done"
    if done.exists():
        return tree
    package = _kernel_package()
    report(f"downloading {package}")
    work = fresh(tree)
    _unpack(package, work)
    if not (work / "lib").exists():  # since Debian 13 all files are below usr
        (work / "lib").symlink_to("usr/lib")
    version = next((work / "lib/modules").iterdir()).name
    run("depmod", "-b", work, version)
    done.write_text(version)
    return tree


def _module_files(tree: Path, version: str, modules: list[str]) -> list[Path]:
    """Files of the modules and their dependencies, in loading order."""
    order: list[Path] = []
    for module in modules:
        out = run("modprobe", "-d", tree, "-S", version, "--show-depends", module)
        for line in out.splitlines():
            words = line.split()
            if words[0] == "insmod" and Path(words[1]) not in order:
                order.append(Path(words[1]))
    return order


def _add_module(root: Path, file: Path) -> str:
    """Add a module, uncompressed (Debian 13 compresses them); returns its file name."""
    if file.suffix != ".xz":
        return Path(shutil.copy(file, root / "modules")).name
    (root / "modules" / file.stem).write_bytes(lzma.decompress(file.read_bytes()))
    return file.stem


def _add_program(root: Path, program: str) -> None:
    """Add a program of this machine and the libraries that it is linked to."""
    source = Path(shutil.which(program) or f"/usr/bin/{program}")
    shutil.copy(source, root / "bin" / program)
    for library in re.findall(r"(/\S+) \(0x", run("ldd", source)):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)


@one_at_a_time
def initramfs(programs: tuple[str, ...], name: str = "initrd", init: str = INIT,
              modules: list[str] = MODULES, recipe: Path = Path(__file__)) -> Path:
    """A gzipped cpio archive with busybox, modules, `init` and further programs."""
    out = MEDIA / "-".join((name, *programs))
    if is_made(out, recipe):
        return out
    tree = kernel()
    version = (tree / "done").read_text()
    root = fresh(MEDIA / "initramfs")
    for folder in ("bin", "dev", "proc", "sys", "mnt", "modules"):
        (root / folder).mkdir()
    shutil.copy("/bin/busybox", root / "bin/busybox")
    order = [_add_module(root, file) for file in _module_files(tree, version, modules)]
    (root / "modules/order").write_text("\n".join(order) + "\n")
    for program in programs:
        _add_program(root, program)
    (root / "init").write_text(init.replace("@MOUNTED@", GUEST_MOUNTED)
                              .replace("@OFFSET@", str(PARTITION_START * SECTOR)))
    (root / "init").chmod(0o755)
    names = "\n".join(str(p.relative_to(root)) for p in sorted(root.rglob("*")))
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0"],
                             cwd=root, input=names.encode(), capture_output=True, check=True)
    part = MEDIA / "initramfs.gz"
    part.write_bytes(gzip.compress(archive.stdout, mtime=0))
    return part.replace(out)


# ---- A bootable disk ---------------------------------------------------------


def _grub_core(work: Path, partition: str) -> bytes:
    early = work / "early.cfg"
    early.write_text(GRUB_EARLY.replace("@PARTITION@", partition))
    core = work / "core.img"
    run("grub-mkimage", "-O", "i386-pc", "-d", GRUB_DIR, "-c", early, "-o", core,
         "-p", f"({partition})/boot/grub", *GRUB_MODULES)
    return core.read_bytes()


def grub_efi(work: Path, early: str) -> Path:
    """GRUB as an EFI program, with the configuration that it starts with."""
    (work / "early-efi.cfg").write_text(early)
    out = work / "grub.efi"
    run("grub-mkimage", "-O", "x86_64-efi", "-d", GRUB_EFI_DIR, "-c", work / "early-efi.cfg",
        "-o", out, "-p", "/boot/grub", *GRUB_EFI_MODULES)
    return out


def make_fat(image: Path, start: int, sectors: int, files: dict[str, Path], *options: str) -> None:
    """Make a FAT file system in a partition of an image. `files`: path on it, and the file;
    `options` of mformat."""
    fat = f"{image}@@{start * SECTOR}"
    run("mformat", "-i", fat, "-T", str(sectors), "-h", "255", "-s", "63", *options, "::")
    made = set()
    for path, file in files.items():
        for folder in reversed(Path(path).parents):
            if folder.name and folder not in made:
                made.add(folder)
                run("mmd", "-i", fat, f"::{folder}")
        run("mcopy", "-i", fat, file, f"::{path}")


def write_grub(image: Path, work: Path, partition: str = "hd0,msdos1", sector: int = 1) -> None:
    """Write GRUB's boot sector and, from `sector` on, its core image. The sector
    numbers are patched into both, as by grub-bios-setup."""
    boot = bytearray((GRUB_DIR / "boot.img").read_bytes())
    core = bytearray(_grub_core(work, partition))
    if len(core) > (PARTITION_START - 1) * SECTOR:
        raise MediaError("GRUB's core image does not fit before the partition")
    struct.pack_into("<Q", boot, GRUB_KERNEL_SECTOR, sector)
    struct.pack_into("<Q", core, GRUB_BLOCK_LIST, sector + 1)
    with image.open("r+b") as disk:
        table = disk.read(SECTOR)[440:]
        disk.seek(0)
        disk.write(boot[:440] + table)
        disk.seek(sector * SECTOR)
        disk.write(core)


def boot_files(work: Path, arguments: str = "", programs: tuple[str, ...] = ()) -> Path:
    """A folder with the kernel, the initramfs and a GRUB configuration."""
    files = work / "files"
    (files / "boot/grub").mkdir(parents=True)
    (files / "boot/grub/grub.cfg").write_text(GRUB_CFG.replace("@ARGUMENTS@", arguments))
    (files / "who").write_text("the ext4 file system\n")
    shutil.copy(next((kernel() / "boot").glob("vmlinuz-*")), files / "boot/vmlinuz")
    shutil.copy(initramfs(programs), files / "boot/initrd")
    return files


def make_ext4(image: Path, files: Path, start: int, sectors: int) -> None:
    """Make a file system with these files in a partition of an image."""
    run("mke2fs", "-q", "-t", "ext4", "-d", files, "-E", f"offset={start * SECTOR}", image,
         f"{sectors // 2}k")


@one_at_a_time
def linux_disk(name: str = "linux.img", arguments: str = "",
               programs: tuple[str, ...] = ()) -> Path:
    """A raw disk image that boots Linux with GRUB, by BIOS and by UEFI. `arguments` are added
    to the kernel's command line; with "poweroff" the guest ends by itself."""
    out = MEDIA / name
    if is_made(out):
        return out
    work = fresh(MEDIA / f"{name}.work")
    files = boot_files(work, arguments, programs)
    report(f"making {name}")
    image = work / "disk"
    esp = DISK_MIB * 2048 - ESP_SECTORS
    with image.open("wb") as disk:
        disk.truncate((esp + ESP_SECTORS) * SECTOR)
    run("sfdisk", "--quiet", image, text_in=(
        f"label: dos\nlabel-id: {DISK_SIGNATURE:#x}\n"
        f"start={PARTITION_START}, size={esp - PARTITION_START}, type=83, bootable\n"
        f"start={esp}, type=ef\n"))
    make_ext4(image, files, PARTITION_START, esp - PARTITION_START)
    grub = grub_efi(work, GRUB_EFI_EARLY.replace("@TABLE@", "msdos"))
    make_fat(image, esp, ESP_SECTORS, {EFI_FALLBACK: grub}, "-c", "1")
    write_grub(image, work)
    image.replace(out)
    shutil.rmtree(work)
    return out


# ---- SeaBIOS without LSI_SCSI --------------------------------------------------


def _source_package(name: str, work: Path) -> Path:
    """Fetch and unpack a Debian source package. Separate apt lists avoid the need
    for root and for a deb-src line in the system's configuration."""
    lists, parts = work / "lists", work / "parts"
    (lists / "partial").mkdir(parents=True)
    parts.mkdir()
    found = False
    for file in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]:
        if not file.is_file() or file.suffix not in (".list", ".sources"):
            continue
        text = file.read_text()
        if "debian.org" not in text and "debian" not in file.name and file.suffix != ".list":
            continue
        text = re.sub(r"(?m)^deb\s", "deb-src ", text)
        text = re.sub(r"(?m)^Types:.*$", "Types: deb-src", text)
        (parts / file.name).write_text(text)
        found = True
    if not found:
        raise MediaError("no Debian package source found in /etc/apt")
    apt = ["apt-get", "-o", "Dir::Etc::sourcelist=/dev/null",
           "-o", f"Dir::Etc::sourceparts={parts}", "-o", f"Dir::State::lists={lists}",
           "-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1"]
    run(*apt, "update")
    run(*apt, "source", name, cwd=work)
    return next(p for p in work.glob(f"{name}-*") if p.is_dir())


def _seabios_source() -> Path:
    tree = MEDIA / "seabios"
    if not (tree / "Makefile").exists():
        work = fresh(MEDIA / "seabios.work")
        shutil.rmtree(tree, ignore_errors=True)
        _source_package("seabios", work).rename(tree)
        shutil.rmtree(work)
    return tree


@one_at_a_time
def seabios_without_lsi(*without: str) -> Path:
    """SeaBIOS with all drivers except the one for our chip. `without`: options
    that are off too, such as "PMM"."""
    options = ["QEMU=y", "ROM_SIZE=256", "LSI_SCSI=n", *(f"{name}=n" for name in without)]
    out = MEDIA / ("-no".join(["bios-nolsi", *without]).lower() + ".bin")
    if is_made(out):
        return out
    report(f"building SeaBIOS: {out.name}")
    tree = _seabios_source()
    (tree / ".config").write_text("".join(f"CONFIG_{option}\n" for option in options))
    run("make", "-C", tree, "PYTHON=python3", "olddefconfig")
    config = (tree / ".config").read_text()
    for option in options:
        name, value = option.split("=")
        if value in "yn" and (f"CONFIG_{name}=y\n" in config) != (value == "y"):
            raise MediaError(f"SeaBIOS's configuration rejects {option}")
    run("make", "-C", tree, "PYTHON=python3", "-j2")
    return shutil.copy(tree / "out/bios.bin", tree / "part").replace(out)


def main(argv: list[str]) -> int:
    make = {"linux": linux_disk, "nolsi": seabios_without_lsi}
    if len(argv) != 1 or argv[0] not in make:
        print(f"usage: media.py {'|'.join(make)}", file=sys.stderr)
        return 1
    try:
        print(make[argv[0]]())
    except (MediaError, OSError) as error:
        print(f"media.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
