# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The parts of UEFI that the model of the firmware has: numbers and tables of the
specification. They share nothing with efi/*.h. [UEFI 2.10 "Status Codes", "EFI Boot
Services Table", "EFI_PCI_IO_PROTOCOL", "EFI_EXT_SCSI_PASS_THRU_PROTOCOL", "EFI Driver
Binding Protocol", "EFI Component Name Protocol", "EFI Loaded Image Protocol"]
"""

from __future__ import annotations

import ctypes
import uuid
from ctypes import c_char_p, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p

ERROR = 1 << 63
SUCCESS = 0
(INVALID_PARAMETER, UNSUPPORTED, BAD_BUFFER_SIZE, BUFFER_TOO_SMALL, NOT_READY, DEVICE_ERROR,
 OUT_OF_RESOURCES, NOT_FOUND, ACCESS_DENIED, TIMEOUT, ALREADY_STARTED) = (
    ERROR | code for code in (2, 3, 4, 5, 6, 7, 9, 14, 15, 18, 20))

TPL_APPLICATION, TPL_CALLBACK, TPL_NOTIFY, TPL_HIGH_LEVEL = 4, 8, 16, 31
EVT_TIMER, EVT_NOTIFY_SIGNAL, EVT_NOTIFY_WAIT, EVT_EXIT_BOOT = 0x80000000, 0x200, 0x100, 0x201
TIMER_CANCEL, TIMER_PERIODIC, TIMER_RELATIVE = 0, 1, 2
BY_PROTOCOL = 2
GET_PROTOCOL, BY_DRIVER = 0x02, 0x10

BUS_MASTER_READ, BUS_MASTER_WRITE, COMMON_BUFFER = 0, 1, 2
ATTRIBUTES_GET, ATTRIBUTES_SET, ATTRIBUTES_ENABLE, ATTRIBUTES_DISABLE, ATTRIBUTES_SUPPORTED = range(5)
ATTRIBUTE_IO, ATTRIBUTE_MEMORY, ATTRIBUTE_BUS_MASTER, ATTRIBUTE_DUAL_ADDRESS = 0x100, 0x200, 0x400, 0x8000
PAGE = 4096

# host_adapter_status
(HOST_OK, HOST_TIMEOUT_COMMAND, HOST_TIMEOUT, HOST_BUS_RESET, HOST_PARITY, HOST_SENSE_FAILED,
 HOST_SELECTION, HOST_OVERRUN, HOST_BUS_FREE, HOST_PHASE, HOST_OTHER) = (
    0x00, 0x09, 0x0B, 0x0E, 0x0F, 0x10, 0x11, 0x12, 0x13, 0x14, 0x7F)
DIRECTION_READ, DIRECTION_WRITE, DIRECTION_BOTH = range(3)


def guid(text: str) -> bytes:
    return uuid.UUID(text).bytes_le


DRIVER_BINDING = guid("18a031ab-b443-4d1a-a5c0-0c09261e9f71")
COMPONENT_NAME2 = guid("6a7a5cff-e8d9-4f70-bada-75ab3025ce14")
SUPPORTED_VERSION = guid("5c198761-16a8-4e69-972c-89d67954f81d")
LOADED_IMAGE = guid("5b1b31a1-9562-11d2-8e3f-00a0c969723b")
PCI_IO = guid("4cf5b200-68b8-4ca5-9eec-b23e3f50029a")
EXT_SCSI_PASS_THRU = guid("143b7632-b81b-4cb7-abd3-b625a5b9bffe")

HEADER_BYTES = 24
BOOT_SERVICES = """raise_tpl restore_tpl allocate_pages free_pages get_memory_map allocate_pool free_pool
create_event set_timer wait_for_event signal_event close_event check_event install_protocol_interface
reinstall_protocol_interface uninstall_protocol_interface handle_protocol reserved
register_protocol_notify locate_handle locate_device_path install_configuration_table load_image
start_image exit unload_image exit_boot_services get_next_monotonic_count stall set_watchdog_timer
connect_controller disconnect_controller open_protocol close_protocol open_protocol_information
protocols_per_handle locate_handle_buffer locate_protocol install_multiple_protocol_interfaces
uninstall_multiple_protocol_interfaces calculate_crc32 copy_mem set_mem create_event_ex""".split()
PCI_IO_SERVICES = """poll_mem poll_io mem_read mem_write io_read io_write config_read config_write
copy_mem map unmap allocate_buffer free_buffer flush get_location attributes get_bar_attributes
set_bar_attributes""".split()


def table_of(names: list[str], header: int = 0, tail: list[tuple] = ()) -> type[ctypes.Structure]:
    """A structure of pointers to functions"""
    fields = [("header", c_uint8 * header)] if header else []
    return type("Table", (ctypes.Structure,), {"_fields_": [
        *fields, *((name, c_void_p) for name in names), *tail]})


BootServices = table_of(BOOT_SERVICES, HEADER_BYTES)
PciIo = table_of(PCI_IO_SERVICES, tail=[("rom_size", c_uint64), ("rom_image", c_void_p)])
PassThru = table_of("""mode pass_thru get_next_target_lun build_device_path get_target_lun reset_channel
reset_target_lun get_next_target""".split())
DriverBinding = table_of(["supported", "start", "stop"], tail=[
    ("version", c_uint32), ("image", c_void_p), ("handle", c_void_p)])
ComponentName2 = table_of(["get_driver_name", "get_controller_name"], tail=[("languages", c_char_p)])


class SystemTable(ctypes.Structure):
    _fields_ = [("header", c_uint8 * HEADER_BYTES), ("vendor", c_void_p), ("revision", c_uint32),
                ("console_in_handle", c_void_p), ("console_in", c_void_p),
                ("console_out_handle", c_void_p), ("console_out", c_void_p),
                ("error_handle", c_void_p), ("error", c_void_p), ("runtime", c_void_p),
                ("boot", ctypes.POINTER(BootServices)), ("entries", c_uint64), ("configuration", c_void_p)]


class LoadedImage(ctypes.Structure):
    _fields_ = [("revision", c_uint32), ("parent", c_void_p), ("system", c_void_p), ("device", c_void_p),
                ("path", c_void_p), ("reserved", c_void_p), ("options_size", c_uint32),
                ("options", c_void_p), ("base", c_void_p), ("size", c_uint64), ("code_type", c_uint32),
                ("data_type", c_uint32), ("unload", c_void_p)]


class Mode(ctypes.Structure):
    _fields_ = [("adapter_id", c_uint32), ("attributes", c_uint32), ("io_align", c_uint32)]


class Packet(ctypes.Structure):
    _fields_ = [("timeout", c_uint64), ("in_buffer", c_void_p), ("out_buffer", c_void_p),
                ("sense", c_void_p), ("cdb", c_void_p), ("in_length", c_uint32), ("out_length", c_uint32),
                ("cdb_length", c_uint8), ("direction", c_uint8), ("host_status", c_uint8),
                ("target_status", c_uint8), ("sense_length", c_uint8)]


class DevicePath(ctypes.Structure):
    """A node of a SCSI device [UEFI 2.10 "SCSI Device Path"]"""
    _fields_ = [("type", c_uint8), ("sub_type", c_uint8), ("length", c_uint16), ("pun", c_uint16),
                ("lun", c_uint16)]
