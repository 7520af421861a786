/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Operating registers of the 53C8xx family by the manual's names
 * [8xx-TM "Registers"]. Width in bits; R read, W write, RC read clears.
 * Only registers and bits that the driver uses.
 */
#ifndef LSI_REGS_H
#define LSI_REGS_H

#define LSI_SCNTL0 0x00 /* 8 RW SCSI control 0 */
#define SCNTL0_ARB_FULL 0xc0
#define SCNTL0_EPC 0x08 /* check parity */
#define SCNTL0_AAP 0x02 /* raise ATN on a parity error */

#define LSI_SCNTL1 0x01 /* 8 RW SCSI control 1 */
#define SCNTL1_CON 0x10 /* as ISTAT_CON */
#define SCNTL1_RST 0x08 /* drive the bus reset line */

#define LSI_SCNTL2 0x02 /* 8 RW SCSI control 2; bit 7 is SDU */

#define LSI_SCNTL3 0x03 /* 8 RW clock dividers: SCF 6:4, EWS 3, CCF 2:0 */

#define LSI_SCID 0x04 /* 8 RW own ID in 3:0 */
#define SCID_RRE 0x40 /* answer reselection */

#define LSI_SXFER 0x05 /* 8 RW offset in 4:0; 0 = asynchronous */

#define LSI_GPREG 0x07 /* 8 RW general-purpose pins */
#define GPREG_LED 0x01 /* GPIO0, if it has an activity LED: 0 is on */

#define LSI_SSID 0x0a /* 8 R ID that reselected us in 3:0; VAL 7 */
#define LSI_SBCL 0x0b /* 8 R bus lines; ACK 6, MSG 2, C/D 1, I/O 0 */

#define LSI_DSTAT 0x0c /* 8 RC DMA status */
#define DSTAT_DFE 0x80 /* DMA FIFO empty; a state, not a cause */
#define DSTAT_MDPE 0x40 /* master data parity error */
#define DSTAT_BF 0x20  /* bus fault */
#define DSTAT_ABRT 0x10
#define DSTAT_SIR 0x04 /* SCRIPTS INT instruction */
#define DSTAT_IID 0x01 /* illegal instruction */

#define LSI_SSTAT0 0x0d /* 8 R SCSI status 0 */
#define SSTAT0_OLF 0x20 /* a byte is left in the output latch */
#define SSTAT0_RST 0x02 /* the RST line as it is now */

#define LSI_SSTAT1 0x0e /* 8 R SCSI status 1 */
#define SSTAT1_PHASE_MASK 0x07 /* MSG C/D I/O as latched by REQ */

#define LSI_DSA_TOP 0x13 /* 8 RW bits 31:24 of the data structure address */

#define LSI_ISTAT 0x14 /* 8 RW interrupt status; allowed at any time */
#define ISTAT_ABRT 0x80
#define ISTAT_SRST 0x40
#define ISTAT_SEM 0x10 /* free for drivers; a reset clears it */
#define ISTAT_CON 0x08 /* a target is connected */
#define ISTAT_SIP 0x02 /* something in SIST */
#define ISTAT_DIP 0x01 /* something in DSTAT */
#define ISTAT_PENDING (ISTAT_SIP | ISTAT_DIP)
#define ISTAT_NO_ANSWER 0xff

#define LSI_ISTAT1 0x15 /* 8 RW 875A 895A 896 1010 */
#define ISTAT1_SRUN 0x02 /* SCRIPTS is running */

#define LSI_CTEST0 0x18 /* 8 RW chip test 0 */
#define CTEST0_EHP 0x20 /* no overlapped arbitration */

#define LSI_CTEST3 0x1b /* 8 RW chip test 3 */
#define CTEST3_CLF 0x04 /* clear DMA FIFO */

#define LSI_DFIFO 0x20 /* 8 R DMA FIFO byte offset counter */
#define LSI_CTEST4 0x21 /* 8 RW chip test 4 */
#define LSI_CTEST5 0x22 /* 8 RW chip test 5; bit 5 DFS = big FIFO */

