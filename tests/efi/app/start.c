/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Entry point of the application. It ends by switching the machine off.
 */
#include "app.h"

struct efi_system_table *system_table;
struct efi_boot_services *boot;
efi_handle own_image;

efi_status EFIAPI efi_main(efi_handle image, struct efi_system_table *table);

efi_status EFIAPI efi_main(efi_handle image, struct efi_system_table *table)
{
	system_table = table;
	boot = table->boot_services;
	own_image = image;
	boot->set_watchdog_timer(0, 0, 0, NULL);
	app_main();
	table->runtime_services->reset_system(EFI_RESET_SHUTDOWN, EFI_SUCCESS, 0, NULL);
	return EFI_SUCCESS;
}
