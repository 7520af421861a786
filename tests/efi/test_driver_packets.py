# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The UEFI driver on the strict chip model: packets of PassThru(). Arguments, sense
data, lengths, mappings that fail or lie too high, time limits with and without a timer,
nested calls, resets, and the number of register accesses.
[UEFI 2.10 "EFI_EXT_SCSI_PASS_THRU_PROTOCOL"]
"""

from __future__ import annotations

import ctypes
from ctypes import c_uint64

import pytest

from tests.efi.model import uefi
from tests.efi.model.driver import FILL, TARGET_BYTES, UNITS_PER_MS, Buffer, Computer, Result, target_address
from tests.efi.model.pci import STALE
from tests.model.bus import HANG, Delay
from tests.model.faults import data_then, hangs, never_reconnects
from tests.model.manners import leaves_at, leaves_often
from tests.model.registers import DSP, ISTAT, MS
from tests.model.target import GOOD, POWER_ON, Answer, Disk
from tests.native.machine import OTHER, SECOND, SECTOR, new_data
from tests.native.native import read10

MIB = 1 << 20
CHIPS = ["895A", "810", "1010-33"]
ABOVE = 1 << 32
ABSENT = 5
LUN = bytes([0x12, 0, 0, 0, 36, 0])

chips = pytest.mark.parametrize("variant", CHIPS)


@pytest.fixture
def computer(driver_library) -> Computer:
    return Computer(driver_library)


def ends(result: Result) -> tuple[int, int, int]:
    return result.status, result.host, result.target_status


DONE = uefi.SUCCESS, uefi.HOST_OK, GOOD


# ---- Arguments ----------------------------------------------------------------------------


def packet_of(**members) -> uefi.Packet:
    """A read of one block, with other members."""
    packet = uefi.Packet(timeout=1000 * UNITS_PER_MS, cdb_length=10, direction=uefi.DIRECTION_READ)
    packet.buffers = cdb, data = Buffer(read10(7, 1)), Buffer(bytes([FILL]) * SECTOR)
    packet.cdb, packet.in_buffer, packet.in_length = cdb.address, data.address, SECTOR
    for name, value in members.items():
        setattr(packet, name, value)
    return packet


BAD_PACKETS = {
    "no CDB": ({"cdb": None}, uefi.INVALID_PARAMETER), "CDB of 0 bytes": ({"cdb_length": 0}, uefi.INVALID_PARAMETER),
    "CDB of 9 bytes": ({"cdb_length": 9}, uefi.INVALID_PARAMETER),
    "CDB of 17 bytes": ({"cdb_length": 17}, uefi.UNSUPPORTED),
    "no data buffer": ({"in_buffer": None}, uefi.INVALID_PARAMETER),
    "no buffer of a write": ({"direction": uefi.DIRECTION_WRITE, "out_length": 512}, uefi.INVALID_PARAMETER),
    "direction 3": ({"direction": 3}, uefi.INVALID_PARAMETER),
    "both directions": ({"direction": uefi.DIRECTION_BOTH}, uefi.UNSUPPORTED),
    "no sense buffer": ({"sense_length": 18}, uefi.INVALID_PARAMETER),
}


@pytest.mark.parametrize("members, status", BAD_PACKETS.values(), ids=BAD_PACKETS)
def test_bad_packet_is_not_sent(computer, members, status):
    computer.device.accesses.clear()
    assert computer.controller.send(packet_of(**members)) == status
    assert computer.device.accesses == [] and not computer.disk.commands
    computer.check_read()


ADDRESSES = {"own ID": (7, 0), "ID 16": (16, 0), "LUN 8": (0, 8), "LUN 2^40": (0, 1 << 40)}


@pytest.mark.parametrize("target, lun", ADDRESSES.values(), ids=ADDRESSES)
def test_address_that_no_unit_can_have(computer, target, lun):
    computer.device.accesses.clear()
    assert computer.controller.send(packet_of(), target, lun) == uefi.INVALID_PARAMETER
    assert computer.device.accesses == []


def test_every_byte_of_the_target_counts(computer):
    for at in range(1, TARGET_BYTES):
        address = target_address(0)
        address[at] = 1
        packet = packet_of()
        status = computer.controller.call("pass_thru", address, c_uint64(0), ctypes.addressof(packet), None)
        assert status == uefi.INVALID_PARAMETER, at


def test_ids_of_a_narrow_chip(driver_library):
    computer = Computer(driver_library, "810")
    assert computer.controller.send(packet_of(), 8) == uefi.INVALID_PARAMETER
    assert computer.controller.mode.adapter_id == 7


def test_event_does_not_make_the_call_return_earlier(computer):
    """Without NONBLOCKIO the event is ignored."""
    packet = packet_of()
    status = computer.controller.call("pass_thru", target_address(0), c_uint64(0), ctypes.addressof(packet), 0x1234)
    assert (status, packet.target_status, packet.in_length) == (uefi.SUCCESS, GOOD, SECTOR)
    assert not computer.controller.mode.attributes & 0x04


# ---- Data -----------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [0, 1, 2, 3, 511, 4095])
@chips
def test_buffer_at_any_address(driver_library, variant, odd):
    computer, data = Computer(driver_library, variant), new_data(1, 9)
    assert ends(computer.controller.write(data, 50, odd=odd)) == DONE
    result = computer.controller.read(50, 9, odd=odd)
    assert ends(result) == DONE and result.data == data


@pytest.mark.parametrize("direct", [False, True], ids=["copied", "direct"])
def test_4_mib_in_one_command(computer, direct):
    computer.device.direct = direct
    data = new_data(2, 4 * MIB // SECTOR)
    assert ends(computer.controller.write(data, 16, timeout_ms=60_000)) == DONE
    result = computer.controller.read(16, 4 * MIB // SECTOR, timeout_ms=60_000)
    assert ends(result) == DONE and result.data == data
    assert len(computer.disk.commands) == 2


def test_short_data_is_reported_by_its_length(computer):
    """Of a copy, the whole is written back."""
    for direct in (False, True):
        computer.device.direct = direct
        for length in (0, 1, 511, 1000, 1535):
            computer.disk.data_hook = lambda bus, data, length=length: Disk.data_in(data[:length])
            result = computer.controller.read()
            assert ends(result) == DONE and result.length == length
            assert result.data[:length] == computer.stored()[:length]
            assert set(result.data[length:]) <= {FILL if direct else STALE}


@pytest.mark.parametrize("cdb_bytes", [6, 10, 12, 16])
def test_cdb_of_any_length(computer, cdb_bytes):
    cdb = bytes([{6: 0x08, 10: 0x28, 12: 0xA8, 16: 0x88}[cdb_bytes], *range(1, cdb_bytes)])
    seen = []

    def execute(sent: bytes) -> Answer:
        seen.append(sent)
        return Answer(b"data")
    computer.disk.execute = execute
    assert ends(computer.controller.pass_thru(cdb, data_in=4)) == DONE
    assert seen == [cdb]


def test_lun_is_in_identify(computer):
    for lun in range(8):
        computer.controller.pass_thru(LUN, 0, lun, data_in=36)
        assert [0x80 | lun] in computer.disk.messages


# ---- Mappings ------------------------------------------------------------------------------------


def check_refused(computer: Computer, status: int, length: int | None = None) -> None:
    """A read and a write are not sent."""
    computer.device.accesses.clear()
    for call in (lambda: computer.controller.read(0, 300), lambda: computer.controller.write(new_data(3, 300))):
        result = call()
        assert result.status == status
        assert length is None or result.length == length
    assert computer.device.accesses == []
    assert not computer.disk.commands


@pytest.mark.parametrize("place", [ABOVE, ABOVE + 0x2000, ABOVE - 1, 1 << 60, (1 << 64) - 512], ids=hex)
def test_address_above_4_gib_is_refused(computer, place):
    """The chip would cut it off."""
    computer.device.place = place
    check_refused(computer, uefi.DEVICE_ERROR)
    computer.device.place = None
    computer.check_read()


def test_data_may_end_at_4_gib(computer):
    size = 3 * SECTOR
    for place, status in ((ABOVE - size, uefi.SUCCESS), (ABOVE - size + 1, uefi.DEVICE_ERROR)):
        computer.device.place = place
        assert computer.controller.read().status == status


@pytest.mark.parametrize("most", [1, 512, 65536, 100_000])
def test_part_that_can_be_mapped_is_named(computer, most):
    computer.device.most_mapped = most
    check_refused(computer, uefi.BAD_BUFFER_SIZE, most)
    count = most // SECTOR
    if count:
        assert ends(computer.controller.read(0, count)) == DONE


def test_map_that_fails_names_a_smaller_length(computer):
    """Of a command of a few pages there is none."""
    for read, sent in ((300, uefi.BAD_BUFFER_SIZE), (3, uefi.DEVICE_ERROR)):
        with computer.firmware.failing(1):
            result = computer.controller.read(0, read)
        assert computer.firmware.failed == "map" and result.status == sent
        assert sent != uefi.BAD_BUFFER_SIZE or 0 < result.length < read * SECTOR
        assert not computer.disk.commands
    computer.check_read()


# ---- Time limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("timers_run", [True, False], ids=["timer", "dead timer"])
@pytest.mark.parametrize("hook", [hangs, never_reconnects(100), data_then(700, HANG)],
                         ids=["hang", "never reconnects", "hang in the data"])
@pytest.mark.parametrize("limit_ms", [1, 100, 1500])
def test_time_limit(computer, timers_run, hook, limit_ms):
    computer.firmware.timers_run = timers_run
    computer.disk.data_hook = hook
    begun = computer.chip.now
    result = computer.controller.read(timeout_ms=limit_ms)
    assert ends(result) == (uefi.TIMEOUT, uefi.HOST_TIMEOUT_COMMAND, GOOD)
    assert computer.chip.now - begun >= limit_ms * MS
    computer.check_recovery()


@pytest.mark.parametrize("timers_run", [True, False], ids=["timer", "dead timer"])
def test_slow_target_within_the_limit(computer, timers_run):
    computer.firmware.timers_run = timers_run
    computer.disk.before_status = lambda bus: iter([Delay(900 * MS)])
    assert ends(computer.controller.read(timeout_ms=1000)) == DONE


@pytest.mark.parametrize("seconds", [0, 600])
def test_limit_of_0_or_of_minutes_is_long(computer, seconds):
    """0: without a limit. A format of the medium takes its time."""
    computer.disk.before_status = lambda bus: iter([Delay(300 * SECOND)])
    packet = packet_of(timeout=seconds * 1000 * UNITS_PER_MS)
    assert computer.controller.send(packet, timeout_ms=600_000) == uefi.SUCCESS


def test_parts_of_a_millisecond_are_a_limit(computer):
    """1 is 100 ns, not without a limit."""
    computer.disk.data_hook = hangs
    assert computer.controller.send(packet_of(timeout=1)) == uefi.TIMEOUT


def test_bus_reset_settles_with_a_dead_timer(computer):
    computer.firmware.timers_run = False
    assert computer.controller.reset_channel() == uefi.SUCCESS
    computer.check_recovery()


# ---- Nested calls --------------------------------------------------------------------------------------


@pytest.mark.parametrize("tpl", [uefi.TPL_APPLICATION, uefi.TPL_CALLBACK, uefi.TPL_NOTIFY])
def test_call_at_any_permitted_level(computer, tpl):
    result = computer.controller.read(tpl=tpl)
    assert ends(result) == DONE and result.data == computer.stored()


def test_call_within_a_call_is_refused(computer):
    """A timer's notification at a higher level calls the protocol while a command is under way: it
    cannot be done before that has ended."""
    seen, controller = [], computer.controller

    def interrupt():
        computer.firmware.interrupt = None
        packet = packet_of()
        for function, arguments in (
                ("pass_thru", (target_address(OTHER), c_uint64(0), ctypes.addressof(packet), None)),
                ("reset_channel", ()), ("reset_target_lun", (target_address(0), c_uint64(0)))):
            seen.append(nested(function, *arguments))
        seen.append(computer.driver.stop(computer.device.handle))
    computer.device.check_idle = lambda: None   # a command is under way

    def nested(function, *arguments):
        return controller.call(function, *arguments, tpl=uefi.TPL_NOTIFY)
    computer.disk.before_status = lambda bus: iter([Delay(5 * MS)])
    computer.firmware.interrupt = interrupt
    result = controller.read()
    assert ends(result) == DONE and result.data == computer.stored()
    assert seen == [uefi.NOT_READY, uefi.DEVICE_ERROR, uefi.DEVICE_ERROR, uefi.DEVICE_ERROR]
    computer.check_recovery()


# ---- Resets -----------------------------------------------------------------------------------------


@chips
def test_reset_of_the_channel(driver_library, variant):
    computer = Computer(driver_library, variant)
    assert computer.controller.reset_channel() == uefi.SUCCESS
    assert all(target.attentions == [POWER_ON] for target in computer.bus.targets.values())
    computer.check_recovery()


def test_reset_of_a_stuck_bus_fails(computer):
    computer.bus.stuck_reset = True
    assert computer.controller.reset_channel() == uefi.DEVICE_ERROR
    computer.bus.stuck_reset = False
    assert computer.controller.reset_channel() == uefi.SUCCESS
    computer.check_recovery()


@chips
def test_reset_of_a_target(driver_library, variant):
    computer = Computer(driver_library, variant)
    assert computer.controller.reset_target(0) == uefi.SUCCESS
    assert computer.disk.attentions == [POWER_ON] and computer.bus.targets[OTHER].attentions == []
    assert computer.controller.reset_target(ABSENT) == uefi.TIMEOUT
    assert computer.controller.reset_target(7) == uefi.INVALID_PARAMETER
    computer.check_recovery()


@pytest.mark.parametrize("hooks", [{"deaf": True}, {"session": hangs}, {"ignores_atn": True}],
                         ids=["ignores messages", "hangs", "ignores ATN"])
def test_target_that_ignores_its_reset_is_reset_with_the_bus(computer, hooks):
    for name, value in hooks.items():
        setattr(computer.disk, name, value)
    assert computer.controller.reset_target(0) == uefi.SUCCESS
    assert computer.disk.attentions == [POWER_ON]
    computer.check_recovery()


# ---- Register accesses ---------------------------------------------------------------------------------

MOST_ACCESSES = 6   # of a command with one stop of the program, and for each further stop


def accesses(computer: Computer, call) -> int:
    """Of a command whose program runs ahead of the CPU: each time that the driver starts it, it runs
    to its stop before the next access."""
    device, write = computer.device, computer.chip.cpu_write

    def start(offset, value, size):
        write(offset, value, size)
        if offset == DSP:
            computer.firmware.pass_while_running(SECOND)
    computer.chip.cpu_write = start
    device.accesses.clear()
    assert ends(call()) == DONE
    del computer.chip.cpu_write
    return len(device.accesses)


@pytest.mark.parametrize("hardware", ["silicon", "qemu"])
def test_command_of_60_kib_takes_few_register_accesses(driver_library, hardware):
    computer = Computer(driver_library, hardware=hardware)
    for count in (1, 120):
        assert accesses(computer, lambda: computer.controller.read(0, count)) <= MOST_ACCESSES
        assert accesses(computer, lambda: computer.controller.write(new_data(4, count))) <= MOST_ACCESSES


def test_further_stops_take_few_register_accesses(computer):
    """A move has up to 2 MiB."""
    for size, moves in ((4 * MIB, 2), (8 * MIB, 4)):
        count = size // SECTOR
        assert accesses(computer, lambda: computer.controller.read(0, count, timeout_ms=60_000)) <= (
            MOST_ACCESSES * moves)


def test_disconnections_cost_no_register_access(computer):
    """SAVE DATA POINTER, DISCONNECT and reselection before the data are left to the program."""
    plain = accesses(computer, computer.controller.read)
    computer.disk.data_hook = leaves_at(computer.disk, 0, True)
    assert accesses(computer, computer.controller.read) == plain
    computer.disk.data_hook = leaves_often(computer.disk, [512, 512])
    assert accesses(computer, computer.controller.read) > plain
    assert {offset for _, offset in computer.device.accesses} >= {ISTAT, DSP}
