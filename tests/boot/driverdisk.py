# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A disk with GRUB and a Linux guest. The guest reads every SCSI disk through the
kernel's driver, prints the results and the kernel log, and then reads on until
the machine is reset or ends.
"""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import media
from media import SECTOR, one_at_a_time

from tests.boot.bootdisks import SIGNATURE_OFFSET

RAM = ["-m", "256"]
READ = "guest: read"
LOG_BEGINS, LOG_ENDS = "guest: log", "guest: end of log"
READS_ON = "guest: reads on"
SECTORS = 32 * 2048  # of the disk
START = 2048         # of the partition

# Modules load in this order: all disks are detected before sd_mod is loaded.
INIT = f"""#!/bin/busybox sh
# Made by tests/boot/driverdisk.py: the first process of its guest.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
echo 1 > /proc/sys/kernel/printk
for module in $(cat /modules/order); do insmod /modules/$module 2>/dev/null; done
disks=$(ls -d /sys/bus/scsi/devices/[0-9]* | wc -l)
for try in $(seq 300); do [ $(dmesg | grep -c 'Attached SCSI disk') = $disks ] && break; sleep 0.1; done
for disk in $(ls /sys/block | grep ^sd); do
    [ -b /dev/${{disk}}1 ] || continue
    mount -t ext4 -o ro /dev/${{disk}}1 /mnt
    driver=$(basename $(readlink -f $(readlink -f /sys/block/$disk/device)/../../../driver))
    echo "{READ} $(readlink -f /sys/block/$disk/device | grep -o '[^/]*/host.*') \\
$(md5sum < /mnt/boot/initrd | cut -c 1-32) $driver"
    umount /mnt
done
echo "{LOG_BEGINS}"
dmesg -r
echo "{LOG_ENDS}"
echo "{READS_ON}"
while cat /dev/sd* > /dev/null; do echo 3 > /proc/sys/vm/drop_caches; done
poweroff -f
"""

GRUB_CFG = """
echo "GRUB: kernel from $root, the rest from @REST@"
linux16 /boot/vmlinuz console=ttyS0 quiet panic=1 scsi_mod.scan=sync
initrd16 (@REST@)/boot/initrd
boot
"""


def boot_files(work: Path, rest: str) -> Path:
    initrd = media.initramfs((), "initrd-driver", INIT, ["sym53c8xx", "sd_mod", "ext4"],
                             Path(__file__))
    files = work / "files"
    (files / "boot/grub").mkdir(parents=True)
    (files / "boot/grub/grub.cfg").write_text(GRUB_CFG.replace("@REST@", rest))
    shutil.copy(next((media.kernel() / "boot").glob("vmlinuz-*")), files / "boot/vmlinuz")
    shutil.copy(initrd, files / "boot/initrd")
    return files


@one_at_a_time
def driver_disk(rest: str = "hd0,msdos1") -> Path:
    """GRUB loads the kernel from its own disk and the initramfs from `rest`."""
    out = media.MEDIA / f"driver-{rest.split(',')[0]}.img"
    if media.is_made(out, Path(__file__)):
        return out
    work = media.fresh(media.MEDIA / f"{out.name}.work")
    files = boot_files(work, rest)
    image = work / "disk"
    with image.open("wb") as disk:
        disk.truncate(SECTORS * SECTOR)
        disk.seek(SIGNATURE_OFFSET)
        disk.write(struct.pack("<I", media.DISK_SIGNATURE))
    media.run("sfdisk", "--quiet", image,
              text_in=f"label: dos\nstart={START}, type=83, bootable\n")
    media.make_ext4(image, files, START, SECTORS - START)
    media.write_grub(image, work)
    image.replace(out)
    shutil.rmtree(work)
    return out
