# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the set-up screen, key by key: its pages as text, every field, and what is saved."""

from __future__ import annotations

import pytest

from tests.build import BUILD
from tests.model.bios import Bios
from tests.model.eeprom import Eeprom, Faults, TekramEeprom, tekram_words
from tests.model.nvram_blocks import (AVOID_RESET, BOOT_DRIVE, BOOTS, CD_FIRST, CHS_ALTERNATE, DISCONNECTS, LUNS,
                                      NATIVE_BLOCKS, NONE, OWN_AT, OWN_BYTES, PARITY, QUIET, SCANNED, SCAN_DOWN,
                                      SYMBIOS_AT, TAGS, VERBOSE, Card, Own, image)
from tests.model.pc import Pc
from tests.model.target import Disk
from tests.rom.setup_user import (DOWN, END, ENTER, ESC, FIRST_ROW, HELP, HOME, KEYS, LEFT, LOCKED, MINUS, NOTE,
                                  PAGE_DOWN, PAGE_UP, PLUS, REASON, RIGHT, TITLE, UP, chosen, discard, enter,
                                  go_to, row, save, use)

HERE = "53C895A"


def machine(variant: str = "895A", targets: dict | None = None, **options) -> Pc:
    options.setdefault("eeprom", Eeprom())
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
  Offset            16
  Period            100
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


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path[-1] if path else "controllers")
def test_page(path):
    def script(screen):
        yield from enter(screen, *path)
        assert "\n".join(screen.lines[:NOTE]).rstrip("\n") == PAGES[path]
        assert screen.lines[KEYS] == "Arrows, + -, Enter, Esc"
        yield from discard(screen)
    use(machine(), script)


def test_page_leave():
    def script(screen):
        yield ESC
        assert [line for line in screen.lines[FIRST_ROW:NOTE] if line] == [
            "> Save and restart", "  Discard and restart", "  Back"]
        yield ESC
        assert screen.lines[TITLE].endswith(": controllers")
        yield ESC
        yield from enter(screen, "Back")
        assert screen.lines[TITLE].endswith(": controllers")
        yield from discard(screen)
    use(machine(), script)


def test_help_follows_the_choice():
    def script(screen):
        yield from enter(screen, HERE)
        helps = {}
        for _ in range(12):
            helps[chosen(screen).split("  ")[0]] = screen.lines[HELP]
            yield DOWN
        assert helps["Parity"] == "No: no disconnects, either"
        assert helps["Scan delay"] == "Before it"
        assert chosen(screen).startswith("Defaults")
        yield from discard(screen)
    use(machine(), script)


def test_keys_that_move():
    def script(screen):
        yield from enter(screen, HERE)
        for key, label in ((END, "Defaults"), (DOWN, "Defaults"), (UP, "Avoid"), (HOME, "Devices"), (UP, "Devices"),
                           (DOWN, "Boots"), (0x2C7A, "Boots"), (0x3B00, "Boots")):
            yield key
            assert chosen(screen).startswith(label)
        yield from discard(screen)
    use(machine(), script)


@pytest.mark.parametrize("mode, used", [(3, 3), (2, 3), (7, 7), (0x12, 3)])
def test_screen_is_a_text_mode_of_the_adapter(mode, used):
    pc = machine()
    pc.bios.screen.mode = mode
    assert use(pc, discard).mode == used


# ---- Fields ------------------------------------------------------------------------------


def flag(path, label, values, field, bit, on):
    """A field of one bit: its value changes with each key."""
    return pytest.param(path, label, [PLUS], values, field, bit, on, id=label)


def value(path, label, keys, values, field, wanted):
    return pytest.param(path, label, keys, values, field, None, wanted, id=label)


CONTROLLER, DEVICE, ALL = (HERE,), (HERE, "Devices", "ID 3"), ("All controllers",)
CARD_FLAGS, CARD_FLAGS1, CARD_REMOVABLE, HOST_ID, CARD_FLAGS2 = 12, 14, 18, 20, 25
HOST_FLAGS = 26 + 10
TARGETS_AT = 26 + 4 * 14
TARGET = TARGETS_AT + 3 * 8
OWN = 1000      # offsets in our own block are counted from here
OWN_FLAGS, SCAN_DELAY, SPIN_UP, BOOT_TIMEOUT, WINDOW, BOOT_IDS = (OWN + n for n in (7, 8, 9, 10, 11, 12))

