# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors

VERSION := 0.1.0
OUT := build
Q := $(if $(V),,@)

# ---- Chips: name and PCI device ID (vendor is 1000h) --------------------
# A ROM for each chip, with a BIOS and an EFI image, and two for all chips, which fill EPROMs and have the BIOS image only.
# The 53C810AP (0005) has no ROM of its own.
CHIPS := 810:0001 820:0002 825:0003 815:0004 860:0006 1510:000a 896:000b 895:000c \
	885:000d 875:000f 895a:0012 875a:0013 1010-33:0020 1010-66:0021 875j:008f
ALL_IDS := $(sort 0005 $(foreach chip,$(CHIPS),$(lastword $(subst :, ,$(chip)))))
UNIVERSAL := $(OUT)/lsi53c8xx.rom $(OUT)/8xx_64.rom
ROMS := $(foreach chip,$(CHIPS),$(OUT)/lsi53c$(firstword $(subst :, ,$(chip))).rom) $(UNIVERSAL)

# ---- Size budgets in bytes, enforced by the linker or by `make size`, which prints them ----
LIMITS := FILE RESIDENT WITHOUT_PMM CD CD_MEMORY EFI WHOLE_FILE
FILE_LIMIT := 35328
RESIDENT_LIMIT := 13824
WITHOUT_PMM_LIMIT := 16384
CD_LIMIT := 25088
CD_MEMORY_LIMIT := 7168
EFI_LIMIT := 16384
WHOLE_FILE_LIMIT := 49152

# ---- Tools --------------------------------------------------------------
CC := gcc
PYTHON := /usr/bin/python3
WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wswitch-enum -Wvla
# The ROM's ABI. Each of these options is required:
#   -m16 -march=i386 -mgeneral-regs-only -std=gnu11 -ffreestanding: real mode, any CPU with 32-bit registers and no
#     coprocessor, __seg_fs, no libc
#   -fno-pie -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables: no GOT, no stack canary,
#     no ENDBR, no unwinder
#   -mpreferred-stack-boundary=2: the assembly stubs do not align the stack, and the ROM's stack is small
#   -mregparm=3 -freg-struct-return: arguments and results in registers, as the assembly stubs expect
#   -fno-ipa-sra: gcc must not add arguments, which would be on the stack above a 16-bit return address
#     (tools/code16.sed)
#   -fshort-enums: an enumeration is a byte in structures and tables (asserted in pc/kinds.h)
#   -malign-data=abi: a constant must not align its section, and so move init away from ROM_ENTRY
#   -fno-jump-tables -fno-tree-switch-conversion: no constants that are read through DS
#   -fno-delete-null-pointer-checks: offset 0 of a segment is valid memory
#   -fno-expensive-optimizations: gcc 12 makes two reads of bytes through GS or FS one read of a word through DS
#     (findings/gcc-address-space-lost-in-loop.sh)
#   -ffunction-sections: the linker scripts place functions and drop those that the unpacker does not call
ABI := -m16 -march=i386 -mgeneral-regs-only -std=gnu11 -ffreestanding -fno-pie -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -mpreferred-stack-boundary=2 -mregparm=3 -freg-struct-return -fno-ipa-sra -fshort-enums -malign-data=abi \
	-fno-jump-tables -fno-tree-switch-conversion -fno-delete-null-pointer-checks -fno-expensive-optimizations -ffunction-sections
# Small code: optimise for size; EBP is a general register; structures stay in memory
SMALL := -Oz -fomit-frame-pointer -fno-tree-sra
CFLAGS := $(ABI) $(SMALL) -fstack-usage '-ffile-prefix-map=$(CURDIR)=.' $(WARNINGS) -I. -I$(OUT) -DVERSION='"$(VERSION)"'
ASFLAGS := -m16 -march=i386 -I. -DVERSION='"$(VERSION)"' -Wa,-I. -Wa,--fatal-warnings -Wa,--noexecstack '-ffile-prefix-map=$(CURDIR)=.'
LDFLAGS := -m elf_i386 -nostdlib --build-id=none --gc-sections --fatal-warnings --no-warn-rwx-segments -z noexecstack --orphan-handling=error

