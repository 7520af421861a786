/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Supported(), Start() and Stop() [UEFI 2.10 "EFI Driver Binding Protocol"].
 */
#include "checks.h"
#include "driver.h"

#define CYCLES 20
#define FIRST_VERSION 0x10u	   /* lower and higher ones are the platform's ... */
#define LAST_VERSION 0xffffffefu   /* ... [UEFI 2.10 "EFI_DRIVER_BINDING_PROTOCOL"] */
#define PCI_COMMAND 4
#define PCI_COMMAND_IO 1u
#define PCI_COMMAND_MASTER 4u
#define ROUGHLY 4u /* pages */

static struct efi_guid pass_thru_guid = EFI_EXT_SCSI_PASS_THRU_PROTOCOL_GUID;
static struct efi_guid pci_io_guid = EFI_PCI_IO_PROTOCOL_GUID;

/* What a driver that has stopped must leave as it was */
struct machine {
	u64 attributes, handles, free_pages;
	u16 command;
};

static struct machine machine_now(void)
{
	struct efi_pci_io *pci = controllers[0].pci;
	struct machine m = {.handles = handles_with(NULL), .free_pages = memory_free_pages()};

	pci->attributes(pci, ATTRIBUTES_GET, 0, &m.attributes);
	pci->pci.read(pci, PCI_IO_UINT16, PCI_COMMAND, 1, &m.command);
	return m;
}

/* Some firmware leaves all devices on. */
static void switch_off(void)
{
	struct efi_pci_io *pci = controllers[0].pci;

	pci->attributes(pci, ATTRIBUTES_DISABLE,
			EFI_PCI_IO_ATTRIBUTE_IO | EFI_PCI_IO_ATTRIBUTE_BUS_MASTER, NULL);
}

static bool has_bus(void)
{
	void *bus;

	return !boot->handle_protocol(controllers[0].handle, &pass_thru_guid, &bus);
}

static void check_supported(struct driver driver)
{
	struct efi_driver_binding *binding = driver.binding;
	efi_handle controller = controllers[0].handle;

	check_equal("the binding's image", (u64)driver.image, (u64)binding->image_handle);
	check_equal("the binding's handle", (u64)driver.handle,
		    (u64)binding->driver_binding_handle);
	check_true("the version is not one of the platform's",
		   binding->version >= FIRST_VERSION && binding->version <= LAST_VERSION);
	check_status("Supported on a controller that is started", EFI_ALREADY_STARTED,
		     binding->supported(binding, controller, NULL));
	check_status("Start on a controller that is started", EFI_ALREADY_STARTED,
		     binding->start(binding, controller, NULL));
	check_true("the bus works after them", disk_works(ID_DISK));
	check_status("Supported on another device", EFI_UNSUPPORTED,
		     binding->supported(binding, foreign_controller, NULL));
	check_status("Supported on a handle without PCI", EFI_UNSUPPORTED,
		     binding->supported(binding, own_image, NULL));
}

static void check_stopped(struct driver driver, struct machine *stopped)
{
	check_status("DisconnectController", EFI_SUCCESS, driver_disconnect());
	switch_off();
	*stopped = machine_now();
	check_equal("I/O and bus mastering are off", 0,
		    stopped->command & (PCI_COMMAND_IO | PCI_COMMAND_MASTER));
	check_true("the protocol is removed", !has_bus());
	check_equal("no driver has the device open", 0, (u64)driver_find().image);
	check_status("Supported on a controller that is free", EFI_SUCCESS,
		     driver.binding->supported(driver.binding, controllers[0].handle, NULL));
	check_equal("Supported leaves the device closed", 0, (u64)driver_find().image);
	check_status("Supported with the end of a path", EFI_SUCCESS,
		     driver.binding->supported(driver.binding, controllers[0].handle,
					       (u8[4]){0x7f, 0xff, 4, 0}));
	check_true("Stop of a controller that is free fails",
		   EFI_ERROR(driver.binding->stop(driver.binding, controllers[0].handle, 0, NULL)));
}

static void check_cycles(struct machine stopped)
{
	u32 connects = 0, disconnects = 0, broken = 0;

	for (u32 i = 1; i <= CYCLES; i++) {
		if (driver_connect() || !has_bus()) {
			connects = i;
			break;
		}
		command_settle(ID_DISK);
		if (!disk_works(ID_DISK))
			broken = i;
		if (driver_disconnect() || has_bus())
			disconnects = i;
	}
	struct machine m = machine_now();

	check_each("Start twenty times", connects);
	check_each("the bus works each time", broken);
	check_each("Stop twenty times", disconnects);
	check_equal("PCI attributes are as before", stopped.attributes, m.attributes);
	check_equal("the PCI command register is as before", stopped.command, m.command);
	check_equal("handles are as before", stopped.handles, m.handles);
	check_true("free memory is roughly as before",
		   m.free_pages + ROUGHLY >= stopped.free_pages);
}

/* Start() fails without harm if something else has the device open. */
static void check_device_in_use(struct driver driver)
{
	efi_handle controller = controllers[0].handle;
	void *pci;

	check_status("another driver opens the device", EFI_SUCCESS,
		     boot->open_protocol(controller, &pci_io_guid, &pci, own_image, controller,
					 EFI_OPEN_PROTOCOL_BY_DRIVER));
	check_status("Supported on a device in use", EFI_ACCESS_DENIED,
		     driver.binding->supported(driver.binding, controller, NULL));
	check_status("Start on a device in use", EFI_ACCESS_DENIED,
		     driver.binding->start(driver.binding, controller, NULL));
	check_true("no protocol appears", !has_bus());
	boot->close_protocol(controller, &pci_io_guid, own_image, controller);
}

void check_binding(void)
{
	struct driver driver = driver_find();
	struct machine stopped;

	check_true("a driver is found", driver.binding != NULL);
	if (!driver.binding)
		return;
	check_supported(driver);
	check_stopped(driver, &stopped);
	check_cycles(stopped);
	check_device_in_use(driver);
	efi_status status = driver_connect();
	check_status("ConnectController", EFI_SUCCESS, status);
	if (status)
		return;
	command_settle(ID_DISK);
	check_true("the bus works at the end", disk_works(ID_DISK));
}