FIELDS = [
    flag(CONTROLLER, "Boots", ["yes", "no"], HOST_FLAGS, BOOTS, False),
    value(CONTROLLER, "Host ID", [MINUS], ["7", "6"], HOST_ID, 6),
    flag(CONTROLLER, "Parity", ["yes", "no"], CARD_FLAGS, PARITY, False),
    flag(CONTROLLER, "Scan order", ["upwards", "downwards"], CARD_FLAGS1, SCAN_DOWN, True),
    value(CONTROLLER, "Removable disks", [MINUS], ["all", "boot drive"], CARD_REMOVABLE, BOOT_DRIVE),
    flag(CONTROLLER, "Geometry", ["usual", "SCSI CAM"], CARD_FLAGS, CHS_ALTERNATE, False),
    value(CONTROLLER, "Spin-up delay", [RIGHT] * 3, ["0 s", "3 s"], SPIN_UP, 3),
    value(CONTROLLER, "Scan delay", [ord("=")] * 2, ["0 s", "2 s"], SCAN_DELAY, 2),
    flag(CONTROLLER, "Avoid bus resets", ["no", "yes"], CARD_FLAGS2, AVOID_RESET, True),
    flag(DEVICE, "Scan", ["yes", "no"], TARGET, SCANNED, False),
    flag(DEVICE, "LUNs", ["yes", "no"], TARGET, LUNS, False),
    flag(DEVICE, "Disconnect", ["yes", "no"], TARGET, DISCONNECTS, False),
    value(DEVICE, "Time-out", [PAGE_UP, PAGE_UP, PLUS], ["10 s", "211 s"], TARGET + 6, 211),
    value(DEVICE, "Offset", [LEFT], ["16", "15"], TARGET + 3, 15),
    value(DEVICE, "Period", [PAGE_UP], ["100", "200"], TARGET + 4, 200),
    value(DEVICE, "Width", [MINUS], ["16 bits", "8 bits"], TARGET + 2, 8),
    flag(DEVICE, "Queue tags", ["yes", "no"], TARGET, TAGS, False),
    value(DEVICE, "Boots first", [PLUS], ["no", "1st"], BOOT_IDS, 3),
    flag(ALL, "Banner", ["yes", "no"], OWN_FLAGS, QUIET, True),
    flag(ALL, "Verbose", ["no", "yes"], CARD_FLAGS, VERBOSE, True),
    flag(ALL, "CD before disk", ["no", "yes"], OWN_FLAGS, CD_FIRST, True),
    value(ALL, "CD menu", [PLUS], ["5 s", "6 s"], BOOT_TIMEOUT, 6),
    value(ALL, "Key for set-up", [PLUS], ["1 s", "2 s"], WINDOW, 2),
    flag(ALL, "Native blocks", ["no", "yes"], OWN_FLAGS, NATIVE_BLOCKS, True),
]
WORDS = {CARD_REMOVABLE, TARGET + 4, TARGET + 6}


def field_of(pc: Pc, at: int) -> int:
    card, own = stored(pc)
    block, at = (own, at - OWN) if at >= OWN else (card, at)
    return int.from_bytes(block[at:at + (2 if at in WORDS else 1)], "little")


@pytest.mark.parametrize("path, label, keys, values, at, bit, wanted", FIELDS)
def test_field_is_changed_saved_and_read_again(path, label, keys, values, at, bit, wanted):
    pc = machine()
    first, second = values

    def change(screen):
        yield from enter(screen, *path)
        yield from go_to(screen, label)
        assert row(screen, label) == first
        yield from keys
        assert row(screen, label) == second
        yield from save(screen)
    use(pc, change)
    byte = field_of(pc, at)
    assert (bool(byte & bit) if bit else byte) == wanted
    again = machine(eeprom=Eeprom(pc.eeprom.content))   # after the power was off

    def read(screen):
        assert "yes" in screen.lines[FIRST_ROW].split()     # the NVRAM has settings
        if label != "Scan":
            yield from enter(screen, *path)
            assert row(screen, label) == second
        yield from discard(screen)
    if label == "Boots":
        again.power_on()
        assert "turned off by its settings" in again.text
    else:
        use(again, read)


