/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * See driver.h.
 */
#include "driver.h"

static struct efi_guid pci_io_guid = EFI_PCI_IO_PROTOCOL_GUID;
static struct efi_guid pass_thru_guid = EFI_EXT_SCSI_PASS_THRU_PROTOCOL_GUID;
static struct efi_guid binding_guid = EFI_DRIVER_BINDING_PROTOCOL_GUID;

/* The agent that has opened a protocol of the first controller with one of these
 * attributes; with `child`, the controller for which it has done that.
 */
static efi_handle opener(struct efi_guid *protocol, u32 attributes, bool child)
{
	struct efi_open_protocol_information_entry *entries;
	efi_handle found = NULL;
	u64 count;

	if (boot->open_protocol_information(controllers[0].handle, protocol, &entries, &count))
		return NULL;
	for (u64 i = 0; i < count; i++)
		if (entries[i].attributes & attributes)
			found = child ? entries[i].controller_handle : entries[i].agent_handle;
	boot->free_pool(entries);
	return found;
}

struct driver driver_find(void)
{
	struct driver driver = {opener(&pci_io_guid, EFI_OPEN_PROTOCOL_BY_DRIVER, false)};
	efi_handle *handles;
	u64 count;

	if (boot->locate_handle_buffer(BY_PROTOCOL, &binding_guid, NULL, &count, &handles))
		return driver;
	for (u64 i = 0; i < count; i++) {
		struct efi_driver_binding *binding;

		if (!boot->handle_protocol(handles[i], &binding_guid, (void **)&binding) &&
		    (handles[i] == driver.image || binding->image_handle == driver.image)) {
			driver.binding = binding;
			driver.handle = handles[i];
		}
	}
	boot->free_pool(handles);
	return driver;
}

u64 handles_with(const struct efi_guid *protocol)
{
	efi_handle *handles;
	u64 count;

	if (boot->locate_handle_buffer(protocol ? BY_PROTOCOL : ALL_HANDLES, protocol, NULL,
				       &count, &handles))
		return 0;
	boot->free_pool(handles);
	return count;
}

efi_handle driver_child(void)
{
	return opener(&pass_thru_guid, EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER, true);
}

efi_status driver_disconnect(void)
{
	return boot->disconnect_controller(controllers[0].handle, NULL, NULL);
}

efi_status driver_connect(void)
{
	efi_status status = boot->connect_controller(controllers[0].handle, NULL, NULL, true);

	if (!status)
		status = boot->handle_protocol(controllers[0].handle, &pass_thru_guid,
					       (void **)&BUS);
	return status;
}