FOLDERS := pc scsi lsi int13 rom
SOURCES := $(wildcard $(foreach depth,* */* */*/*,$(FOLDERS:%=%/$(depth).[cS])))
OBJECTS := $(patsubst %,$(OUT)/%.o,$(basename $(SOURCES)))

.DELETE_ON_ERROR .SUFFIXES:
.PHONY: all efi-aa64 run test test-all test-aa64 test-matrix fuzz bench size lint install uninstall dist clean help $(addprefix deps-,build run test aa64 matrix dist lint)

all: $(ROMS) ## build the ROMs into build/

$(ROMS): CHIP = $(filter $(patsubst lsi53c%.rom,%,$(@F)):%,$(CHIPS))
$(ROMS): FOR = --device $(lastword $(subst :, ,$(CHIP))) --efi $(OUT)/efi/driver.efi
$(UNIVERSAL): FOR = --device 0012 --device-list '$(ALL_IDS)' --eprom $(if $(findstring 64,$@),64,32)
$(ROMS): RUN_TIME = $(FILE_LIMIT)
# The image with the set-up screen does not fit into this one.
$(OUT)/lsi53c8xx.rom: NOTE = (without the set-up screen)
$(OUT)/lsi53c8xx.rom: RUN_TIME = 32768
$(OUT)/lsi53c8xx.rom: $(OUT)/small/rom.bin
$(filter-out $(OUT)/lsi53c8xx.rom,$(ROMS)): $(OUT)/rom.bin
$(ROMS): tools/romsign.py
	@echo "  SIGN  $@ $(NOTE)"
	$(Q)$(PYTHON) tools/romsign.py $(filter %.bin,$^) --vendor 1000 $(FOR) --output $@ \
		--run-time $(RUN_TIME)
$(filter-out $(UNIVERSAL),$(ROMS)): $(OUT)/efi/driver.efi

# The ROM file: header, unpacker, and the packed image of rom.elf. rom_image_* are symbols of rom.elf.
$(OUT)/rom.bin $(OUT)/small/rom.bin: %/rom.bin: %/rom.elf $(OUT)/rom/unpack.ld tools/pack.py
	@echo "  PACK  $@"
	$(Q)objcopy -O binary -R .header $< $*/image.bin && $(PYTHON) tools/pack.py $*/image.bin --output $*/image.packed
	$(Q)ld $(LDFLAGS) -T $(OUT)/rom/unpack.ld -o $*/unpack.elf $(OBJECTS) -b binary $*/image.packed \
		$$(nm $< | sed -nE 's/^(.*) . (rom_init|cd_end|rom_memory_end)$$/--defsym=rom_image_\2=0x\1/p')
	$(Q)objcopy -O binary $*/unpack.elf $@

$(OUT)/rom.elf: $(OBJECTS)
$(OUT)/small/rom.elf: $(filter-out $(OUT)/rom/post/setup/%,$(OBJECTS))
$(OUT)/rom.elf $(OUT)/small/rom.elf: $(OUT)/rom/rom.ld
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)ld $(LDFLAGS) -Map $(@:.elf=.map) -T $(OUT)/rom/rom.ld -o $@ $(filter %.o,$^)

$(OUT)/rom/%.ld: rom/%.ld Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x assembler-with-cpp -I. -MMD -MP -MT $@ -MF $@.d $(foreach l,$(LIMITS),-D$(l)_LIMIT=$($(l)_LIMIT)) $< -o $@

$(OUT)/%.o: %.c Makefile tools/code16.sed $(OUT)/gates.out $(OUT)/gates.in
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CFLAGS) -MMD -MP -MT $@ -S $< -o $(@:.o=.s)
	$(Q)sed -f tools/code16.sed $(@:.o=.s) | $(CC) -m32 -Wa,--fatal-warnings,--noexecstack -x assembler -c - -o $@
	$(Q)$(PASS_GATES)

# Calls into and out of far code pass a gate (rom/gates/gates.S): names of called functions, old and new. Code in
# post/ runs beside both and needs none.
IS_FAR = $(findstring /cd/,$@)$(findstring /media/,$@)$(findstring /removable/,$@)
PASS_GATES = $(if $(findstring /post/,$@)$(findstring /gates/,$@),,objcopy --redefine-syms=$(OUT)/gates.$(if $(IS_FAR),out,in) $@)
GATES := $(OUT)/gates.out $(OUT)/gates.in
$(OUT)/gates.out: GATE := GATE_OUT
$(OUT)/gates.in: GATE := GATE_IN
$(GATES): rom/gates/gates.S
	@mkdir -p $(@D)
	$(Q)sed -n 's/^\t$(GATE) \(.*\)/\1 $(subst .,,$(suffix $@))_\1/p' $< > $@

