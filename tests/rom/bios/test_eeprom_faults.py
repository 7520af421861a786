# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""POST on cards whose serial EEPROM is missing, broken, another one, or 86Box's: it ends, with
the settings that can be read, and the disk works. The pins are checked at the end of POST.
"""

from __future__ import annotations

import pytest

from tests.model.eeprom import Eeprom, Faults, PowerLoss, TekramEeprom, tekram_words
from tests.model.emulated_86box import Box86Eeprom
from tests.model.hardware import HARDWARE
from tests.model.nvram_blocks import Card, image
from tests.model.pc import Pc
from tests.rom.bios.stored_settings import own_id, rom_of
from tests.rom.strict import check_read

STORED, STORED_ID, USUAL_ID = image(Card(host_id=5)), 5, 7
DAMAGED = "settings in NVRAM are damaged, using defaults"


def booted(eeprom, variant: str = "895A", hardware: str = "silicon") -> Pc:
    pc = Pc(rom_of(variant), variant, hardware=hardware, eeprom=eeprom)
    pc.bus.targets = {0: HARDWARE[hardware].disk()}
    pc.power_on()
    check_read(pc)
    return pc


@pytest.mark.parametrize("eeprom", [
    None, TekramEeprom(tekram_words()), TekramEeprom([1] * 64),
    *(Eeprom(STORED, faults=Faults(stuck={line: level})) for line in (1, 2) for level in (0, 1)),
    Eeprom(STORED, faults=Faults(silent_from_clock=0)), Eeprom(STORED, faults=Faults(holds_from_clock=1))],
    ids=["none", "93C46", "93C46 with a wrong sum", "SDA low", "SDA high", "SCL low", "SCL high", "silent", "held"])
def test_card_without_a_usable_24c16_has_defaults_and_no_line(eeprom):
    pc = booted(eeprom)
    assert own_id(pc) == USUAL_ID and DAMAGED not in pc.text


OURS = 3400     # the clock is in our block, which is read last


@pytest.mark.parametrize("fault, clock", [
    *(("silent_from_clock", clock) for clock in (12, 30, 41, 500, 2000)),
    *(("holds_from_clock", clock) for clock in (12, 30, 40, 41, 500, 2000, OURS))])
def test_chip_that_fails_while_it_is_read_has_defaults_and_a_line(fault, clock):
    """A silent chip reads as ones, so that at the first byte it looks blank."""
    eeprom = Eeprom(STORED, faults=Faults(**{fault: clock}))
    pc = booted(eeprom)
    assert DAMAGED in pc.text
    assert own_id(pc) == (STORED_ID if clock == OURS else USUAL_ID)
    assert not eeprom.cycles


@pytest.mark.parametrize("clock", [1, 30, 1000])
def test_power_lost_while_it_is_read_changes_nothing(clock):
    eeprom = Eeprom(STORED, faults=Faults(power_lost_at_clock=clock))
    with pytest.raises(PowerLoss):
        booted(eeprom)
    assert eeprom.without_power().content == STORED


@pytest.mark.parametrize("content, expected", [(STORED, STORED_ID), (bytes(2048), USUAL_ID)], ids=["stored", "new"])
def test_86box(content, expected):
    pc = booted(Box86Eeprom(content), "875", "86box")
    assert own_id(pc) == expected and DAMAGED not in pc.text
