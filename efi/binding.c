/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Which controllers the driver takes, and how it starts and stops one [UEFI 2.10 "EFI Driver
 * Binding Protocol", "EFI PCI I/O Protocol"].
 */
#include "efi/controller.h"
#include "efi/driver.h"

#define PCI_VENDOR_AT 0
#define PCI_REVISION_AT 8

/* Versions 10h to FFFFFFEFh are for drivers that belong to a device. */
#define BINDING_VERSION 0x10

static const struct efi_guid pci_io_guid = EFI_PCI_IO_PROTOCOL_GUID;
static const struct efi_guid pass_thru_guid = EFI_EXT_SCSI_PASS_THRU_PROTOCOL_GUID;

/* The chip's row in the chip table; null if the device is none of them. Only reads PCI
 * configuration space.
 */
static IN_ROM struct lsi_chip *chip_of(struct efi_pci_io *pci)
{
	u16 id[2]; /* vendor, device */
	u8 revision;

	if (EFI_ERROR(pci->pci.read(pci, PCI_IO_UINT16, PCI_VENDOR_AT, ARRAY_SIZE(id), id)) ||
	    EFI_ERROR(pci->pci.read(pci, PCI_IO_UINT8, PCI_REVISION_AT, 1, &revision)) ||
	    id[0] != LSI_PCI_VENDOR)
		return NULL;
	IN_ROM struct lsi_chip *chip = lsi_chip_find(id[1], revision);
	return chip && chip->features != CHIP_REFUSED ? chip : NULL;
}

static efi_status open_pci(efi_handle handle, struct efi_pci_io **pci)
{
	return boot->open_protocol(handle, &pci_io_guid, (void **)pci, driver_handle, handle,
				   EFI_OPEN_PROTOCOL_BY_DRIVER);
}

static void close_pci(efi_handle handle)
{
	(void)boot->close_protocol(handle, &pci_io_guid, driver_handle, handle);
}

static efi_status EFIAPI supported(struct efi_driver_binding *self, efi_handle handle,
				   void *remaining_path)
{
	struct efi_pci_io *pci;
	efi_status status = open_pci(handle, &pci);

	(void)self;
	(void)remaining_path;
	if (EFI_ERROR(status))
		return status;
	if (!chip_of(pci))
		status = EFI_UNSUPPORTED;
	close_pci(handle);
	return status;
}

/* Undo what enable(), allocate() and open_chip() have done. A member is null if its step
 * was not reached.
 */
static void release(struct controller *c)
{
	struct efi_pci_io *pci = c->pci;

	if (c->exit_event)
		(void)boot->close_event(c->exit_event);
	/* First, as the device may then no longer be a bus master */
	if (c->attributes_changed)
		(void)pci->attributes(pci, ATTRIBUTES_SET, c->attributes, NULL);
	if (c->own_mapping)
		(void)pci->unmap(pci, c->own_mapping);
	if (c->own)
		(void)pci->free_buffer(pci, 1, c->own);
	(void)boot->free_pool(c);
}

/* Let the device answer and be a bus master. Only without DUAL_ADDRESS_CYCLE, which an earlier
 * driver may have left, does the firmware copy buffers that the chip cannot reach.
 */
static efi_status enable(struct controller *c)
{
	struct efi_pci_io *pci = c->pci;
	efi_status status = pci->attributes(pci, ATTRIBUTES_GET, 0, &c->attributes);

	if (EFI_ERROR(status))
		return status;
	status = pci->attributes(pci, ATTRIBUTES_ENABLE,
				 EFI_PCI_IO_ATTRIBUTE_IO | EFI_PCI_IO_ATTRIBUTE_BUS_MASTER,
				 NULL);
	c->attributes_changed = !EFI_ERROR(status);
	if (c->attributes & EFI_PCI_IO_ATTRIBUTE_DUAL_ADDRESS_CYCLE)
		(void)pci->attributes(pci, ATTRIBUTES_DISABLE,
				      EFI_PCI_IO_ATTRIBUTE_DUAL_ADDRESS_CYCLE, NULL);
	return status;
}

/* Allocate the own page. The chip has 32 address bits. */
static efi_status allocate(struct controller *c)
{
	struct efi_pci_io *pci = c->pci;
	void *page;
	u64 bytes = OWN_PAGE_BYTES, address;
	efi_status status = pci->allocate_buffer(pci, ALLOCATE_ANY_PAGES, EFI_BOOT_SERVICES_DATA,
						 1, &page, 0);

	if (EFI_ERROR(status))
		return status;
	c->own = page;
	*c->own = (struct own_memory){0};
	status = pci->map(pci, BUS_MASTER_COMMON_BUFFER, page, &bytes, &address,
			  &c->own_mapping);
	if (EFI_ERROR(status)) {
		c->own_mapping = NULL;
		return status;
	}
	if (bytes < OWN_PAGE_BYTES || address > 0xffffffff - OWN_PAGE_BYTES)
		return EFI_OUT_OF_RESOURCES;
	c->own->page.bus_address = (u32)address;
	return EFI_SUCCESS;
}

/* A chip that works for a call that ExitBootServices() has ended is stopped. Otherwise it is
 * idle, and stays as it is.
 */
static void EFIAPI exit_boot_services(efi_event event, void *context)
{
	struct controller *c = context;

	(void)event;
	if (c->busy)
		(void)lsi_abort(&c->own->lsi);
}

/* Initialise the chip, which resets the SCSI bus. */
static efi_status open_chip(struct controller *c, IN_ROM struct lsi_chip *chip)
{
	struct lsi *lsi = &c->own->lsi;
	const struct lsi_options options = {
		.chip = chip,
		.io = c->pci,
		.own_id = LSI_ID_AS_FOUND,
	};

	if (lsi_stop(lsi, &options) != HBA_OK ||
	    lsi_open(lsi, &options) != HBA_OK)
		return EFI_DEVICE_ERROR;
	lsi->spins = LSI_SPINS_UNDER_UEFI;
	c->mode.adapter_id = lsi->hba.own_id;
	return boot->create_event(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_CALLBACK,
				  exit_boot_services, c, &c->exit_event);
}

/* "LSI 53C895A SCSI controller" */
static void set_name(struct controller *c, IN_ROM struct lsi_chip *chip)
{
	static const efi_char16 before[] = L"LSI 53C", after[] = L" SCSI controller";
	efi_char16 *to = c->name;

	_Static_assert(sizeof(before) + sizeof(after) +
			       sizeof(chip->name) * sizeof(efi_char16) <= sizeof(c->name),
		       "the longest name must fit");
	for (u32 i = 0; before[i]; i++)
		*to++ = before[i];
	for (u32 i = 0; i < sizeof(chip->name) && chip->name[i]; i++)
		*to++ = (efi_char16)chip->name[i];
	for (u32 i = 0; after[i]; i++)
		*to++ = after[i];
}

static efi_status start_chip(efi_handle handle, struct controller *c)
{
	IN_ROM struct lsi_chip *chip = chip_of(c->pci);

	if (!chip)
		return EFI_UNSUPPORTED;
	efi_status status = enable(c);
	if (!EFI_ERROR(status))
		status = allocate(c);
	if (!EFI_ERROR(status))
		status = open_chip(c, chip);
	if (EFI_ERROR(status))
		return status;
	set_name(c, chip);
	pass_thru_install(c);
	targets_install(c);
	return boot->install_multiple_protocol_interfaces(&handle, &pass_thru_guid,
							  &c->pass_thru, NULL);
}

static efi_status EFIAPI start(struct efi_driver_binding *self, efi_handle handle,
			       void *remaining_path)
{
	struct efi_pci_io *pci;
	void *memory;
	efi_status status = open_pci(handle, &pci);

	(void)self;
	(void)remaining_path;
	if (EFI_ERROR(status))
		return status;
	status = boot->allocate_pool(EFI_BOOT_SERVICES_DATA, sizeof(struct controller), &memory);
	if (!EFI_ERROR(status)) {
		struct controller *c = memory;

		*c = (struct controller){.pci = pci};
		status = start_chip(handle, c);
		if (EFI_ERROR(status))
			release(c);
	}
	if (EFI_ERROR(status))
		close_pci(handle);
	return status;
}

static efi_status EFIAPI stop(struct efi_driver_binding *self, efi_handle handle, u64 children,
			      efi_handle *child_handles)
{
	struct efi_ext_scsi_pass_thru *pass_thru;
	efi_status status = boot->open_protocol(handle, &pass_thru_guid, (void **)&pass_thru,
						driver_handle, handle,
						EFI_OPEN_PROTOCOL_GET_PROTOCOL);

	(void)self;
	(void)children;
	(void)child_handles;
	if (EFI_ERROR(status))
		return status;
	if (controller_of(pass_thru)->busy)
		return EFI_DEVICE_ERROR;
	status = boot->uninstall_multiple_protocol_interfaces(handle, &pass_thru_guid, pass_thru,
							      NULL);
	if (EFI_ERROR(status))
		return status;
	release(controller_of(pass_thru));
	close_pci(handle);
	return EFI_SUCCESS;
}

struct efi_driver_binding driver_binding = {
	.supported = supported,
	.start = start,
	.stop = stop,
	.version = BINDING_VERSION,
};