# Offsets of the SCRIPTS program's labels, for C
$(OUT)/lsi/script_labels.h: $(OUT)/lsi/post/script.o tools/labels.sh
	$(Q)tools/labels.sh $< > $@
$(patsubst %.c,$(OUT)/%.o,$(filter %.c,$(SOURCES))): | $(OUT)/lsi/script_labels.h

$(OUT)/%.o: %.S Makefile lsi/script_insn.inc $(OUT)/gates.out $(OUT)/gates.in
	@mkdir -p $(@D)
	@echo "  AS    $<"
	$(Q)$(CC) $(ASFLAGS) -MMD -MP -c $< -o $@
	$(Q)$(PASS_GATES)

-include $(OBJECTS:.o=.d) $(wildcard $(OUT)/rom/*.ld.d)

# ---- The UEFI driver: efi/, and from lsi/ and scsi/ what does not belong to the ROM alone ----
# Only needed objects are linked, as --gc-sections drops functions that other files call. efi/pc has the machine interface
# (pc/types.h). What else is required:
#   -mno-red-zone -mgeneral-regs-only: interrupts use the same stack; no code of ours needs other registers
#   -ffixed-x18 -mstrict-align: X18 is the firmware's; memory may be mapped as a device's
#   -fpie, and hidden visibility (efi/pc/kinds.h): addresses relative to the code; the others are relocated
#   -fshort-wchar: L"" is UCS-2. -fno-ident: a .comment section would lie outside the image
EFI_SOURCES := $(wildcard efi/*.c) $(patsubst %,lsi/%.c,exec events program residual lsi reset_target post/open post/chips) \
	scsi/cdb.c lsi/post/script.S
EFI_LINTED := $(wildcard efi/*.c efi/*/*.c)
EFI_CFLAGS := -std=gnu11 -ffreestanding -fpie -mgeneral-regs-only -fshort-wchar -fno-ident -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -Oz '-ffile-prefix-map=$(CURDIR)=.' $(WARNINGS) -Iefi -I. -I$(OUT) -Wa,-I. -Wa,--fatal-warnings \
	-DVERSION='"$(VERSION)"'
X64_CFLAGS := $(EFI_CFLAGS) -m64 -mno-red-zone -fcf-protection=none
X64_LDFLAGS := -m i386pep --subsystem 11 --image-base 0 --file-alignment 32 --no-insert-timestamp --fatal-warnings \
	--orphan-handling=error -s -e efi_main -T efi/driver.ld
X64_OBJECTS := $(patsubst %,$(OUT)/efi/x64/%.o,$(basename $(EFI_SOURCES)))

$(OUT)/efi/driver.efi: $(X64_OBJECTS) efi/driver.ld
	@echo "  LINK  $@"
	$(Q)ld $(X64_LDFLAGS) -o $@ $(X64_OBJECTS)

# AArch64 needs another compiler (Debian: gcc-aarch64-linux-gnu), and is not part of `make`.
AA64 := aarch64-linux-gnu-
AA64_CFLAGS := $(EFI_CFLAGS) -ffixed-x18 -mstrict-align -fno-tree-loop-distribute-patterns
AA64_LDFLAGS := -pie -nostdlib --no-dynamic-linker --build-id=none --fatal-warnings --no-warn-rwx-segments --orphan-handling=error \
	-z text -z noexecstack -e entry -T efi/aarch64/driver.ld
