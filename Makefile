# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors

VERSION := 0.1.0
OUT := build
Q := $(if $(V),,@)

# ---- Chips: name and PCI device ID (vendor is 1000h) --------------------
# A ROM for each, and two for all. The 53C810AP (0005) gets none of its own.
CHIPS := 810:0001 820:0002 825:0003 815:0004 860:0006 1510:000a 896:000b 895:000c \
	885:000d 875:000f 895a:0012 875a:0013 1010-33:0020 1010-66:0021 875j:008f
ALL_IDS := $(sort 0005 $(foreach chip,$(CHIPS),$(lastword $(subst :, ,$(chip)))))
UNIVERSAL := $(OUT)/lsi53c8xx.rom $(OUT)/8xx_64.rom
ROMS := $(foreach chip,$(CHIPS),$(OUT)/lsi53c$(firstword $(subst :, ,$(chip))).rom) $(UNIVERSAL)

# ---- Limits, enforced by the linker and shown by `make size` ------------
# Another gcc than 12 and 14 may need more than the budgets (tests/benchmark/budgets.py).
FILE_LIMIT := 24576
RESIDENT_LIMIT := 13312
CD_LIMIT := 22528

# ---- Tools --------------------------------------------------------------
CC := gcc
PYTHON := /usr/bin/python3
# Make the code smaller behind tools/narrow.py, with gcc 12.2 and 14.2 (docs/narrow.md)
SMALLER := -mtune=generic -malign-data=abi -fshort-enums -flive-range-shrinkage -fsplit-wide-types-early -ftree-slp-vectorize
NO := tree-sra shrink-wrap if-conversion inline-functions-called-once ipa-sra tree-loop-optimize tree-dse code-hoisting \
	tree-pre tree-coalesce-vars tree-sink schedule-insns2 optimize-sibling-calls caller-saves ira-hoist-pressure tree-loop-im tree-slsr
FRAMED := int13/catalog int13/dispatch int13/edd int13/geometry int13/measure int13/transfer pc/fwcfg \
	rom/connect rom/host rom/locate rom/switches rom/units
WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wswitch-enum -Wvla
CFLAGS := -m16 -march=i386 -Oz $(SMALLER) $(NO:%=-fno-%) -std=gnu11 -ffreestanding -fno-pic -fno-pie \
	-mregparm=3 -freg-struct-return -mpreferred-stack-boundary=2 -fomit-frame-pointer -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-jump-tables -fno-tree-switch-conversion -ffunction-sections \
	-fno-delete-null-pointer-checks -fcf-protection=none -mno-80387 -mno-mmx -mno-sse -fno-common \
	-fstack-usage '-ffile-prefix-map=$(CURDIR)=.' $(WARNINGS) -I. -I$(OUT) -DVERSION='"$(VERSION)"'
ASFLAGS := -m16 -march=i386 -I. -Wa,-I. -Wa,--fatal-warnings -Wa,--noexecstack '-ffile-prefix-map=$(CURDIR)=.'
LDFLAGS := -m elf_i386 -nostdlib --build-id=none --gc-sections --fatal-warnings --no-warn-rwx-segments -z noexecstack --orphan-handling=error

