# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The tempers of the bench, and the shipped ROM in each of them.

Each difference between an emulator and silicon is shown by a program of a few
instructions. Those of QEMU are also run by the QEMU that is installed here:
the model has to say what it says. [chip-facts 6.1] is where a fact about QEMU
comes from, [chip-facts 6.2] one about 86Box.
"""

from __future__ import annotations

import struct
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from qemu import command as qemu_command

from tests.model.board import Board
from tests.model.bus import COMMAND, DATA_IN, DATA_OUT, HANG, MSG_IN, MSG_OUT, STATUS
from tests.model.hardware import HARDWARE, EmulatorDied, QemuChip, QemuDisk
from tests.model.pc import BUFFER, Pc
from tests.model.registers import (ABRT, COM, CTEST3, DBC, DCNTL, DFE, DIP, DSA, DSP, DSPS, DSTAT,
                                   D_SIR, GPCNTL, ISTAT, ISTAT1, MA, MACNTL, MS, RESPID0, RST,
                                   RST_LINE, SCID, SCNTL0, SCNTL1, SCNTL2, SCNTL3, SDU, SFBR, SIGP,
                                   SIP, SIST0, SRST, SRUN, SSID, SSTAT1, STEST3, STIME0, STIME1,
                                   STO, SXFER, UDC, US)
from tests.model.target import CHECK_CONDITION, REJECT, Answer, Disk
from tests.rom.strict import (OK, OVERRUN, READ_FAILED, SECOND, TIMEOUT, disk, fails, lives_on,
                              new_pc, reads_well)

EMULATORS = ["qemu", "qemu-7.2.0", "86box"]
QEMUS = ["qemu", "qemu-7.2.0"]
WHERE = ["model", pytest.param("real", marks=pytest.mark.qemu("the chip, beside its model"))]

# Places in memory
MESSAGE, CDB, TABLE = 0x100, 0x110, 0x120
GOT_STATUS, GOT_MESSAGES, DATA = 0x140, 0x141, 0x2000
ALTERNATE, PROGRAM = 0x1800, 0x1000

SCRATCHA = 0x34
CONNECTED = 0x10

# Instructions
SELECT, SELECT_NO_ATN, SELECT_ABSENT = ((first, ALTERNATE) for first in (0x41000000, 0x40000000,
                                                                         0x41050000))
SELECT_FROM_TABLE = (0x43000000, ALTERNATE)
WAIT_DISCONNECT, WAIT_RESELECT = (0x48000000, 0), (0x50000000, ALTERNATE)
ENDLESS = (0x80080000, PROGRAM)
# DBC 7:0 and 15:8 to SCRATCHA 7:0 and 15:8
READ_DBC = [(0x72240000, 0), (0x6A340000, 0), (0x72250000, 0), (0x6A350000, 0)]

TEST_UNIT_READY, INQUIRY = bytes(6), bytes([0x12, 0, 0, 0, 36, 0])
SENSE = bytes([3, 0, 0, 0, 18, 0])
FLUSH, START = b"\x35" + bytes(9), bytes([0x1B, 0, 0, 0, 1, 0])


def read10(blocks: int) -> bytes:
    return struct.pack(">BBIBHB", 0x28, 0, 5, 0, blocks, 0)


def write10(blocks: int) -> bytes:
    return b"\x2A" + read10(blocks)[1:]


def move(phase: int, count: int, address: int) -> tuple[int, int]:
    return 0x08000000 | phase << 24 | count, address


def interrupt(code: int) -> tuple[int, int]:
    return 0x98080000, code


def interrupt_when(phase: int, code: int) -> tuple[int, int]:
    return 0x980B0000 | phase << 24, code


IDENTIFY = move(MSG_OUT, 1, MESSAGE)
TAKE_STATUS, TAKE_MESSAGE = move(STATUS, 1, GOT_STATUS), move(MSG_IN, 1, GOT_MESSAGES)


def send(cdb: bytes) -> list[tuple[int, int]]:
    """Selection to COMMAND; the CDB itself is put into memory by Bench.do()."""
    return [SELECT, IDENTIFY, move(COMMAND, len(cdb), CDB)]


TO_END = [TAKE_STATUS, TAKE_MESSAGE, WAIT_DISCONNECT]
AWAY = [TAKE_MESSAGE, move(MSG_IN, 1, GOT_MESSAGES + 1), WAIT_DISCONNECT]
AWAY_AND_BACK = [*AWAY, WAIT_RESELECT, move(MSG_IN, 1, GOT_MESSAGES + 2)]


class Bench:
    """A chip with one disk at ID 0 that has nothing to complain about."""

    def put(self, address: int, data: bytes) -> None:
        raise NotImplementedError

    def get(self, address: int, length: int) -> bytes:
        raise NotImplementedError

    def read(self, offset: int, size: int = 1) -> int:
        raise NotImplementedError

    def write(self, offset: int, value: int, size: int = 1) -> None:
        raise NotImplementedError

    def wait(self, stops: bool) -> None:
        """Let the program stop, or go as far as it will."""
        raise NotImplementedError

    def set_up(self) -> None:
        for offset, value in {SCNTL0: 0xCA, SCNTL3: 3, SCID: 0x47, RESPID0: 0x80, STIME0: 0x0C,
                              CTEST3: 0, DCNTL: 0x03, STEST3: 0x80}.items():
            self.write(offset, value)

    def run(self, *instructions: tuple[int, int], stops: bool = True) -> int:
        """Returns ISTAT."""
        dwords = [dword for instruction in instructions for dword in instruction]
        self.put(PROGRAM, struct.pack(f"<{len(dwords)}I", *dwords))
        self.write(DSP, PROGRAM, 4)
        self.wait(stops)
        return self.read(ISTAT)

    def do(self, cdb: bytes, *rest: tuple[int, int], message: bytes = b"\x80") -> int:
        """Send a command, then run the rest of the program."""
        self.put(MESSAGE, message)
        self.put(CDB, cdb.ljust(16, b"\0"))
        return self.run(*send(cdb), *rest)

    def causes(self) -> tuple[int, int]:
        """SIST and DSTAT."""
        return self.read(SIST0, 2), self.read(DSTAT)

    def ends_with(self, code: int) -> bool:
        """Has the program ended in that INT and nothing else?"""
        return self.causes() == (0, DFE | D_SIR) and self.read(DSPS, 4) == code

    def comes_to(self, code: int) -> bool:
        """Does a program that has stopped go on by itself to that INT?"""
        for _ in range(50):
            if self.read(DSPS, 4) == code:
                return self.causes() == (0, DFE | D_SIR)
            self.wait(stops=False)
        return False

    def drain(self) -> None:
        """Nothing is pending, and the disk's unit attention is gone."""
        self.do(TEST_UNIT_READY, *TO_END, interrupt(1))
        assert self.ends_with(1)

    def dbc(self) -> int:
        return self.read(DBC, 4) & 0xFFFFFF

    def phase(self) -> int:
        return self.read(SSTAT1) & 7

    def connected(self) -> bool:
        return bool(self.read(SCNTL1) & CONNECTED)


