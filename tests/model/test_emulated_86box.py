# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The 86Box model, common behaviour of both emulators, and rules that an
emulator does not enforce but a driver must keep [chip-facts 6.2].
"""

from __future__ import annotations

import struct

import pytest

from tests.model.bus import COMMAND, DATA_IN, DATA_OUT, MSG_IN, STATUS
from tests.model.emulator_bench import (ALTERNATE, CDB, DATA, ENDLESS, FLUSH, GOT_STATUS, IDENTIFY,
                                        INQUIRY, MESSAGE, PROGRAM, READ_DBC, SCRATCHA, SELECT,
                                        SENSE, START, TEST_UNIT_READY, TO_END, WAIT_RESELECT,
                                        Model, interrupt, interrupt_when, move, read10)
from tests.model.emulated_qemu import QemuChip
from tests.model.registers import (ABRT, CTEST3, DCNTL, DFE, DSP, DSTAT, D_SIR, ISTAT, ISTAT1, MA,
                                   MACNTL, RST, RST_LINE, SCID, SCNTL1, SCNTL2, SCNTL3, SDU, SFBR,
                                   SIGP, SIST0, SRST, SSTAT1, STIME0, STO, US)
from tests.model.target import CHECK_CONDITION, Answer, Disk


@pytest.fixture
def box() -> Model:
    return Model("86box")


@pytest.fixture(params=["qemu", "86box"])
def any_emulator(request) -> Model:
    bench = Model(request.param)
    bench.drain()
    return bench


# ---- 86Box [chip-facts 6.2] ------------------------------------------------------------


def test_86box_starts_program_after_the_write_of_dsp(box):
    """It runs 100 instructions every 40 us."""
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


def test_86box_delays_the_data_only(box):
    """ISTAT reads 0 meanwhile."""
    box.wait = lambda stops: box.board.pass_time(300 * US)
    assert box.do(read10(1), move(DATA_IN, 512, DATA), interrupt(1)) == 0
    assert box.phase() == DATA_IN
    box.board.pass_time(50 * US)
    assert box.ends_with(1)


@pytest.mark.parametrize("missing", [1, 0x123, 1535])
def test_86box_continues_after_short_data_with_the_rest_in_dbc(box, missing):
    box.disk.data_hook = lambda bus, data: Disk.data_in(data[:1536 - missing])
    box.do(read10(3), move(DATA_IN, 1536, DATA), *READ_DBC, interrupt(1))
    assert box.ends_with(1)
    assert (box.read(SCRATCHA, 2), box.dbc(), box.phase()) == (missing, missing, STATUS)


@pytest.mark.parametrize("count", [1536, 1000])
def test_86box_reads_dbc_as_0_after_a_complete_move(box, count):
    box.write(SCRATCHA, 0xFFFF, 2)
    box.do(read10(3), move(DATA_IN, count, DATA), *READ_DBC, interrupt(1))
    assert box.ends_with(1) and box.read(SCRATCHA, 2) == 0
    assert box.phase() == (STATUS if count == 1536 else DATA_IN)


def test_86box_stops_at_a_phase_mismatch(box):
    box.do(TEST_UNIT_READY, move(DATA_IN, 512, DATA), interrupt(1))
    assert (box.causes(), box.dbc(), box.phase()) == ((MA, DFE), 512, STATUS)


def test_86box_shows_msg_in_after_the_final_message(box):
    box.do(TEST_UNIT_READY, *TO_END, interrupt_when(MSG_IN, 3), interrupt(1))
    assert box.ends_with(3) and not box.connected()


def test_86box_reports_a_missing_lun_as_a_time_out(box):
    box.do(TEST_UNIT_READY, interrupt_when(STATUS, 1), message=b"\x81")
    assert box.causes() == (STO, DFE) and not box.connected()


def test_86box_has_no_unit_attention_even_after_a_reset(box):
    box.write(ISTAT, SRST)
    box.write(ISTAT, 0)
    box.set_up()
    box.do(TEST_UNIT_READY, *TO_END, interrupt(1))
    assert box.ends_with(1) and box.get(GOT_STATUS, 1) == b"\0"


def test_86box_drops_the_command_at_srst(box):
    box.do(read10(1), interrupt(1))
    box.write(ISTAT, ABRT)
    box.write(ISTAT, 0)
    box.causes()
    box.write(ISTAT, SRST)
    box.write(ISTAT, 0)
    assert box.board.bus.nexus is None


def test_86box_rst_resets_no_device(box):
    box.do(read10(1), interrupt(1))
    box.causes()
    box.write(SCNTL1, RST_LINE)
    assert box.causes() == (RST, DFE)
    assert box.board.bus.connected == 0


@pytest.mark.parametrize("cdb", [START, FLUSH], ids=["START UNIT", "SYNCHRONIZE CACHE"])
def test_86box_disks_reject_start_unit_and_synchronize_cache(box, cdb):
    box.do(cdb, *TO_END, interrupt(1))
    assert box.ends_with(1) and box.get(GOT_STATUS, 1) == bytes([CHECK_CONDITION])
    box.do(SENSE, move(DATA_IN, 18, DATA), *TO_END, interrupt(1))
    assert box.ends_with(1)
    assert (box.get(DATA, 3), box.get(DATA + 12, 1)) == (b"\xF0\0\x05", b"\x20")


def test_86box_leaves_wait_reselect_at_sigp(box):
    box.put(ALTERNATE, struct.pack("<II", *interrupt(7)))
    assert box.run(WAIT_RESELECT, interrupt(1), stops=False) == 0
    box.write(ISTAT, SIGP)
    box.wait(True)
    assert box.ends_with(7)


def test_86box_runs_nothing_after_an_aborted_wait_until_srst(box):
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


def test_86box_registers_read_as_in_86box(box):
    """SCID hides RRE; registers of newer chips read 0."""
    for at in (SCID, 0x09, 0x56, 0x57, 0xA0):
        box.write(at, 0x47)
    values = {at: box.read(at) for at in (SCID, SFBR, 0x09, ISTAT1, 0x18, 0x19, 0x20, MACNTL,
                                          0x52, 0x56, 0x57, 0xA0)}
    assert values == {SCID: 7, SFBR: 0, 0x09: 0, ISTAT1: 0, 0x18: 0xFF, 0x19: 0xF0, 0x20: 0,
                      MACNTL: 0x4F, 0x52: 0xE0, 0x56: 0, 0x57: 0, 0xA0: 0}
    box.write(CTEST3, 0x04)
    assert box.read(CTEST3) == 0


def test_86box_uses_12_bytes_of_a_cdb(box):
    box.put(MESSAGE, b"\x80")
    box.put(CDB, b"\x88" + bytes(15))
    box.run(SELECT, IDENTIFY, move(COMMAND, 16, CDB), interrupt(1))
    assert box.ends_with(1) and box.dbc() == 12


# ---- Both ----------------------------------------------------------------------------------


def test_emulators_count_data_out_in_dbc(any_emulator):
    """The target takes 5 of 8 bytes. QEMU reports a mismatch, 86Box does not."""
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


# ---- Rules that an emulator does not enforce but a driver must keep ---------------------------


def access_running_chip(bench: Model) -> None:
    bench.run(WAIT_RESELECT, stops=False)
    bench.read(SIST0, 2)


def reset_running_chip(bench: Model) -> None:
    bench.run(WAIT_RESELECT, stops=False)
    bench.write(ISTAT, SRST)


def start_with_pending_cause(bench: Model) -> None:
    bench.run(interrupt(1))
    bench.run(interrupt(1))


def select_soon_after_reset(bench: Model) -> None:
    bench.write(SCNTL1, RST_LINE)
    bench.board.pass_time(30 * US)
    bench.write(SCNTL1, 0)
    bench.causes()
    bench.run(SELECT, interrupt(1))


def leave_reset_set(bench: Model) -> None:
    bench.write(ISTAT, SRST)
    bench.read(DSTAT)


def read_dstat_first(bench: Model) -> None:
    bench.run(SELECT, move(COMMAND, 6, CDB))    # MA
    bench.write(ISTAT, ABRT)
    bench.write(ISTAT, 0)
    bench.read(DSTAT)


def return_with_pending_cause(bench: Model) -> None:
    bench.run(interrupt(1))
    bench.board.chip.check_idle()


def return_with_connected_target(bench: Model) -> None:
    bench.do(INQUIRY, interrupt(1))
    bench.causes()
    bench.board.chip.check_idle()


def return_while_running(bench: Model) -> None:
    bench.run(WAIT_RESELECT, stops=False)
    bench.board.chip.check_idle()


@pytest.mark.parametrize("act, rule", [
    (access_running_chip, "register access while SCRIPTS runs"),
    (reset_running_chip, "SRST without ABRT"),
    (start_with_pending_cause, "SCRIPTS started with causes pending"),
    (select_soon_after_reset, "selection too soon after a bus reset"),
    (leave_reset_set, "SRST left set"),
    (read_dstat_first, "DSTAT read before SIST"),
    (return_with_pending_cause, "causes left pending"),
    (return_with_connected_target, "target left connected"),
    (return_while_running, "SCRIPTS left running"),
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
def test_emulator_model_still_checks_rule(any_emulator, act, rule):
    act(any_emulator)
    assert rule in any_emulator.board.objections


def test_handshake_rules_are_not_checked_on_emulators(any_emulator):
    """No CLEAR ACK, SDU left set, phase tests on a free bus and of a stale phase."""
    any_emulator.write(SCNTL2, SDU)
    any_emulator.do(TEST_UNIT_READY, *TO_END[:2], interrupt_when(COMMAND, 2), (0x980A0000, 3),
                    interrupt(1))
    assert any_emulator.causes()[1] & D_SIR
    assert not any_emulator.board.objections