SOURCES := $(wildcard $(foreach folder,pc scsi scsi/post lsi lsi/post int13 rom,$(folder)/*.[cS]))
OBJECTS := $(patsubst %,$(OUT)/%.o,$(basename $(SOURCES)))
COMPILED := $(patsubst %.c,$(OUT)/%.s,$(filter %.c,$(SOURCES)))

.DELETE_ON_ERROR .SUFFIXES:
.PHONY: all run test test-matrix fuzz bench size lint install dist clean help $(addprefix deps-,build run test matrix dist lint)

all: $(ROMS) ## build the ROMs into build/

$(ROMS): CHIP = $(filter $(patsubst lsi53c%.rom,%,$(@F)):%,$(CHIPS))
$(ROMS): FOR = --device $(lastword $(subst :, ,$(CHIP)))
$(UNIVERSAL): FOR = --device 0012 --device-list '$(ALL_IDS)' --eprom $(if $(findstring 64,$@),64,32)
$(ROMS): $(OUT)/rom.bin tools/romsign.py
	@echo "  SIGN  $@"
	$(Q)$(PYTHON) tools/romsign.py $< --vendor 1000 $(FOR) --output $@ \
		--run-time 0x$$(nm $(OUT)/rom.elf | sed -n 's/ . cd_end$$//p')

# The file: a header, what unpacks, and rom.elf packed. image_* are symbols of rom.elf.
$(OUT)/rom.bin: $(OUT)/rom.elf $(OUT)/rom/unpack.ld tools/pack.py
	@echo "  PACK  $@"
	$(Q)objcopy -O binary -R .header $< $(OUT)/image.bin && $(PYTHON) tools/pack.py $(OUT)/image.bin --output $(OUT)/image.packed
	$(Q)ld $(LDFLAGS) -T $(OUT)/rom/unpack.ld -o $(OUT)/unpack.elf $(OBJECTS) -b binary $(OUT)/image.packed \
		$$(nm $< | sed -nE 's/^(.*) . (rom_init|cd_end|rom_end)$$/--defsym=image_\2=0x\1/p')
	$(Q)objcopy -O binary $(OUT)/unpack.elf $@

$(OUT)/rom.elf: $(OBJECTS) $(OUT)/rom/rom.ld
	@echo "  LINK  $@"
	$(Q)ld $(LDFLAGS) -Map $(OUT)/rom.map -T $(OUT)/rom/rom.ld -o $@ $(OBJECTS)

$(OUT)/rom/%.ld: rom/%.ld Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x assembler-with-cpp -I. -MMD -MT $@ -MF $@.d $(foreach l,FILE RESIDENT CD,-D$(l)_LIMIT=$($(l)_LIMIT)) $< -o $@

# gcc knows no 16-bit code: narrow.py makes some of it, helped by these comments [docs/narrow.md]
$(FRAMED:%=$(OUT)/%.s): CFLAGS += -ffixed-ebp
$(OUT)/%.s: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CFLAGS) -fverbose-asm -dP -MMD -MP -MT $@ -S $< -o $@

$(OUT)/narrowed: $(COMPILED) $(filter %.S,$(SOURCES)) tools/narrow.py
	@echo "  NARROW"
	$(Q)$(PYTHON) tools/narrow.py $(addprefix --asm ,$(filter %.S,$^)) $(filter %.s,$^) && touch $@

# Labels of the SCRIPTS program as numbers for C
$(OUT)/lsi/script_labels.h: $(OUT)/lsi/post/script.o tools/labels.sh
	$(Q)tools/labels.sh $< > $@
$(COMPILED): | $(OUT)/lsi/script_labels.h

$(COMPILED:.s=.o): %.o: $(OUT)/narrowed
	$(Q)$(CC) -m32 -Wa,--fatal-warnings,--noexecstack -c $*.16.s -o $@

$(OUT)/%.o: %.S Makefile lsi/script_insn.inc
	@mkdir -p $(@D)
	@echo "  AS    $<"
	$(Q)$(CC) $(ASFLAGS) -MMD -MP -c $< -o $@

-include $(OBJECTS:.o=.d) $(wildcard $(OUT)/rom/*.ld.d)

# ---- Use ------------------------------------------------------------------
deps-build deps-run deps-test deps-matrix deps-dist deps-lint: deps-%:
	$(Q)tools/packages.sh $*

# The packages come first: without them nothing can be built.
run: deps-run ## boot Linux from a SCSI disk through the ROM; DISK=image [WRITE=1] and/or CDROM=iso boot yours
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(PYTHON) tools/run.py $(if $(DISK),--disk '$(DISK)') \
		$(if $(CDROM),--cdrom '$(CDROM)') $(if $(filter 1,$(WRITE)),--write)

test: deps-test ## run all tests
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(PYTHON) -m pytest -q -n 3 --dist loadfile -p no:cacheprovider -W ignore::DeprecationWarning tests

test-matrix: deps-matrix ## tests that start QEMU, on that of Debian 12 and of 13 (docs/compatibility.md)
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(PYTHON) tests/compatibility.py

SEED :=
N := 1000000
fuzz: deps-test ## N random INT 13h calls on the strict virtual PC [N=1000000 SEED=]
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(PYTHON) tests/fuzz.py --calls $(N) $(if $(SEED),--seed $(SEED))

bench: deps-test ## sizes, counts and times against their budgets, also as build/bench.md [QUICK=1]
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(PYTHON) tests/bench.py $(if $(filter 1,$(QUICK)),--quick)

size: all ## bytes against the budgets, and the largest functions
	$(Q)$(PYTHON) tools/size.py --file-limit $(FILE_LIMIT) --resident-limit $(RESIDENT_LIMIT) --cd-limit $(CD_LIMIT)

lint: deps-lint $(OUT)/lsi/script_labels.h ## static checks of C, shell and Python
	$(Q)cppcheck --quiet --error-exitcode=1 --enable=warning,portability,performance \
		--inline-suppr --std=c11 $(addprefix --suppress=,missingIncludeSystem nullPointer normalCheckLevelMaxBranches \
		uninitvar:scsi/disk.c uninitvar:scsi/post/scan.c uninitStructMember:rom/cdboot.c) \
		-I. -I$(OUT) -D__seg_fs= -D__seg_gs= -DVERSION='""' $(filter %.c,$(SOURCES))
	$(Q)shellcheck tools/labels.sh tools/packages.sh tools/dist.sh .ci/run
	$(Q)pyflakes3 tools tests

PREFIX := /usr/local
SHARE = $(DESTDIR)$(PREFIX)/share
install: all ## copy ROMs (share/qemu), romsign (bin) and docs below PREFIX=/usr/local [DESTDIR=]
	install -d $(SHARE)/qemu $(DESTDIR)$(PREFIX)/bin $(SHARE)/doc/lsi8xx-rom/docs
	install -m 644 $(ROMS) $(SHARE)/qemu
	install -m 755 tools/romsign.py $(DESTDIR)$(PREFIX)/bin/romsign
	install -m 644 README.md LICENSE $(SHARE)/doc/lsi8xx-rom
	install -m 644 $(wildcard docs/*) $(SHARE)/doc/lsi8xx-rom/docs

dist: deps-dist ## release archive of the last commit with its ROMs and checksums, in build/
	$(Q)MAKE=$(MAKE) tools/dist.sh $(VERSION)

clean: ## remove everything that was built
	rm -rf $(OUT)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile
