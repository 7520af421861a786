# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A model of UEFI firmware: boot services on the time of the chip models. It checks
what the specification demands of a driver, keeps a record of all that the driver has
taken, and can let any call fail. pci.py has the PCI I/O protocol.

[UEFI 2.10 "Services - Boot Services"]
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import POINTER, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from pathlib import Path

from tests.efi.model import uefi
from tests.model.registers import MS, US

ACCESS_NS = 700
LONG_STALL_NS = 10 * MS     # a wait of the driver passes in such steps, to spare the test's time
MOST_PROTOCOLS = 8          # in one call
MOST_WAITS = 200_000        # of a call of the driver
GUID_BYTES = 16


class FirmwareError(AssertionError):
    """The driver has broken a rule of the specification."""


@dataclass
class Event:
    kind: int
    tpl: int
    notify: int | None
    context: int | None
    signalled: bool = False
    due_ns: int | None = None
    period_ns: int = 0


Signature = tuple[type | None, list[type]]
U32, U64, P, PP, PU64 = c_uint32, c_uint64, c_void_p, POINTER(c_void_p), POINTER(c_uint64)
SERVICES: dict[str, Signature] = {
    "raise_tpl": (U64, [U64]), "restore_tpl": (None, [U64]),
    "allocate_pool": (U64, [U32, U64, PP]), "free_pool": (U64, [P]),
    "create_event": (U64, [U32, U64, P, P, PP]), "set_timer": (U64, [P, U32, U64]),
    "signal_event": (U64, [P]), "close_event": (U64, [P]), "check_event": (U64, [P]),
    "handle_protocol": (U64, [P, P, PP]), "stall": (U64, [U64]),
    "connect_controller": (U64, [P, P, P, U64]), "disconnect_controller": (U64, [P, P, P]),
    "open_protocol": (U64, [P, P, PP, P, P, U32]), "close_protocol": (U64, [P, P, P, P]),
    "locate_handle_buffer": (U64, [U32, P, P, PU64, PP]),
    # With a variable number of arguments, which this machine passes as any others
    "install_multiple_protocol_interfaces": (U64, [PP, *[P] * (2 * MOST_PROTOCOLS + 1)]),
    "uninstall_multiple_protocol_interfaces": (U64, [P, *[P] * (2 * MOST_PROTOCOLS + 1)]),
}
# The highest level at which a service may be called [UEFI 2.10 "TPL Restrictions"]
HIGHEST = {"stall": uefi.TPL_HIGH_LEVEL, "check_event": uefi.TPL_HIGH_LEVEL - 1,
           "raise_tpl": uefi.TPL_HIGH_LEVEL, "restore_tpl": uefi.TPL_HIGH_LEVEL,
           "create_event": uefi.TPL_HIGH_LEVEL - 1, "close_event": uefi.TPL_HIGH_LEVEL - 1,
           "set_timer": uefi.TPL_HIGH_LEVEL - 1, "signal_event": uefi.TPL_HIGH_LEVEL,
           "disconnect_controller": uefi.TPL_CALLBACK, "connect_controller": uefi.TPL_CALLBACK}
# What gives something back does not fail. An access to a register fails only if all do: the
# chip then does not answer.
CANNOT_FAIL = {"io_read", "io_write", "raise_tpl", "restore_tpl", "free_pool", "close_event", "close_protocol",
               "free_buffer", "unmap", "stall", "check_event"}


class Firmware:
    """`services` may be called by the driver; all others are errors."""

    def __init__(self, library: Path):
        self.c = ctypes.CDLL(str(library))
        self.devices: list = []
        self.now = 0
        self.tpl = uefi.TPL_APPLICATION
        self.timers_run = True
        self.interrupt: Callable[[], None] | None = None    # called in each wait of the driver
        self.protocols: dict[int, dict[bytes, int]] = {}
        self.opened: set[tuple[int, bytes, int, int]] = set()   # handle, protocol, agent, controller
        self.in_use: set[bytes] = set()     # protocols that their users do not let go
        self.events: dict[int, Event] = {}
        self.pool: dict[int, ctypes.Array] = {}
        self.calls = 0                      # that can fail
        self.fails_at: int | None = None
        self.failed: str | None = None
        self._numbers = iter(range(0x1000, 1 << 30, 8))
        self._error: BaseException | None = None
        self._idle_ns = ACCESS_NS
        self._waits = 0
        self._kept: list = []               # callbacks, which C holds
        self.boot = self.table(uefi.BootServices, uefi.BOOT_SERVICES, SERVICES, self)
        self.system = uefi.SystemTable(boot=ctypes.pointer(self.boot))

    # ---- Calls in both directions ---------------------------------------------------

    def table(self, kind: type, names: list[str], services: dict[str, Signature], owner) -> ctypes.Structure:
        """A table of services. Those of `owner` are its methods with an underscore."""
        functions = {}
        for name in names:
            result, arguments = services.get(name, (U64, []))
            method = getattr(owner, f"_{name}", None)
            call = ctypes.CFUNCTYPE(result, *arguments)(self._guarded(name, method, result))
            self._kept.append(call)
            functions[name] = ctypes.cast(call, c_void_p).value
        return kind(**functions)

    def _guarded(self, name: str, method, result):
        """An exception cannot pass through C: keep it until the driver returns. Until then timers
        run out, so that it gives up."""
        def call(*arguments):
            failed = 0 if result is None else uefi.DEVICE_ERROR
            if self._error is not None:
                self.pass_ns(LONG_STALL_NS)
                return uefi.SUCCESS if name == "check_event" else failed
            try:
                if method is None:
                    raise FirmwareError(f"{name}() is not for drivers, or not in this model")
                self._check_tpl(name)
                if self._fails(name):
                    return uefi.OUT_OF_RESOURCES
                return method(*arguments)
            except BaseException as error:
                self._error = error
                return failed
        return call

    def _check_tpl(self, name: str) -> None:
        if self.tpl > HIGHEST.get(name, uefi.TPL_NOTIFY):
            raise FirmwareError(f"{name}() at TPL {self.tpl}")

    def _fails(self, name: str) -> bool:
        if name in CANNOT_FAIL:
            return False
        self.calls += 1
        if self.calls == self.fails_at:
            self.failed = name
        return self.calls == self.fails_at

    @contextmanager
    def failing(self, n: int) -> Iterator[None]:
        """The nth call in the block fails. `failed` is its name afterwards, or None."""
        self.calls, self.fails_at, self.failed = 0, n, None
        yield
        self.fails_at = None

    def call(self, address: int, *arguments, result: type | None = U64, tpl: int | None = None) -> int:
        """Call a function of the driver."""
        before, self.tpl = self.tpl, self.tpl if tpl is None else tpl
        kinds = [U64 if isinstance(a, int) else type(a) if isinstance(a, ctypes._SimpleCData) else P
                 for a in arguments]
        level, self._waits = self.tpl, 0
        value = ctypes.CFUNCTYPE(result, *kinds)(address)(*arguments)
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if self.tpl != level:
            raise FirmwareError(f"the driver returned at TPL {self.tpl}")
        self.tpl = before
        for device in self.devices:
            device.check_idle()
        return value

    def start_image(self, image: int) -> int:
        return self.call(ctypes.cast(self.c.start_image, P).value, image, ctypes.addressof(self.system))

    def new_handle(self) -> int:
        handle = next(self._numbers)
        self.protocols[handle] = {}
        return handle

    # ---- Time ---------------------------------------------------------------------------

    def pass_ns(self, ns: int) -> None:
        for device in self.devices:
            device.chip.advance(ns)
        self.now += ns
        self._run_timers()

    def pass_while_running(self, ns: int) -> None:
        """Up to that time; less if a program stops."""
        end = self.now + ns
        while self.now < end and (chip := next((d.chip for d in self.devices if d.chip.scripts.running), None)):
            begun = chip.now
            while chip.scripts.running and chip.now - begun < end - self.now:
                chip.step(begun + end - self.now)
            passed = chip.now - begun
            for device in self.devices:
                if device.chip is not chip:
                    device.chip.advance(passed)
            self.now += passed
        self._run_timers()

    def _run_timers(self) -> None:
        for event in self.events.values() if self.timers_run else ():
            if event.due_ns is not None and self.now >= event.due_ns:
                event.signalled = True
                event.due_ns = self.now + event.period_ns if event.period_ns else None

    def access(self) -> None:
        """A register of a chip is accessed."""
        self.pass_ns(ACCESS_NS)

    def restart_waiting(self) -> None:
        """The driver does something: its waits are short again."""
        self._idle_ns = ACCESS_NS

    def _stall(self, us: int) -> int:
        """A short wait may take longer: until a program stops, or ever longer without one."""
        self.pass_ns(us * US)
        self._waits += 1
        if self._waits > MOST_WAITS:
            raise FirmwareError("the driver waits without end")
        if self.interrupt:
            self.interrupt()
        if us * US >= MS:
            return uefi.SUCCESS
        if any(device.chip.scripts.running for device in self.devices):
            self.pass_while_running(LONG_STALL_NS if self.timers_run else us * US)
        else:
            self.pass_ns(self._idle_ns)
            self._idle_ns = min(2 * self._idle_ns, LONG_STALL_NS)
        return uefi.SUCCESS

    # ---- Levels and events ------------------------------------------------------------------

    def _raise_tpl(self, tpl: int) -> int:
        if tpl < self.tpl:
            raise FirmwareError(f"RaiseTPL() from {self.tpl} to {tpl}")
        before, self.tpl = self.tpl, tpl
        return before

    def _restore_tpl(self, tpl: int) -> None:
        if tpl > self.tpl:
            raise FirmwareError(f"RestoreTPL() from {self.tpl} to {tpl}")
        self.tpl = tpl

    def _create_event(self, kind: int, tpl: int, notify, context, event) -> int:
        needs = kind & (uefi.EVT_NOTIFY_SIGNAL | uefi.EVT_NOTIFY_WAIT)
        if needs and (not notify or not uefi.TPL_APPLICATION < tpl <= uefi.TPL_HIGH_LEVEL):
            raise FirmwareError("a notification needs a function and a level")
        number = next(self._numbers)
        self.events[number] = Event(kind, tpl, notify, context)
        event[0] = number
        return uefi.SUCCESS

    def _event(self, event: int) -> Event:
        if event not in self.events:
            raise FirmwareError(f"no such event: {event}")
        return self.events[event]

    def _set_timer(self, event: int, kind: int, time_100ns: int) -> int:
        timer = self._event(event)
        if not timer.kind & uefi.EVT_TIMER or kind > uefi.TIMER_RELATIVE:
            return uefi.INVALID_PARAMETER
        timer.period_ns = time_100ns * 100 if kind == uefi.TIMER_PERIODIC else 0
        timer.due_ns = None if kind == uefi.TIMER_CANCEL else self.now + time_100ns * 100
        return uefi.SUCCESS

    def _signal_event(self, event: int) -> int:
        self._event(event).signalled = True
        return uefi.SUCCESS

    def _close_event(self, event: int) -> int:
        self._event(event)
        del self.events[event]
        return uefi.SUCCESS

    def _check_event(self, event: int) -> int:
        checked = self._event(event)
        if checked.kind & uefi.EVT_NOTIFY_SIGNAL:
            return uefi.INVALID_PARAMETER
        was, checked.signalled = checked.signalled, False
        return uefi.SUCCESS if was else uefi.NOT_READY

    def exit_boot_services(self) -> None:
        """Signal the events of that group, at their levels."""
        for number, event in list(self.events.items()):
            if event.kind == uefi.EVT_EXIT_BOOT:
                self.notify(number)

    def notify(self, number: int) -> None:
        event = self.events[number]
        before, self.tpl = self.tpl, event.tpl
        ctypes.CFUNCTYPE(None, P, P)(event.notify)(number, event.context)
        self.tpl = before
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    # ---- Memory -----------------------------------------------------------------------------

    def _allocate_pool(self, kind: int, size: int, memory) -> int:
        block = (ctypes.c_uint8 * (size + 7))(*b"\xA5" * (size + 7))
        address = ctypes.addressof(block) + 7 & ~7
        self.pool[address] = block
        memory[0] = address
        return uefi.SUCCESS

    def _free_pool(self, memory: int) -> int:
        if memory not in self.pool:
            raise FirmwareError(f"FreePool() of {memory:#x}")
        del self.pool[memory]
        return uefi.SUCCESS

    # ---- Protocols ----------------------------------------------------------------------------

    def install(self, handle: int, protocol: bytes, interface: int) -> None:
        self.protocols[handle][protocol] = interface

    @staticmethod
    def _pairs(arguments: tuple) -> list[tuple[bytes, int]]:
        """GUIDs and interfaces up to a null pointer."""
        pairs = []
        for at in range(0, len(arguments) - 1, 2):
            if not arguments[at]:
                return pairs
            pairs.append((ctypes.string_at(arguments[at], GUID_BYTES), arguments[at + 1]))
        raise FirmwareError("the list of protocols does not end")

    def _install_multiple_protocol_interfaces(self, handle, *arguments) -> int:
        if not handle[0]:
            handle[0] = self.new_handle()
        for protocol, interface in self._pairs(arguments):
            if protocol in self.protocols[handle[0]]:
                return uefi.INVALID_PARAMETER
            self.install(handle[0], protocol, interface)
        return uefi.SUCCESS

    def _uninstall_multiple_protocol_interfaces(self, handle: int, *arguments) -> int:
        pairs = self._pairs(arguments)
        for protocol, interface in pairs:
            if self.protocols.get(handle, {}).get(protocol) != interface or protocol in self.in_use:
                return uefi.INVALID_PARAMETER
        for protocol, _ in pairs:
            del self.protocols[handle][protocol]
        return uefi.SUCCESS

    def _handle_protocol(self, handle: int, protocol: int, interface) -> int:
        found = self.protocols.get(handle, {}).get(ctypes.string_at(protocol, GUID_BYTES))
        interface[0] = found
        return uefi.SUCCESS if found else uefi.UNSUPPORTED

    def _open_protocol(self, handle: int, protocol: int, interface, agent: int, controller: int,
                       attributes: int) -> int:
        name = ctypes.string_at(protocol, GUID_BYTES)
        found = self.protocols.get(handle, {}).get(name)
        if not found:
            return uefi.UNSUPPORTED
        if attributes == uefi.BY_DRIVER:
            if (handle, name, agent, controller) in self.opened:
                return uefi.ALREADY_STARTED
            if any(opened[:2] == (handle, name) for opened in self.opened):
                return uefi.ACCESS_DENIED
            self.opened.add((handle, name, agent, controller))
        elif attributes != uefi.GET_PROTOCOL:
            raise FirmwareError(f"OpenProtocol() with attributes {attributes:#x}")
        interface[0] = found
        return uefi.SUCCESS

    def _close_protocol(self, handle: int, protocol: int, agent: int, controller: int) -> int:
        opened = handle, ctypes.string_at(protocol, GUID_BYTES), agent, controller
        if opened not in self.opened:
            raise FirmwareError("CloseProtocol() of a protocol that is not open")
        self.opened.remove(opened)
        return uefi.SUCCESS

    def _locate_handle_buffer(self, search: int, protocol: int, key, count, buffer) -> int:
        if search != uefi.BY_PROTOCOL:
            raise FirmwareError("this model searches by protocol only")
        name = ctypes.string_at(protocol, GUID_BYTES)
        handles = [handle for handle, has in self.protocols.items() if name in has]
        if not handles:
            return uefi.NOT_FOUND
        block = (c_void_p * len(handles))(*handles)
        self.pool[ctypes.addressof(block)] = block
        count[0], buffer[0] = len(handles), ctypes.addressof(block)
        return uefi.SUCCESS

    def _disconnect_controller(self, controller: int, driver: int, child: int) -> int:
        """Let the driver stop. A device that it does not manage is not an error, or one on some
        firmware."""
        if (controller, uefi.PCI_IO, driver, controller) not in self.opened:
            return self.unmanaged
        binding = uefi.DriverBinding.from_address(self.protocols[driver][uefi.DRIVER_BINDING])
        stopped = self.call(binding.stop, ctypes.addressof(binding), controller, 0, None)
        return stopped

    unmanaged = uefi.SUCCESS    # result of DisconnectController() for such a device
