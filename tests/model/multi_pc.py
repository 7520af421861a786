# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A PC with any number of controllers, possibly behind bridges, and a copy of
the ROM for each. The rules for memory, ports and idle chips apply to each copy
separately: a copy has exclusive use of one controller and of its own memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.build import bios_image
from tests.model.bios import Copy
from tests.model.bus import Bus
from tests.model.chip import Chip
from tests.model.devices import PciSpace
from tests.model.eeprom import Eeprom, TekramEeprom
from tests.model.hardware import HARDWARE
from tests.model.pc import CANARY, Pc, symbol
from tests.model.pc_ports import IO_BASE, IO_BYTES
from tests.model.rules import RuleViolation
from tests.model.variants import variant_named

NO_ADDRESS = 0xFFFF     # a PCI address no device has


@dataclass(eq=False)
class Card:
    """A controller in its slot. `rom` is the ROM file the BIOS finds on it."""
    rom: Path
    variant: str
    pci_address: int
    bus: Bus = field(default_factory=Bus)
    eeprom: Eeprom | TekramEeprom | None = None
    pci_command: int = 0        # COMMAND as the BIOS left it
    has_ports: bool = True
    chip: Chip | None = None    # set by the machine
    server: Copy | None = None  # the first ROM copy that accessed it