def test_every_row_with_a_value_is_tested():
    tested = {param.values[1] for param in FIELDS}
    rows = {line[2:20].strip() for path, page in PAGES.items() if path != (HERE, "Devices")
            for line in page.splitlines()[5:] if line[20:].strip()}
    assert rows - {"53C895A at PCI 00:"} == tested


def test_nothing_is_written_unless_the_user_saves():
    pc = machine()

    def script(screen):
        yield from enter(screen, *CONTROLLER)
        yield from go_to(screen, "Parity")
        yield PLUS
        yield from discard(screen)
    use(pc, script)
    use(pc, save)       # nothing has changed
    assert pc.eeprom.written == []


def test_other_fields_stay_as_they_were():
    """Those that mean something to other systems only, too."""
    card = Card(flags=0x8000 | PARITY, termination=0x1234, boot_crc=0x89ABCDEF, version=(3, 7), spare=bytes(range(152)))
    pc = machine(eeprom=Eeprom(image(card, Own(reserved=bytes(range(16))))))
    before, own_before = stored(pc)

    def script(screen):
        yield from enter(screen, *CONTROLLER)
        yield from go_to(screen, "Avoid")
        yield PLUS
        yield from save(screen)
    use(pc, script)
    after, own = stored(pc)
    hosts = range(26, TARGETS_AT)
    changed = [i for i in range(368) if after[i] != before[i] and i not in hosts]
    assert changed in ([4, CARD_FLAGS2], [4, 5, CARD_FLAGS2])     # the sum, and the field
    assert own == own_before


LIMITS = [
    (CONTROLLER, "Host ID", [PLUS] * 10, "15"), (CONTROLLER, "Host ID", [MINUS] * 9, "0"),
    (CONTROLLER, "Spin-up delay", [PLUS] * 17, "15 s"), (CONTROLLER, "Spin-up delay", [MINUS], "0 s"),
    (CONTROLLER, "Scan delay", [PAGE_UP], "60 s"), (CONTROLLER, "Removable disks", [PLUS], "none"),
    (DEVICE, "Time-out", [PAGE_UP] * 101, "9999 s"), (DEVICE, "Time-out", [PAGE_DOWN], "0 s"),
    (DEVICE, "Offset", [PAGE_UP], "62"), (DEVICE, "Width", [PLUS], "8 bits"), (DEVICE, "Boots first", [MINUS], "4th"),
    (ALL, "CD menu", [PAGE_UP], "60 s"), (ALL, "Key for set-up", [PAGE_UP], "10 s"),
]


@pytest.mark.parametrize("path, label, keys, value", LIMITS, ids=[f"{label} {value}" for _, label, _, value in LIMITS])
def test_limits(path, label, keys, value):
    def script(screen):
        yield from enter(screen, *path)
        yield from go_to(screen, label)
        yield from keys
        assert row(screen, label) == value
        yield from discard(screen)
    use(machine(), script)


def test_narrow_chip_has_eight_ids_and_eight_bits():
    def script(screen):
        yield from enter(screen, "53C810")
        yield from go_to(screen, "Host ID")
        yield PLUS
        assert row(screen, "Host ID") == "7"
        yield from enter(screen, "Devices")
        assert [line for line in screen.lines[FIRST_ROW:NOTE] if line][-1] == "  ID 7  controller"
        yield from enter(screen, "ID 3")
        yield from go_to(screen, "Width")
        yield PLUS
        assert row(screen, "Width") == "8 bits"
        yield from discard(screen)
    use(machine("810"), script)


