# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The chip model against the manuals: SCRIPTS instructions.
chip_programs.py lists the tags of the manuals.
"""

from __future__ import annotations

import pytest

from tests.model.board import Board
from tests.model.bus import COMMAND, DATA_IN, DATA_OUT, HANG, MSG_IN, MSG_OUT, STATUS, Delay
from tests.model.chip_programs import (ACK, AT, BUFFER, CALL, CARRY, CLF, CSF, CTEST3, DATA, DBC,
                                       DCNTL, DFE, DFIFO, DIP, DONE, DSA, DSP, DSTAT, ELSEWHERE,
                                       FROM_SFBR, IID, INT, INTF, INTFLY, ISTAT, JUMP, MA, MODIFY,
                                       MODIFY_BY_SFBR, MS, OLF, OTHER, PHASE, REQ, RETURN, SBCL,
                                       SCRATCHA, SFBR, SIP, SIST, SSTAT0, SSTAT1, STEST3, TABLE,
                                       TEMP, TO_SFBR, TRUE, UDC, WAIT, WAIT_RESELECT, code,
                                       dma_stop, interrupt, leave_a_fifo, move, play, ready,
                                       scsi_stop, select, stop_when, to_sfbr)

SET_CARRY, CLEAR_CARRY = (0x58000400, 0), (0x60000400, 0)


@pytest.fixture(params=["810", "895A"])
def variant(request) -> str:
    return request.param


@pytest.fixture
def board(variant: str) -> Board:
    return ready(variant)


@pytest.fixture
def new() -> Board:
    """A chip with features that old ones lack."""
    return ready("895A")


# ---- Read/Write instructions [875A 5-24 t5.3; 810A 6-26 t6.2] ----

# (result, carry or None if the table specifies none) for register, data, carry
OPERATORS = {
    0: lambda r, d, c: (d, None),
    1: lambda r, d, c: (r << 1 & 0xFF | c, r >> 7),
    2: lambda r, d, c: (r | d, None),
    3: lambda r, d, c: (r ^ d, None),
    4: lambda r, d, c: (r & d, None),
    5: lambda r, d, c: (r >> 1 | c << 7, r & 1),
    6: lambda r, d, c: (r + d & 0xFF, r + d >> 8),
    7: lambda r, d, c: (r + d + c & 0xFF, r + d + c >> 8),
}
OPERANDS = [(0x81, 0x7E, 0), (0x81, 0x7F, 1), (0xFF, 0x01, 1), (0x5A, 0xC3, 0), (0x00, 0x00, 1),
            (0x7E, 0x81, 1)]


@pytest.mark.parametrize("register, data, carry", OPERANDS)
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("form", [FROM_SFBR, TO_SFBR, MODIFY, MODIFY_BY_SFBR])
def test_operator_gives_result_and_carry(board, form, operator, register, data, carry):
    result, carried = OPERATORS[operator](register, data, carry)
    unused = register ^ 0x33
    scratch, sfbr = {FROM_SFBR: (unused, register), TO_SFBR: (register, unused),
                     MODIFY: (register, unused), MODIFY_BY_SFBR: (register, data)}[form]
    if form == MODIFY_BY_SFBR:                    # [896 5-23]
        data = unused
    board.write(SCRATCHA, scratch)
    found = code(board, *to_sfbr(sfbr), *(SET_CARRY if carry else CLEAR_CARRY),
                 form | operator << 24 | SCRATCHA << 16 | data << 8, 0,
                 INT | CARRY | TRUE, 1, *interrupt(0))
    expected = (register, result) if form == TO_SFBR else (result, sfbr)
    assert (board.read(SCRATCHA), board.read(SFBR)) == expected
    assert carried is None or found == carried


@pytest.mark.parametrize("register", [0x80, 0x9C])
def test_register_moves_reach_registers_above_7f(new, register):  # A7 is bit 7 [896 5-23]
    new.write(register & 0x7F, 0x11 if register & 0x7F else 0xCA)
    low = new.read(register & 0x7F)
    code(new, MODIFY | (register & 0x7F) << 16 | 0x5A << 8 | 0x80, 0, *interrupt(DONE))
    assert (new.read(register), new.read(register & 0x7F)) == (0x5A, low)


def test_register_instructions_need_com(board):  # [896 5-23]
    code(board, *to_sfbr(1), *interrupt(DONE))
    assert board.objections == []
    board.write(DCNTL, 0x02)
    board.run(*to_sfbr(1), *interrupt(DONE))
    assert board.objections


# ---- Block moves ----


@pytest.mark.parametrize("phase", [DATA_IN, STATUS, MSG_IN])
@pytest.mark.parametrize("length", [1, 2, 3, 129])
def test_move_receives_data_in_status_and_messages(board, phase, length):  # [895A 5-11, 875 D 5-16]
    data = bytes(0xC0 ^ n & 0xFF for n in range(length))
    play(board, *((phase, byte) for byte in data), HANG)
    board.memory[BUFFER + length] = 0xEE
    assert code(board, *select(3), *move(phase, length), *interrupt(DONE)) == DONE
    assert board.memory[BUFFER:BUFFER + length] == data
    assert board.memory[BUFFER + length] == 0xEE
    assert board.read(SFBR) == data[0]              # the first byte, not the last
    assert board.read(SSTAT1) & 7 == phase          # latched with REQ [876 4-47]


@pytest.mark.parametrize("phase", [DATA_OUT, COMMAND, MSG_OUT])
@pytest.mark.parametrize("length", [1, 2, 81, 1000])
def test_move_sends_data_out_commands_and_messages(board, phase, length):  # [895A 5-11]
    received = play(board, *[(phase, None)] * length, HANG)
    board.memory[BUFFER:BUFFER + length] = bytes(n * 7 & 0xFF for n in range(length))
    assert code(board, *select(3), *move(phase, length), *interrupt(DONE)) == DONE
    assert bytes(received) == board.memory[BUFFER:BUFFER + length]
    assert board.read(DSTAT) & DFE


def test_indirect_move_reads_its_address_from_memory(board):  # bit 29 [825A D 6-4]
    play(board, (DATA_IN, 1), (DATA_IN, 2), HANG)
    board.load(TABLE, 0x4321)
    code(board, *select(3), 0x29000002, TABLE, *interrupt(DONE))
    assert board.memory[0x4321:0x4323] == b"\1\2"


@pytest.mark.parametrize("offset", [0, 0x18, 0x00FFFFF0, 0xFFFFFFF0, 0x12000010])
def test_table_move_uses_a_signed_24_bit_offset(board, offset):  # top byte ignored [895A 5-7]
    play(board, (DATA_IN, 1), (DATA_IN, 2), (DATA_IN, 3), HANG)
    board.write(DSA, TABLE, 4)
    distance = (offset & 0xFFFFFF ^ 0x800000) - 0x800000
    board.load(TABLE + distance, 3, 0x4321)
    code(board, *select(3), 0x19000000, offset, *interrupt(DONE))
    assert board.memory[0x4321:0x4324] == b"\1\2\3"


@pytest.mark.parametrize("instruction", [(0x09000000, BUFFER), (0x19000000, 0)])
def test_move_of_0_bytes_is_illegal(board, instruction):  # [875A 4-63]
    play(board, (DATA_IN, 0x55), HANG)
    board.write(DSA, TABLE, 4)
    board.load(TABLE, 0, BUFFER)
    code(board, *select(3), *stop_when(DATA_IN))
    assert board.objections == []
    assert dma_stop(board, *instruction, *interrupt(DONE)) == IID
    assert board.memory[BUFFER] == 0
    assert board.objections


def test_move_with_bit_27_clear_breaks_a_rule(board):  # reserved or CHMOV [810A 6-9, 875A 5-10]
    play(board, (DATA_IN, 0x55), (DATA_IN, 0x66), HANG)
    code(board, *select(3), *move(DATA_IN, 1), *interrupt(DONE))
    assert board.objections == []
    board.run(0x01000001, BUFFER, *interrupt(DONE))
    assert board.objections


def test_dbc_and_dcmd_hold_the_fetched_instruction(board):  # [875A 4-63]
    code(board, *interrupt(DONE))
    assert board.read(DBC, 4) == INT | TRUE


@pytest.mark.parametrize("wanted, found", [
    (DATA_IN, STATUS), (DATA_OUT, STATUS), (COMMAND, MSG_IN), (STATUS, DATA_IN),
    (MSG_OUT, COMMAND), (MSG_IN, DATA_OUT), (DATA_OUT, DATA_IN), (DATA_IN, MSG_OUT)])
def test_mismatch_before_the_first_byte_moves_nothing(board, wanted, found):  # not executed [895A 5-11]
    play(board, (found, None if found in (DATA_OUT, COMMAND, MSG_OUT) else 0x77), HANG)
    board.memory[BUFFER] = 0xEE
    board.memory[BUFFER + 512] = 0xEE
    assert scsi_stop(board, *select(3), *move(wanted, 512), *interrupt(DONE)) == MA
    assert board.memory[BUFFER] == 0xEE
    assert board.read(SSTAT1) & 7 == found
    assert board.read(DSP, 4) == AT + 16
    assert board.read(SBCL) & (REQ | ACK) == REQ    # the byte is not yet transferred
    assert board.read(SIST, 2) == 0 and not board.read(ISTAT) & SIP    # cleared by the read [810A 5-51]


@pytest.mark.parametrize("count, moved", [(2, 1), (80, 79), (200, 1), (512, 511), (1000, 137),
                                          (70000, 300)])
def test_mismatch_while_receiving_leaves_the_rest_in_dbc(board, count, moved):
    data = bytes(n * 5 + 1 & 0xFF for n in range(moved))
    play(board, *((DATA_IN, byte) for byte in data), (STATUS, 2), HANG)
    board.memory[BUFFER + moved] = 0xEE
    assert scsi_stop(board, *select(3), *move(DATA_IN, count), *interrupt(DONE)) == MA
    assert board.read(DBC, 4) & 0xFFFFFF == count - moved     # [875A 4-62]
    assert board.memory[BUFFER:BUFFER + moved + 1] == data + b"\xEE"
    assert board.read(DSTAT) & DFE                  # the FIFO is written to memory first [875A 2-38]
    assert (board.read(SFBR), board.read(SSTAT1) & 7) == (data[0], STATUS)


def test_dbc_holds_the_table_count_after_a_mismatch(board):  # [810A 6-12]
    play(board, (STATUS, 0), HANG)
    board.write(DSA, TABLE, 4)
    board.load(TABLE, 0x12345, BUFFER)
    assert scsi_stop(board, *select(3), 0x19000000, 0) == MA
    assert board.read(DBC, 4) & 0xFFFFFF == 0x12345


def test_bus_free_within_a_move_raises_udc(board):  # received bytes are in memory [875A 2-38, 4-62]
    play(board, (DATA_IN, 1), (DATA_IN, 2), (DATA_IN, 3))
    assert scsi_stop(board, *select(3), *move(DATA_IN, 10)) == UDC
    assert board.memory[BUFFER:BUFFER + 4] == b"\1\2\3\0"
    assert board.read(DBC, 4) & 0xFFFFFF == 7


LENGTHS = [1, 2, 3, 4, 79, 80, 81, 112, 113, 127, 128, 129, 200, 256, 1000]


@pytest.mark.parametrize("count, moved", [(n, k) for n in LENGTHS
                                          for k in sorted({0, 1, n // 2, n - 1} - {n})])
def test_mismatch_while_sending_leaves_exact_counts(variant, board, count, moved):  # [895A 4-59, 810A 2-9]
    received = play(board, *[(DATA_OUT, None)] * moved, (STATUS, 2), HANG)
    board.memory[BUFFER:BUFFER + count] = bytes(n * 3 & 0xFF for n in range(count))
    assert scsi_stop(board, *select(3), *move(DATA_OUT, count), *interrupt(DONE)) == MA
    counter = board.read(DBC, 4) & 0xFFFFFF
    in_fifo = board.read(DFIFO) - counter & 0x7F
    assert counter + in_fifo + bool(board.read(SSTAT0) & OLF) == count - moved
    assert bytes(received) == board.memory[BUFFER:BUFFER + moved]
    assert in_fifo <= {"810": 80, "895A": 112}[variant]
    assert not (in_fifo and board.read(DSTAT) & DFE)


def test_dfe_reflects_the_dma_fifo_only(board):  # not about SODL [876 4-42, 895A 4-59]
    play(board, *[(DATA_OUT, None)] * 9, (STATUS, 2), HANG)
    scsi_stop(board, *select(3), *move(DATA_OUT, 10), *interrupt(DONE))
    empty = not board.read(DFIFO) - board.read(DBC, 4) & 0x7F
    assert bool(board.read(DSTAT) & DFE) is empty


def test_clf_clears_the_dma_fifo(board):  # [875A 2-38]; it clears itself [825A 4.2 CTEST3]
    leave_a_fifo(board)
    board.write(CTEST3, 0)
    assert not board.read(DSTAT) & DFE
    board.write(CTEST3, CLF)
    board.write(STEST3, 0x80 | CSF)
    board.pass_time(MS)
    assert board.read(DSTAT) & DFE
    assert not (board.read(CTEST3) & CLF or board.read(STEST3) & CSF)
    assert code(board, *move(STATUS, 1), *interrupt(DONE)) == DONE


def test_csf_clears_the_full_flags(board):  # [825A 4.2 STEST3]
    leave_a_fifo(board)
    board.write(CTEST3, CLF)
    board.write(STEST3, 0x80 | CSF)
    board.pass_time(MS)
    assert not board.read(SSTAT0) & OLF


# ---- Transfer control [896 5-27, 5-32; 895A 5-29; 875A 5-30] ----


@pytest.mark.parametrize("instruction", [JUMP, CALL])
@pytest.mark.parametrize("relative, address, expected", [
    (0, ELSEWHERE, OTHER), (1 << 23, 8, 2), (1 << 23, 0x00FFFFF0, 3), (1 << 23, 0xFFFFFFF0, 3)])
def test_jump_and_call_reach_their_address(board, instruction, relative, address, expected):
    board.load(AT - 8, *interrupt(3))
    program = instruction | TRUE | relative, address, *interrupt(1), *interrupt(2)
    board.write(TEMP, 0, 4)
    assert code(board, *program) == expected
    assert board.read(TEMP, 4) == (AT + 8 if instruction == CALL else 0)


@pytest.mark.parametrize("word, expected", [(RETURN | TRUE, 1), (RETURN, 4)])
def test_return_jumps_to_temp(board, word, expected):
    board.load(ELSEWHERE, word, 0, *interrupt(4))
    assert code(board, CALL | TRUE, ELSEWHERE, *interrupt(1)) == expected


@pytest.mark.parametrize("word", [JUMP, CALL, INT, INTFLY, RETURN])
def test_transfer_without_comparison_is_skipped_if_false_is_required(board, word):
    assert code(board, word, ELSEWHERE, *interrupt(DONE)) == DONE
    assert not board.read(ISTAT) & INTF


def test_int_stops_with_its_code_in_dsps(board):
    assert code(board, *interrupt(0xFEDCBA98)) == 0xFEDCBA98
    assert board.read(DSP, 4) == AT + 8


def test_intfly_sets_intf_and_continues(board):  # cleared by writing 1 [875A 2-38]
    assert board.run(INTFLY | TRUE, 0, *interrupt(2)) & (INTF | DIP) == INTF | DIP
    board.write(ISTAT, 0)
    assert board.read(ISTAT) & INTF
    board.write(ISTAT, INTF)
    assert board.read(ISTAT) & (INTF | DIP) == DIP
    board.read(DSTAT)
    assert not board.run(INTFLY | TRUE, 0, *WAIT_RESELECT, ns=MS) & (SIP | DIP)
    assert board.read(ISTAT) & INTF and board.chip.scripts.running


@pytest.mark.parametrize("sfbr, value, mask, equal", [
    (0x5A, 0x5A, 0x00, True), (0x5A, 0x5B, 0x00, False), (0x5A, 0x5B, 0x01, True),
    (0xC1, 0x80, 0x7F, True), (0x41, 0x80, 0x7F, False), (0x00, 0xFF, 0xFF, True),
    (0x5A, 0xA5, 0xFE, False)])
def test_data_comparison_ignores_masked_bits(board, sfbr, value, mask, equal):  # a mask bit set: ignored
    for wanted in (True, False):
        word = INT | DATA | wanted << 19 | mask << 8 | value
        assert code(board, *to_sfbr(sfbr), word, 1, *interrupt(0)) == (equal is wanted)


@pytest.mark.parametrize("carry", [True, False])
def test_carry_comparison_follows_set_and_clear(board, carry):
    for wanted in (True, False):
        program = *(SET_CARRY if carry else CLEAR_CARRY), INT | CARRY | wanted << 19, 1
        assert code(board, *program, *interrupt(0)) == (carry is wanted)


@pytest.mark.parametrize("wait", [WAIT, 0])
@pytest.mark.parametrize("phase", [DATA_OUT, DATA_IN, COMMAND, STATUS, MSG_OUT, MSG_IN])
def test_phase_comparison_matches_the_bus_phase(board, phase, wait):
    play(board, (phase, None if phase in (DATA_OUT, COMMAND, MSG_OUT) else 1), HANG)
    code(board, *select(3), *stop_when(phase))
    for other in range(8):
        for wanted in (True, False):
            word = INT | PHASE | wait | wanted << 19 | other << 24
            assert code(board, word, 1, *interrupt(0)) == ((phase == other) is wanted)


def test_if_tests_the_last_phase_and_when_waits_for_the_next(board):
    play(board, (COMMAND, None), Delay(MS), (DATA_IN, 1), HANG)
    test = INT | TRUE | PHASE
    program = *select(3), *move(COMMAND, 1), test | COMMAND << 24, 5, *interrupt(0)
    assert code(board, *program) == 5
    assert code(board, test | WAIT | COMMAND << 24, 6, test | DATA_IN << 24, 7, *interrupt(0)) == 7


@pytest.mark.parametrize("phase, value, when_true, when_false", [
    (STATUS, 0x5A, 1, 0), (STATUS, 0x5B, 0, 0), (DATA_IN, 0x5A, 0, 0), (DATA_IN, 0x5B, 0, 1)])
def test_phase_and_data_comparisons_must_both_match(board, phase, value, when_true, when_false):
    play(board, (STATUS, 0), HANG)                  # both, or neither [875A 5-30]
    code(board, *select(3), *stop_when(STATUS))
    word = INT | PHASE | DATA | phase << 24 | value
    assert code(board, *to_sfbr(0x5A), word | TRUE, 1, *interrupt(0)) == when_true
    assert code(board, word, 1, *interrupt(0)) == when_false


@pytest.mark.parametrize("word", [
    INT | CARRY | DATA, INT | CARRY | PHASE | TRUE,                    # [876 D 4-33]
    JUMP | 1 << 22, JUMP | TRUE | 1 << 22,                             # reserved [876 D 4-33]
    0xA0080000, 0xB8000000, 0xB8080000,                                # reserved [896 5-27]
    0x49000000, 0x51000000, 0x59000008, 0x61000040])                   # bit 24 [810A 6-21]
def test_illegal_instruction_raises_iid(board, word):
    assert dma_stop(board, word, ELSEWHERE, *interrupt(DONE)) == IID
    assert board.read(DSP, 4) == AT + 8


@pytest.mark.parametrize("word", [0xC2000004, 0xD0000004])              # reserved [876 D 4-33]
def test_illegal_memory_move_raises_iid(board, word):
    assert dma_stop(board, word, BUFFER, BUFFER, *interrupt(DONE)) == IID
    assert board.read(DSP, 4) == AT + 12


# ---- Memory ----


@pytest.mark.parametrize("count, source, target", [
    (1, 0x4000, 0x5000), (4, 0x4002, 0x5006), (3, 0x4001, 0x5001), (1000, 0x4003, 0x5007)])
def test_memory_move_copies_the_bytes(board, count, source, target):
    data = bytes(n * 11 & 0xFF for n in range(count))
    board.memory[source:source + count] = data
    board.memory[target + count] = 0xEE
    assert code(board, 0xC0000000 | count, source, target, *interrupt(DONE)) == DONE
    assert board.memory[target:target + count + 1] == data + b"\xEE"


def test_memory_move_preserves_temp(board):  # [896 4-60]
    board.write(TEMP, 0x12345678, 4)
    code(board, 0xC0000004, 0x4000, 0x5000, *interrupt(DONE))
    assert board.read(TEMP, 4) == 0x12345678


def test_memory_move_needs_equal_alignment(board):  # [876 D 4-33]
    board.memory[0x4001] = 0x55
    assert dma_stop(board, 0xC0000001, 0x4001, 0x5002, *interrupt(DONE)) == IID
    assert board.memory[0x5002] == 0


SIZES = [(lane, size) for lane in range(4) for size in range(1, 5 - lane)]


@pytest.mark.parametrize("lane, size", SIZES)
@pytest.mark.parametrize("flags, address", [
    (0, TABLE), (1 << 28, 0x20), (1 << 28, 0x00FFFFE0), (1 << 28 | 1 << 25, 0x20)])
def test_load_and_store_transfer_up_to_4_bytes(new, flags, address, lane, size):  # [810A 6-39]
    new.write(DSA, TABLE, 4)
    place = TABLE + (address ^ 0x800000) - 0x800000 if flags else address
    expected = bytearray(b"\xE0\xE1\xE2\xE3")
    new.memory[place:place + 4] = b"\xA0\xA1\xA2\xA3"
    expected[lane:lane + size] = new.memory[place + lane:place + lane + size]
    new.write(SCRATCHA, 0xE3E2E1E0, 4)
    operand = flags | SCRATCHA + lane << 16 | size, address + lane
    code(new, 0xE1000000 | operand[0], operand[1], *interrupt(DONE))
    assert new.read(SCRATCHA, 4).to_bytes(4, "little") == expected
    new.write(SCRATCHA, 0x13121110, 4)
    code(new, 0xE0000000 | operand[0], operand[1], *interrupt(DONE))
    expected = bytearray(b"\xA0\xA1\xA2\xA3")
    expected[lane:lane + size] = b"\x10\x11\x12\x13"[lane:lane + size]
    assert new.memory[place:place + 4] == expected


@pytest.mark.parametrize("word", [0xE0000000, 0xE1000000])
@pytest.mark.parametrize("register, size, address", [
    (0x34, 0, 0x4000), (0x34, 5, 0x4000), (0x35, 4, 0x4001), (0x34, 2, 0x4001), (0x37, 2, 0x4003)])
def test_invalid_load_and_store_raise_iid(new, word, register, size, address):  # [876 D 4-33]
    assert dma_stop(new, word | register << 16 | size, address, *interrupt(DONE)) == IID


@pytest.mark.parametrize("word", [0xE0340004, 0xE1340004])
def test_810_has_no_load_and_store(word):  # memory move, reserved bits [876 D 4-33]
    assert dma_stop(ready("810"), word, BUFFER, BUFFER, *interrupt(DONE)) == IID


def test_program_runs_in_scripts_ram(new):  # 8 KiB on this chip [896 2-21]
    assert len(new.chip.ram) == 8192
    new.load(BUFFER, *interrupt(DONE))
    program = 0xC0000008, BUFFER, new.chip.ram_base + 8184, JUMP | TRUE, new.chip.ram_base + 8184
    assert code(new, *program) == DONE
    assert new.chip.ram[8184:] == new.memory[BUFFER:BUFFER + 8]
