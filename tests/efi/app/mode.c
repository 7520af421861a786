/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The mode of the protocol [UEFI 2.10 "EFI_EXT_SCSI_PASS_THRU_PROTOCOL"].
 */
#include "checks.h"

#define OWN_ID 7

void check_mode(void)
{
	const struct efi_ext_scsi_pass_thru_mode *mode = BUS->mode;

	check_equal("attributes are PHYSICAL and LOGICAL",
		    EFI_EXT_SCSI_PASS_THRU_ATTRIBUTES_PHYSICAL |
			    EFI_EXT_SCSI_PASS_THRU_ATTRIBUTES_LOGICAL,
		    mode->attributes);
	check_equal("AdapterId is the controller's SCSI ID", OWN_ID, mode->adapter_id);
	check_true("IoAlign requires no alignment", mode->io_align <= 1);
}
