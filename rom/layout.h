/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Fields of the ROM image that init sets before it returns to the BIOS. A few of
 * them are stamped by tools/romsign.py instead.
 */
#ifndef ROM_LAYOUT_H
#define ROM_LAYOUT_H

#define ROM_BLOCK_BYTES 512
#define FIRST_ROM_SEGMENT 0xc000

#define ROM_BLOCKS 0x02		    /* byte: length in blocks */
#define ROM_CHECKSUM 0x06	    /* byte: makes the sum of all bytes 0 */
#define ROM_ENTRY_COUNT 0x07	    /* byte: number of boot entries; init */
#define ROM_WORKSPACE_SEGMENT 0x08  /* word: our RAM; init */
#define ROM_SIGNATURE 0x0a	    /* dword: ROM_OURS */
#define ROM_CONTROLLER 0x0e	    /* word: PCI address of the controller; init */
#define ROM_PMM 0x10		    /* word: segment where init runs, if PMM has
				     * allocated it, else 0 */
#define ROM_ENTRIES 0x12	    /* word: offset of the first boot entry, 0
				     * if there are none; init */
#define ROM_FAR 0x14		    /* word: segment of far code; init */
#define ROM_PLACE 0x16		    /* word: segment of the resident image; init */
#define ROM_PNP 0x1a		    /* word: offset of the first $PnP header */
#define ROM_PCIR 0x1c
#define ROM_ENTRY 0x78		    /* where init begins. The file and the ROM
				     * image have the same bytes before it */
#define ROM_PCIR_BLOCKS (ROM_PCIR + 0x10)	  /* word */
#define ROM_PCIR_RUN_TIME_BLOCKS (ROM_PCIR + 0x16) /* word */

/* One boot entry: a $PnP header with the text and the code it points to */
#define PNP_SLOT_BYTES 112
#define PNP_NEXT 0x06	  /* word: offset of the next header, 0 ends */
#define PNP_CHECKSUM 0x09 /* byte */
#define PNP_TEXT 0x10	  /* word: offset of the product's name */
#define PNP_BCV 0x16	  /* word: boot connection vector */
#define PNP_DISCONNECT 0x18 /* word */
#define PNP_BEV 0x1a	  /* word: bootstrap entry vector */
#define PNP_HEADER_BYTES 0x20
#define PNP_PRODUCT 0x20 /* zero-terminated text */
#define PNP_PRODUCT_BYTES 64
#define PNP_STUBS 0x60 /* code of its vectors: connect, then disconnect */
#define PNP_STUB_BYTES 5

#define ROM_OURS 0x3869736c /* "lsi8" */

/* Arguments of boot_connect() other than a plain slot: BOOT_DISCONNECT is
 * added to a slot; BOOT_INT18, BOOT_INT19 and BOOT_INT13 are interrupts and have no
 * slot.
 */
#define BOOT_DISCONNECT 0x40
#define BOOT_INTERRUPT 0x80
#define BOOT_INT18 (BOOT_INTERRUPT + 0)
#define BOOT_INT19 (BOOT_INTERRUPT + 1)
#define BOOT_INT13 (BOOT_INTERRUPT + 2)

#endif
