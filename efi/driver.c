/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Entry and end of the driver [UEFI 2.10 "EFI Driver Binding Protocol", "EFI Loaded Image
 * Protocol", "EFI Driver Supported EFI Version Protocol"].
 */
#include "efi/driver.h"

#include "pc/clock.h"

#define UEFI_2_10 (2u << 16 | 100)

struct efi_boot_services *boot;
efi_handle driver_handle;

static const struct efi_guid binding_guid = EFI_DRIVER_BINDING_PROTOCOL_GUID;
static const struct efi_guid names_guid = EFI_COMPONENT_NAME2_PROTOCOL_GUID;
static const struct efi_guid version_guid = EFI_DRIVER_SUPPORTED_EFI_VERSION_PROTOCOL_GUID;
static const struct efi_guid image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
static const struct efi_guid pci_io_guid = EFI_PCI_IO_PROTOCOL_GUID;

static struct efi_driver_supported_efi_version supported_version = {
	.length = sizeof(supported_version),
	.firmware_version = UEFI_2_10,
};

/* Stop the driver on all controllers. The first one that does not stop decides. Seen: OVMF
 * reports EFI_NOT_FOUND for a device that this driver does not manage.
 */
static efi_status release_all(void)
{
	efi_handle *handles;
	u64 count;
	efi_status status = boot->locate_handle_buffer(BY_PROTOCOL, &pci_io_guid, NULL, &count,
						       &handles);

	if (EFI_ERROR(status))
		return status == EFI_NOT_FOUND ? EFI_SUCCESS : status;
	for (u64 i = 0; i < count && !EFI_ERROR(status); i++) {
		status = boot->disconnect_controller(handles[i], driver_handle, NULL);
		if (status == EFI_NOT_FOUND)
			status = EFI_SUCCESS;
	}
	(void)boot->free_pool(handles);
	return status;
}

static efi_status EFIAPI unload(efi_handle image)
{
	efi_status status = release_all();

	if (EFI_ERROR(status))
		return status;
	status = boot->uninstall_multiple_protocol_interfaces(
		image, &binding_guid, &driver_binding, &names_guid, &component_name2,
		&version_guid, &supported_version, NULL);
	if (!EFI_ERROR(status))
		clock_end();
	return status;
}

/* The driver stays in memory unless an error is returned. */
efi_status EFIAPI efi_main(efi_handle image, struct efi_system_table *system)
{
	struct efi_loaded_image *loaded;

	boot = system->boot_services;
	driver_handle = image;
	efi_status status = boot->handle_protocol(image, &image_guid, (void **)&loaded);
	if (EFI_ERROR(status))
		return status;
	status = clock_setup();
	if (EFI_ERROR(status))
		return status;
	driver_binding.image_handle = image;
	driver_binding.driver_binding_handle = image;
	status = boot->install_multiple_protocol_interfaces(
		&image, &binding_guid, &driver_binding, &names_guid, &component_name2,
		&version_guid, &supported_version, NULL);
	if (EFI_ERROR(status))
		clock_end();
	else
		loaded->unload = unload;
	return status;
}