def test_without_parity_no_device_may_disconnect():
    pc = machine()

    def script(screen):
        yield from enter(screen, *CONTROLLER)
        yield from go_to(screen, "Parity")
        yield PLUS
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
        yield from enter(screen, *CONTROLLER, "Devices", "ID 0")
        yield from go_to(screen, "Boots first")
        yield from [PLUS, PLUS]
        yield ESC
        yield from enter(screen, "ID 3")
        yield from go_to(screen, "Boots first")
        yield PLUS
        yield ESC
        yield from enter(screen, "ID 5")
        yield from go_to(screen, "Boots first")
        yield PLUS       # the places of the others are left out
        assert row(screen, "Boots first") == "3rd"
        yield from save(screen)
    use(pc, script)
    assert stored(pc)[1][12:16] == bytes([3, 0, 5, 0xFF])


@pytest.mark.parametrize("path, left", [(DEVICE, "ID 0"), (CONTROLLER, None), (ALL, None)],
                         ids=["device", "controller", "all"])
def test_defaults_of_a_page_and_those_below(path, left):
    pc = machine(eeprom=Eeprom(image(Card(flags=PARITY | VERBOSE, removable=NONE), Own(boot_timeout=9, scan_delay=1))))

    def change(screen):
        for name in ("ID 0", "ID 3"):
            yield from enter(screen, HERE, "Devices", name)
            yield from go_to(screen, "Time-out")
            yield PAGE_UP
            while not screen.lines[TITLE].endswith("controllers"):
                yield ESC
        yield from enter(screen, *path)
        yield from enter(screen, "Defaults")
        yield from save(screen)
    use(pc, change)
    card, own = stored(pc)
    timeouts = [card[TARGETS_AT + 8 * i + 6] for i in (0, 3)]
    assert timeouts == ([110, 10] if left else [10, 10])
    assert (card[CARD_FLAGS], own[10]) == ((PARITY | VERBOSE, 9) if left else (PARITY | CHS_ALTERNATE, 5))


# ---- Locked, and failures ----------------------------------------------------------------


LOCKS = {"no NVRAM": (lambda: None, "none"), "Tekram": (lambda: TekramEeprom(tekram_words()), "Tekram")}


@pytest.mark.parametrize("eeprom, word", LOCKS.values(), ids=LOCKS)
@pytest.mark.parametrize("path", [(), CONTROLLER, DEVICE, ALL], ids=["controllers", "controller", "device", "all"])
def test_fields_are_locked_without_an_nvram(path, eeprom, word):
    def script(screen):
        yield from enter(screen, *path)
        before = screen.lines[FIRST_ROW:NOTE]
        assert screen.lines[REASON] == LOCKED + word
        yield HOME
        for _ in range(8):
            yield from [PLUS, MINUS, PLUS, PAGE_UP, DOWN]
        yield HOME
        assert screen.lines[FIRST_ROW:NOTE] == before
        if path:
            assert screen.colours(FIRST_ROW + 1) == {0x07}
        yield from discard(screen)
    use(machine(eeprom=eeprom()), script)


def test_fields_that_can_be_changed_are_bright():
    def script(screen):
        yield from enter(screen, *CONTROLLER)
        assert (screen.colours(FIRST_ROW), screen.colours(FIRST_ROW + 1)) == ({0x70}, {0x0F})
        assert screen.lines[REASON] == ""
        yield from discard(screen)
    use(machine(), script)


FAILURES = {"no answer": lambda eeprom: Faults(silent_from_clock=eeprom.clocks + 400),
            "stays busy": lambda eeprom: Faults(endless_write=True),
            "reads back wrong": lambda eeprom: Faults(write_protected=True)}


@pytest.mark.parametrize("words, faults", FAILURES.items(), ids=FAILURES)
def test_failed_write_is_reported_and_can_be_repeated(words, faults):
    pc = machine()

    def script(screen):
        yield from enter(screen, *CONTROLLER)
        yield from go_to(screen, "Host ID")
        yield MINUS
        pc.eeprom.faults = faults(pc.eeprom)
        yield ESC
        yield ESC
        yield from enter(screen, "Save")
        assert screen.lines[NOTE] == f"NOT SAVED: {words}"
        pc.eeprom.faults = Faults()
        pc.eeprom.__init__(pc.eeprom.content)
        yield ENTER
    use(pc, script)
    assert stored(pc)[0][HOST_ID] == 6
