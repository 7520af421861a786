/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The settings of one controller, in the form in which its NVRAM keeps them, so that
 * fields which are not ours stay as they are: Symbios's block, and one of our own for
 * what has no field there (docs/nvram.md). Defaults < NVRAM < switches (switches.h).
 */
#ifndef ROM_POST_SETTINGS_H
#define ROM_POST_SETTINGS_H

#include "lsi/nvram.h"

#define SYMBIOS_AT 0x100u
#define OWN_AT 0x300u
#define SETTINGS_TARGETS 16
#define SETTINGS_HOSTS 4

/* struct symbios_block, `flags` */
#define SYMBIOS_SCAM (1u << 0)
#define SYMBIOS_PARITY (1u << 1)
#define SYMBIOS_VERBOSE (1u << 2)
#define SYMBIOS_CHS_ALTERNATE (1u << 3) /* by table and size, else CAM */
/* `flags1` */
#define SYMBIOS_SCAN_DOWN (1u << 0) /* from the highest ID to the lowest */
/* `flags2` */
#define SYMBIOS_AVOID_RESET (1u << 2)

/* `removable` */
enum symbios_removable {
	SYMBIOS_REMOVABLE_NONE,
	SYMBIOS_REMOVABLE_BOOT, /* only if it is the drive to boot */
	SYMBIOS_REMOVABLE_ALL,
};

struct symbios_host {
	u16 type; /* SYMBIOS_HOST_8XX, or 0: the entry is empty */
	u16 device, vendor; /* PCI IDs */
	u8 bus, function; /* PCI address */
	u16 reserved;
	u16 flags;
#define SYMBIOS_HOST_BOOTS (1u << 0)
	u16 io;
};
#define SYMBIOS_HOST_8XX 4

struct symbios_target {
	u8 flags;
#define TARGET_DISCONNECTS (1u << 0)
#define TARGET_SCANNED (1u << 1)
#define TARGET_LUNS (1u << 2)
#define TARGET_TAGS (1u << 3) /* for drivers of operating systems */
	u8 reserved;
	u8 width;  /* bits: 8 or 16 */
	u8 offset; /* synchronous; 0 is asynchronous */
	u16 period; /* 4 x the factor of SDTR: 100 is 10 MT/s */
	u16 timeout; /* seconds, up to MOST_TIMEOUT; 0: none */
};
#define MOST_TIMEOUT 9999

/* 368 bytes at SYMBIOS_AT */
struct symbios_block {
	u16 type;
	u16 bytes; /* of what the sum covers */
	u16 sum;
	u8 major, minor;
	u32 boot_crc;
	u16 flags;
	u16 flags1;
	u16 termination;
	u16 removable;
	u8 host_id;
	u8 hosts_most, targets_most, scam_most, scam_count;
	u8 flags2;
	struct symbios_host hosts[SETTINGS_HOSTS]; /* in boot order */
	struct symbios_target targets[SETTINGS_TARGETS];
	u8 scam[4][8];
	u8 spare[15][8];
	u8 trailer[6];
};
_Static_assert(sizeof(struct symbios_block) == 368, "layout of the NVRAM");

#define OWN_SIGNATURE 0x78386c73u /* "sl8x" */
#define OWN_VERSION 1

/* 32 bytes at OWN_AT: valid with this CRC and version, and only if Symbios's block is
 */
struct own_block {
	u32 signature;
	u16 crc; /* CRC-16-CCITT (FFFFh first) of the bytes after it */
	u8 version;
	u8 flags;
#define OWN_QUIET (1u << 0)	    /* no banner */
#define OWN_CD_FIRST (1u << 1)
#define OWN_NATIVE_BLOCKS (1u << 2)
	u8 scan_delay;	  /* seconds before the scan, 0 to 60 */
	u8 spin_up_delay; /* seconds between two START UNITs, 0 to 15 */
	u8 boot_timeout;  /* seconds of the CD's boot menu, 0 to 60 */
	u8 window;	  /* seconds for the key of the set-up screen, 0 to 10 */
	u8 boot_ids[4];	  /* IDs of the drives that come first, or NO_BOOT_ID */
	u8 reserved[16];  /* 0 */
};
_Static_assert(sizeof(struct own_block) == 32, "layout of the NVRAM");
#define NO_BOOT_ID 0xff

enum settings_source {
	SETTINGS_DEFAULT, /* no NVRAM, or a blank one */
	SETTINGS_STORED,
	SETTINGS_INVALID, /* neither blank nor valid: the defaults are used */
	SETTINGS_FOREIGN, /* Tekram's: the defaults are used, nothing is written */
	SETTINGS_IGNORED, /* stored, but the user holds the key for the defaults */
};

struct settings {
	struct symbios_block card;
	struct own_block own;
	enum settings_source source;
	enum nvram_chip chip;
	bool damaged; /* a block is neither blank nor valid, or cannot be read */
};

extern struct settings IN_POST_MEMORY settings; /* .post_memory; of the controller that is open */

/* Without NVRAM: all fields of both blocks have the defaults, for the controller in `post`. */
void settings_absent(void);

/* Set what the user can set to the defaults, also what is the same for all controllers if
 * `shared`. All else stays as it is.
 */
void settings_set_usual(bool shared);

/* Read the NVRAM of the controller `lsi`, which is stopped, into `settings`: a block that is
 * not valid has its defaults, and so has a field whose value is out of range. If a part cannot
 * be read, `chip` is not NVRAM_24C16, so that nothing is written. No NVRAM is
 * sought on QEMU's model. Without stored settings the host ID is the one that the firmware
 * has set, if it has set one.
 */
void settings_read(struct lsi *lsi);

/* Replace settings that are stored by the defaults: SETTINGS_IGNORED. */
void settings_ignore(struct lsi *lsi);

/* Write `settings`: trailer away, all else, sum, trailer. A loss of power in between
 * leaves no valid block, so the defaults are found. Only for NVRAM_24C16.
 */
enum nvram_result settings_write(struct lsi *lsi);

#endif