AA64_OBJECTS := $(patsubst %,$(OUT)/efi/aa64/%.o,$(basename $(EFI_SOURCES) $(wildcard efi/aarch64/*.[cS])))

AA64_ROMS := $(patsubst %.rom,%-aa64.rom,$(filter-out $(UNIVERSAL),$(ROMS)))

efi-aa64: $(AA64_ROMS) ## build ROMs with a UEFI driver for AArch64, too (needs gcc-aarch64-linux-gnu)

$(AA64_ROMS): CHIP = $(filter $(patsubst lsi53c%-aa64.rom,%,$(@F)):%,$(CHIPS))
$(AA64_ROMS): %-aa64.rom: %.rom $(OUT)/efi/driver-aa64.efi
	@echo "  SIGN  $@"
	$(Q)$(PYTHON) tools/romsign.py $< --vendor 1000 --device $(lastword $(subst :, ,$(CHIP))) --efi $(OUT)/efi/driver-aa64.efi --output $@

$(OUT)/efi/driver-aa64.efi: $(AA64_OBJECTS) efi/aarch64/driver.ld
	@echo "  LINK  $@"
	$(Q)$(AA64)ld $(AA64_LDFLAGS) -o $(@:.efi=.elf) $(AA64_OBJECTS)
	$(Q)$(AA64)objcopy -O binary $(@:.efi=.elf) $@

EFI_COMPILE = @mkdir -p $(@D) && echo "  CC    $< ($1)" && $2 -MMD -MP -MT $@ -c $< -o $@
$(OUT)/efi/x64/%.o: %.c Makefile | $(OUT)/lsi/script_labels.h
	$(call EFI_COMPILE,x64,$(CC) $(X64_CFLAGS))
$(OUT)/efi/x64/%.o: %.S Makefile
	$(call EFI_COMPILE,x64,$(CC) $(X64_CFLAGS))
$(OUT)/efi/aa64/%.o: %.c Makefile | $(OUT)/lsi/script_labels.h
	$(call EFI_COMPILE,AArch64,$(AA64)gcc $(AA64_CFLAGS))
$(OUT)/efi/aa64/%.o: %.S Makefile
	$(call EFI_COMPILE,AArch64,$(AA64)gcc $(AA64_CFLAGS))

-include $(X64_OBJECTS:.o=.d) $(wildcard $(AA64_OBJECTS:.o=.d))

# ---- Commands -------------------------------------------------------------
deps-build deps-run deps-test deps-aa64 deps-matrix deps-dist deps-lint: deps-%:
	$(Q)tools/packages.sh $*

# Packages are installed before the build, which needs them.
# The shell gets the names of files from the environment, so that any name is safe.
RUN_VARIABLES := DISK FORMAT BACKING WRITE CDROM UEFI
# Names of the variables on make's command line, whose values have a backslash before each space
space := $() $()
GIVEN = $(foreach word,$(subst \$(space),_,$(MAKEOVERRIDES)),$(firstword $(subst =, ,$(word))))
RUN_UNKNOWN = $(filter-out $(RUN_VARIABLES) V PYTHON,$(GIVEN))
run: deps-run ## boot Linux through the ROM in QEMU [UEFI=1], or DISK=image [FORMAT=qcow2 [BACKING=1]] [WRITE=1] and/or CDROM=iso
	$(if $(RUN_UNKNOWN),$(error make run does not know $(RUN_UNKNOWN); it knows $(RUN_VARIABLES)))
	$(foreach name,WRITE BACKING UEFI,$(if $(filter-out 0 1,$($(name))),$(error $(name) is 0 or 1)))
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(PYTHON) tools/run.py $${DISK:+--disk "$$DISK"} $${FORMAT:+--format "$$FORMAT"} $${CDROM:+--cdrom "$$CDROM"} \
		$(if $(filter 1,$(WRITE)),--write) $(if $(filter 1,$(BACKING)),--backing) $(if $(filter 1,$(UEFI)),--uefi)

PYTEST := -m pytest -q -n 3 --dist loadfile -p no:cacheprovider -W ignore::DeprecationWarning
test: deps-test ## run all tests except the long sweeps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(PYTHON) $(PYTEST) -m 'not long and not aarch64' tests

test-all: deps-test ## run all tests
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(PYTHON) $(PYTEST) -m 'not aarch64' tests

test-aa64: deps-aa64 ## test the UEFI driver for AArch64 on QEMU's virt machine
	$(Q)$(MAKE) --no-print-directory all efi-aa64
	$(Q)$(PYTHON) $(PYTEST) -m aarch64 tests/efi/aarch64

test-matrix: deps-matrix ## run the QEMU tests with QEMU of Debian 12 and 13 (docs/results/)
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(PYTHON) tests/tools/compatibility.py

SEED :=
KIND :=
N := 1000000
M := 100000
fuzz: deps-test ## try N calls, M hostile machines, discs, dialogues in ring 1 [N=1000000 M=100000 SEED= KIND=]
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(PYTHON) tests/rom/fuzz.py --calls $(N) --others $(M) $(if $(SEED),--seed $(SEED)) $(if $(KIND),--kind $(KIND))

bench: deps-test ## compare sizes, counts and times with their budgets [QUICK=1 OUTPUT=build/bench.md]
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(PYTHON) tests/benchmark/bench.py $(if $(filter 1,$(QUICK)),--quick) $(if $(OUTPUT),--output '$(OUTPUT)')

size: all ## compare sizes with their budgets; list the largest functions
	$(Q)$(PYTHON) tools/size.py $(foreach l,$(LIMITS),$(l)=$($(l)_LIMIT))

lint: deps-lint $(OUT)/lsi/script_labels.h ## run static checks of C, shell and Python
	$(Q)cppcheck --quiet --error-exitcode=1 --enable=warning,portability,performance \
		--inline-suppr --std=c11 $(addprefix --suppress=,missingIncludeSystem nullPointer normalCheckLevelMaxBranches \
		uninitvar:scsi/disk.c uninitvar:scsi/post/scan.c $(addprefix uninitStructMember:,int13/cd/functions.c rom/boot/cd/cdboot.c)) \
		-I. -I$(OUT) -D__seg_fs= -D__seg_gs= -DVERSION='""' $(filter %.c,$(SOURCES))
	$(Q)for file in $(filter %.c,$(SOURCES)); do clang -m16 -march=i386 -std=gnu11 -ffreestanding -fshort-enums \
		-Wall -Wextra -Werror -I. -I$(OUT) -DVERSION='""' -fsyntax-only $$file || exit 1; done
	$(Q)cppcheck --quiet --error-exitcode=1 --enable=warning,portability,performance --inline-suppr --std=c11 \
		$(addprefix --suppress=,missingIncludeSystem normalCheckLevelMaxBranches) -Iefi -I. -I$(OUT) -DVERSION='""' -D__x86_64__ $(EFI_LINTED)
	$(Q)for file in $(EFI_LINTED); do clang $(filter-out -Wa%,$(X64_CFLAGS)) -fsyntax-only $$file || exit 1; done
	$(Q)shellcheck tools/labels.sh tools/packages.sh tools/dist.sh .ci/run
	$(Q)pyflakes3 tools tests

PREFIX := /usr/local
SHARE = $(DESTDIR)$(PREFIX)/share
ABSOLUTE_PREFIX = $(if $(filter /%,$(PREFIX)),,$(error PREFIX=$(PREFIX) is not an absolute path))
install: all ## install ROMs (share/qemu), romsign and lsi8xx-nvram (bin) and docs below PREFIX=/usr/local [DESTDIR=]
	$(ABSOLUTE_PREFIX)
	install -d $(SHARE)/qemu $(DESTDIR)$(PREFIX)/bin $(SHARE)/doc/lsi8xx-rom/docs/results
	install -m 644 $(ROMS) $(SHARE)/qemu
	install -m 755 tools/romsign.py $(DESTDIR)$(PREFIX)/bin/romsign
	install -m 755 tools/nvram.py $(DESTDIR)$(PREFIX)/bin/lsi8xx-nvram
	install -m 644 README.md LICENSE $(SHARE)/doc/lsi8xx-rom
	install -m 644 $(wildcard docs/*.*) $(SHARE)/doc/lsi8xx-rom/docs
	install -m 644 $(wildcard docs/results/*) $(SHARE)/doc/lsi8xx-rom/docs/results
	$(if $(filter /usr,$(PREFIX)),,@echo "QEMU in /usr finds these ROMs by name with -L $(PREFIX)/share/qemu only")

uninstall: ## remove what make install has installed [PREFIX=] [DESTDIR=]
	$(ABSOLUTE_PREFIX)
	rm -f $(addprefix $(SHARE)/qemu/,$(notdir $(ROMS))) $(addprefix $(DESTDIR)$(PREFIX)/bin/,romsign lsi8xx-nvram)
	rm -rf $(SHARE)/doc/lsi8xx-rom

dist: deps-dist ## make a release archive of the last commit, with ROMs and checksums, in build/
	$(Q)MAKE=$(MAKE) tools/dist.sh $(VERSION)

clean: ## remove all build results
	rm -rf $(OUT)

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile
