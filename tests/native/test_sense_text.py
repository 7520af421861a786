# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""rom/post/sense_text.c on x86-64: sense data in words."""

from __future__ import annotations

import ctypes
import subprocess

import pytest

from tests.build import TOP
from tests.model.faults import MEDIUM_ERRORS

TEXT_BYTES = 80
# [SCSI-2 "Sense key descriptions"]
KEYS = {0: "no sense", 1: "recovered error", 2: "not ready", 3: "medium error", 4: "hardware error", 5: "illegal request",
        6: "unit attention", 7: "write protected", 8: "blank", 9: "vendor error", 10: "copy aborted", 11: "aborted command",
        12: "equal", 13: "volume overflow", 14: "miscompare", 15: "key F"}


class Text(ctypes.Structure):
    """struct text"""
    _fields_ = [("length", ctypes.c_uint32), ("bytes", ctypes.c_char * TEXT_BYTES)]


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    target = tmp_path_factory.mktemp("text") / "text.so"
    subprocess.run(["gcc", "-O1", "-std=gnu11", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror", f"-I{TOP}/tests/native",
                    f"-I{TOP}", "-o", str(target), TOP / "rom/post/sense_text.c", TOP / "pc/post/text.c"], check=True)
    library = ctypes.CDLL(str(target))

    def call(sense: bytes) -> str:
        text = Text()
        library.sense_text(ctypes.byref(text), sense.ljust(18, b"\0"))
        return text.bytes[:text.length].decode()
    return call


def sense(key: int, asc: int, ascq: int, code: int = 0x70, additional: int = 10) -> bytes:
    return bytes([code, 0, key, 0, 0, 0, 0, additional, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0])


@pytest.mark.parametrize("key, name", KEYS.items())
def test_each_sense_key_has_its_name(words, key, name):
    assert words(sense(key | 0xE0, 0x3A, 0x0F)) == f"{name} 3a/0f"
    assert words(sense(key, 0, 0, code=0xF0)) == f"{name} 00/00"


def test_deferred_errors_are_named(words):
    assert words(sense(3, 0x31, 1, code=0x71)) == words(sense(3, 0x31, 1, code=0xF1)) == "deferred medium error 31/01"


@pytest.mark.parametrize("data", [b"", b"\x72" + bytes(17), b"\x73" + b"\xFF" * 17, b"\x00" * 18, b"\xFF" * 18])
def test_other_data_are_none(words, data):
    assert words(data) == "none"


def test_code_past_the_additional_length_is_left_out(words):
    assert words(sense(5, 0x24, 0, additional=6)) == "illegal request 24/00"
    assert words(sense(5, 0x24, 0, additional=5)) == "illegal request"
    for name in ("seven bytes", "no additional length"):
        assert words(MEDIUM_ERRORS[name]) == "medium error"
