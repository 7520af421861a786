/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * All our RAM except the block buffer: one block of memory with our stack at
 * its start, then struct workspace, the table of drives, and one sector. While our
 * C code runs on this stack, DS, ES and SS are its segment.
 */
#ifndef ROM_WORKSPACE_H
#define ROM_WORKSPACE_H

#define WORKSPACE_KIB 3
#define STACK_BYTES 924

/* Unused below all memory of init on a BIOS without PMM (post/install.c) */
#define SLACK_KIB 1
/* Block buffer for CDs there, taken when one is booted (boot/cd/cdboot.c) */
#define CD_BUFFER_KIB 2

/* Offsets in the block, for the entry points in assembly */
#define WS_CALLER_ESP (STACK_BYTES + 0)
#define WS_CALLER_SS (STACK_BYTES + 4)
#define WS_CALLER_FLAGS (STACK_BYTES + 6)
#define WS_PHYS_BASE (STACK_BYTES + 8)
#define WS_BUSY (STACK_BYTES + 12)
#define WS_BOOT_DRIVE (STACK_BYTES + 13)
#define WS_FOR_OTHERS (STACK_BYTES + 16)
#define WS_CLOCK (STACK_BYTES + 20)
#define WS_LINEAR_BASE (STACK_BYTES + 24)
#define WS_INT13 (STACK_BYTES + 28) /* struct int13_state */
#define WS_DRIVE_MAP (WS_INT13 + 0)
#define WS_PREVIOUS (WS_INT13 + 4)
#define WS_PREVIOUS_CD (WS_INT13 + 8)
#define WS_CD_FIRST (WS_INT13 + 12)
#define WS_CD_COUNT (WS_INT13 + 13)
#define WS_EMULATED (WS_INT13 + 14)
#define WS_FOR_EMULATED (WS_INT13 + 15)
#define WS_DRIVES 1920 /* drive_table, after struct workspace */
#define WS_SECTOR 2560 /* bounce_sector, at the end */

/* Lowest dword of the stack; another value there shows that the stack
 * overflowed.
 */
#define STACK_CANARY 0x6b636174 /* "tack" */

#ifndef __ASSEMBLER__

#include "int13/drives.h"
#include "lsi/lsi.h"
#include "pc/phys.h"

struct workspace {
	u32 caller_esp;
	u16 caller_ss;
	u16 caller_flags; /* only IF matters */
	u32 phys_base;	  /* pc/phys.h */
	u8 busy;	  /* bit 0: a call is under way */
	u8 boot_drive;	  /* DL for the address that boot_connect() returns */
	u8 choice_seconds; /* how long the menu of a CD waits; 0: no menu */
	bool int13_hooked : 1;
	bool quiet : 1;	     /* print only what booting a CD requires */
	bool bios_calls_entries : 1; /* the BIOS has called boot entries: it decides */
	bool cd_leads : 1;   /* CDs boot before disks: the host or the user wants it */
	bool has_cd : 1;
	bool cd_returned : 1; /* the memory of cd_kib has been given back */
	bool calls_first_only : 1; /* the BIOS calls at most one boot entry in time */
	u16 for_others; /* offset of code for INT 13h calls that are not for our
			 * disks, or 0 */
	u16 lowest_kib; /* 40:13h at the end of init, on a BIOS without PMM */
	u32 clock_counted; /* pc/clock.h */
	u32 linear_base; /* pc/phys.h */
	struct int13_state int13;
	struct lsi lsi;
	/* old vectors, on a BIOS without boot entries */
	u32 previous_int18, previous_int19;
	u32 cd_sum; /* of the dwords of far code in memory that only CDs need */
	u8 cd_kib; /* size of that memory, or 0 */
	/* while it boots */
	bool device_pending; /* its next INT 18h is for one of several devices */
	bool cds_tried;	    /* CDs are not tried again */
	bool int19_pending; /* a CD was booted before what INT 19h would boot */
};

extern struct workspace workspace; /* placed by rom.ld */
extern u32 workspace_canary;

/* Offset of a member in the workspace's segment, for POST while it runs on the
 * BIOS's stack
 */
#define FIELD(member) (STACK_BYTES + offsetof(struct workspace, member))

#define WORKSPACE_AT(member, offset)                                      \
	_Static_assert(STACK_BYTES + offsetof(struct workspace, member) == \
			       (offset),                                   \
		       "rom/entry.S uses this offset")
WORKSPACE_AT(caller_esp, WS_CALLER_ESP);
WORKSPACE_AT(caller_ss, WS_CALLER_SS);
WORKSPACE_AT(caller_flags, WS_CALLER_FLAGS);
WORKSPACE_AT(busy, WS_BUSY);
WORKSPACE_AT(boot_drive, WS_BOOT_DRIVE);
WORKSPACE_AT(phys_base, WS_PHYS_BASE);
WORKSPACE_AT(for_others, WS_FOR_OTHERS);
WORKSPACE_AT(clock_counted, WS_CLOCK);
WORKSPACE_AT(linear_base, WS_LINEAR_BASE);
WORKSPACE_AT(int13.drive_map, WS_DRIVE_MAP);
WORKSPACE_AT(int13.previous, WS_PREVIOUS);
WORKSPACE_AT(int13.previous_cd, WS_PREVIOUS_CD);
WORKSPACE_AT(int13.cd_first, WS_CD_FIRST);
WORKSPACE_AT(int13.cd_count, WS_CD_COUNT);
WORKSPACE_AT(int13.emulated, WS_EMULATED);
WORKSPACE_AT(int13.for_emulated, WS_FOR_EMULATED);
_Static_assert(sizeof(struct workspace) <= WS_DRIVES - STACK_BYTES,
	       "drive_table begins after struct workspace");
_Static_assert(WS_DRIVES == OWN_MEMORY_BYTES &&
		       WORKSPACE_KIB * 1024 == WORKSPACE_BYTES,
	       "pc/phys.h has the sizes of the memory at DS:0");
_Static_assert(WS_DRIVES + MOST_DISKS * sizeof(struct disk) <= WS_SECTOR,
	       "bounce_sector begins after drive_table");
_Static_assert(WS_SECTOR + (1u << SECTOR_SHIFT) <= WORKSPACE_KIB * 1024,
	       "bounce_sector ends in the workspace");

#endif
#endif
