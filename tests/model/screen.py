# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The video BIOS of the virtual PC: a text screen with the functions of INT 10h that every
BIOS has, SeaBIOS's serial console included. [RBIL "INT 10"]
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.model.rules import RuleViolation

COLUMNS, ROWS = 80, 25
COLOUR_MODES, MONO_MODE = (2, 3), 7
PLAIN = 0x07
BELL, BACKSPACE, LINE_FEED, RETURN = 7, 8, 10, 13


@dataclass
class Screen:
    """Characters and attributes by row and column; mode 0x13 stands for any graphics mode."""
    mode: int = 3
    cells: list[list[tuple[str, int]]] = field(default_factory=list)
    row: int = 0
    column: int = 0
    modes_set: int = 0

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.cells = [[(" ", PLAIN)] * COLUMNS for _ in range(ROWS)]
        self.row = self.column = 0

    # ---- What a test reads --------------------------------------------------------------

    @property
    def lines(self) -> list[str]:
        return ["".join(character for character, _ in row).rstrip() for row in self.cells]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).rstrip("\n")

    def colours(self, row: int) -> set[int]:
        """The attributes of a row."""
        return {attribute for _, attribute in self.cells[row]}

    # ---- INT 10h ------------------------------------------------------------------------

    def set_mode(self, mode: int) -> None:
        if mode not in (*COLOUR_MODES, MONO_MODE) or (mode == MONO_MODE) != (self.mode == MONO_MODE):
            raise RuleViolation("BIOS service misused", f"video mode {mode:02x}h in mode {self.mode:02x}h")
        self.mode = mode
        self.modes_set += 1
        self.clear()

    def place(self, row: int, column: int) -> None:
        if row >= ROWS or column >= COLUMNS:
            raise RuleViolation("BIOS service misused", f"cursor at {row}, {column}")
        self.row, self.column = row, column

    def write(self, character: int, attribute: int, count: int) -> None:
        """AH=09h: the cursor stays. A count beyond the row is not portable."""
        self._need_text()
        if not 0 < count <= COLUMNS - self.column:
            raise RuleViolation("BIOS service misused", f"{count} characters at column {self.column}")
        if not 0x20 <= character < 0x7F:
            raise RuleViolation("BIOS service misused", f"character {character:02x}h")
        for column in range(self.column, self.column + count):
            self.cells[self.row][column] = chr(character), attribute

    def teletype(self, character: int) -> None:
        """AH=0Eh: attributes stay."""
        if character == RETURN:
            self.column = 0
        elif character == BACKSPACE:
            self.column = max(self.column - 1, 0)
        elif character == LINE_FEED:
            self._next_row()
        elif character != BELL:
            self.cells[self.row][self.column] = chr(character), self.cells[self.row][self.column][1]
            self.column += 1
            if self.column == COLUMNS:
                self.column = 0
                self._next_row()

    def _next_row(self) -> None:
        if self.row < ROWS - 1:
            self.row += 1
        else:
            self.cells = [*self.cells[1:], [(" ", PLAIN)] * COLUMNS]

    def _need_text(self) -> None:
        if self.mode not in (*COLOUR_MODES, MONO_MODE):
            raise RuleViolation("BIOS service misused", f"text in mode {self.mode:02x}h")