class Model(Bench):
    def __init__(self, hardware: str, variant: str = "895A", **options):
        self.disk = HARDWARE[hardware].disk(**options)
        self.board = Board(variant, HARDWARE[hardware].chip)
        self.board.bus.targets[0] = self.disk
        self.get = lambda address, length: bytes(self.board.memory[address:address + length])
        self.put = self.board._write
        self.read, self.write = self.board.read, self.board.write
        self.set_up()

    def wait(self, stops: bool) -> None:
        for _ in range(20):
            self.board.pass_time(500 * US)


class Real(Bench):
    """The QEMU installed here, asked through qtest while its CPU stands still."""

    def __init__(self, image: str):
        self._process = subprocess.Popen(
            [*qemu_command(), "-nodefaults", "-display", "none", "-S", "-qtest", "stdio",
             "-device", "lsi53c895a,id=hba,addr=4",
             "-drive", f"file={image},format=raw,if=none,id=disk,snapshot=on,rerror=report",
             "-device", "scsi-hd,drive=disk,bus=hba.0,scsi-id=0"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            bufsize=1)
        for register, value in ((0x10, 0xC000), (0x04, 7)):
            self._ask(f"outl 0xcf8 {1 << 31 | 4 << 11 | register:#x}")
            self._ask(f"outl 0xcfc {value:#x}")
        self.set_up()

    def _ask(self, line: str) -> list[str]:
        self._process.stdin.write(line + "\n")
        while answer := self._process.stdout.readline():
            if answer.startswith("OK"):
                return answer.split()[1:]
        raise EmulatorDied(line)

    def put(self, address: int, data: bytes) -> None:
        self._ask(f"write {address:#x} {len(data)} 0x{data.hex()}")

    def get(self, address: int, length: int) -> bytes:
        return bytes.fromhex(self._ask(f"read {address:#x} {length}")[0][2:])

    def read(self, offset: int, size: int = 1) -> int:
        return int(self._ask(f"in{'bw.l'[size - 1]} {0xC000 + offset:#x}")[0], 16)

    def write(self, offset: int, value: int, size: int = 1) -> None:
        self._ask(f"out{'bw.l'[size - 1]} {0xC000 + offset:#x} {value:#x}")

    def wait(self, stops: bool) -> None:
        end = time.monotonic() + (5 if stops else 0.1)
        while time.monotonic() < end and not (stops and self.read(ISTAT) & (SIP | DIP)):
            time.sleep(0.001)
        time.sleep(0.01)    # for what may come behind

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> str:
    file = tmp_path_factory.mktemp("hardware") / "disk.img"
    file.write_bytes(b"".join(lba.to_bytes(4, "little") * 128 for lba in range(4096)))
    return str(file)


@pytest.fixture(params=WHERE)
def fresh_qemu(request, image: str) -> Iterator[Bench]:
    """QEMU as it comes up: the model, and the one it is a model of."""
    if request.param == "model":
        yield Model("qemu", blocks=4096)
        return
    bench = Real(image)
    yield bench
    bench.close()


@pytest.fixture
def qemu(fresh_qemu: Bench) -> Bench:
    fresh_qemu.drain()
    return fresh_qemu


@pytest.fixture(params=WHERE)
def failing_qemu(request, image: str, tmp_path) -> Iterator[Callable[[int], Bench]]:
    """A host that cannot read: from the first 128 KiB on, or behind them."""
    def start(behind: int) -> Bench:
        if request.param == "model":
            bench = Model("qemu", blocks=4096, fails_after=behind)
            bench.board.memory.extend(bytes(0x40000))
        else:
            rules = tmp_path / "blkdebug.conf"
            rules.write_text(f'[inject-error]\nevent = "read_aio"\nerrno = "5"\n'
                             f'sector = "{6 + behind // 512}"\n')
            bench = Real(f"blkdebug:{rules}:{image}")
            running.append(bench)
        bench.drain()
        return bench

    running: list[Real] = []
    yield start
    for bench in running:
        bench.close()


@pytest.fixture
def box() -> Model:
    return Model("86box")


@pytest.fixture(params=["qemu", "86box"])
def any_emulator(request) -> Model:
    bench = Model(request.param)
    bench.drain()
    return bench


# ---- QEMU, the model beside the real one [chip-facts 6.1] ----------------------------


def test_qemu_shows_msg_out_without_atn(qemu):
    """COMMAND straight after it is a mismatch."""
    qemu.run(SELECT_NO_ATN, move(COMMAND, 6, CDB), interrupt(1))
    assert (qemu.causes(), qemu.phase()) == ((MA, DFE), MSG_OUT)


def test_qemu_table_selection_loads_no_timing(qemu):
    qemu.write(DSA, TABLE, 4)
    qemu.put(TABLE, bytes([0, 8, 0, 0x13]))
    qemu.run(SELECT_FROM_TABLE, interrupt(1))
    assert qemu.ends_with(1) and qemu.connected()
    assert (qemu.read(SXFER), qemu.read(SCNTL3)) == (0, 3)


def test_qemu_finds_nobody_at_once_and_stops_at_the_next_look_at_the_bus(qemu):
    """Register moves and NOP still run, the INT does not."""
    qemu.run(SELECT_ABSENT, (0x78345A00, 0), (0x80000000, 0), interrupt(1))
    assert qemu.causes() == (STO, DFE)
    assert (qemu.read(SCRATCHA), qemu.read(DSP, 4)) == (0x5A, PROGRAM + 32)


def test_qemu_selects_although_a_time_out_is_pending_and_stops_behind_it(qemu):
    qemu.run(SELECT_ABSENT, interrupt(1))
    qemu.run(SELECT, IDENTIFY, interrupt(2))
    assert qemu.connected() and qemu.read(DSP, 4) == PROGRAM + 16
    assert qemu.causes() == (STO, DFE)


def test_qemu_jumps_to_the_alternate_address_while_connected(qemu):
    qemu.run(SELECT, interrupt(1))
    qemu.causes()
    qemu.put(ALTERNATE, struct.pack("<II", *interrupt(7)))
    qemu.run(SELECT, interrupt(2))
    assert qemu.ends_with(7)


def test_qemu_disconnects_from_every_read_whatever_identify_says(qemu):
    """Both messages come in one move, which ends with them; IDENTIFY alone
    comes back, and then the data."""
    qemu.do(read10(1), move(MSG_IN, 8, GOT_MESSAGES), WAIT_RESELECT,
            move(MSG_IN, 8, GOT_MESSAGES + 2), move(DATA_IN, 512, DATA), *TO_END[:2], interrupt(1))
    assert qemu.ends_with(1)
    assert qemu.get(GOT_MESSAGES + 1, 2) == b"\x04\x80"
    assert qemu.get(DATA, 512) == (5).to_bytes(4, "little") * 128
    assert qemu.read(SSID) == 0x80


def test_qemu_does_not_disconnect_for_what_it_knows(qemu):
    qemu.do(INQUIRY, move(DATA_IN, 36, DATA), *TO_END, interrupt(1))
    assert qemu.ends_with(1)
    assert (qemu.get(GOT_STATUS, 1), qemu.get(DATA, 1)) == (b"\0", b"\0")


@pytest.mark.parametrize("counts", [[1536], [512, 1024], [1, 1535]], ids=repr)
def test_qemu_stays_on_the_bus_for_a_write(qemu, counts):
    """And waits in the last move until the host has written."""
    data, at, moves = bytes(range(256)) * 6, DATA, []
    qemu.put(DATA, data)
    for count in counts:
        moves.append(move(DATA_OUT, count, at))
        at += count
    qemu.do(write10(3), *moves, *TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == b"\0"
    qemu.do(read10(3), *AWAY_AND_BACK, move(DATA_IN, 1536, 0x3000), *TO_END[:2], interrupt(1))
    assert qemu.ends_with(1) and qemu.get(0x3000, 1536) == data


def test_qemu_stops_at_a_write_of_less_than_the_program_has(qemu):
    qemu.do(write10(1), move(DATA_OUT, 600, DATA), interrupt(1))
    assert qemu.causes() == (MA, DFE)
    assert (qemu.dbc(), qemu.phase()) == (88, STATUS)


def test_qemu_verifies_without_looking(qemu):
    cdb = b"\x2F\0\x7F\xFF\xFF\xFF\0\0\1\0"
    qemu.do(cdb, *TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == b"\0"


def test_qemu_seeks_within_the_disk_only(qemu):
    qemu.do(b"\x2B\0\0\0\x0F\xFF" + bytes(4), *TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == b"\0"
    qemu.do(b"\x2B\0\0\0\x10\x00" + bytes(4), *TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == bytes([CHECK_CONDITION])


def test_qemu_lists_one_unit_before_it_tells_of_a_reset(fresh_qemu):
    fresh_qemu.do(b"\xA0" + bytes(8) + b"\x10\0\0", move(DATA_IN, 16, DATA), *TO_END, interrupt(1))
    assert fresh_qemu.ends_with(1) and fresh_qemu.get(DATA, 16) == bytes([0, 0, 0, 8]) + bytes(12)
    fresh_qemu.do(TEST_UNIT_READY, *TO_END, interrupt(1))
    assert fresh_qemu.ends_with(1)
    assert fresh_qemu.get(GOT_STATUS, 1) == bytes([CHECK_CONDITION])


def test_qemu_says_its_capacity_in_16_bytes_of_command_too(qemu):
    qemu.do(b"\x9E\x10" + bytes(11) + b"\x20\0\0", move(DATA_IN, 32, DATA), *TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(DATA, 12) == bytes([0] * 6 + [0x0F, 0xFF, 0, 0, 2, 0])


def test_qemu_frees_the_bus_with_the_last_message_byte(qemu):
    """No CLEAR ACK, SDU left set: no UDC. Then the phase is 0."""
    qemu.write(SCNTL2, SDU)
    qemu.do(TEST_UNIT_READY, *TO_END[:2], interrupt_when(DATA_OUT, 3), interrupt(1))
    assert qemu.ends_with(3)
    assert not qemu.connected() and qemu.phase() == 0


def test_qemu_takes_the_target_back_in_wait_disconnect(qemu):
    qemu.do(read10(1), *AWAY[:2], interrupt(1))
    qemu.causes()
    assert not qemu.connected()
    qemu.run(WAIT_DISCONNECT, interrupt_when(MSG_IN, 2), interrupt(3))
    assert qemu.ends_with(2) and qemu.connected()


@pytest.mark.parametrize("cdb, count", [(read10(3), 1540), (INQUIRY, 255)], ids=["read", "inquiry"])
def test_qemu_stops_at_short_data_with_the_rest_in_dbc(qemu, cdb, count):
    """The register moves behind are not reached."""
    length = {0x28: 1536, 0x12: 36}[cdb[0]]
    back = AWAY_AND_BACK if cdb[0] == 0x28 else []
    qemu.do(cdb, *back, move(DATA_IN, count, DATA), *READ_DBC, interrupt(1))
    assert qemu.causes() == (MA, DFE)
    assert (qemu.dbc(), qemu.phase(), qemu.read(SCRATCHA, 2)) == (count - length, STATUS, 0)
    qemu.run(*TO_END, interrupt(2))
    assert qemu.ends_with(2)


@pytest.mark.parametrize("count", [1536, 1000])
def test_qemu_reads_dbc_as_0_behind_a_whole_move(qemu, count):
    qemu.write(SCRATCHA, 0xFFFF, 2)
    qemu.do(read10(3), *AWAY_AND_BACK, move(DATA_IN, count, DATA), *READ_DBC, interrupt(1))
    assert qemu.ends_with(1) and qemu.read(SCRATCHA, 2) == 0
    assert qemu.phase() == (STATUS if count == 1536 else DATA_IN)


def test_qemu_fetches_instructions_without_touching_dbc(qemu):
    """Status and messages do not count it down: 1 stays."""
    qemu.do(TEST_UNIT_READY, *TO_END, *READ_DBC, interrupt(1))
    assert qemu.ends_with(1) and qemu.read(SCRATCHA, 2) == 1


def test_qemu_takes_16_bytes_of_a_cdb(qemu):
    qemu.put(CDB, bytes(16))
    qemu.run(SELECT, IDENTIFY, move(COMMAND, 40, CDB), *TO_END[:1], interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == b"\0"


@pytest.mark.parametrize("message", [[0x80, 1, 3, 1, 25, 8], [0x80, 1, 2, 3, 1],
                                     [0x80, 1, 6, 4, 9, 0, 8, 1, 0]], ids=["SDTR", "WDTR", "PPR"])
def test_qemu_swallows_negotiation(qemu, message):
    qemu.put(MESSAGE, bytes(message))
    qemu.run(SELECT, move(MSG_OUT, len(message), MESSAGE), interrupt_when(COMMAND, 1))
    assert qemu.ends_with(1)


def test_qemu_refuses_other_messages_and_goes_on(qemu):
    qemu.put(MESSAGE, b"\x80\x05")
    qemu.run(SELECT, move(MSG_OUT, 2, MESSAGE), TAKE_MESSAGE, interrupt_when(COMMAND, 1))
    assert qemu.ends_with(1) and qemu.get(GOT_MESSAGES, 1) == bytes([REJECT])


def test_qemu_goes_to_msg_out_at_once_on_set_atn(qemu):
    qemu.do(INQUIRY, (0x58000008, 0), interrupt_when(MSG_OUT, 1), interrupt(2))
    assert qemu.ends_with(1)


def test_qemu_frees_the_bus_on_an_abort_message(qemu):
    qemu.put(MESSAGE, b"\x80\x06")
    qemu.run(SELECT, move(MSG_OUT, 2, MESSAGE), interrupt(1))
    assert qemu.ends_with(1) and not qemu.connected()


@pytest.mark.parametrize("message", [b"\x80\x06", b"\x80\x0C"], ids=["ABORT", "BUS DEVICE RESET"])
def test_qemu_forgets_a_command_that_is_away(qemu, message):
    """And says nothing of it: no unit attention."""
    qemu.do(read10(1), *AWAY[:2], interrupt(1))
    qemu.causes()
    qemu.put(MESSAGE, message)
    qemu.run(SELECT, move(MSG_OUT, 2, MESSAGE), interrupt(2))
    assert qemu.ends_with(2) and not qemu.connected()
    assert qemu.run(WAIT_RESELECT, interrupt(3), stops=False) == 0
    qemu.write(ISTAT, ABRT)
    qemu.write(ISTAT, 0)
    qemu.causes()
    qemu.do(TEST_UNIT_READY, *TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == b"\0"


def test_qemu_skips_an_opcode_of_0_as_one_dword(qemu):
    qemu.run((0, 0x80000000), (0, 0x98080000), (1, 0))
    assert qemu.ends_with(1)


def test_qemu_reads_sfbr_as_0(qemu):
    """By the CPU, and in a register move."""
    qemu.run((0x78345A00, 0), (0x72340000, 0), (0x72080000, 0), (0x6A340000, 0), interrupt(1))
    assert qemu.ends_with(1)
    assert (qemu.read(SFBR), qemu.read(SCRATCHA)) == (0, 0)


def test_qemu_registers_after_a_software_reset(qemu):
    """COM does not stay, CLF does; SRST reads as 0."""
    qemu.write(ISTAT, SRST)
    assert qemu.read(ISTAT) == 0
    qemu.write(ISTAT, 0)
    assert not qemu.read(DCNTL) & COM
    qemu.write(CTEST3, 0x04)
    qemu.write(GPCNTL, 0x2A)
    values = {at: qemu.read(at) for at in (SCID, 0x07, 0x18, 0x19, CTEST3, 0x27, MACNTL, GPCNTL,
                                           STIME1, RESPID0, 0x52)}
    assert values == {SCID: 7, 0x07: 0x7F, 0x18: 0xFF, 0x19: 0, CTEST3: 0x04, 0x27: 0x40,
                      MACNTL: 0x0F, GPCNTL: 0x0F, STIME1: 0xFF, RESPID0: 0x80, 0x52: 0xE0}


def test_qemu_never_says_in_istat_that_it_is_connected(qemu):
    qemu.do(INQUIRY, interrupt(1))
    assert (qemu.read(ISTAT), qemu.connected()) == (DIP, True)


def test_qemu_raises_the_general_purpose_timer_at_once(qemu):
    qemu.write(STIME1, 0x01)
    assert (qemu.read(ISTAT), qemu.read(SIST0, 2)) == (SIP, 0x0200)


@pytest.mark.parametrize("reset", [lambda q: (q.write(ISTAT, SRST), q.write(ISTAT, 0)),
                                   lambda q: (q.write(SCNTL1, RST_LINE), q.wait(False),
                                              q.write(SCNTL1, 0), q.wait(False))],
                         ids=["SRST", "RST"])
def test_qemu_resets_its_disks_as_well(qemu, reset):
    reset(qemu)
    qemu.causes()
    qemu.set_up()
    if isinstance(qemu, Model):
        qemu.board.pass_time(300 * MS)
    qemu.do(TEST_UNIT_READY, *TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == bytes([CHECK_CONDITION])
    qemu.do(SENSE, move(DATA_IN, 18, DATA), *TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(DATA + 2, 1) == b"\x06"
    assert qemu.get(DATA + 12, 1) == b"\x29"


def test_qemu_bus_reset_shows_in_sist_at_once(qemu):
    qemu.write(SCNTL1, RST_LINE)
    assert qemu.read(SIST0, 2) == RST


def test_qemu_keeps_a_wait_that_was_aborted(qemu):
    """The next program runs one instruction and stands, unless that is a
    SELECT; SRST helps."""
    qemu.run(WAIT_RESELECT, stops=False)
    qemu.write(ISTAT, ABRT)
    assert qemu.read(ISTAT) == ABRT | DIP
    qemu.write(ISTAT, 0)
    qemu.causes()
    assert qemu.run((0x78345A00, 0), (0x78350100, 0), interrupt(1), stops=False) == 0
    assert qemu.read(ISTAT1) == SRUN
    qemu.write(ISTAT, ABRT)
    qemu.write(ISTAT, 0)
    qemu.causes()
    assert qemu.read(SCRATCHA, 2) == 0x5A
    qemu.write(ISTAT, SRST)
    qemu.write(ISTAT, 0)
    qemu.run(interrupt(1))
    assert qemu.ends_with(1)


def test_qemu_lets_a_selection_end_an_aborted_wait(qemu):
    qemu.run(WAIT_RESELECT, stops=False)
    qemu.write(ISTAT, ABRT)
    qemu.write(ISTAT, 0)
    qemu.causes()
    qemu.run(SELECT, interrupt(1))
    assert qemu.ends_with(1)


def test_qemu_pauses_in_an_endless_loop(qemu):
    assert qemu.run(ENDLESS, stops=False) == 0
    assert qemu.read(ISTAT1) == SRUN


def test_qemu_goes_on_with_a_stopped_program_when_a_flush_ends(qemu):
    """DATA IN is shown while it lasts; INT 1 stops the program there, and at
    its end the program runs on from there by itself."""
    qemu.do(FLUSH, interrupt_when(DATA_IN, 1), interrupt(2))
    assert qemu.comes_to(2) and qemu.phase() == STATUS


def test_qemu_goes_on_with_a_stopped_program_when_a_read_fails(failing_qemu):
    """One that stands before WAIT RESELECT runs on, without a mismatch."""
    qemu = failing_qemu(behind=0)
    qemu.do(read10(3), *AWAY[:2], interrupt(1), interrupt_when(STATUS, 2))
    assert qemu.comes_to(2) and not qemu.connected()


def test_qemu_ends_a_move_for_a_flush_with_a_mismatch(qemu):
    qemu.do(FLUSH, move(DATA_IN, 1, DATA), interrupt(1))
    assert qemu.causes() == (MA, DFE)
    assert (qemu.phase(), qemu.dbc()) == (STATUS, 1)


def test_qemu_routes_a_lun_that_is_not_there(qemu):
    qemu.do(INQUIRY, move(DATA_IN, 36, DATA), *TO_END, interrupt(1), message=b"\x81")
    assert qemu.ends_with(1) and qemu.get(DATA, 1) == b"\x7F"
    qemu.do(TEST_UNIT_READY, *TO_END, interrupt(1), message=b"\x81")
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == bytes([CHECK_CONDITION])


def test_qemu_fails_a_request_sense_that_meets_the_attention(fresh_qemu):
    """And the attention is gone with that."""
    fresh_qemu.do(SENSE, *TO_END, interrupt(1))
    assert fresh_qemu.ends_with(1)
    assert fresh_qemu.get(GOT_STATUS, 1) == bytes([CHECK_CONDITION])
    fresh_qemu.do(TEST_UNIT_READY, *TO_END, interrupt(1))
    assert fresh_qemu.ends_with(1) and fresh_qemu.get(GOT_STATUS, 1) == b"\0"


def test_qemu_ends_a_failed_read_while_the_target_is_away(failing_qemu):
    """MA without a connection, in WAIT RESELECT."""
    qemu = failing_qemu(behind=0)
    qemu.do(read10(3), *AWAY_AND_BACK, interrupt(1))
    assert qemu.causes() == (MA, DFE)
    assert (qemu.connected(), qemu.phase(), qemu.dbc()) == (False, STATUS, 1)
    qemu.run(*TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == bytes([CHECK_CONDITION])
    qemu.do(SENSE, move(DATA_IN, 18, DATA), *TO_END, interrupt(1))
    assert qemu.ends_with(1)
    assert (qemu.get(DATA + 2, 1), qemu.get(DATA + 12, 2)) == (b"\x0B", b"\x00\x06")


def test_qemu_dies_of_a_software_reset_behind_a_failed_read(failing_qemu):
    qemu = failing_qemu(behind=0)
    qemu.do(read10(3), *AWAY_AND_BACK, interrupt(1))
    qemu.causes()
    qemu.run(*TO_END, interrupt(1))
    qemu.causes()
    with pytest.raises(EmulatorDied):
        qemu.write(ISTAT, SRST)


def test_qemu_waits_in_a_move_for_the_next_chunk(failing_qemu):
    """Which fails: the rest is in DBC."""
    qemu = failing_qemu(behind=131_072)
    qemu.do(read10(512), *AWAY_AND_BACK, move(DATA_IN, 512 * 512, 0x4000), *READ_DBC, interrupt(1))
    assert qemu.causes() == (MA, DFE)
    assert (qemu.dbc(), qemu.phase(), qemu.read(SCRATCHA, 2)) == (131_072, STATUS, 0)


# ---- QEMU before 7.2.11 [chip-facts 6.1] -----------------------------------------------


def test_old_qemu_runs_on_behind_a_mismatch_in_wait_reselect():
    old = Model("qemu-7.2.0", fails_after=0)
    old.drain()
    old.do(read10(3), *AWAY[:3], WAIT_RESELECT, interrupt(7))
    assert old.causes() == (MA, DFE | D_SIR)
    assert (old.read(DSPS, 4), old.connected(), old.phase()) == (7, False, STATUS)


def test_old_qemu_runs_on_behind_a_mismatch_in_a_move_that_had_to_wait():
    """So the register moves see the rest."""
    old = Model("qemu-7.2.0", chunk=512, fails_after=1024)
    old.drain()
    old.do(read10(3), *AWAY_AND_BACK, move(DATA_IN, 1536, DATA), *READ_DBC, interrupt(1))
    assert old.causes() == (MA, DFE | D_SIR)
    assert (old.read(SCRATCHA, 2), old.dbc()) == (512, 512)


def test_old_qemu_stops_at_short_data_that_is_all_there():
    old = Model("qemu-7.2.0")
    old.drain()
    old.do(read10(3), *AWAY_AND_BACK, move(DATA_IN, 1540, DATA), *READ_DBC, interrupt(1))
    assert old.causes() == (MA, DFE)
    assert (old.read(SCRATCHA, 2), old.dbc()) == (0, 4)


@pytest.mark.parametrize("hardware, istat, instructions", [("qemu", 0, 20 * 100),
                                                         ("qemu-7.2.0", SIP, 10_000)])
def test_what_qemu_does_with_an_endless_loop(hardware, istat, instructions):
    """100 instructions each 500 us, or the end after 10,000."""
    bench = Model(hardware)
    assert bench.run(ENDLESS) == istat
    assert bench.board.chip.scripts.instructions == pytest.approx(instructions, rel=0.05)
    if istat:
        assert bench.causes() == (UDC, DFE)


# ---- 86Box [chip-facts 6.2] ------------------------------------------------------------


def test_86box_runs_nothing_within_the_write_of_dsp(box):
    """100 instructions each 40 us."""
    box.write(SCRATCHA, 0)
    box.put(PROGRAM, struct.pack("<4I", 0x7E340100, 0, *ENDLESS))
    box.write(DSP, PROGRAM, 4)
    assert box.board.chip.scripts.instructions == 0
    box.board.pass_time(41 * US)
    assert box.board.chip.scripts.instructions == pytest.approx(100, abs=1)
    box.board.pass_time(40 * US)
    assert box.board.chip.scripts.instructions == pytest.approx(200, abs=2)


def test_86box_never_disconnects(box):
    box.do(read10(3), move(DATA_IN, 1536, DATA), *TO_END, interrupt(1))
    assert box.ends_with(1)
    assert (box.get(GOT_STATUS, 2), box.get(DATA, 4)) == (b"\0\0", (5).to_bytes(4, "little"))


def test_86box_takes_its_time_for_the_data_only(box):
    """And ISTAT is quiet meanwhile."""
    box.wait = lambda stops: box.board.pass_time(300 * US)
    assert box.do(read10(1), move(DATA_IN, 512, DATA), interrupt(1)) == 0
    assert box.phase() == DATA_IN
    box.board.pass_time(50 * US)
    assert box.ends_with(1)


@pytest.mark.parametrize("missing", [1, 0x123, 1535])
def test_86box_passes_over_short_data_with_the_rest_in_dbc(box, missing):
    box.disk.data_hook = lambda bus, data: Disk.data_in(data[:1536 - missing])
    box.do(read10(3), move(DATA_IN, 1536, DATA), *READ_DBC, interrupt(1))
    assert box.ends_with(1)
    assert (box.read(SCRATCHA, 2), box.dbc(), box.phase()) == (missing, missing, STATUS)


@pytest.mark.parametrize("count", [1536, 1000])
def test_86box_reads_dbc_as_0_behind_a_whole_move(box, count):
    box.write(SCRATCHA, 0xFFFF, 2)
    box.do(read10(3), move(DATA_IN, count, DATA), *READ_DBC, interrupt(1))
    assert box.ends_with(1) and box.read(SCRATCHA, 2) == 0
    assert box.phase() == (STATUS if count == 1536 else DATA_IN)


def test_86box_stops_at_the_wrong_phase_like_anybody(box):
    box.do(TEST_UNIT_READY, move(DATA_IN, 512, DATA), interrupt(1))
    assert (box.causes(), box.dbc(), box.phase()) == ((MA, DFE), 512, STATUS)


def test_86box_shows_msg_in_on_a_bus_that_became_free_with_a_message(box):
    box.do(TEST_UNIT_READY, *TO_END, interrupt_when(MSG_IN, 3), interrupt(1))
    assert box.ends_with(3) and not box.connected()


def test_86box_reports_a_lun_that_is_not_there_as_a_time_out(box):
    box.do(TEST_UNIT_READY, interrupt_when(STATUS, 1), message=b"\x81")
    assert box.causes() == (STO, DFE) and not box.connected()


def test_86box_has_no_unit_attention_even_after_a_reset(box):
    box.write(ISTAT, SRST)
    box.write(ISTAT, 0)
    box.set_up()
    box.do(TEST_UNIT_READY, *TO_END, interrupt(1))
    assert box.ends_with(1) and box.get(GOT_STATUS, 1) == b"\0"


def test_86box_forgets_a_command_with_srst(box):
    box.do(read10(1), interrupt(1))
    box.write(ISTAT, ABRT)
    box.write(ISTAT, 0)
    box.causes()
    box.write(ISTAT, SRST)
    box.write(ISTAT, 0)
    assert box.board.bus.nexus is None


def test_86box_resets_nobody_with_rst(box):
    box.do(read10(1), interrupt(1))
    box.causes()
    box.write(SCNTL1, RST_LINE)
    assert box.causes() == (RST, DFE)
    assert box.board.bus.connected == 0


@pytest.mark.parametrize("cdb", [START, FLUSH], ids=["START UNIT", "SYNCHRONIZE CACHE"])
def test_86box_disks_know_few_commands(box, cdb):
    box.do(cdb, *TO_END, interrupt(1))
    assert box.ends_with(1) and box.get(GOT_STATUS, 1) == bytes([CHECK_CONDITION])
    box.do(SENSE, move(DATA_IN, 18, DATA), *TO_END, interrupt(1))
    assert box.ends_with(1)
    assert (box.get(DATA, 3), box.get(DATA + 12, 1)) == (b"\xF0\0\x05", b"\x20")


def test_86box_wakes_from_wait_reselect_for_sigp_only(box):
    box.put(ALTERNATE, struct.pack("<II", *interrupt(7)))
    assert box.run(WAIT_RESELECT, interrupt(1), stops=False) == 0
    box.write(ISTAT, SIGP)
    box.wait(True)
    assert box.ends_with(7)


def test_86box_stands_after_an_aborted_wait_until_srst(box):
    box.run(WAIT_RESELECT, stops=False)
    box.write(ISTAT, ABRT)
    box.write(ISTAT, 0)
    box.causes()
    assert box.run(SELECT, interrupt(1), stops=False) == 0
    box.write(ISTAT, ABRT)
    box.write(ISTAT, SRST)
    box.write(ISTAT, 0)
    box.set_up()
    box.run(SELECT, interrupt(1))
    assert box.ends_with(1)


def test_86box_registers(box):
    """SCID hides RRE; nothing of a newer chip is there."""
    for at in (SCID, 0x09, 0x56, 0x57, 0xA0):
        box.write(at, 0x47)
    values = {at: box.read(at) for at in (SCID, SFBR, 0x09, ISTAT1, 0x18, 0x19, 0x20, MACNTL,
                                          0x52, 0x56, 0x57, 0xA0)}
    assert values == {SCID: 7, SFBR: 0, 0x09: 0, ISTAT1: 0, 0x18: 0xFF, 0x19: 0xF0, 0x20: 0,
                      MACNTL: 0x4F, 0x52: 0xE0, 0x56: 0, 0x57: 0, 0xA0: 0}
    box.write(CTEST3, 0x04)
    assert box.read(CTEST3) == 0


def test_86box_takes_12_bytes_of_a_cdb(box):
    box.put(MESSAGE, b"\x80")
    box.put(CDB, b"\x88" + bytes(15))
    box.run(SELECT, IDENTIFY, move(COMMAND, 16, CDB), interrupt(1))
    assert box.ends_with(1) and box.dbc() == 12


# ---- Both ----------------------------------------------------------------------------------


def test_emulators_count_data_out_in_dbc_as_well(any_emulator):
    """The target takes 5 bytes of 8: QEMU says so, 86Box does not."""
    taken = []

    def perform(bus, cdb):
        for _ in range(5):
            taken.append((yield DATA_OUT, None))
        return Answer()
    any_emulator.disk.perform = perform
    any_emulator.put(DATA, b"datablox")
    any_emulator.do(TEST_UNIT_READY, move(DATA_OUT, 8, DATA), interrupt(1))
    assert (bytes(taken), any_emulator.dbc(), any_emulator.phase()) == (b"datab", 3, STATUS)
    stops = isinstance(any_emulator.board.chip, QemuChip)
    assert any_emulator.causes() == ((MA, DFE) if stops else (0, DFE | D_SIR))


# ---- Laws that an emulator does not keep, but a driver must ---------------------------------


def touches_a_running_chip(bench: Model) -> None:
    bench.run(WAIT_RESELECT, stops=False)
    bench.read(SIST0, 2)


def resets_a_running_chip(bench: Model) -> None:
    bench.run(WAIT_RESELECT, stops=False)
    bench.write(ISTAT, SRST)


def starts_with_a_cause(bench: Model) -> None:
    bench.run(interrupt(1))
    bench.run(interrupt(1))


def selects_soon_after_a_reset(bench: Model) -> None:
    bench.write(SCNTL1, RST_LINE)
    bench.board.pass_time(30 * US)
    bench.write(SCNTL1, 0)
    bench.causes()
    bench.run(SELECT, interrupt(1))


def leaves_reset_on(bench: Model) -> None:
    bench.write(ISTAT, SRST)
    bench.read(DSTAT)


def reads_dstat_first(bench: Model) -> None:
    bench.run(SELECT, move(COMMAND, 6, CDB))    # MA
    bench.write(ISTAT, ABRT)
    bench.write(ISTAT, 0)
    bench.read(DSTAT)


def returns_with_a_cause(bench: Model) -> None:
    bench.run(interrupt(1))
    bench.board.chip.check_idle()


def returns_with_a_target(bench: Model) -> None:
    bench.do(INQUIRY, interrupt(1))
    bench.causes()
    bench.board.chip.check_idle()


def returns_while_running(bench: Model) -> None:
    bench.run(WAIT_RESELECT, stops=False)
    bench.board.chip.check_idle()


@pytest.mark.parametrize("act, rule", [
    (touches_a_running_chip, "register access while SCRIPTS runs"),
    (resets_a_running_chip, "SRST without ABRT"),
    (starts_with_a_cause, "SCRIPTS started with causes pending"),
    (selects_soon_after_a_reset, "selection too soon after a bus reset"),
    (leaves_reset_on, "SRST left set"),
    (reads_dstat_first, "DSTAT read before SIST"),
    (returns_with_a_cause, "causes left pending"),
    (returns_with_a_target, "target left connected"),
    (returns_while_running, "SCRIPTS left running"),
    (lambda bench: bench.read(SIST0), "SIST read in bytes"),
    (lambda bench: bench.write(SSTAT1, 0), "read-only register written"),
    (lambda bench: bench.write(SFBR, 0), "SFBR written by the CPU"),
    (lambda bench: bench.write(DSP, 0, 1), "DSP written in parts"),
    (lambda bench: (bench.write(STIME0, 0), bench.run(SELECT)), "no selection time-out"),
    (lambda bench: (bench.write(SCNTL3, 0), bench.run(SELECT)), "clock not set"),
    (lambda bench: (bench.write(DCNTL, 2), bench.run((0x78340000, 0))),
     "register instruction without DCNTL.COM"),
    (lambda bench: bench.run((0x06000001, 0), interrupt(1)), "CHMOV in place of MOVE"),
    (lambda bench: bench.run((0x0E000000, 0), interrupt(1)), "block move of 0 bytes"),
], ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "")
def test_rules_that_stay(any_emulator, act, rule):
    act(any_emulator)
    assert rule in any_emulator.board.objections


def test_rules_about_handshakes_are_silent(any_emulator):
    """No CLEAR ACK, SDU left set, a phase tested on a free bus, a stale one."""
    any_emulator.write(SCNTL2, SDU)
    any_emulator.do(TEST_UNIT_READY, *TO_END[:2], interrupt_when(COMMAND, 2), (0x980A0000, 3),
                    interrupt(1))
    assert any_emulator.causes()[1] & D_SIR
    assert not any_emulator.board.objections


# ---- The ROM in every temper -----------------------------------------------------------------


def booted(hardware: str, variant: str) -> Pc:
    kind = HARDWARE[hardware].disk
    return new_pc(variant, {0: kind(), 3: kind(content=lambda lba: bytes([3]) * 512)},
                  hardware=hardware)


@pytest.fixture(params=[(t, f) for t in EMULATORS for f in ("895A", "810")], ids="-".join)
def pc(request) -> Pc:
    return booted(*request.param)


@pytest.fixture(params=[(t, f) for t in QEMUS for f in ("895A", "810")], ids="-".join)
def qemu_pc(request) -> Pc:
    return booted(*request.param)


def test_rom_post_finds_the_disks_and_nobody_else(pc):
    assert "ID 0 LUN 0 BENCH STRICT DISK 32 MiB, 512-byte blocks" in pc.text
    assert pc.text.count("32 MiB") == 2
    assert "81h: SCSI 00:04.0 ID 3" in pc.text


def test_rom_post_waits_for_no_absent_id(pc):
    """250 ms are for the bus reset."""
    assert pc.chip.now < 0.4 * SECOND


@pytest.mark.parametrize("count", [1, 3, 127])
def test_rom_reads(pc, count):
    reads_well(pc, 1000, count)


def test_rom_reads_both_disks_by_turns(pc):
    for lba in range(4):
        reads_well(pc, lba, 1)
        result = pc.read(lba, 2, drive=0x81)
        assert (result.ah, pc.peek(BUFFER, 1024)) == (OK, bytes([3]) * 1024)


def test_rom_asks_an_absent_disk_and_the_next_command_works(pc):
    gone = pc.bus.targets.pop(3)
    assert pc.read(1, 1, drive=0x81).ah == TIMEOUT
    pc.bus.targets[3] = gone
    lives_on(pc)


@pytest.mark.parametrize("key, asc, status", [(0x3, 0x11, 0x10), (0x5, 0x21, 0x04),
                                              (0x2, 0x3A, 0x31)])
def test_rom_reports_what_the_sense_data_say(pc, key, asc, status):
    target = disk(pc)
    target.status_hook = lambda cdb: target.check(key, asc) if cdb[0] == 0x28 else None
    fails(pc, status)
    lives_on(pc)


@pytest.mark.parametrize("length", [0, 1, 511, 512, 1024, 1535])
def test_rom_never_takes_short_data_for_success(pc, length):
    disk(pc).data_hook = lambda bus, data: Disk.data_in(data[:length])
    fails(pc, READ_FAILED)
    lives_on(pc)


def test_rom_never_takes_64_kib_that_did_not_come_for_success(pc):
    """Only the low bytes of DBC can be read: no command may be that long."""
    disk(pc).data_hook = lambda bus, data: iter([])
    fails(pc, READ_FAILED, 128)


def test_rom_reads_again_what_was_short_once(pc):
    lengths = [100]
    disk(pc).data_hook = lambda bus, data: Disk.data_in(data[:lengths.pop() if lengths else None])
    reads_well(pc)


@pytest.mark.parametrize("extra", [1, 512, 1000])
def test_rom_reports_too_much_data(pc, extra):
    disk(pc).data_hook = lambda bus, data: Disk.data_in(data + b"\xBB" * extra)
    fails(pc, OVERRUN)
    lives_on(pc)


def test_rom_survives_more_data_than_the_chip_has_patience_for(pc):
    """Old QEMU ends the program after 10,000 instructions."""
    disk(pc).data_hook = lambda bus, data: Disk.data_in(data + b"\xBB" * 4_000)
    assert pc.read(1000, 3).cf
    lives_on(pc)


def test_rom_times_out_on_data_that_do_not_come_and_recovers_the_chip(pc):
    resets = []
    disk(pc).reset = lambda: resets.append(1)
    disk(pc).data_hook = lambda bus, data: iter([HANG])
    begun = pc.chip.now
    fails(pc, TIMEOUT)
    assert 10 * SECOND <= pc.chip.now - begun < 15 * SECOND
    assert resets, "the emulator's disks are reset"
    lives_on(pc)


def test_rom_times_out_on_a_host_that_does_not_answer(qemu_pc):
    disk(qemu_pc).host_ns = 3600 * SECOND
    fails(qemu_pc, TIMEOUT)
    disk(qemu_pc).host_ns = MS
    lives_on(qemu_pc)


def test_rom_waits_for_a_slow_host(qemu_pc):
    disk(qemu_pc).host_ns = 4 * SECOND
    reads_well(qemu_pc)


def test_rom_reports_an_error_while_the_target_is_away(qemu_pc):
    """And neither resets the chip then, which QEMU would not survive, nor
    gives up after one try."""
    target = disk(qemu_pc)
    target.fails_after = 0
    before = len(target.commands)
    fails(qemu_pc, READ_FAILED)
    assert [c[0] for c in target.commands[before:]] == [0x28, 0x03] * 5
    target.fails_after = None
    lives_on(qemu_pc)


def test_rom_reads_again_after_an_error_while_the_target_is_away(qemu_pc):
    target = disk(qemu_pc)
    reads = []

    def fail_once(cdb: bytes) -> None:
        reads.append(cdb[0] == 0x28)
        target.fails_after = 0 if reads.count(True) == 1 else None
    target.status_hook = fail_once
    reads_well(qemu_pc)
    assert reads.count(True) == 2


@pytest.mark.parametrize("behind", [512, 1024])
def test_rom_reports_an_error_between_two_chunks(qemu_pc, behind):
    """Old QEMU runs on behind that mismatch."""
    target: QemuDisk = disk(qemu_pc)
    target.chunk, target.fails_after = 512, behind
    fails(qemu_pc, READ_FAILED)
    target.fails_after = None
    lives_on(qemu_pc)


@pytest.mark.parametrize("chunk", [512, 1024, 700])
def test_rom_reads_in_chunks(qemu_pc, chunk):
    disk(qemu_pc).chunk = chunk
    reads_well(qemu_pc)


def test_rom_drains_unit_attentions(qemu_pc):
    disk(qemu_pc).attentions = [(6, 0x29, 0), (6, 0x28, 0), (6, 0x2A, 1)] * 2
    reads_well(qemu_pc)
