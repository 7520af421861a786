/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The names of the driver and of its controllers [UEFI 2.10 "EFI Component Name2
 * Protocol"].
 */
#include "efi/controller.h"
#include "efi/driver.h"

static const char languages[] = "en";
static efi_char16 driver_name[] = L"LSI 53C8xx SCSI driver (lsi8xx-rom " VERSION L")";

static const struct efi_guid pci_io_guid = EFI_PCI_IO_PROTOCOL_GUID;
static const struct efi_guid pass_thru_guid = EFI_EXT_SCSI_PASS_THRU_PROTOCOL_GUID;

static efi_status check(const char *language, efi_char16 **name)
{
	if (!language || !name)
		return EFI_INVALID_PARAMETER;
	for (u32 i = 0; i < sizeof(languages); i++)
		if (language[i] != languages[i])
			return EFI_UNSUPPORTED;
	return EFI_SUCCESS;
}

static efi_status EFIAPI get_driver_name(struct efi_component_name2 *self, const char *language,
					 efi_char16 **name)
{
	efi_status status = check(language, name);

	(void)self;
	if (!EFI_ERROR(status))
		*name = driver_name;
	return status;
}

/* Does this driver manage the controller? */
static bool is_ours(efi_handle controller)
{
	struct efi_pci_io *pci;
	efi_status status = boot->open_protocol(controller, &pci_io_guid, (void **)&pci,
						driver_handle, controller,
						EFI_OPEN_PROTOCOL_BY_DRIVER);

	if (status == EFI_SUCCESS)
		(void)boot->close_protocol(controller, &pci_io_guid, driver_handle, controller);
	return status == EFI_ALREADY_STARTED;
}

static efi_status EFIAPI get_controller_name(struct efi_component_name2 *self,
					     efi_handle controller, efi_handle child,
					     const char *language, efi_char16 **name)
{
	struct efi_ext_scsi_pass_thru *pass_thru;
	efi_status status = check(language, name);

	(void)self;
	if (!controller)
		return EFI_INVALID_PARAMETER;
	if (EFI_ERROR(status))
		return status;
	if (child || !is_ours(controller) ||
	    EFI_ERROR(boot->open_protocol(controller, &pass_thru_guid, (void **)&pass_thru,
					  driver_handle, controller,
					  EFI_OPEN_PROTOCOL_GET_PROTOCOL)))
		return EFI_UNSUPPORTED;
	*name = controller_of(pass_thru)->name;
	return EFI_SUCCESS;
}

struct efi_component_name2 component_name2 = {
	.get_driver_name = get_driver_name,
	.get_controller_name = get_controller_name,
	.supported_languages = languages,
};