#define LSI_DBC 0x24 /* 24 RW bytes left of the last block move; DCMD follows */
#define LSI_DBC_HIGH 0x26 /* 8 RW its bits 23:16 */

#define LSI_DSP 0x2c /* 32 RW next instruction; writing it starts SCRIPTS */
#define LSI_DSPS 0x30 /* 32 RW second dword of the last instruction */

#define LSI_DMODE 0x38 /* 8 RW DMA mode */
#define LSI_DIEN 0x39  /* 8 RW mask of DSTAT */

#define LSI_DCNTL 0x3b /* 8 RW DMA control */
#define DCNTL_IRQM 0x08 /* totem-pole IRQ pin: board-specific */
#define DCNTL_IRQD 0x02 /* IRQ pin off */
#define DCNTL_COM 0x01  /* register instructions work as documented */

#define LSI_SIEN0 0x40 /* 8 RW mask of SIST, low byte */
#define LSI_SIEN1 0x41 /* 8 RW high byte */

#define LSI_SIST 0x42 /* 16 RC SCSI causes; one 16-bit read */
#define SIST_MA 0x0080  /* phase mismatch */
#define SIST_SGE 0x0008 /* gross error */
#define SIST_UDC 0x0004 /* unexpected disconnect */
#define SIST_RST 0x0002 /* bus reset seen */
#define SIST_PAR 0x0001 /* parity error */
#define SIST_SBMC 0x1000 /* bus mode changed: a reset to all targets */
#define SIST_STO 0x0400 /* selection or reselection time-out */

#define LSI_GPCNTL 0x47 /* 8 RW general-purpose pin directions */
#define LSI_STIME0 0x48 /* 8 RW handshake and selection timers */
#define STIME0_SEL_256MS 0x0c
#define LSI_STIME1 0x49 /* 8 RW general-purpose timer */
#define LSI_RESPID0 0x4a /* 8 RW reselection IDs 7:0 */
#define LSI_RESPID1 0x4b /* 8 RW reselection IDs 15:8, wide chips */

#define LSI_STEST1 0x4d /* 8 RW clock source and multiplier */
#define STEST1_NO_SGE 0x30 /* 1010: ignore two causes of SGE */
#define LSI_STEST2 0x4e /* 8 RW SCSI test 2 */
#define STEST2_DIF 0x20 /* high-voltage differential board */
#define LSI_STEST3 0x4f /* 8 RW SCSI test 3 */
#define STEST3_TE 0x80  /* TolerANT */
#define STEST3_CSF 0x02 /* clear SCSI FIFO */

#define LSI_CCNTL0 0x56 /* 8 RW 875A 895A 896 1010; bit 7 ENPMJ */
#define CCNTL0_DILS 0x02 /* no load/store within the chip */
#define CCNTL0_DPR 0x01	 /* no pipelined requests */
#define LSI_CCNTL1 0x57 /* 8 RW same chips */
#define CCNTL1_DDAC 0x08 /* no 64-bit bus cycles */

#define LSI_MMRS 0xa0	/* 32 RW first of seven high halves of addresses, */
#define LSI_DNAD64 0xb8 /* 32 RW up to this one; same chips */

#define LSI_AIPCNTL1 0xbf /* 8 RW 1010 */
#define AIPCNTL1_DISAIP 0x08 /* do not make up protection bytes */
#define LSI_DFBC 0xf0 /* 16 R 1010: bytes in the DMA FIFO */

/* SCSI phases, as in SSTAT1 and in instructions */
#define PHASE_DATA_OUT 0
#define PHASE_DATA_IN 1
#define PHASE_COMMAND 2
#define PHASE_STATUS 3
#define PHASE_RESERVED 4 /* no target may enter it */
#define PHASE_MSG_OUT 6
#define PHASE_MSG_IN 7

#endif
