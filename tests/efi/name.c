/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A UEFI program that prints NAME and ends with an error, so that the firmware goes on to
 * its next boot option.
 */
#include "efi/efi.h"

efi_status EFIAPI efi_main(efi_handle image, struct efi_system_table *table);

efi_status EFIAPI efi_main(efi_handle image, struct efi_system_table *table)
{
	(void)image;
	(void)table->con_out->output_string(table->con_out, NAME);
	return EFI_NOT_FOUND;
}
