# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""What a terminal on SeaBIOS's serial console shows: the sequences of src/sercon.c."""

from __future__ import annotations

import re

COLUMNS, ROWS = 80, 25
TOKEN = re.compile(r"\x1bc|\x1b\[([0-9;?=]*)([A-Za-z])|(.)", re.S)


def screen(raw: bytes) -> list[str]:
    """The rows of the screen after this output."""
    cells = [[" "] * COLUMNS for _ in range(ROWS)]
    row = column = 0
    for numbers, command, character in TOKEN.findall(raw.decode("utf-8", "replace")):
        if command == "H":
            row, column = (int(n) - 1 for n in numbers.split(";")) if numbers else (0, 0)
        elif command == "J" or not command and not character:
            cells = [[" "] * COLUMNS for _ in range(ROWS)]
            if not command:     # reset
                row = column = 0
        elif character == "\r":
            column = 0
        elif character == "\n":
            if row == ROWS - 1:
                cells = [*cells[1:], [" "] * COLUMNS]
            row = min(row + 1, ROWS - 1)
        elif character == "\b":
            column = max(column - 1, 0)
        elif character and character >= " ":
            if column < COLUMNS:
                cells[row][column] = character
            column += 1
    return ["".join(line).rstrip() for line in cells]
