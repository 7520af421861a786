# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The UEFI driver on the strict chip model: its entry, Supported(), Start(), Stop(),
Unload() and the end of boot services. Each call of the firmware fails once; whatever
happens, all that the driver has taken is given back.
[UEFI 2.10 "EFI Driver Binding Protocol", "EFI Loaded Image Protocol"]
"""

from __future__ import annotations

import pytest

from tests.efi.model import uefi
from tests.efi.model.driver import Computer, Controller, Driver
from tests.efi.model.firmware import Firmware
from tests.efi.model.pci import PciDevice
from tests.model.bus import FREE, Delay
from tests.model.registers import MS, SCID
from tests.model.target import Disk
from tests.model.variants import OTHER_FAMILIES, VARIANTS
from tests.native.machine import OTHER, SECTOR

FOUND = uefi.ATTRIBUTE_MEMORY       # attributes before Start()
ENABLED = uefi.ATTRIBUTE_IO | uefi.ATTRIBUTE_BUS_MASTER
PROTOCOLS = {uefi.DRIVER_BINDING, uefi.COMPONENT_NAME2, uefi.SUPPORTED_VERSION, uefi.LOADED_IMAGE}
MOST_CALLS = 1000


@pytest.fixture
def computer(driver_library) -> Computer:
    return Computer(driver_library, found=FOUND)


@pytest.fixture
def stopped(driver_library) -> Computer:
    """The driver is loaded, but has not started."""
    return Computer(driver_library, started=False, found=FOUND)


def taken(firmware: Firmware) -> dict[str, object]:
    """What a driver has taken from the firmware, and not given back."""
    return {"events": set(firmware.events), "pool": set(firmware.pool), "protocols opened": set(firmware.opened),
            "protocols": {handle: set(names) for handle, names in firmware.protocols.items()},
            "buffers": [set(device.buffers) for device in firmware.devices],
            "mappings": [set(device.mappings) for device in firmware.devices],
            "attributes": [device.enabled for device in firmware.devices]}


# ---- Entry --------------------------------------------------------------------------------


def test_entry_installs_the_protocols(stopped):
    firmware = stopped.firmware
    assert set(firmware.protocols[stopped.driver.image]) == PROTOCOLS
    binding = stopped.driver.binding
    assert (binding.image, binding.handle) == (stopped.driver.image, stopped.driver.image)
    assert 0x10 <= binding.version <= 0xFFFFFFEF
    assert stopped.driver.loaded.unload
    assert stopped.device.accesses == []


def test_entry_gives_everything_back_if_a_call_fails(driver_library):
    firmware = Firmware(driver_library)
    driver = Driver(firmware)
    before = taken(firmware)
    for n in range(1, MOST_CALLS):
        with firmware.failing(n):
            status = driver.load()
        if firmware.failed is None:
            break
        assert status & uefi.ERROR, firmware.failed
        assert taken(firmware) == before, firmware.failed
    assert n > 3 and status == uefi.SUCCESS


# ---- Supported() -----------------------------------------------------------------------------


def device_of(stopped: Computer, variant: str) -> PciDevice:
    return PciDevice(stopped.firmware, {}, variant, found=FOUND)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_chip_is_supported_and_not_touched(stopped, variant):
    device = device_of(stopped, variant)
    before = taken(stopped.firmware)
    assert stopped.driver.supported(device.handle) == uefi.SUCCESS
    assert taken(stopped.firmware) == before
    assert device.accesses == [] and device.chip.reads == device.chip.writes == 0


@pytest.mark.parametrize("variant", OTHER_FAMILIES)
def test_other_controllers_are_refused_and_not_touched(stopped, variant):
    device = device_of(stopped, variant)
    before = taken(stopped.firmware)
    for function in (stopped.driver.supported, stopped.driver.start):
        assert function(device.handle) == uefi.UNSUPPORTED
        assert taken(stopped.firmware) == before
        assert device.accesses == [] and device.enabled == FOUND


OTHER_DEVICES = {"vendor": (0, b"\x86\x80"), "device": (2, b"\xFF\x00"), "no device": (0, b"\xFF\xFF\xFF\xFF")}


@pytest.mark.parametrize("at, ids", OTHER_DEVICES.values(), ids=OTHER_DEVICES)
def test_other_devices_are_refused(stopped, at, ids):
    device = stopped.device
    config = bytearray(device.config)
    config[at:at + len(ids)] = ids
    device.fixed_config = bytes(config)
    before = taken(stopped.firmware)
    for function in (stopped.driver.supported, stopped.driver.start):
        assert function(device.handle) == uefi.UNSUPPORTED
        assert taken(stopped.firmware) == before and device.accesses == []


def test_handle_without_pci_is_refused(stopped):
    handle = stopped.firmware.new_handle()
    assert stopped.driver.supported(handle) == uefi.UNSUPPORTED
    assert stopped.driver.start(handle) & uefi.ERROR


def test_controller_of_another_driver_is_refused(stopped):
    other = stopped.firmware.new_handle()
    opened = stopped.device.handle, uefi.PCI_IO, other, stopped.device.handle
    stopped.firmware.opened.add(opened)
    before = taken(stopped.firmware)
    assert stopped.driver.supported(stopped.device.handle) == uefi.ACCESS_DENIED
    assert stopped.driver.start(stopped.device.handle) == uefi.ACCESS_DENIED
    assert taken(stopped.firmware) == before


def test_controller_that_is_managed_already(computer):
    before = taken(computer.firmware)
    assert computer.driver.supported(computer.device.handle) == uefi.ALREADY_STARTED
    assert computer.driver.start(computer.device.handle) == uefi.ALREADY_STARTED
    assert taken(computer.firmware) == before
    computer.check_read()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_supported_with_a_call_that_fails(stopped, n):
    before = taken(stopped.firmware)
    with stopped.firmware.failing(n):
        status = stopped.driver.supported(stopped.device.handle)
    assert status & uefi.ERROR and stopped.firmware.failed
    assert taken(stopped.firmware) == before


# ---- Start() and Stop() --------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_start_on_every_chip(driver_library, variant):
    computer = Computer(driver_library, variant, found=FOUND)
    assert computer.device.enabled == FOUND | ENABLED
    assert not computer.device.enabled & uefi.ATTRIBUTE_DUAL_ADDRESS, "the chip has 32 address bits"
    computer.check_read()


@pytest.mark.parametrize("found", [0, FOUND, ENABLED, FOUND | ENABLED | uefi.ATTRIBUTE_DUAL_ADDRESS])
def test_stop_gives_everything_back(driver_library, found):
    computer = Computer(driver_library, started=False, found=found)
    before = taken(computer.firmware)
    for _ in range(3):
        computer.start()
        computer.check_read()
        assert computer.driver.stop(computer.device.handle) == uefi.SUCCESS
        assert taken(computer.firmware) == before
    computer.chip.check_idle()


def test_stop_of_a_controller_that_is_not_managed(stopped):
    before = taken(stopped.firmware)
    assert stopped.driver.stop(stopped.device.handle) & uefi.ERROR
    assert taken(stopped.firmware) == before


def test_stop_while_the_protocol_is_in_use(computer):
    """The users do not let it go: the controller stays usable."""
    computer.firmware.in_use.add(uefi.EXT_SCSI_PASS_THRU)
    before = taken(computer.firmware)
    assert computer.driver.stop(computer.device.handle) & uefi.ERROR
    assert taken(computer.firmware) == before
    computer.check_read()
    computer.firmware.in_use.clear()
    assert computer.driver.stop(computer.device.handle) == uefi.SUCCESS


def test_start_gives_everything_back_if_a_call_fails(stopped):
    """Start() then fails, or the controller works."""
    firmware, failures = stopped.firmware, []
    before = taken(firmware)
    for n in range(1, MOST_CALLS):
        with firmware.failing(n):
            status = stopped.driver.start(stopped.device.handle)
        if firmware.failed is None:
            break
        if status == uefi.SUCCESS:
            stopped.controller = Controller(firmware, stopped.device)
            stopped.no_attentions()
            stopped.check_read()
            assert stopped.driver.stop(stopped.device.handle) == uefi.SUCCESS
        else:
            assert status & uefi.ERROR
            failures.append(firmware.failed)
        assert taken(firmware) == before, firmware.failed
    assert status == uefi.SUCCESS
    assert set(failures) >= {"open_protocol", "config_read", "allocate_pool", "attributes", "allocate_buffer",
                             "map", "create_event", "install_multiple_protocol_interfaces"}


def test_chip_that_does_not_answer_is_not_started(stopped):
    before = taken(stopped.firmware)
    stopped.chip.cpu_read = lambda offset, size: (1 << 8 * size) - 1
    stopped.chip.cpu_write = lambda offset, value, size: None
    assert stopped.driver.start(stopped.device.handle) == uefi.DEVICE_ERROR
    assert taken(stopped.firmware) == before


def test_chip_that_goes_at_any_access_is_not_started(stopped):
    """From the nth access to a register on, the firmware reports errors."""
    before, device = taken(stopped.firmware), stopped.device
    for n in range(1, MOST_CALLS):
        device.answers, device.check_idle = n, lambda: None
        status = stopped.driver.start(device.handle)
        if device.answers:
            break
        if status == uefi.SUCCESS:      # it has gone at the last access, which is a write
            assert stopped.driver.stop(device.handle) == uefi.SUCCESS
            gone_last = n
        else:
            assert status == uefi.DEVICE_ERROR
        assert taken(stopped.firmware) == before
        device.chip.power_on()
    assert n > 30 and gone_last == n - 1


def test_stuck_bus_is_not_started(stopped):
    before = taken(stopped.firmware)
    stopped.bus.stuck_reset = True
    assert stopped.driver.start(stopped.device.handle) == uefi.DEVICE_ERROR
    assert taken(stopped.firmware) == before
    stopped.bus.stuck_reset = False
    stopped.start()
    stopped.check_read()


PAGES = {"above 4 GiB": {"place_of_page": 1 << 32}, "at the end": {"place_of_page": (1 << 64) - 4096},
         "half": {"most_mapped": 2048}}


@pytest.mark.parametrize("settings", PAGES.values(), ids=PAGES)
def test_own_page_that_the_chip_cannot_reach(stopped, settings):
    before = taken(stopped.firmware)
    for name, value in settings.items():
        setattr(stopped.device, name, value)
    assert stopped.driver.start(stopped.device.handle) & uefi.ERROR
    assert taken(stopped.firmware) == before and stopped.device.accesses == []


def test_own_id_of_the_firmware_is_kept(driver_library):
    computer = Computer(driver_library, started=False)
    computer.chip.registers[SCID] = 5
    computer.bus.targets[7] = computer.bus.targets.pop(OTHER)
    computer.start()
    assert computer.controller.mode.adapter_id == 5
    computer.check_read(1, 1, 7)


# ---- Several controllers ----------------------------------------------------------------------------


def test_two_controllers_do_not_disturb_each_other(computer):
    computer.firmware.timers_run = True
    second = Disk(content=lambda lba: bytes([2]) * SECTOR)
    device = PciDevice(computer.firmware, {0: second}, "810")
    assert computer.driver.start(device.handle) == uefi.SUCCESS
    second.attentions.clear()
    other = Controller(computer.firmware, device)
    for lba in range(3):
        computer.check_read(lba)
        assert other.read(lba, 2).data == bytes([2]) * 2 * SECTOR
    computer.disk.data_hook = lambda bus, data: iter([FREE])
    assert computer.read().result == "BUS_FREE"
    assert other.read().data == bytes([2]) * 3 * SECTOR
    assert computer.driver.stop(computer.device.handle) == uefi.SUCCESS
    assert other.read().data == bytes([2]) * 3 * SECTOR
    assert computer.driver.stop(device.handle) == uefi.SUCCESS


def test_other_controller_may_be_called_within_a_call(computer):
    second = Disk(content=lambda lba: bytes([2]) * SECTOR)
    device = PciDevice(computer.firmware, {0: second}, "810")
    assert computer.driver.start(device.handle) == uefi.SUCCESS
    second.attentions.clear()
    other, seen = Controller(computer.firmware, device), []

    def interrupt():
        computer.firmware.interrupt = None
        computer.device.check_idle = lambda: None
        seen.append(other.read(tpl=uefi.TPL_NOTIFY).data)
        del computer.device.check_idle
    computer.disk.before_status = lambda bus: iter([Delay(5 * MS)])
    computer.firmware.interrupt = interrupt
    computer.check_read()
    assert seen == [bytes([2]) * 3 * SECTOR]


# ---- Unload() and the end of boot services -------------------------------------------------------------


@pytest.mark.parametrize("unmanaged", [uefi.SUCCESS, uefi.NOT_FOUND])
@pytest.mark.parametrize("controllers", [0, 1, 2])
def test_unload_gives_everything_back(driver_library, controllers, unmanaged):
    firmware = Firmware(driver_library)
    firmware.unmanaged = unmanaged
    driver = Driver(firmware)
    devices = [PciDevice(firmware, {0: Disk()}, variant) for variant in ("895A", "810", "875")]
    before = taken(firmware)
    assert driver.load() == uefi.SUCCESS
    for device in devices[:controllers]:
        assert driver.start(device.handle) == uefi.SUCCESS
    assert driver.unload() == uefi.SUCCESS
    assert taken(firmware) == before


def test_unload_without_pci_devices(driver_library):
    firmware = Firmware(driver_library)
    driver = Driver(firmware)
    before = taken(firmware)
    assert driver.load() == uefi.SUCCESS
    assert driver.unload() == uefi.SUCCESS
    assert taken(firmware) == before


def test_unload_fails_while_a_controller_is_in_use(computer):
    computer.firmware.in_use.add(uefi.EXT_SCSI_PASS_THRU)
    assert computer.driver.unload() & uefi.ERROR
    computer.check_read()
    computer.firmware.in_use.clear()
    assert computer.driver.unload() == uefi.SUCCESS


def test_unload_with_a_call_that_fails(computer):
    """The driver then stays usable, unless the attributes of the device could not be restored."""
    for n in range(1, MOST_CALLS):
        with computer.firmware.failing(n):
            status = computer.driver.unload()
        if computer.firmware.failed is None:
            break
        if computer.firmware.failed == "attributes":
            assert status == uefi.SUCCESS
            assert computer.driver.load() == uefi.SUCCESS
        else:
            assert status & uefi.ERROR, computer.firmware.failed
        if (computer.device.handle, uefi.PCI_IO, computer.driver.image, computer.device.handle) in (
                computer.firmware.opened):
            computer.check_read()
        else:
            computer.start()
    assert status == uefi.SUCCESS and n > 2


def test_idle_chip_is_left_alone_at_the_end_of_boot_services(computer):
    computer.check_read()
    computer.device.accesses.clear()
    computer.firmware.exit_boot_services()
    assert computer.device.accesses == []
    computer.chip.check_idle()


def test_working_chip_is_stopped_at_the_end_of_boot_services(computer):
    """An application has left while a timer's notification sent a command."""
    seen = []

    def interrupt():
        computer.firmware.interrupt = None
        computer.firmware.exit_boot_services()
        seen.append(computer.chip.scripts.running)
    computer.disk.before_status = lambda bus: iter([Delay(50 * MS)])
    computer.firmware.interrupt = interrupt
    computer.controller.read()
    assert seen == [False]


def test_last_event_is_closed_by_stop(computer):
    """After Stop() the end of boot services concerns no chip."""
    assert computer.driver.stop(computer.device.handle) == uefi.SUCCESS
    computer.firmware.exit_boot_services()
    assert not any(event.kind == uefi.EVT_EXIT_BOOT for event in computer.firmware.events.values())
