# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The QEMU model against the installed QEMU. A program of a few instructions
shows each difference between QEMU and silicon [chip-facts 6.1].
"""

from __future__ import annotations

import struct
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
from qemu import command as qemu_command

from tests.model.bus import COMMAND, DATA_IN, DATA_OUT, MSG_IN, MSG_OUT, STATUS
from tests.model.emulator_bench import (ALTERNATE, CDB, DATA, ENDLESS, FLUSH, GOT_MESSAGES,
                                        GOT_STATUS, IDENTIFY, INQUIRY, MESSAGE, PROGRAM, READ_DBC,
                                        SCRATCHA, SELECT, SELECT_ABSENT, SELECT_NO_ATN, SENSE,
                                        TABLE, TAKE_MESSAGE, TEST_UNIT_READY, TO_END,
                                        WAIT_DISCONNECT, WAIT_RESELECT, Bench, Model, interrupt,
                                        interrupt_when, move, read10)
from tests.model.emulated_qemu import EmulatorDied
from tests.model.registers import (ABRT, COM, CTEST3, DCNTL, DFE, DIP, DSA, DSP, DSPS, D_SIR,
                                   GPCNTL, ISTAT, ISTAT1, MA, MACNTL, MS, RESPID0, RST, RST_LINE,
                                   SCID, SCNTL1, SCNTL2, SCNTL3, SDU, SFBR, SIP, SIST0, SRST, SRUN,
                                   SSID, STIME1, STO, SXFER, UDC)
from tests.model.target import CHECK_CONDITION, REJECT

WHERE = ["model", pytest.param("real", marks=pytest.mark.qemu("chip compared with its model"))]
SELECT_FROM_TABLE = (0x43000000, ALTERNATE)


def write10(blocks: int) -> bytes:
    return b"\x2A" + read10(blocks)[1:]


AWAY = [TAKE_MESSAGE, move(MSG_IN, 1, GOT_MESSAGES + 1), WAIT_DISCONNECT]
AWAY_AND_BACK = [*AWAY, WAIT_RESELECT, move(MSG_IN, 1, GOT_MESSAGES + 2)]


class Real(Bench):
    """The installed QEMU, driven through qtest while its CPU is stopped."""

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
        time.sleep(0.01)    # for events that may follow

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
    """QEMU after power-on: the model, and the real one."""
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
    """A host with read errors, either from the start or after the first 128 KiB."""
    def start(readable: int) -> Bench:
        if request.param == "model":
            bench = Model("qemu", blocks=4096, fails_after=readable)
            bench.board.memory.extend(bytes(0x40000))
        else:
            rules = tmp_path / "blkdebug.conf"
            rules.write_text(f'[inject-error]\nevent = "read_aio"\nerrno = "5"\n'
                             f'sector = "{6 + readable // 512}"\n')
            bench = Real(f"blkdebug:{rules}:{image}")
            running.append(bench)
        bench.drain()
        return bench

    running: list[Real] = []
    yield start
    for bench in running:
        bench.close()


# ---- QEMU: the model and the real one [chip-facts 6.1] --------------------------------


def test_qemu_shows_msg_out_without_atn(qemu):
    """COMMAND directly after the selection is a mismatch."""
    qemu.run(SELECT_NO_ATN, move(COMMAND, 6, CDB), interrupt(1))
    assert (qemu.causes(), qemu.phase()) == ((MA, DFE), MSG_OUT)


def test_qemu_table_selection_loads_no_timing(qemu):
    qemu.write(DSA, TABLE, 4)
    qemu.put(TABLE, bytes([0, 8, 0, 0x13]))
    qemu.run(SELECT_FROM_TABLE, interrupt(1))
    assert qemu.ends_with(1) and qemu.connected()
    assert (qemu.read(SXFER), qemu.read(SCNTL3)) == (0, 3)


def test_qemu_selection_of_absent_target_stops_at_the_next_bus_instruction(qemu):
    """Register moves and NOP still run, INT does not."""
    qemu.run(SELECT_ABSENT, (0x78345A00, 0), (0x80000000, 0), interrupt(1))
    assert qemu.causes() == (STO, DFE)
    assert (qemu.read(SCRATCHA), qemu.read(DSP, 4)) == (0x5A, PROGRAM + 32)


def test_qemu_selects_with_a_pending_time_out_and_then_stops(qemu):
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


def test_qemu_disconnects_on_every_read_even_if_identify_forbids_it(qemu):
    """One move receives both messages and ends with them. After the reselection,
    IDENTIFY comes alone, then the data."""
    qemu.do(read10(1), move(MSG_IN, 8, GOT_MESSAGES), WAIT_RESELECT,
            move(MSG_IN, 8, GOT_MESSAGES + 2), move(DATA_IN, 512, DATA), *TO_END[:2], interrupt(1))
    assert qemu.ends_with(1)
    assert qemu.get(GOT_MESSAGES + 1, 2) == b"\x04\x80"
    assert qemu.get(DATA, 512) == (5).to_bytes(4, "little") * 128
    assert qemu.read(SSID) == 0x80


def test_qemu_does_not_disconnect_for_inquiry(qemu):
    qemu.do(INQUIRY, move(DATA_IN, 36, DATA), *TO_END, interrupt(1))
    assert qemu.ends_with(1)
    assert (qemu.get(GOT_STATUS, 1), qemu.get(DATA, 1)) == (b"\0", b"\0")


@pytest.mark.parametrize("counts", [[1536], [512, 1024], [1, 1535]], ids=repr)
def test_qemu_stays_connected_for_a_write(qemu, counts):
    """The last move waits until the host has written."""
    data, at, moves = bytes(range(256)) * 6, DATA, []
    qemu.put(DATA, data)
    for count in counts:
        moves.append(move(DATA_OUT, count, at))
        at += count
    qemu.do(write10(3), *moves, *TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == b"\0"
    qemu.do(read10(3), *AWAY_AND_BACK, move(DATA_IN, 1536, 0x3000), *TO_END[:2], interrupt(1))
    assert qemu.ends_with(1) and qemu.get(0x3000, 1536) == data


def test_qemu_stops_at_a_write_shorter_than_the_move(qemu):
    qemu.do(write10(1), move(DATA_OUT, 600, DATA), interrupt(1))
    assert qemu.causes() == (MA, DFE)
    assert (qemu.dbc(), qemu.phase()) == (88, STATUS)


def test_qemu_verify_succeeds_past_the_end(qemu):
    cdb = b"\x2F\0\x7F\xFF\xFF\xFF\0\0\1\0"
    qemu.do(cdb, *TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == b"\0"


def test_qemu_seek_past_the_end_fails(qemu):
    qemu.do(b"\x2B\0\0\0\x0F\xFF" + bytes(4), *TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == b"\0"
    qemu.do(b"\x2B\0\0\0\x10\x00" + bytes(4), *TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == bytes([CHECK_CONDITION])


def test_qemu_report_luns_precedes_the_unit_attention(fresh_qemu):
    fresh_qemu.do(b"\xA0" + bytes(8) + b"\x10\0\0", move(DATA_IN, 16, DATA), *TO_END, interrupt(1))
    assert fresh_qemu.ends_with(1) and fresh_qemu.get(DATA, 16) == bytes([0, 0, 0, 8]) + bytes(12)
    fresh_qemu.do(TEST_UNIT_READY, *TO_END, interrupt(1))
    assert fresh_qemu.ends_with(1)
    assert fresh_qemu.get(GOT_STATUS, 1) == bytes([CHECK_CONDITION])


def test_qemu_supports_read_capacity_16(qemu):
    qemu.do(b"\x9E\x10" + bytes(11) + b"\x20\0\0", move(DATA_IN, 32, DATA), *TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(DATA, 12) == bytes([0] * 6 + [0x0F, 0xFF, 0, 0, 2, 0])


def test_qemu_frees_the_bus_with_the_last_message_byte(qemu):
    """Without CLEAR ACK and with SDU set, there is no UDC. The phase is then 0."""
    qemu.write(SCNTL2, SDU)
    qemu.do(TEST_UNIT_READY, *TO_END[:2], interrupt_when(DATA_OUT, 3), interrupt(1))
    assert qemu.ends_with(3)
    assert not qemu.connected() and qemu.phase() == 0


def test_qemu_accepts_reselection_in_wait_disconnect(qemu):
    qemu.do(read10(1), *AWAY[:2], interrupt(1))
    qemu.causes()
    assert not qemu.connected()
    qemu.run(WAIT_DISCONNECT, interrupt_when(MSG_IN, 2), interrupt(3))
    assert qemu.ends_with(2) and qemu.connected()


@pytest.mark.parametrize("cdb, count", [(read10(3), 1540), (INQUIRY, 255)], ids=["read", "inquiry"])
def test_qemu_stops_at_short_data_with_the_rest_in_dbc(qemu, cdb, count):
    """The register moves after the data move are not reached."""
    length = {0x28: 1536, 0x12: 36}[cdb[0]]
    back = AWAY_AND_BACK if cdb[0] == 0x28 else []
    qemu.do(cdb, *back, move(DATA_IN, count, DATA), *READ_DBC, interrupt(1))
    assert qemu.causes() == (MA, DFE)
    assert (qemu.dbc(), qemu.phase(), qemu.read(SCRATCHA, 2)) == (count - length, STATUS, 0)
    qemu.run(*TO_END, interrupt(2))
    assert qemu.ends_with(2)


@pytest.mark.parametrize("count", [1536, 1000])
def test_qemu_reads_dbc_as_0_after_a_complete_move(qemu, count):
    qemu.write(SCRATCHA, 0xFFFF, 2)
    qemu.do(read10(3), *AWAY_AND_BACK, move(DATA_IN, count, DATA), *READ_DBC, interrupt(1))
    assert qemu.ends_with(1) and qemu.read(SCRATCHA, 2) == 0
    assert qemu.phase() == (STATUS if count == 1536 else DATA_IN)


def test_qemu_instruction_fetch_keeps_dbc(qemu):
    """Status and message moves do not decrement it: it stays at 1."""
    qemu.do(TEST_UNIT_READY, *TO_END, *READ_DBC, interrupt(1))
    assert qemu.ends_with(1) and qemu.read(SCRATCHA, 2) == 1


def test_qemu_uses_16_bytes_of_a_cdb(qemu):
    qemu.put(CDB, bytes(16))
    qemu.run(SELECT, IDENTIFY, move(COMMAND, 40, CDB), *TO_END[:1], interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == b"\0"


@pytest.mark.parametrize("message", [[0x80, 1, 3, 1, 25, 8], [0x80, 1, 2, 3, 1],
                                     [0x80, 1, 6, 4, 9, 0, 8, 1, 0]], ids=["SDTR", "WDTR", "PPR"])
def test_qemu_ignores_negotiation_messages(qemu, message):
    qemu.put(MESSAGE, bytes(message))
    qemu.run(SELECT, move(MSG_OUT, len(message), MESSAGE), interrupt_when(COMMAND, 1))
    assert qemu.ends_with(1)


def test_qemu_rejects_other_messages_and_continues(qemu):
    qemu.put(MESSAGE, b"\x80\x05")
    qemu.run(SELECT, move(MSG_OUT, 2, MESSAGE), TAKE_MESSAGE, interrupt_when(COMMAND, 1))
    assert qemu.ends_with(1) and qemu.get(GOT_MESSAGES, 1) == bytes([REJECT])


def test_qemu_switches_to_msg_out_at_set_atn(qemu):
    qemu.do(INQUIRY, (0x58000008, 0), interrupt_when(MSG_OUT, 1), interrupt(2))
    assert qemu.ends_with(1)


def test_qemu_frees_the_bus_on_an_abort_message(qemu):
    qemu.put(MESSAGE, b"\x80\x06")
    qemu.run(SELECT, move(MSG_OUT, 2, MESSAGE), interrupt(1))
    assert qemu.ends_with(1) and not qemu.connected()


@pytest.mark.parametrize("message", [b"\x80\x06", b"\x80\x0C"], ids=["ABORT", "BUS DEVICE RESET"])
def test_qemu_abort_drops_a_disconnected_command(qemu, message):
    """There is no unit attention afterwards."""
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
    """This holds for a CPU read and for a register move."""
    qemu.run((0x78345A00, 0), (0x72340000, 0), (0x72080000, 0), (0x6A340000, 0), interrupt(1))
    assert qemu.ends_with(1)
    assert (qemu.read(SFBR), qemu.read(SCRATCHA)) == (0, 0)


def test_qemu_registers_after_a_software_reset(qemu):
    """COM is cleared, CLF can be set; SRST reads as 0."""
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


def test_qemu_istat_never_shows_con(qemu):
    qemu.do(INQUIRY, interrupt(1))
    assert (qemu.read(ISTAT), qemu.connected()) == (DIP, True)


def test_qemu_general_purpose_timer_expires_at_once(qemu):
    qemu.write(STIME1, 0x01)
    assert (qemu.read(ISTAT), qemu.read(SIST0, 2)) == (SIP, 0x0200)


@pytest.mark.parametrize("reset", [lambda q: (q.write(ISTAT, SRST), q.write(ISTAT, 0)),
                                   lambda q: (q.write(SCNTL1, RST_LINE), q.wait(False),
                                              q.write(SCNTL1, 0), q.wait(False))],
                         ids=["SRST", "RST"])
def test_qemu_resets_also_reset_the_disks(qemu, reset):
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


def test_qemu_keeps_an_aborted_wait_until_srst(qemu):
    """The next program runs one instruction and stops, unless that is a SELECT.
    SRST clears the condition."""
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


def test_qemu_selection_ends_an_aborted_wait(qemu):
    qemu.run(WAIT_RESELECT, stops=False)
    qemu.write(ISTAT, ABRT)
    qemu.write(ISTAT, 0)
    qemu.causes()
    qemu.run(SELECT, interrupt(1))
    assert qemu.ends_with(1)


def test_qemu_keeps_srun_set_in_an_endless_loop(qemu):
    assert qemu.run(ENDLESS, stops=False) == 0
    assert qemu.read(ISTAT1) == SRUN


def test_qemu_restarts_a_stopped_program_when_a_flush_ends(qemu):
    """During the flush, DATA IN is shown and INT 1 stops the program. At its end,
    the program continues from there by itself."""
    qemu.do(FLUSH, interrupt_when(DATA_IN, 1), interrupt(2))
    assert qemu.comes_to(2) and qemu.phase() == STATUS


def test_qemu_restarts_a_stopped_program_when_a_read_fails(failing_qemu):
    """A program stopped before WAIT RESELECT continues, without a mismatch."""
    qemu = failing_qemu(readable=0)
    qemu.do(read10(3), *AWAY[:2], interrupt(1), interrupt_when(STATUS, 2))
    assert qemu.comes_to(2) and not qemu.connected()


def test_qemu_data_move_during_a_flush_ends_with_a_mismatch(qemu):
    qemu.do(FLUSH, move(DATA_IN, 1, DATA), interrupt(1))
    assert qemu.causes() == (MA, DFE)
    assert (qemu.phase(), qemu.dbc()) == (STATUS, 1)


def test_qemu_answers_for_a_missing_lun(qemu):
    qemu.do(INQUIRY, move(DATA_IN, 36, DATA), *TO_END, interrupt(1), message=b"\x81")
    assert qemu.ends_with(1) and qemu.get(DATA, 1) == b"\x7F"
    qemu.do(TEST_UNIT_READY, *TO_END, interrupt(1), message=b"\x81")
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == bytes([CHECK_CONDITION])


def test_qemu_request_sense_fails_at_a_unit_attention(fresh_qemu):
    """The attention is cleared by that."""
    fresh_qemu.do(SENSE, *TO_END, interrupt(1))
    assert fresh_qemu.ends_with(1)
    assert fresh_qemu.get(GOT_STATUS, 1) == bytes([CHECK_CONDITION])
    fresh_qemu.do(TEST_UNIT_READY, *TO_END, interrupt(1))
    assert fresh_qemu.ends_with(1) and fresh_qemu.get(GOT_STATUS, 1) == b"\0"


def test_qemu_failed_read_ends_without_reselection(failing_qemu):
    """MA is raised without a connection, in WAIT RESELECT."""
    qemu = failing_qemu(readable=0)
    qemu.do(read10(3), *AWAY_AND_BACK, interrupt(1))
    assert qemu.causes() == (MA, DFE)
    assert (qemu.connected(), qemu.phase(), qemu.dbc()) == (False, STATUS, 1)
    qemu.run(*TO_END, interrupt(1))
    assert qemu.ends_with(1) and qemu.get(GOT_STATUS, 1) == bytes([CHECK_CONDITION])
    qemu.do(SENSE, move(DATA_IN, 18, DATA), *TO_END, interrupt(1))
    assert qemu.ends_with(1)
    assert (qemu.get(DATA + 2, 1), qemu.get(DATA + 12, 2)) == (b"\x0B", b"\x00\x06")


def test_qemu_crashes_at_a_software_reset_after_a_failed_read(failing_qemu):
    qemu = failing_qemu(readable=0)
    qemu.do(read10(3), *AWAY_AND_BACK, interrupt(1))
    qemu.causes()
    qemu.run(*TO_END, interrupt(1))
    qemu.causes()
    with pytest.raises(EmulatorDied):
        qemu.write(ISTAT, SRST)


def test_qemu_move_waits_for_the_next_chunk(failing_qemu):
    """That chunk fails: DBC holds the rest."""
    qemu = failing_qemu(readable=131_072)
    qemu.do(read10(512), *AWAY_AND_BACK, move(DATA_IN, 512 * 512, 0x4000), *READ_DBC, interrupt(1))
    assert qemu.causes() == (MA, DFE)
    assert (qemu.dbc(), qemu.phase(), qemu.read(SCRATCHA, 2)) == (131_072, STATUS, 0)


# ---- QEMU before 7.2.11 [chip-facts 6.1] -----------------------------------------------


def test_old_qemu_continues_after_a_mismatch_in_wait_reselect():
    old = Model("qemu-7.2.0", fails_after=0)
    old.drain()
    old.do(read10(3), *AWAY[:3], WAIT_RESELECT, interrupt(7))
    assert old.causes() == (MA, DFE | D_SIR)
    assert (old.read(DSPS, 4), old.connected(), old.phase()) == (7, False, STATUS)


def test_old_qemu_continues_after_a_mismatch_in_a_move_that_waited():
    """The register moves therefore see the rest."""
    old = Model("qemu-7.2.0", chunk=512, fails_after=1024)
    old.drain()
    old.do(read10(3), *AWAY_AND_BACK, move(DATA_IN, 1536, DATA), *READ_DBC, interrupt(1))
    assert old.causes() == (MA, DFE | D_SIR)
    assert (old.read(SCRATCHA, 2), old.dbc()) == (512, 512)


def test_old_qemu_stops_at_short_data_without_a_wait():
    old = Model("qemu-7.2.0")
    old.drain()
    old.do(read10(3), *AWAY_AND_BACK, move(DATA_IN, 1540, DATA), *READ_DBC, interrupt(1))
    assert old.causes() == (MA, DFE)
    assert (old.read(SCRATCHA, 2), old.dbc()) == (0, 4)


@pytest.mark.parametrize("hardware, istat, instructions", [("qemu", 0, 20 * 100),
                                                           ("qemu-7.2.0", SIP, 10_000)])
def test_qemu_limits_an_endless_loop(hardware, istat, instructions):
    """100 instructions every 500 us, or an end after 10,000."""
    bench = Model(hardware)
    assert bench.run(ENDLESS) == istat
    assert bench.board.chip.scripts.instructions == pytest.approx(instructions, rel=0.05)
    if istat:
        assert bench.causes() == (UDC, DFE)
