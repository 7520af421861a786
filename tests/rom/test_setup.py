# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the set-up screen, key by key: its pages as text, every field, and what is saved. POST takes most of
the time, so a test does much in one session.
"""

from __future__ import annotations

import pytest

from tests.build import BUILD
from tests.model.bios import Bios
from tests.model.chip_faults import removed_at
from tests.model.eeprom import SDA, Eeprom, Faults, TekramEeprom, tekram_words
from tests.model.nvram_blocks import (AVOID_RESET, BOOT_DRIVE, BOOTS, CD_FIRST, CHS_ALTERNATE, DISCONNECTS, LUNS,
                                      NATIVE_BLOCKS, NONE, OWN_AT, OWN_BYTES, PARITY, QUIET, SCANNED, SCAN_DOWN,
                                      SYMBIOS_AT, TAGS, VERBOSE, Card, Own, Target, image)
from tests.model.pc import Pc
from tests.model.registers import MS
from tests.model.target import Disk
from tests.rom.setup_user import (DOWN, END, ENTER, ESC, F1, F2, FIRST_ROW, HELP, HOME, KEYS, LEFT, LOCKED, MINUS,
                                  NOTE, PAGE_DOWN, PAGE_UP, PLUS, REASON, RIGHT, TITLE, UP, change, chosen, discard,
                                  enter, first_page, go_to, row, rows, save, use)

HERE = "53C895A"


def quick_eeprom(card: Card | None = None, own: Own | None = None) -> Eeprom:
    """With write cycles that do not take most of a test's time"""
    return Eeprom(image(card, own), write_ns=MS // 4)


def machine(variant: str = "895A", targets: dict | None = None, **options) -> Pc:
    options.setdefault("eeprom", quick_eeprom())
    options.setdefault("bios", Bios(keyboard=True))
    pc = Pc(BUILD / f"lsi53c{variant.lower()}.rom", variant, **options)
    pc.bus.targets = {0: Disk(), 3: Disk()} if targets is None else targets
    return pc


def stored(pc: Pc) -> tuple[bytes, bytes]:
    content = pc.eeprom.content
    return content[SYMBIOS_AT:SYMBIOS_AT + 368], content[OWN_AT:OWN_AT + OWN_BYTES]


# ---- Pages -------------------------------------------------------------------------------


PAGES = {
    (): """lsi8xx-rom 0.1.0 set-up: controllers


                         I/O   IRQ NVRAM    Boots

> 53C895A at PCI 00:04.0 c000  0   blank    1
  All controllers""",
    (HERE,): """lsi8xx-rom 0.1.0 set-up: 53C895A at PCI 00:04.0




> Devices
  Boots             yes
  Host ID           7
  Parity            yes
  Scan order        upwards
  Removable disks   all
  Geometry          usual
  Spin-up delay     0 s
  Scan delay        0 s
  Avoid bus resets  no
  Defaults""",
    (HERE, "Devices"): """lsi8xx-rom 0.1.0 set-up: devices of 53C895A at PCI 00:04.0




> ID 0  BENCH STRICT DISK 1.0
  ID 1  no device
  ID 2  no device
  ID 3  BENCH STRICT DISK 1.0
  ID 4  no device
  ID 5  no device
  ID 6  no device
  ID 7  controller
  ID 8  no device
  ID 9  no device
  ID 10 no device
  ID 11 no device
  ID 12 no device
  ID 13 no device
  ID 14 no device
  ID 15 no device""",
    (HERE, "Devices", "ID 3"): """lsi8xx-rom 0.1.0 set-up: device of 53C895A at PCI 00:04.0

ID 3    BENCH STRICT DISK 1.0
ready, 32 MiB, blocks of 512, asynchronous, 8 bits

> Scan              yes
  LUNs              yes
  Disconnect        yes
  Time-out          10 s
  MT/s              10
  Width             16 bits
  Queue tags        yes
  Boots first       no
  Verify
  Format
  Defaults""",
    ("All controllers",): """lsi8xx-rom 0.1.0 set-up: all controllers




> Banner            yes
  Verbose           no
  CD before disk    no
  CD menu           5 s
  Key for set-up    1 s
  Native blocks     no
  Defaults""",
}


def test_pages():
    def script(screen):
        for path, page in PAGES.items():
            yield from enter(screen, *path)
            assert "\n".join(screen.lines[:NOTE]).rstrip("\n") == page
            assert screen.lines[KEYS] == "Arrows, + -, Enter, Esc, F1: help, F2: menu"
            if path == CONTROLLER:      # what can be changed is bright
                assert (screen.colours(FIRST_ROW), screen.colours(FIRST_ROW + 1)) == ({0x70}, {0x0F})
            yield from first_page(screen)
        yield from discard(screen)
    use(machine(), script)


def test_page_leave():
    def script(screen):
        yield ESC
        assert rows(screen) == ["> Save and restart", "  Discard and restart", "  Back"]
        yield ESC
        assert screen.lines[TITLE].endswith(": controllers")
        yield ESC
        yield from enter(screen, "Back")
        assert screen.lines[TITLE].endswith(": controllers")
        yield from discard(screen)
    use(machine(), script)


def test_help_follows_the_choice():
    """Each row of each page has one."""
    helps = {}

    def collect(screen):
        yield HOME
        for line in rows(screen):
            assert chosen(screen) == line[2:]
            helps[line[2:].split("  ")[0]] = screen.lines[HELP]
            assert screen.lines[HELP], line
            yield DOWN

    def script(screen):
        for path in PAGES:
            yield from enter(screen, *path)
            yield from collect(screen)
            yield from first_page(screen)
        yield ESC
        yield from collect(screen)
        yield from discard(screen)
    use(machine(), script)
    assert len(helps) == 48
    assert helps["Parity"] == "No: no disconnects, either"
    assert helps["Scan delay"] == "Before the scan"
    assert helps["ID 0"] == helps["ID 15 no device"] == "Its settings"
    assert helps["Save and restart"] == "To the NVRAM"


def test_keys_that_move():
    def script(screen):
        yield from enter(screen, HERE)
        for key, label in ((END, "Defaults"), (DOWN, "Defaults"), (UP, "Avoid"), (HOME, "Devices"), (UP, "Devices"),
                           (DOWN, "Boots"), (0x2C7A, "Boots"), (0x3D00, "Boots")):
            yield key
            assert chosen(screen).startswith(label)
        yield from discard(screen)
    use(machine(), script)


def test_f1_tells_the_keys_and_f2_leads_to_the_first_page():
    def script(screen):
        yield from enter(screen, HERE, "Devices", "ID 3")
        yield DOWN
        yield F1
        assert screen.lines[NOTE] == "Home End: first, last. PgUp PgDn: 100. Enter: open, run. Esc: back"
        assert (chosen(screen)[:4], screen.lines[HELP]) == ("LUNs", "Yes: above 0, too")
        yield F2
        assert (screen.lines[NOTE], chosen(screen)) == ("", "All controllers")
        assert screen.lines[TITLE].endswith(": controllers")
        yield F2
        assert chosen(screen) == "All controllers"
        yield from discard(screen)
    use(machine(), script)


@pytest.mark.parametrize("mode, used", [(2, 3), (7, 7), (0x12, 3)])
def test_screen_is_a_text_mode_of_the_adapter(mode, used):
    pc = machine("810")
    pc.bios.screen.mode = mode
    assert use(pc, discard).mode == used


# ---- Fields ------------------------------------------------------------------------------


def flag(path, label, values, field, bit, on):
    """A field of one bit: its value changes with each key."""
    return path, label, [PLUS], values, field, bit, on


def value(path, label, keys, values, field, wanted):
    return path, label, keys, values, field, None, wanted


CONTROLLER, DEVICE, ALL = (HERE,), (HERE, "Devices", "ID 3"), ("All controllers",)
CARD_FLAGS, CARD_FLAGS1, CARD_REMOVABLE, HOST_ID, CARD_FLAGS2 = 12, 14, 18, 20, 25
HOST_FLAGS = 26 + 10
TARGETS_AT = 26 + 4 * 14
TARGET = TARGETS_AT + 3 * 8
OWN = 1000      # offsets in our own block are counted from here
OWN_FLAGS, SCAN_DELAY, SPIN_UP, BOOT_TIMEOUT, WINDOW, BOOT_IDS = (OWN + n for n in (7, 8, 9, 10, 11, 12))

# "Parity" comes after the disconnects, which it turns off
FIELDS = [
    flag(DEVICE, "Scan", ["yes", "no"], TARGET, SCANNED, False),
    flag(DEVICE, "LUNs", ["yes", "no"], TARGET, LUNS, False),
    flag(DEVICE, "Disconnect", ["yes", "no"], TARGET, DISCONNECTS, False),
    value(DEVICE, "Time-out", [PAGE_UP, PAGE_UP, PLUS], ["10 s", "211 s"], TARGET + 6, 211),
    value(DEVICE, "MT/s", [LEFT], ["10", "5"], TARGET + 4, 200),
    value(DEVICE, "Width", [MINUS], ["16 bits", "8 bits"], TARGET + 2, 8),
    flag(DEVICE, "Queue tags", ["yes", "no"], TARGET, TAGS, False),
    value(DEVICE, "Boots first", [PLUS], ["no", "1st"], BOOT_IDS, 3),
    value(CONTROLLER, "Host ID", [MINUS], ["7", "6"], HOST_ID, 6),
    flag(CONTROLLER, "Parity", ["yes", "no"], CARD_FLAGS, PARITY, False),
    flag(CONTROLLER, "Scan order", ["upwards", "downwards"], CARD_FLAGS1, SCAN_DOWN, True),
    value(CONTROLLER, "Removable disks", [MINUS], ["all", "boot drive"], CARD_REMOVABLE, BOOT_DRIVE),
    flag(CONTROLLER, "Geometry", ["usual", "SCSI CAM"], CARD_FLAGS, CHS_ALTERNATE, False),
    value(CONTROLLER, "Spin-up delay", [RIGHT] * 3, ["0 s", "3 s"], SPIN_UP, 3),
    value(CONTROLLER, "Scan delay", [ord("=")] * 2, ["0 s", "2 s"], SCAN_DELAY, 2),
    flag(CONTROLLER, "Avoid bus resets", ["no", "yes"], CARD_FLAGS2, AVOID_RESET, True),
    flag(ALL, "Banner", ["yes", "no"], OWN_FLAGS, QUIET, True),
    flag(ALL, "Verbose", ["no", "yes"], CARD_FLAGS, VERBOSE, True),
    flag(ALL, "CD before disk", ["no", "yes"], OWN_FLAGS, CD_FIRST, True),
    value(ALL, "CD menu", [PLUS], ["5 s", "6 s"], BOOT_TIMEOUT, 6),
    value(ALL, "Key for set-up", [PLUS], ["1 s", "2 s"], WINDOW, 2),
    flag(ALL, "Native blocks", ["no", "yes"], OWN_FLAGS, NATIVE_BLOCKS, True),
]
BOOTS_FIELD = flag(CONTROLLER, "Boots", ["yes", "no"], HOST_FLAGS, BOOTS, False)
WORDS = {CARD_REMOVABLE, TARGET + 4, TARGET + 6}


def field_of(pc: Pc, at: int) -> int:
    card, own = stored(pc)
    block, at = (own, at - OWN) if at >= OWN else (card, at)
    return int.from_bytes(block[at:at + (2 if at in WORDS else 1)], "little")


def at_each_field(screen, fields, act):
    """Go to each row, and act(label, keys, values) there."""
    open_path = None
    for path, label, keys, values, *_ in fields:
        if path != open_path:
            yield from first_page(screen)
            yield from enter(screen, *path)
            open_path = path
        yield from go_to(screen, label)
        yield from act(label, keys, values)


def change_and_save(pc: Pc, fields) -> None:
    def script(screen):
        def press(label, keys, values):
            assert row(screen, label) == values[0]
            yield from keys
            assert row(screen, label) == values[1]
        yield from at_each_field(screen, fields, press)
        yield from save(screen)
    use(pc, script)
    for _, label, _, _, at, bit, wanted in fields:
        byte = field_of(pc, at)
        assert (bool(byte & bit) if bit else byte) == wanted, label


def test_fields_are_changed_saved_and_read_again():
    """All but one, and no byte that belongs to none of them."""
    pc = machine(eeprom=quick_eeprom(Card(targets={i: Target(width=16, offset=16) for i in range(16)}), Own()))
    before = b"".join(stored(pc))
    change_and_save(pc, FIELDS)
    after = b"".join(stored(pc))
    fields = {at % OWN + (368 if at >= OWN else 0) + n
              for *_, at, _, _ in FIELDS for n in range(2 if at in WORDS else 1)}
    sums_and_hosts = {4, 5, 368 + 4, 368 + 5, *range(26, TARGETS_AT)}
    disconnects = {TARGETS_AT + 8 * i for i in range(16)}
    changed = {i for i in range(400) if after[i] != before[i]}
    assert changed - sums_and_hosts - disconnects <= fields

    def read(screen):
        assert "yes" in screen.lines[FIRST_ROW].split()     # the NVRAM has settings

        def check(label, keys, values):
            assert row(screen, label) == values[1]
            yield from ()
        yield from at_each_field(screen, FIELDS, check)
        yield from discard(screen)
    use(machine(eeprom=Eeprom(pc.eeprom.content)), read)      # after the power was off


def test_controller_that_does_not_boot_is_saved():
    pc = machine()
    change_and_save(pc, [BOOTS_FIELD])
    pc.bios.keys.clear()
    pc.warm_boot()
    assert "turned off by its settings" in pc.text


def test_every_row_with_a_value_is_tested():
    tested = {label for _, label, *_ in [*FIELDS, BOOTS_FIELD]}
    rows = {line[2:20].strip() for path, page in PAGES.items() if path != (HERE, "Devices")
            for line in page.splitlines()[5:] if line[20:].strip()}
    assert rows - {"53C895A at PCI 00:"} == tested


def test_nothing_is_written_unless_the_user_saves():
    pc = machine()

    def script(screen):
        yield from enter(screen, *CONTROLLER)
        yield from change(screen, "Parity", PLUS)
        yield from discard(screen)
    use(pc, script)
    use(pc, save)       # nothing has changed
    assert pc.eeprom.written == []


def test_other_fields_stay_as_they_were():
    """Those that mean something to other systems only, too."""
    card = Card(flags=0x8000 | PARITY, termination=0x1234, boot_crc=0x89ABCDEF, version=(3, 7), spare=bytes(range(152)))
    pc = machine(eeprom=quick_eeprom(card, Own(reserved=bytes(range(16)))))
    before, own_before = stored(pc)

    def script(screen):
        yield from enter(screen, *CONTROLLER)
        yield from change(screen, "Avoid", PLUS)
        yield from save(screen)
    use(pc, script)
    after, own = stored(pc)
    hosts = range(26, TARGETS_AT)
    changed = [i for i in range(368) if after[i] != before[i] and i not in hosts]
    assert changed in ([4, CARD_FLAGS2], [4, 5, CARD_FLAGS2])     # the sum, and the field
    assert own == own_before


# Keys in a row, and the value after each
LIMITS = [
    (CONTROLLER, "Spin-up delay", [(PAGE_UP, "15 s"), (PLUS, "15 s"), (PAGE_DOWN, "0 s"), (MINUS, "0 s")]),
    (CONTROLLER, "Scan delay", [(PAGE_UP, "60 s")]),
    (CONTROLLER, "Removable disks", [(PLUS, "none"), (PLUS, "boot drive"), (MINUS, "none"), (MINUS, "all")]),
    (DEVICE, "Time-out", [(PAGE_UP, "9999 s"), (PLUS, "9999 s"), (PAGE_DOWN, "9899 s")]),
    (DEVICE, "MT/s", [(PLUS, "20"), (PLUS, "40"), (PLUS, "0"), (MINUS, "40"), (PAGE_UP, "0")]),
    (DEVICE, "Width", [(PLUS, "8 bits"), (PLUS, "16 bits")]),
    (DEVICE, "Boots first", [(MINUS, "4th"), (PLUS, "no")]),
    (ALL, "CD menu", [(PAGE_UP, "60 s")]), (ALL, "Key for set-up", [(PAGE_UP, "10 s")]),
]


def test_limits():
    pc = machine(eeprom=quick_eeprom(Card(targets={3: Target(timeout=9900, width=16)}), Own()))

    def script(screen):
        def press(label, keys, _):
            for key, wanted in keys:
                yield key
                assert row(screen, label) == wanted
        yield from at_each_field(screen, [(*limit, None) for limit in LIMITS], press)
        yield from enter(screen, "Defaults")
        yield from first_page(screen)
        yield from enter(screen, *DEVICE)
        yield from change(screen, "Time-out", PAGE_DOWN)
        assert row(screen, "Time-out") == "0 s"
        yield from discard(screen)
    use(pc, script)


# ---- Values that other devices have, and rates -------------------------------------------


def test_host_id_passes_over_devices():
    """The bus is scanned for that at the first key, if it has not been."""
    pc = machine(targets={i: Disk() for i in (0, 1, 5, 8, 14, 15)})

    def script(screen):
        yield from enter(screen, *CONTROLLER)
        yield from go_to(screen, "Host ID")
        for key, wanted in ((PLUS, 9), (MINUS, 7), (MINUS, 6), (MINUS, 4), (MINUS, 3), (MINUS, 2), (MINUS, 13),
                            (PAGE_UP, 2), (PAGE_DOWN, 13), (MINUS, 12)):
            yield key
            assert row(screen, "Host ID") == str(wanted)
        yield from save(screen)
    use(pc, script)
    assert stored(pc)[0][HOST_ID] == 12


def test_host_id_can_be_changed_if_the_bus_cannot_be_scanned():
    pc = machine()

    def script(screen):
        yield from enter(screen, *CONTROLLER)
        yield from go_to(screen, "Host ID")
        with removed_at(pc.chip, 1):
            yield PLUS
        assert (row(screen, "Host ID"), screen.lines[NOTE]) == ("8", "Chip or bus failed")
        yield from discard(screen)
    use(pc, script)


# For each ID, offset and period as stored, and the rate that the page shows
RATES = [(16, 100, "10"), (0, 100, "0"), (0, 48, "0"), (15, 200, "5"), (15, 999, "5"), (15, 0xFFFF, "5"),
         (15, 104, "5"), (15, 103, "10"), (62, 52, "10"), (31, 50, "20"), (31, 48, "20"), (31, 44, "20"),
         (31, 40, "40"), (62, 36, "80"), (62, 25, "80"), (62, 0, "80")]


def test_rates_are_those_of_linux_and_stay_as_stored_unless_changed():
    """sym53c8xx takes (period + 3) / 4 as the period factor."""
    targets = {i: Target(offset=offset, period=period, width=16) for i, (offset, period, _) in enumerate(RATES)}
    pc = machine(eeprom=quick_eeprom(Card(targets=targets), Own()))

    def script(screen):
        yield from enter(screen, HERE, "Devices")
        for i, (_, _, wanted) in enumerate(RATES):
            yield from enter(screen, f"ID {i} ")
            assert row(screen, "MT/s") == wanted, RATES[i]
            yield ESC
        yield from enter(screen, "ID 1 ")
        yield from change(screen, "MT/s", PLUS, PLUS, PLUS)
        yield ESC
        yield from enter(screen, "ID 3 ")
        yield from change(screen, "MT/s", MINUS)
        yield ESC
        yield from enter(screen, "ID 10 ")
        yield from change(screen, "MT/s", PLUS)
        yield from save(screen)
    use(pc, script)
    card = stored(pc)[0]
    entries = [(card[at + 3], int.from_bytes(card[at + 4:at + 6], "little"))
               for at in range(TARGETS_AT, TARGETS_AT + 128, 8)]
    changes = {1: (16, 48), 3: (0, 200), 10: (31, 40)}
    assert entries == [changes.get(i, (offset, period)) for i, (offset, period, _) in enumerate(RATES)]


@pytest.mark.parametrize("variant, chip, most", [("810", "53C810", "10"), ("875", "53C875", "20"),
                                                 ("1010-33", "53C1010", "80")])
def test_fastest_rate_is_that_of_the_chip(variant, chip, most):
    def script(screen):
        yield from enter(screen, chip, "Devices", "ID 3")
        yield from go_to(screen, "MT/s")
        for wanted in ("5", "0", most):
            yield MINUS
            assert row(screen, "MT/s") == wanted
        yield from discard(screen)
    use(machine(variant), script)


def test_narrow_chip_has_eight_ids_and_eight_bits():
    def script(screen):
        yield from enter(screen, "53C810")
        yield from enter(screen, "Devices")
        assert rows(screen)[-1] == "  ID 7  controller"
        yield from enter(screen, "ID 3")
        yield from change(screen, "Width", PLUS)
        assert row(screen, "Width") == "8 bits"
        yield ESC
        yield ESC
        yield from change(screen, "Host ID", PLUS)
        assert row(screen, "Host ID") == "1", "0 is that of a disk"
        yield from discard(screen)
    use(machine("810"), script)


def test_without_parity_no_device_may_disconnect():
    pc = machine()

    def script(screen):
        yield from enter(screen, *CONTROLLER)
        yield from change(screen, "Parity", PLUS)
        assert screen.lines[NOTE] == "Disconnects are off for all devices, too"
        yield DOWN
        assert screen.lines[NOTE] == ""
        yield from save(screen)
    use(pc, script)
    card, _ = stored(pc)
    assert [card[TARGETS_AT + 8 * i] for i in range(16)] == [SCANNED | LUNS | TAGS] * 16


def test_boot_places_of_others_are_left_out():
    pc = machine()

    def script(screen):
        yield from enter(screen, *CONTROLLER, "Devices")
        for name, keys, wanted in (("ID 0", [MINUS], "4th"), ("ID 3", [PAGE_DOWN], "3rd"),
                                   ("ID 3", [PAGE_UP, PLUS], "1st"), ("ID 0", [PLUS, PLUS], "2nd"),
                                   ("ID 5", [PLUS], "3rd")):
            yield from enter(screen, name)
            yield from change(screen, "Boots first", *keys)
            assert row(screen, "Boots first") == wanted
            yield ESC
        yield from save(screen)
    use(pc, script)
    assert stored(pc)[1][12:16] == bytes([3, 0, 5, 0xFF])


def test_defaults_of_a_page_and_those_below():
    pc = machine(eeprom=quick_eeprom(Card(flags=PARITY | VERBOSE, removable=NONE), Own(boot_timeout=9, scan_delay=1)))

    def values_are(screen, timeouts, verbose, removable, menu):
        yield from first_page(screen)
        yield from enter(screen, HERE)
        assert row(screen, "Removable disks") == removable
        yield from enter(screen, "Devices")
        for name, timeout in zip(("ID 0", "ID 3"), timeouts):
            yield from enter(screen, name)
            assert row(screen, "Time-out") == timeout
            yield ESC
        yield from first_page(screen)
        yield from enter(screen, "All controllers")
        assert (row(screen, "Verbose"), row(screen, "CD menu")) == (verbose, menu)

    def set_timeouts(screen):
        yield from first_page(screen)
        yield from enter(screen, HERE, "Devices")
        for name in ("ID 0", "ID 3"):
            yield from enter(screen, name)
            yield from change(screen, "Time-out", PAGE_UP)
            yield ESC

    def script(screen):
        yield from set_timeouts(screen)
        yield from enter(screen, "ID 3", "Defaults")
        yield from values_are(screen, ["110 s", "10 s"], "yes", "none", "9 s")
        for path, shared in ((CONTROLLER, ("yes", "all", "9 s")), (ALL, ("no", "all", "5 s"))):
            yield from set_timeouts(screen)
            yield from first_page(screen)
            yield from enter(screen, *path)
            yield from enter(screen, "Defaults")
            yield from values_are(screen, ["10 s", "10 s"], *shared)
        yield from save(screen)
    use(pc, script)
    card, own = stored(pc)
    assert [card[TARGETS_AT + 8 * i + 6] for i in (0, 3)] == [10, 10]
    assert (card[CARD_FLAGS], own[10]) == (PARITY | CHS_ALTERNATE, 5)


# ---- Locked, and failures ----------------------------------------------------------------


LOCKS = {"no NVRAM": (lambda: None, "none"), "Tekram": (lambda: TekramEeprom(tekram_words()), "Tekram"),
         "SDA low": (lambda: Eeprom(faults=Faults(stuck={SDA: 0})), "stuck"),
         "SDA held": (lambda: Eeprom(faults=Faults(holds_from_clock=40)), "stuck")}


@pytest.mark.parametrize("eeprom, word", LOCKS.values(), ids=LOCKS)
def test_fields_are_locked_without_an_nvram(eeprom, word):
    def script(screen):
        for path in ((), CONTROLLER, DEVICE, ALL):
            yield from enter(screen, *path)
            before = rows(screen)
            assert screen.lines[REASON] == LOCKED + word
            yield HOME
            for _ in before:
                yield from [PLUS, DOWN]
            yield HOME
            assert rows(screen) == before
            if path:
                assert screen.colours(FIRST_ROW + 1) == {0x07}
            yield from first_page(screen)
        yield from discard(screen)
    use(machine(eeprom=eeprom()), script)


def test_line_that_sticks_after_post_has_read_the_settings():
    pc = machine()
    begin = pc.bios.screen.set_mode

    def stick(mode: int) -> None:
        pc.eeprom.faults = Faults(stuck={SDA: 0})
        begin(mode)
    pc.bios.screen.set_mode = stick

    def script(screen):
        assert screen.lines[REASON] == LOCKED + "stuck"
        yield from discard(screen)
    use(pc, script)


FAILURES = [("no answer", lambda eeprom: Faults(silent_from_clock=eeprom.clocks + 400)),
            ("no answer", lambda eeprom: Faults(stuck={SDA: 0})),
            ("stays busy", lambda eeprom: Faults(endless_write=True)),
            ("reads back wrong", lambda eeprom: Faults(write_protected=True))]


def test_failed_write_is_reported_and_can_be_repeated():
    pc = machine()

    def script(screen):
        yield from enter(screen, *CONTROLLER)
        yield from change(screen, "Host ID", MINUS)
        yield ESC
        yield ESC
        for words, faults in FAILURES:
            pc.eeprom.faults = faults(pc.eeprom)
            yield from enter(screen, "Save")
            assert screen.lines[NOTE] == f"NOT SAVED: {words}"
            pc.eeprom.__init__(pc.eeprom.content, pc.eeprom.write_ns)
        yield ENTER
    use(pc, script)
    assert stored(pc)[0][HOST_ID] == 6
