# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The model's disks without a ROM: their answers to each command, the data they
store, and targets with several units. The tests drive the bus directly, or use
a few SCRIPTS instructions where the chip matters.
"""

from __future__ import annotations

import struct

import pytest

from tests.model.board import Board
from tests.model.bus import (COMMAND, DATA_IN, DATA_OUT, MSG_IN, MSG_OUT, STATUS, Bus, Delay,
                             Reselect)
from tests.model.emulated_86box import Box86Disk
from tests.model.emulated_qemu import QemuDisk
from tests.model.registers import DSTAT, D_SIR, MA, MS, SIST0, UDC
from tests.model.rules import RuleViolation
from tests.model.target import (ABORT, CHECK_CONDITION, COMPLETE, DEVICE_RESET, DISCONNECT, GOOD,
                                POWER_ON, RECOVERED, SAVE, Disk)

READY, SENSE, INQUIRY = bytes(6), bytes([3, 0, 0, 0, 18, 0]), bytes([0x12, 0, 0, 0, 36, 0])
CAPACITY, LOCK, UNLOCK = b"\x25" + bytes(9), bytes([0x1E, 0, 0, 0, 1, 0]), b"\x1E" + bytes(5)
START, STOP, EJECT, LOAD = (bytes([0x1B, 0, 0, 0, what, 0]) for what in (1, 0, 2, 3))
LUNS = bytes([0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0])
READ, WRITE, SEEK, WRITE_VERIFY, VERIFY = 0x28, 0x2A, 0x2B, 0x2E, 0x2F
READ16, WRITE16, WRITE_VERIFY16, VERIFY16 = 0x88, 0x8A, 0x8E, 0x8F
KINDS = [Disk, QemuDisk, Box86Disk]


def access(opcode: int, lba: int, count: int = 1) -> bytes:
    layout = ">BBIBHB" if opcode < 0x80 else ">BBQIBB"
    where = (lba, 0, count, 0) if opcode < 0x80 else (lba, count, 0, 0)
    return struct.pack(layout, opcode, 0, *where)


def capacity16(room: int = 32) -> bytes:
    return bytes([0x9E, 0x10]) + bytes(8) + room.to_bytes(4, "big") + bytes(2)


class Initiator:
    """An initiator on a bus with one target at ID 0."""

    def __init__(self, target: Disk):
        self.target = target
        target.attentions.clear()
        self.bus = Bus()
        self.bus.targets[0] = target
        self.received: list[int] = []      # messages

    def wait(self) -> None:
        """Run the bus until a target requests a transfer, or has no more events."""
        bus = self.bus
        while bus.request is None and (bus.reselector() or bus.next_event() is not None):
            if bus.reselector():
                bus.reconnect()
            else:
                bus.now = bus.next_event()
                bus.poll()

    def run_command(self, cdb: bytes, lun: int = 0, data: bytes = b"") -> tuple[bytes, int | None]:
        """Run a command; returns the data in and the status."""
        out = {MSG_OUT: [0x80 | lun], COMMAND: [*cdb], DATA_OUT: [*data]}
        got, status = bytearray(), None
        self.bus.select(0, atn=True)
        self.wait()
        while (request := self.bus.request) is not None:
            if request.data is None:
                given = out[request.phase][:request.requested]
                assert given, f"too many bytes requested in phase {request.phase}"
                del out[request.phase][:len(given)]
                self.bus.atn = False
                self.bus.give(bytes(given))
            else:
                taken = self.bus.take(1 << 20)
                got += taken if request.phase == DATA_IN else b""
                self.received += taken if request.phase == MSG_IN else b""
                status = taken[0] if request.phase == STATUS else status
            self.bus.release()
            self.wait()
        return bytes(got), status

    def send_messages(self, *messages: int) -> None:
        """Select the target and send messages; ATN is asserted until the last."""
        self.bus.select(0, atn=True)
        for left in range(len(messages) - 1, -1, -1):
            assert self.bus.request.phase == MSG_OUT
            self.bus.atn = left > 0
            self.bus.give(bytes([messages[~left]]))
            self.bus.release()

    def sense(self, lun: int = 0) -> tuple[int, ...]:
        """Key, ASC and ASCQ of the last command."""
        data, _ = self.run_command(SENSE, lun)
        return data[2], data[12], data[13]

    def refused(self, cdb: bytes, *sense: int, lun: int = 0) -> bool:
        """The command fails without data in either direction, with this sense data."""
        return self.run_command(cdb, lun) == (b"", CHECK_CONDITION) and self.sense(lun) == sense


# ---- Blocks ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("opcode", [WRITE, WRITE_VERIFY])
def test_read_returns_written_data(kind, opcode):
    host = Initiator(kind())
    data = bytes(range(256)) * 6
    assert host.run_command(access(opcode, 7, 3), data=data) == (b"", GOOD)
    assert host.run_command(access(READ, 7, 3)) == (data, GOOD)
    assert sorted(host.target.written) == [7, 8, 9]
    assert host.run_command(access(READ, 10)) == (Disk().block(10), GOOD)


@pytest.mark.parametrize("opcode", [WRITE16, WRITE_VERIFY16])
def test_16_byte_commands_reach_blocks_above_2_to_the_32(opcode):
    host = Initiator(Disk(blocks=(1 << 32) + 10, block_bytes=4096))
    lba = (1 << 32) + 5
    assert host.run_command(access(READ16, lba))[0] != host.run_command(access(READ, 5))[0]
    assert host.run_command(access(opcode, lba, 2), data=b"ab" * 4096) == (b"", GOOD)
    assert host.run_command(access(READ16, lba, 2)) == (b"ab" * 4096, GOOD)
    assert host.run_command(access(VERIFY16, lba, 5)) == (b"", GOOD)
    assert host.refused(access(READ16, lba, 6), 5, 0x21, 0)


@pytest.mark.parametrize("blocks, ten", [(1, 0), (0xFFFFFFFF, 0xFFFFFFFE), (1 << 32, 0xFFFFFFFF),
                                         ((1 << 32) + 1, 0xFFFFFFFF), (1 << 40, 0xFFFFFFFF)])
def test_read_capacity_reports_the_last_block(blocks, ten):
    host = Initiator(Disk(blocks=blocks, block_bytes=2048))
    size = (2048).to_bytes(4, "big")
    assert host.run_command(CAPACITY) == (ten.to_bytes(4, "big") + size, GOOD)
    whole = (blocks - 1).to_bytes(8, "big") + size + bytes(20)
    assert host.run_command(capacity16()) == (whole, GOOD)
    assert host.run_command(capacity16(12)) == (whole[:12], GOOD)


@pytest.mark.parametrize("opcode", [READ, WRITE, SEEK, WRITE_VERIFY, VERIFY])
def test_access_past_the_end_fails(opcode):
    host = Initiator(Disk(blocks=100))
    assert host.run_command(access(opcode, 99), data=bytes(512))[1] == GOOD
    assert host.refused(access(opcode, 100), 5, 0x21, 0)
    if opcode != SEEK:
        assert host.refused(access(opcode, 99, 2), 5, 0x21, 0)


def test_access_to_0_blocks_succeeds_without_data():
    host = Initiator(Disk())
    for opcode in (READ, WRITE, VERIFY, WRITE_VERIFY, READ16, WRITE16):
        assert host.run_command(access(opcode, 5, 0)) == (b"", GOOD)
    assert not host.target.written


@pytest.mark.parametrize("opcode", [WRITE, WRITE_VERIFY, WRITE16, WRITE_VERIFY16])
def test_write_protected_disk_refuses_writes(opcode):
    host = Initiator(Disk(write_protected=True))
    assert host.refused(access(opcode, 5), 7, 0x27, 0)
    assert not host.target.written


@pytest.mark.parametrize("opcode", [READ, WRITE, SEEK, VERIFY, 0x9E, 0xA0])
def test_unsupported_command_fails(opcode):
    host = Initiator(Disk(unsupported={opcode}))
    cdb = {0x9E: capacity16(), 0xA0: LUNS}.get(opcode, access(opcode, 5))
    assert host.refused(cdb, 5, 0x20, 0)


@pytest.mark.parametrize("opcode", [0x35, 0x5A, 0x9F, 0xAC])
def test_unknown_command_fails(opcode):
    host = Initiator(Disk())
    assert host.refused(bytes([opcode]) + bytes(15), 5, 0x20, 0)


@pytest.mark.parametrize("opcode", [VERIFY, VERIFY16])
def test_verify_of_bytes_breaks_a_rule(opcode):
    cdb = bytearray(access(opcode, 5))
    cdb[1] = 2
    with pytest.raises(RuleViolation, match="VERIFY of bytes"):
        Initiator(Disk()).run_command(bytes(cdb), data=bytes(512))


# ---- Bad blocks -------------------------------------------------------------------------


BAD = (3, 0x11, 0, True)


@pytest.mark.parametrize("opcode, good", [(READ, 2), (WRITE, 2), (VERIFY, 0), (WRITE_VERIFY, 2)])
def test_bad_block_ends_command_and_is_in_sense_data(opcode, good):
    host = Initiator(Disk(bad_blocks={12: BAD, 13: BAD}))
    data, status = host.run_command(access(opcode, 10, 4), data=b"\xEE" * 2048)
    assert status == CHECK_CONDITION
    assert len(data) == (good * 512 if opcode == READ else 0)
    assert len(host.target.written) == (0 if opcode in (READ, VERIFY) else good)
    sense, _ = host.run_command(SENSE)
    assert sense[:8] == bytes([0xF0, 0, 3, 0, 0, 0, 12, 10]) and sense[12] == 0x11


def test_seek_to_bad_block_fails():
    host = Initiator(Disk(bad_blocks={12: (4, 0x15, 1, True)}))
    assert host.run_command(access(SEEK, 11))[1] == GOOD
    assert host.refused(access(SEEK, 12), 4, 0x15, 1)


def test_valid_is_clear_without_information():
    host = Initiator(Disk(bad_blocks={12: (3, 0x11, 0, False)}))
    host.run_command(access(READ, 10, 4))
    assert host.run_command(SENSE)[0][0] == 0x70


def test_valid_is_clear_for_lba_above_32_bits():
    lba = (1 << 32) + 1
    host = Initiator(Disk(blocks=1 << 33, bad_blocks={lba: BAD}))
    assert host.run_command(access(READ16, lba)) == (b"", CHECK_CONDITION)
    assert host.run_command(SENSE)[0][0] == 0x70


def test_recovered_block_is_transferred():
    host = Initiator(Disk(bad_blocks={11: (RECOVERED, 0x17, 0, True)}))
    data, status = host.run_command(access(READ, 10, 3))
    assert (len(data), status) == (1536, CHECK_CONDITION)
    host.run_command(access(WRITE, 10, 3), data=bytes(1536))
    assert len(host.target.written) == 3


def test_sense_data_is_lost_at_the_next_command():
    host = Initiator(Disk(bad_blocks={12: BAD}))
    host.run_command(access(READ, 12))
    host.run_command(READY)
    assert host.run_command(SENSE)[0] == bytes([0x70, 0, 0, 0, 0, 0, 0, 10]) + bytes(10)


# ---- Data out ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("arrived", [0, 511, 512, 1000])
def test_only_whole_received_blocks_are_stored(kind, arrived):
    host = Initiator(kind())
    host.target.write_hook = lambda bus, count: Disk.data_out(arrived)
    host.run_command(access(WRITE, 5, 3), data=b"\x5A" * arrived)
    assert host.target.written == {5 + i: b"\x5A" * 512 for i in range(arrived // 512)}


def test_write_hook_may_disconnect_between_bytes():
    host = Initiator(Disk())

    def hook(bus, count):
        taken = bytearray([(yield DATA_OUT, None)])
        yield from host.target.disconnect()
        while len(taken) < count:
            taken.append((yield DATA_OUT, None))
        return bytes(taken)
    host.target.write_hook = hook
    data = bytes(range(256)) * 2
    assert host.run_command(access(WRITE, 5), data=data) == (b"", GOOD)
    assert host.target.written == {5: data}
    assert host.received == [SAVE, DISCONNECT, 0x80, COMPLETE]


def test_qemu_write_stores_nothing_after_the_host_error():
    host = Initiator(QemuDisk(chunk=1024, fails_after=1024))
    data = bytes(range(256)) * 8
    assert host.run_command(access(WRITE, 5, 4), data=data) == (b"", CHECK_CONDITION)
    assert b"".join(host.target.written[i] for i in sorted(host.target.written)) == data[:1024]
    assert host.sense() == (0xB, 0, 6)


@pytest.mark.parametrize("moves", [[1536], [512, 1024], [1, 1535], [1000, 536]])
def test_block_may_be_sent_in_several_moves(moves):
    board, disk = Board(), Disk()
    disk.attentions.clear()
    board.bus.targets[3] = disk
    board.set_up()
    board._write(0x100, b"\x80")
    board._write(0x110, access(WRITE, 5, 3))
    board._write(0x2000, data := bytes(range(256)) * 6)
    program = [0x41030000, 0, 0x0E000001, 0x100, 0x0A00000A, 0x110]
    at = 0x2000
    for count in moves:
        program += [0x08000000 | count, at]
        at += count
    board.run(*program, 0x0B000001, 0x140, 0x98080000, 1)
    assert (board.read(SIST0, 2) & MA, board.read(DSTAT) & D_SIR) == (0, D_SIR)
    assert b"".join(disk.written[i] for i in (5, 6, 7)) == data
    assert not board.objections


# ---- Media ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cdb", [READY, CAPACITY, capacity16(), START, access(READ, 5),
                                 access(WRITE, 5), access(VERIFY, 5), access(SEEK, 5)],
                         ids=lambda cdb: f"{cdb[0]:02X}")
def test_access_without_medium_fails(cdb):
    host = Initiator(Disk(removable=True, medium=False))
    assert host.refused(cdb, 2, 0x3A, 0)


def test_drive_without_medium_answers_other_commands():
    host = Initiator(Disk(removable=True, medium=False))
    assert host.run_command(INQUIRY)[0][:2] == b"\0\x80"
    for cdb in (LUNS, LOCK, UNLOCK, EJECT, STOP):
        assert host.run_command(cdb)[1] == GOOD


def test_fixed_disk_always_has_its_medium():
    host = Initiator(Disk(medium=False))
    assert host.run_command(READY)[1] == GOOD
    assert host.refused(EJECT, 5, 0x24, 0)


def test_locked_medium_is_not_ejected():
    host = Initiator(Disk(removable=True))
    assert host.run_command(LOCK)[1] == GOOD and host.target.locked
    assert host.refused(EJECT, 5, 0x53, 2)
    assert (host.target.medium, host.target.ejected) == (True, 0)
    assert host.run_command(UNLOCK)[1] == GOOD and not host.target.locked
    assert host.run_command(EJECT)[1] == GOOD
    assert (host.target.medium, host.target.ejected) == (False, 1)


def test_start_commands_are_counted():
    host = Initiator(Disk(removable=True))
    for cdb in (START, LOAD, STOP):
        host.run_command(cdb)
    assert (host.target.started, host.target.ejected) == (2, 0)


def test_new_medium_is_reported_once_and_has_its_own_content():
    host = Initiator(Disk(removable=True))
    host.run_command(access(WRITE, 5), data=bytes(512))
    host.target.take_out()
    assert host.refused(READY, 2, 0x3A, 0)
    host.target.insert(blocks=77, content=lambda lba: b"new!" * 256, block_bytes=1024)
    assert host.refused(READY, 6, 0x28, 0)
    assert host.run_command(access(READ, 5)) == (b"new!" * 256, GOOD)
    assert host.run_command(CAPACITY)[0] == bytes([0, 0, 0, 76, 0, 0, 4, 0])


def test_bus_reset_keeps_medium_change_and_unlocks_medium():
    host = Initiator(Disk(removable=True))
    host.run_command(LOCK)
    host.target.insert()
    host.bus.reset()
    assert host.refused(READY, *POWER_ON)
    assert host.refused(READY, 6, 0x28, 0)
    assert host.run_command(READY)[1] == GOOD and not host.target.locked


# ---- Units ------------------------------------------------------------------------------------


def two_units(**options) -> Initiator:
    unit = Disk(lun=2, blocks=50, content=lambda lba: b"\x02" * 512)
    unit.attentions.clear()
    return Initiator(Disk(luns={2: unit}, **options))


def test_each_unit_has_its_own_medium_and_commands():
    host = two_units()
    unit = host.target.luns[2]
    host.run_command(access(WRITE, 5), data=bytes(512))
    assert host.run_command(access(READ, 5), lun=2) == (b"\x02" * 512, GOOD)
    assert host.run_command(access(WRITE, 6), lun=2, data=b"two!" * 128)[1] == GOOD
    assert (list(host.target.written), list(unit.written)) == ([5], [6])
    assert host.run_command(CAPACITY, lun=2)[0][:4] == bytes([0, 0, 0, 49])
    assert ([c[0] for c in host.target.commands], [c[0] for c in unit.commands]) == (
        [WRITE], [READ, WRITE, 0x25])


def test_each_unit_has_its_own_sense_data_and_attentions():
    host = two_units()
    host.bus.reset()
    assert host.refused(READY, *POWER_ON)
    assert host.refused(READY, *POWER_ON, lun=2)
    host.run_command(access(READ, 50), lun=2)
    host.run_command(access(READ, 70000))
    assert host.sense(2) == (5, 0x21, 0) and host.sense() == (5, 0x21, 0)


def test_each_unit_has_its_own_hooks():
    host = two_units()
    unit, other = host.target.luns[2], []
    unit.data_hook = lambda bus, data: Disk.data_in(b"hook")
    unit.before_command = lambda bus: iter([(MSG_IN, 0x13)])
    host.target.before_status = lambda bus: other.append(1) or iter([])
    assert host.run_command(access(READ, 5), lun=2) == (b"hook", GOOD)
    assert host.received == [0x13, COMPLETE] and not other


def test_reselecting_unit_sends_its_own_lun():
    host = two_units()
    unit = host.target.luns[2]
    unit.before_status = lambda bus: unit.disconnect()
    assert host.run_command(READY, lun=2) == (b"", GOOD)
    assert host.received == [SAVE, DISCONNECT, 0x82, COMPLETE]


def test_missing_unit_is_reported():
    host = two_units()
    assert host.run_command(INQUIRY, lun=1)[0][0] == 0x7F
    assert host.run_command(READY, lun=1) == (b"", CHECK_CONDITION)
    assert host.sense(1) == (5, 0x25, 0)
    assert [c[0] for c in host.target.strays] == [0x12, 0, 3]
    assert not host.target.commands


def test_report_luns_ignores_unit_attention():
    host = two_units()
    host.bus.reset()
    data, status = host.run_command(LUNS)
    assert (len(data), data[3], status) == (24, 16, GOOD)
    assert (data[8:16], data[16:24]) == (bytes(8), bytes([0, 2, 0, 0, 0, 0, 0, 0]))
    assert host.target.attentions == [POWER_ON]


def test_custom_lun_list_is_cut_to_the_allocation_length():
    host = Initiator(Disk(lun_list=b"\xFF" * 100))
    assert host.run_command(LUNS) == (b"\xFF" * 64, GOOD)
    assert host.refused(LUNS[:9] + b"\x0F\0\0", 5, 0x24, 0)


def test_target_that_ignores_luns_answers_at_every_lun():
    host = Initiator(Disk(ignores_luns=True))
    host.target.before_status = lambda bus: host.target.disconnect()
    assert host.run_command(INQUIRY, lun=5)[0][0] == 0
    assert host.run_command(access(READ, 9), lun=3) == (host.target.block(9), GOOD)
    assert 0x83 in host.received
    assert [c[0] for c in host.target.commands] == [0x12, READ]


@pytest.mark.parametrize("version, status", [(1, GOOD), (2, GOOD), (3, CHECK_CONDITION),
                                             (5, CHECK_CONDITION)])
def test_lun_in_cdb_is_invalid_since_spc(version, status):
    host = two_units(version=version)
    host.target.luns[2].version = version
    assert host.run_command(INQUIRY)[0][2] == version
    assert host.run_command(b"\0\x40" + bytes(4), lun=2)[1] == status
    if status:
        assert host.sense(2) == (5, 0x24, 0)


# ---- ABORT and BUS DEVICE RESET -----------------------------------------------------------------


def disconnect_for_long(host: Initiator, unit: Disk, lun: int = 0) -> None:
    """A command that disconnects and would reselect much later."""
    unit.before_status = lambda bus: unit.disconnect(ns=1000 * MS)
    wait, host.wait = host.wait, lambda: None
    host.run_command(READY, lun)
    host.wait, unit.before_status = wait, None
    assert host.bus.nexus is None and len(host.bus.away) > 0


def test_abort_ends_a_disconnected_command():
    host = Initiator(Disk())
    disconnect_for_long(host, host.target)
    host.send_messages(0x80, ABORT)
    assert host.bus.free and not host.bus.away
    assert (host.target.aborts, host.target.device_resets) == (1, 0)
    assert host.run_command(READY) == (b"", GOOD), "no unit attention is reported"


def test_abort_applies_to_one_unit():
    host = two_units()
    disconnect_for_long(host, host.target)
    disconnect_for_long(host, host.target.luns[2], lun=2)
    host.send_messages(0x82, ABORT)
    assert host.bus.free and [n.lun for n in host.bus.away] == [0]


def test_device_reset_applies_to_all_units():
    host = two_units()
    disconnect_for_long(host, host.target)
    disconnect_for_long(host, host.target.luns[2], lun=2)
    host.send_messages(0x80, DEVICE_RESET)
    assert host.bus.free and not host.bus.away
    assert host.target.device_resets == 1
    assert host.refused(READY, *POWER_ON) and host.refused(READY, *POWER_ON, lun=2)


def test_device_reset_keeps_commands_of_other_targets():
    host = Initiator(Disk())
    host.bus.begin(5, iter([Delay(1000 * MS), Reselect()]))
    host.send_messages(0x80, DEVICE_RESET)
    assert [n.target for n in host.bus.away] == [5]


@pytest.mark.parametrize("message, free", [(ABORT, True), (DEVICE_RESET, True), (0x08, False)])
def test_message_after_the_command_is_received(message, free):
    """If ATN is asserted, the target receives messages at the next change of phase."""
    host, received = Initiator(Disk()), []
    host.target.transfer = lambda bus, cdb, answer: received.append(cdb) or iter([])
    host.send_messages(0x80)
    for byte in READY:
        host.bus.atn = True
        host.bus.give(bytes([byte]))
        host.bus.release()
    assert host.bus.request.phase == MSG_OUT and not received
    host.bus.atn = False
    host.bus.give(bytes([message]))
    host.bus.release()
    assert (host.bus.free, bool(received)) == (free, not free)


def test_abort_code_within_another_message_is_ignored():
    host = Initiator(Disk())
    host.send_messages(0x80, 1, 3, 2, DEVICE_RESET, ABORT, 0x20, ABORT)
    assert host.bus.request.phase == COMMAND
    assert (host.target.aborts, host.target.device_resets) == (0, 0)


def test_target_that_ignores_aborts_stays_in_msg_out_until_reset():
    host = Initiator(Disk(deaf=True))
    host.send_messages(0x80, ABORT)
    for message in (DEVICE_RESET, ABORT, 0x80):
        assert host.bus.request.phase == MSG_OUT
        host.bus.give(bytes([message]))
        host.bus.release()
    assert not host.bus.free
    assert (host.target.aborts, host.target.device_resets) == (2, 1)
    host.bus.reset()
    assert host.bus.free


def test_target_that_ignores_abort_obeys_device_reset():
    host = Initiator(Disk(deaf_to_abort=True))
    host.send_messages(0x80, ABORT)
    assert host.bus.request.phase == MSG_OUT
    host.bus.give(bytes([DEVICE_RESET]))
    host.bus.release()
    assert host.bus.free and host.target.attentions == [POWER_ON]


@pytest.mark.parametrize("sdu_off, objections", [([0x7C027F00, 0], []), ([], ["SDU left on"])],
                         ids=["off", "left on"])
@pytest.mark.parametrize("message", [ABORT, DEVICE_RESET])
@pytest.mark.parametrize("deaf", [False, True])
def test_chip_must_send_abort_with_sdu_off(deaf, message, sdu_off, objections):
    board = Board()
    board.bus.targets[3] = Disk(deaf=deaf)
    board.set_up()
    board._write(0x100, bytes([0x80, message]))
    board.run(0x41030000, 0, 0x800B0000 | MSG_OUT << 24, 0x1000 + 16, *sdu_off, 0x0E000002, 0x100,
              0x48000000, 0, 0x98080000, 1)
    assert board.objections == objections
    assert board.bus.free != deaf
    if sdu_off and not deaf:
        assert (board.read(SIST0, 2) & UDC, board.read(DSTAT) & D_SIR) == (0, D_SIR)


@pytest.mark.parametrize("kind", [QemuDisk, Box86Disk])
def test_emulated_target_obeys_device_reset_without_attention(kind):
    host = Initiator(kind())
    host.send_messages(0x80, ABORT)
    assert host.bus.free
    host.send_messages(0x80, DEVICE_RESET)
    assert host.bus.free and not host.target.attentions
    assert (host.target.aborts, host.target.device_resets) == (1, 1)


# ---- Command sets of the emulators -----------------------------------------------------------


def test_qemu_reports_its_single_lun():
    host = Initiator(QemuDisk())
    assert host.run_command(LUNS) == (bytes([0, 0, 0, 8]) + bytes(12), GOOD)
    assert host.run_command(capacity16(), lun=0)[1] == GOOD


@pytest.mark.parametrize("cdb", [LUNS, capacity16(), access(READ16, 5), access(WRITE16, 5), START],
                         ids=lambda cdb: f"{cdb[0]:02X}")
def test_86box_rejects_newer_commands(cdb):
    assert Initiator(Box86Disk()).refused(cdb[:12], 5, 0x20, 0)


@pytest.mark.parametrize("kind, opcode", [(QemuDisk, VERIFY), (QemuDisk, VERIFY16),
                                          (Box86Disk, VERIFY), (Box86Disk, SEEK)])
def test_emulated_verify_and_seek_check_nothing(kind, opcode):
    assert Initiator(kind(blocks=10)).run_command(access(opcode, 10)) == (b"", GOOD)


def test_86box_failed_read_sends_no_data():
    assert Initiator(Box86Disk(bad_blocks={7: BAD})).run_command(access(READ, 5, 4)) == (
        b"", CHECK_CONDITION)


@pytest.mark.parametrize("kind", [QemuDisk, Box86Disk])
def test_emulated_target_refuses_further_units(kind):
    with pytest.raises(AssertionError):
        kind(luns={1: Disk(lun=1)})
