# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the switches, which are files of fw_cfg, QEMU's configuration device:
limits of each value, invalid values, and machines without fw_cfg, whose ports
are not accessed.
"""

from __future__ import annotations

import pytest

from tests.model.bios import Bios
from tests.model.bios_data import BOCHS, HARD_DISKS, MEMORY_SIZE, NO_BBS, SEABIOS
from tests.model.bus import HANG
from tests.model.devices import FwCfg
from tests.model.eeprom import Eeprom
from tests.model.eltorito import Disc, Entry, Section, loader
from tests.model.pc import Pc
from tests.model.registers import SCID
from tests.model.rules import RuleViolation
from tests.model.target import CD_ROM, Disk, cd_rom
from tests.rom.bios.multi_controller import (booted, booted_with, lines, machine, machine_with,
                                             named_disk, owner, owners)
from tests.rom.cd.cdboot import boot, cd_entries, check_running, with_cd
from tests.rom.strict import ROMS, TIMEOUT, VARIANTS, edd

FOLDER = "opt/lsi8xx-rom/"
SECOND = 1_000_000_000
KEY_2 = 0x0332
# Switches with numbers: largest value, and default without a file (None: the chip's register)
SWITCHES = {"verbose": (1, 0), "banner": (1, 1), "scan-delay": (60, 0), "host-id": (15, None),
            "bus-reset": (1, 1), "native-blocks": (1, 0), "take-over": (1, 0), "boot-timeout": (60, 5)}
BAD = {"empty": b"", "a letter": b"x", "a letter after": b"1x", "a sign": b"-1", "plus": b"+1",
       "space before": b" 1", "space after": b"1 ", "hexadecimal": b"0x1", "new line": b"\n",
       "two new lines": b"1\n\n", "line end of DOS": b"1\r\n", "zero byte": b"1\0", "61": b"61",
       "256": b"256", "65536": b"65536", "2^32": b"4294967296", "2^32 + 1": b"4294967297",
       "many digits": b"0" * 5000 + b"1", "binary": bytes(range(256)), "fraction": b"1.0"}

variants = pytest.mark.parametrize("variant", VARIANTS)


def switched(**values: bytes | int | str) -> FwCfg:
    """Underscores stand for hyphens."""
    return FwCfg({FOLDER + name.replace("_", "-"):
                  value if isinstance(value, bytes) else str(value).encode()
                  for name, value in values.items()})


def complaints(pc: Pc) -> list[str]:
    """The switches reported as bad in POST."""
    end = ": bad value, ignored"
    return [line.split(FOLDER)[1][:-len(end)] for line in lines(pc)
            if line.startswith(f"lsi8xx-rom 0.1.0: {FOLDER}") and line.endswith(end)]


def check_no_complaints(pc: Pc) -> None:
    assert "opt/" not in pc.text and "bad value" not in pc.text


# ---- Invalid values ----------------------------------------------------------------------


def defaults_seen(pc: Pc, resets: list[int]) -> dict[str, bool]:
    """For each switch, whether the machine behaves as it does without a file."""
    return {"verbose": ": ready" not in pc.text, "banner": "80h: SCSI" in pc.text,
            "scan-delay": pc.chip.now < 8 * SECOND,
            "host-id": pc.chip.registers[SCID] & 0x0F == 7 and "host ID 7" in pc.text,
            "bus-reset": len(resets) == 1, "native-blocks": edd(pc).sector_bytes == 512}


def counting_resets(pc: Pc) -> list[int]:
    resets, reset = [], pc.bus.reset
    pc.bus.reset = lambda: (resets.append(pc.chip.now), reset())
    return resets


@pytest.mark.parametrize("value", BAD.values(), ids=BAD.keys())
def test_bad_value_is_reported_and_ignored(value):
    """All switches have the bad value at once."""
    names = [*SWITCHES, "geometry"]
    pc = machine(fwcfg=FwCfg({FOLDER + name: value for name in names}))
    pc.bus.targets[0] = Disk(block_bytes=2048, blocks=16384)
    resets = counting_resets(pc)
    pc.power_on()
    assert sorted(complaints(pc)) == sorted(names)
    assert all(defaults_seen(pc, resets).values())


def test_observed_behaviour_depends_on_the_switches():
    """Verifies that the test above can fail."""
    pc = machine(fwcfg=switched(verbose=1, scan_delay=9, host_id=5, bus_reset=0, native_blocks=1))
    pc.bus.targets[0] = Disk(block_bytes=2048, blocks=16384)
    resets = counting_resets(pc)
    pc.power_on()
    check_no_complaints(pc)
    assert [name for name, is_default in defaults_seen(pc, resets).items() if is_default] == ["banner"]


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("step", [0, 1])
def test_largest_value_is_accepted_and_the_next_rejected(name, step):
    value = SWITCHES[name][0] + step
    pc = booted(fwcfg=switched(**{name: value}))
    assert complaints(pc) == [name] * step
    assert [owner(pc, 0x80 + i) for i in (0, 1)] == [(0, 0), (0, 3)]


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("value", ["0", "0\n", "00", "1\n", "01", "001\n"])
def test_leading_zeros_and_trailing_newline_are_accepted(name, value):
    pc = booted(fwcfg=switched(**{name: value}))
    check_no_complaints(pc)
    assert [owner(pc, 0x80 + i) for i in (0, 1)] == [(0, 0), (0, 3)]


def test_files_with_similar_names_are_not_switches():
    names = ["opt/lsi8xx-rom/", "opt/lsi8xx-rom/banne", "opt/lsi8xx-rom/banner2", "banner",
             "opt/lsi8xx-rom/Banner", "opt/lsi8xx-rombanner", "opt/lsi8xx-rom/banner/x",
             "opt/lsi8xx-rom/" + "banner" * 6]
    pc = booted(fwcfg=FwCfg({name: b"0" for name in names}))
    assert "80h: SCSI" in pc.text
    check_no_complaints(pc)


def test_switches_are_found_among_many_files():
    files = {f"etc/file{i}": b"x" * i for i in range(200)}
    files[FOLDER + "banner"] = b"0"
    pc = booted(fwcfg=FwCfg({**files, **{f"etc/more{i}": b"" for i in range(200)}}))
    assert pc.text == ""
    assert owner(pc, 0x80) == (0, 0)


# ---- Machines other than QEMU --------------------------------------------------------------


@variants
@pytest.mark.parametrize("manner", [SEABIOS, NO_BBS, BOCHS])
def test_fw_cfg_ports_are_not_accessed_without_fw_cfg(variant, manner):
    """The model rejects any access to them."""
    pc = booted(variant=variant, bios=Bios(manner))
    if manner != SEABIOS:
        pc.bios.bootstrap()
    assert owners(pc) == [(0, 0), (0, 3)]


def test_fw_cfg_ports_are_not_accessed_after_post():
    """The boot switches are read in POST."""
    pc = with_cd("895A", MENU, fwcfg=switched(boot_timeout=0))
    assert boot(pc, *MENU.loads).booted
    with pytest.raises(RuleViolation, match="port not ours"):
        pc._port_in(None, FwCfg.DATA, 1, None)


def test_qemu_without_fw_cfg_uses_defaults():
    pc = booted(fwcfg=FwCfg({FOLDER + "banner": b"0"}, present=False))
    assert "80h: SCSI" in pc.text


# ---- verbose -----------------------------------------------------------------------------


def mixed(variant: str = "895A", manner: str = SEABIOS, **switches) -> Pc:
    """A disk, a tape, a disk with a second LUN, a CD, and a disk with unsupported blocks."""
    pc = Pc(ROMS[variant], variant, bios=Bios(manner), fwcfg=switched(**switches))
    behind = Disk(product=b"BEHIND          ", lun=1)
    pc.bus.targets = {
        0: named_disk(0, 0), 1: Disk(type=1, product=b"TAPE            "),
        2: Disk(product=b"TWO UNITS       ", luns={1: behind}), 4: cd_rom(),
        5: Disk(product=b"STRANGE BLOCKS  ", block_bytes=520)}
    return pc


@variants
def test_verbose_prints_a_line_for_every_unit(variant):
    pc = mixed(variant, verbose=1)
    pc.power_on()
    printed = [line.strip() for line in lines(pc) if line.startswith("  ")]
    ends = {0: "DISK: ready", 1: "TAPE: neither disk nor CD", 2: "UNITS: ready",
            5: "BLOCKS: blocks of 520 bytes are not supported"}
    for scsi_id, end in ends.items():
        assert [line for line in printed if line.startswith(f"ID {scsi_id} LUN 0 BENCH ")
                and line.endswith(end)], (scsi_id, printed)
    assert any(line.startswith("ID 2 LUN 1 ") and line.endswith("BEHIND: ready") for line in printed)
    assert any(line.startswith("ID 4 LUN 0 ") and line.endswith(": ready") for line in printed)
    assert len(printed) == 7 and printed[-1] == "3 disks, 1 CD"


@pytest.mark.parametrize("switches", [{}, {"verbose": 0}])
def test_without_verbose_only_errors_are_printed(switches):
    pc = mixed(**switches)
    pc.power_on()
    printed = [line for line in lines(pc) if line.startswith("  ")]
    assert [line.split(": ")[1] for line in printed[:-1]] == ["blocks of 520 bytes are not supported"]
    assert printed[-1] == "  3 disks, 1 CD"


def test_verbose_prints_nothing_for_unused_ids():
    pc = Pc(ROMS["895A"], fwcfg=switched(verbose=1))
    pc.power_on()
    assert [line for line in lines(pc) if "ID " in line.replace("host ID", "")] == []


# ---- banner ------------------------------------------------------------------------------


@variants
@pytest.mark.parametrize("manner", [SEABIOS, NO_BBS])
@pytest.mark.parametrize("verbose", [0, 1])
def test_banner_0_prints_nothing(variant, manner, verbose):
    pc = mixed(variant, manner, banner=0, verbose=verbose)
    pc.power_on()
    if manner == NO_BBS:
        pc.bios.bootstrap()
    assert pc.text == ""
    assert owner(pc, 0x80) == (0, 0)


@pytest.mark.parametrize("options", [
    dict(bar0=0), dict(bios=dict(disks=32)), dict(rom_writable=False),
    dict(bios=dict(pmm="1.00"), kib=0)],
    ids=["no ports", "no number is free", "read-only image", "no memory"])
def test_banner_0_hides_failures(options):
    kib, bios = options.pop("kib", None), Bios(**options.pop("bios", {}))
    pc = machine(fwcfg=switched(banner=0), bios=bios, **options)
    if kib is not None:
        pc.poke(MEMORY_SIZE, bytes(2))
    pc.power_on()
    assert pc.text == ""
    assert pc.peek(HARD_DISKS, 1)[0] == bios.disks, "the ROM has failed"


def test_banner_0_hides_an_unresponsive_chip():
    pc = machine(fwcfg=switched(banner=0))
    pc.bus.stuck_reset = True
    pc.power_on()
    assert pc.text == ""


def test_banner_0_hides_bad_values():
    pc = booted(fwcfg=switched(banner=0, host_id="x", scan_delay="x"))
    assert pc.text == ""
    assert owner(pc, 0x80) == (0, 0)


def test_banner_0_hides_second_copies():
    pc = booted_with("two", 0x20, 0x20, 0x28, fwcfg=switched(banner=0))
    assert pc.text == ""
    assert owners(pc) == [(0, 0), (0, 3), (1, 0), (1, 3)]


def test_banner_0_still_prints_why_a_cd_does_not_boot():
    pc = with_cd("895A", drive={"medium": False}, fwcfg=switched(banner=0))
    assert pc.text == ""
    assert not boot(pc, range(0x7C00, 0x7E00)).booted
    assert "not bootable" in pc.text


def test_banner_0_still_prints_the_cd_menu():
    pc = with_cd("895A", MENU, fwcfg=switched(banner=0))
    assert boot(pc, *MENU.loads).booted
    assert "Boot entry (1-2)?" in pc.text


# ---- scan-delay --------------------------------------------------------------------------


@variants
@pytest.mark.parametrize("seconds", [0, 1, 7, 60])
def test_scan_delay_is_the_time_from_reset_to_first_command(variant, seconds):
    """In virtual time a wait may be longer, but not shorter."""
    pc = machine(variant=variant, fwcfg=switched(scan_delay=seconds))
    resets, commands = counting_resets(pc), []

    def note(bus):
        commands.append(pc.chip.now)
        yield from ()
    pc.bus.targets[0].before_command = note
    pc.power_on()
    waited = (commands[0] - resets[0]) / SECOND
    assert seconds <= waited <= seconds * 1.5 + 1


# ---- host-id -----------------------------------------------------------------------------


def own_id(pc: Pc) -> int:
    return pc.chip.registers[SCID] & 0x0F


@pytest.mark.parametrize("variant, host_id", [
    *(("895A", i) for i in (0, 1, 6, 7, 8, 15)), *(("810", i) for i in (0, 5, 7))])
def test_host_id_switch_sets_the_controller_id(variant, host_id):
    others = [i for i in (0, 2, 7, 15) if i != host_id and (variant == "895A" or i < 8)]
    pc = booted(*others, variant=variant, fwcfg=switched(host_id=host_id))
    assert own_id(pc) == host_id
    assert f"host ID {host_id}," in pc.text
    assert owners(pc) == [(0, i) for i in others]


@pytest.mark.parametrize("variant, host_id", [("810", 8), ("810", 15), ("895A", 16)])
def test_host_id_outside_the_bus_width_is_rejected(variant, host_id):
    pc = booted(variant=variant, fwcfg=switched(host_id=host_id))
    assert complaints(pc) == ["host-id"]
    assert own_id(pc) == 7


@pytest.mark.parametrize("found, expected", [(0x00, 7), (0x05, 5)])
def test_default_host_id_comes_from_scid(found, expected):
    pc = machine(0, 3, fwcfg=FwCfg())
    pc.chip.registers[SCID] = found
    pc.power_on()
    assert own_id(pc) == expected


@variants
@pytest.mark.parametrize("host_id", [3, 7])
def test_on_qemu_a_disk_may_share_the_host_id(variant, host_id):
    pc = booted(0, host_id, variant=variant, fwcfg=switched(host_id=host_id))
    assert owners(pc) == [(0, 0), (0, host_id)]


@variants
def test_on_other_machines_the_host_id_is_not_selected(variant):
    """The model rejects a selection of the own ID."""
    pc = booted(0, 3, variant=variant)
    assert own_id(pc) == 7
    with pytest.raises(RuleViolation, match="own ID clashes"):
        booted(0, 7, variant=variant)


# ---- bus-reset ---------------------------------------------------------------------------


@variants
@pytest.mark.parametrize("value, times", [(0, 0), (1, 1)])
def test_bus_reset_switch(variant, value, times):
    pc = machine(variant=variant, fwcfg=switched(bus_reset=value))
    resets = counting_resets(pc)
    pc.power_on()
    assert len(resets) == times
    assert owners(pc) == [(0, 0), (0, 3)]


def test_bus_reset_0_does_not_disable_resets_by_int_13h():
    """The switch applies to POST only; a hung target needs the reset."""
    pc = machine(fwcfg=switched(bus_reset=0))
    resets = counting_resets(pc)
    pc.power_on()
    target = pc.bus.targets[0]
    target.deaf, target.data_hook = True, lambda bus, data: iter([HANG])
    assert (pc.read(0, 1).ah, len(resets)) == (TIMEOUT, 1)
    target.deaf, target.data_hook = False, None
    assert owners(pc) == [(0, 0), (0, 3)]


# ---- native-blocks -----------------------------------------------------------------------


@variants
@pytest.mark.parametrize("value, size", [(0, 512), (1, 2048)])
def test_native_blocks_switch_sets_the_reported_sector_size(variant, value, size):
    pc = Pc(ROMS[variant], variant, fwcfg=switched(native_blocks=value))
    pc.bus.targets = {0: Disk(block_bytes=2048, blocks=16384)}
    pc.power_on()
    assert edd(pc).sector_bytes == size


# ---- boot-timeout ------------------------------------------------------------------------

MENU = Disc(Entry(loader(4), segment=0x1000),
            (Section((Entry(loader(4, seed=9), segment=0x2000),)),))


def boot_with_menu(*keys: tuple[int, int], eeprom: Eeprom | None = None, **switches) -> tuple[Pc, int]:
    """A machine that has booted a disc with two images, and the time it needed."""
    pc = with_cd("895A", MENU, fwcfg=switched(**switches), bios=Bios(), eeprom=eeprom)
    pc.bios.keys.extend(keys)
    before = pc.chip.now
    result = boot(pc, *MENU.loads)
    chosen = MENU.default if not keys else MENU.sections[0].entries[0]
    check_running(pc, result, MENU, chosen)
    return pc, pc.chip.now - before


@pytest.mark.parametrize("seconds", [1, 5, 60])
def test_menu_waits_for_the_boot_timeout(seconds):
    pc, took = boot_with_menu(boot_timeout=seconds)
    assert "Boot entry (1-2)? 1" in pc.text
    assert seconds * SECOND * 0.9 <= took <= seconds * SECOND * 1.1 + SECOND


def test_default_boot_timeout_is_five_seconds():
    assert 4.5 * SECOND <= boot_with_menu()[1] <= 6.5 * SECOND


def test_boot_timeout_0_boots_the_first_image_without_menu():
    pc, took = boot_with_menu(boot_timeout=0)
    assert "Boot entry" not in pc.text and "default entry" not in pc.text
    assert took < SECOND
    assert not [line for line in lines(pc) if line.startswith("  1")]


@pytest.mark.parametrize("seconds, typed_at", [(1, 0.5), (60, 50)])
def test_key_before_the_timeout_selects_the_image(seconds, typed_at):
    pc, took = boot_with_menu((int(typed_at * SECOND), KEY_2), boot_timeout=seconds)
    assert "Boot entry (1-2)? 2" in pc.text
    assert took >= typed_at * SECOND


# ---- Several controllers -----------------------------------------------------------------


def test_switches_apply_to_all_copies():
    pc = machine_with("three", ids=(0, 3), fwcfg=switched(host_id=5, banner=0))
    pc.power_on()
    assert [card.chip.registers[SCID] & 0x0F for card in pc.cards] == [5, 5, 5]
    assert pc.text == ""
    assert len(owners(pc)) == 6


def test_each_copy_reports_each_bad_value_once():
    pc = booted_with("two", fwcfg=switched(host_id="x", verbose=2))
    assert complaints(pc) == ["verbose", "host-id"] * 2


def test_verbose_counts_cds_separately():
    pc = Pc(ROMS["895A"], fwcfg=switched(verbose=1))
    pc.bus.targets = {2: cd_rom()}
    assert pc.bus.targets[2].type == CD_ROM
    pc.power_on()
    assert "no disk, 1 CD" in pc.text.replace("0 disks", "no disk") and cd_entries(pc)