class Chips:
    """Presents all chips through the interface of one. The registers of each
    chip are IO_BYTES above those of the previous one."""

    def __init__(self, chips: Sequence[Chip]):
        self._chips = chips
        self.now = 0
        self.scripts = self     # provides `running` and `instructions`

    def advance(self, ns: int) -> None:
        self.now += ns
        for chip in self._chips:
            chip.advance(max(self.now - chip.now, 0))

    def next_event(self) -> int | None:
        times = [chip.next_event() for chip in self._chips]
        return min((time for time in times if time is not None), default=None)

    def cpu_read(self, offset: int, size: int) -> int:
        return self._chips[offset // IO_BYTES].cpu_read(offset % IO_BYTES, size)

    def cpu_write(self, offset: int, value: int, size: int) -> None:
        self._chips[offset // IO_BYTES].cpu_write(offset % IO_BYTES, value, size)

    def check_idle(self) -> None:
        for chip in self._chips:
            chip.check_idle()

    @property
    def running(self) -> bool:
        return any(chip.scripts.running for chip in self._chips)

    @property
    def instructions(self) -> int:
        return sum(chip.scripts.instructions for chip in self._chips)

    @property
    def reads(self) -> int:
        return sum(chip.reads for chip in self._chips)

    @property
    def writes(self) -> int:
        return sum(chip.writes for chip in self._chips)


@dataclass
class MultiControllerPc(Pc):
    """`bridges` maps the address of each bridge to the bus behind it, or to the
    first and last of several. Attributes that Pc has once are those of the
    first card and copy."""
    cards: list[Card] = field(default_factory=list)
    bridges: dict[int, int | tuple[int, int]] = field(default_factory=dict)
    one_for_all: bool = False   # the set-up screen of the first copy may access all controllers

    def _plug_in(self) -> None:
        self._master: Card | None = None    # on the PCI bus
        for card in self.cards:
            card.chip = HARDWARE[self.hardware].chip(
                variant_named(card.variant), card.bus, partial(self._card_reads, card),
                partial(self._card_writes, card))
            if card.eeprom:
                card.chip.plug_eeprom(card.eeprom)
            card.chip.own_id_is_free = self.fwcfg is not None
        self.chip = Chips([card.chip for card in self.cards])
        self.pci = PciSpace(NO_ADDRESS, None, 0, self.fwcfg is not None)
        self.pci.on_write = self._pci_written
        for address, buses in self.bridges.items():
            self.pci.add_bridge(address, *(buses if isinstance(buses, tuple) else (buses,)))
        for number, card in enumerate(self.cards):
            base = IO_BASE + number * IO_BYTES
            self.pci.add_controller(card.pci_address, card.chip.variant,
                                    int(card.has_ports) and base | 1)
            self.pci.set_command(card.pci_address, card.pci_command)

    # ---- Owner of a controller ----------------------------------------------------------

    def _running(self) -> Copy | None:
        """The ROM copy whose code is running."""
        if self._in_post and not self.bios.running.initialised:
            return self.bios.running
        segment = self.get("cs")
        return next((c for c in self.bios.copies if c.kept and segment in (c.segment, c.runs_at, c.far_segment)),
                    None)

    def _check_owner(self, card: Card) -> None:
        """A ROM copy accesses a controller."""
        copy = self._running()
        if self.one_for_all and self.bios.user:
            return
        if not copy.initialised:
            self._release(copy, card)
        served = [other for other in self.cards if other.server is copy]
        gone = card.server and card.server.initialised and not card.server.kept
        if (card.server is None or gone) and not served and not copy.initialised:
            card.server = copy
        if card.server is not copy:
            raise RuleViolation("controller of another copy", f"PCI {card.pci_address:#06x}")

    def _release(self, copy: Copy, chosen: Card) -> None:
        """A copy that chooses a further controller has stopped the one before."""
        for card in self.cards:
            if card.server is copy and card is not chosen and (
                    not self.pci.command_of(card.pci_address) & PciSpace.MASTER):
                card.server = None

    def _pci_written(self, address: int) -> None:
        self._check_owner(next(card for card in self.cards if card.pci_address == address))

    def _is_chip(self, port: int) -> bool:
        number = (port - IO_BASE) // IO_BYTES
        if number not in range(len(self.cards)) or not self.cards[number].has_ports:
            return False
        card = self.cards[number]
        if not self.pci.command_of(card.pci_address) & PciSpace.IO:
            raise RuleViolation("I/O space not enabled", f"port {port:#x}")
        self._check_owner(card)
        return True

    # ---- Memory -----------------------------------------------------------------------

    def _card_reads(self, card: Card, address: int, length: int) -> bytes:
        self._master = card
        return self._dma_read(address, length)

    def _card_writes(self, card: Card, address: int, data: bytes) -> None:
        self._master = card
        self._dma_write(address, data)

    @property
    def _dma_bus(self) -> Bus:
        return self._master.bus

    def _check_master(self, address: int) -> None:
        if not self.pci.command_of(self._master.pci_address) & PciSpace.MASTER:
            raise RuleViolation("bus mastering not enabled", f"DMA at {address:#x}")

    def images_changed(self) -> None:
        """Assign memory to each copy, except stacks: a stack is empty between
        calls, and code that its owner calls uses it too."""
        super().images_changed()
        self._owned = [(part, copy) for copy in self.bios.copies
                       for place in self.bios.kept_by(copy)
                       for part in self._without_stack(place, copy.workspace)]

    @staticmethod
    def _without_stack(place: range, space: range | None) -> list[range]:
        if not space or space.start not in place:
            return [place]
        return [range(place.start, space.start + len(CANARY)),
                range(space.start + symbol("workspace"), place.stop)]

    def _watch_writes(self, *unwatched: range) -> None:
        """In POST, all writable memory belongs to the running copy; later any
        copy may run."""
        if len(self.bios.copies) > 1:
            stacks = [range(space.start + len(CANARY), space.start + symbol("workspace"))
                      for space in self.workspaces]
            unwatched = (*(r for r in unwatched if r not in self.kept_memory), *stacks)
        super()._watch_writes(*unwatched)

    def _check_write(self, source: str, address: int, length: int) -> None:
        for place, owner in self._owned:
            if address < place.stop and address + length > place.start:
                writer = self._master.server if source == "chip" else self._running()
                if writer is not owner and range(address, address + length) not in self._vectors():
                    raise RuleViolation("memory of another copy",
                                        f"{source} wrote {length} bytes at {address:#x}")
        super()._check_write(source, address, length)

    def _vectors(self) -> list[range]:
        """Init may put itself after other copies."""
        in_init = self._in_post and not self.bios.running.initialised
        return self.bios.vectors_of_copies() if in_init else []

    # ---- POST -------------------------------------------------------------------------

    def has_cd(self) -> bool:
        return any(self._is_cd_on(card.bus) for card in self.cards
                   if card.server is self.bios.running)

    def _leave_devices(self) -> None:
        for card in self.cards:
            card.server = None
            self.pci.set_command(card.pci_address, card.pci_command)

    def _post(self, *bdfs: int) -> None:
        """Initialise a ROM copy for each address; an address without a
        controller gets the ROM of the first card."""
        bdfs = bdfs or [card.pci_address for card in self.cards]
        files = {card.pci_address: card.rom for card in self.cards}
        self.bios.run_post(*bdfs, roms=[bios_image(files.get(bdf, self.rom)) for bdf in bdfs])
