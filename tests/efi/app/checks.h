/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The groups of checks, in the order in which they run. Each is a file of this name.
 */
#ifndef TESTS_EFI_CHECKS_H
#define TESTS_EFI_CHECKS_H

#include "app.h"

#pragma GCC visibility push(hidden)

void check_mode(void);	    /* struct efi_ext_scsi_pass_thru_mode */
void check_arguments(void); /* bad arguments of PassThru() */
void check_reads(void);	    /* data from the target */
void check_writes(void);    /* data to the target */
void check_lengths(void);   /* short transfers and overruns */
void check_sense(void);	    /* CHECK CONDITION and autosense */
void check_absent(void);    /* targets and units that do not exist */
void check_timeouts(void);  /* a target that hangs */
void check_calls(void);	    /* priority levels, events, nested calls */
void check_iteration(void); /* GetNextTarget(), GetNextTargetLun() */
void check_paths(void);	    /* BuildDevicePath(), GetTargetLun() */
void check_resets(void);    /* ResetChannel(), ResetTargetLun() */
void check_several(void);   /* two controllers */
void check_errors(void);    /* blocks that cannot be read or written */
void check_binding(void);   /* Supported(), Start(), Stop() */
void check_names(void);	    /* the driver's name and versions */
void check_unload(void);    /* the end of the driver */

#pragma GCC visibility pop
#endif
