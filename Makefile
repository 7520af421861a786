# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors

VERSION := 0.1.0
OUT := build
Q := $(if $(V),,@)

# ---- ROMs: name, PCI device ID (vendor is 1000h) ------------------------
ROMS := $(OUT)/lsi53c895a.rom $(OUT)/lsi53c810.rom
DEVICE_lsi53c895a := 0012
DEVICE_lsi53c810 := 0001
DEVICES := 0001,0012

# ---- Budgets, enforced by the linker and shown by `make size` -----------
FILE_LIMIT := 24576
RESIDENT_LIMIT := 12288

# ---- Tools --------------------------------------------------------------
CC := gcc
PYTHON := /usr/bin/python3
CFLAGS := -m16 -march=i386 -Os -std=gnu11 -ffreestanding -fno-pic -fno-pie \
	-mregparm=3 -mpreferred-stack-boundary=2 -fomit-frame-pointer \
	-fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-jump-tables -fno-tree-switch-conversion -fno-delete-null-pointer-checks -fcf-protection=none \
	-mno-80387 -mno-mmx -mno-sse -ffunction-sections -fno-common \
	-fstack-usage -ffile-prefix-map=$(CURDIR)=. \
	-Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes \
	-Wconversion -Wswitch-enum -Wvla -I. -DVERSION='"$(VERSION)"'
ASFLAGS := -m16 -march=i386 -I. -Wa,-I. -Wa,--fatal-warnings -Wa,--noexecstack -ffile-prefix-map=$(CURDIR)=.
LDFLAGS := -m elf_i386 -nostdlib --build-id=none --gc-sections \
	--fatal-warnings --no-warn-rwx-segments --orphan-handling=error

SOURCES := $(wildcard pc/*.[cS] scsi/*.[cS] lsi/*.[cS] int13/*.[cS] rom/*.[cS])
OBJECTS := $(patsubst %,$(OUT)/%.o,$(basename $(SOURCES)))

.DELETE_ON_ERROR:
.SUFFIXES:

.PHONY: all
all: $(ROMS) ## build the ROMs into build/

$(ROMS): $(OUT)/%.rom: $(OUT)/rom.bin tools/romsign.py
	@echo "  SIGN  $@"
	$(Q)$(PYTHON) tools/romsign.py --vendor 1000 --device $(DEVICE_$*) \
		--device-list $(DEVICES) --output $@ $<

$(OUT)/rom.bin: $(OUT)/rom.elf
	$(Q)objcopy -O binary $< $@

$(OUT)/rom.elf: $(OBJECTS) $(OUT)/rom/rom.ld
	@echo "  LINK  $@"
	$(Q)ld $(LDFLAGS) -Map $(OUT)/rom.map -T $(OUT)/rom/rom.ld -o $@ $(OBJECTS)

$(OUT)/rom/rom.ld: rom/rom.ld Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x assembler-with-cpp -I. -MMD -MT $@ -MF $@.d \
		-DFILE_LIMIT=$(FILE_LIMIT) -DRESIDENT_LIMIT=$(RESIDENT_LIMIT) $< -o $@

$(OUT)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(OUT)/%.o: %.S Makefile lsi/script_insn.inc
	@mkdir -p $(@D)
	@echo "  AS    $<"
	$(Q)$(CC) $(ASFLAGS) -MMD -MP -c $< -o $@

-include $(OBJECTS:.o=.d) $(OUT)/rom/rom.ld.d
