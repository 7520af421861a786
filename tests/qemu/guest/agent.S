/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The test agent: an option ROM with a bootstrap entry vector, passed to QEMU
 * with -option-rom and the lowest bootindex. The BIOS boots it after all drives
 * are connected. It then executes commands from COM2. A command is one byte,
 * followed by its arguments (little-endian):
 *
 *   'r' address.32 length.32            -> the bytes
 *   'w' address.32 length.32 bytes      -> 'K'
 *   'f' address.32 length.32 value.8    -> 'K'
 *   'i' count.32 number.8 registers     -> 'K' registers, after the last of
 *                                          `count` identical calls
 *
 * Registers: EDI ESI EBP EBX EDX ECX EAX, DS ES FS GS, FLAGS, then the change of
 * SP, 0 if unchanged. The call is made with the registers as received, upper
 * halves included. It has a stack of its own, of which only the INT frame is in
 * use at its start; tests fill and read that stack.
 *
 * The fields at `step` vary the calls of one command. If `step_at` is not 0,
 * before each call
 *     state = state * factor + addend
 *     dword at linear address `at` = (state >> 8 & mask) + base
 *
 * The agent moves itself to AGENT_SEGMENT. Its data and the BIOS's are not in
 * pages with code: without KVM, QEMU is slow at writes to a page that contains
 * translated code. See tests/qemu/agent.py.
 */
#define COM 0x2f8
#define LSR (COM + 5)
#define LSR_RECEIVED 0x01
#define LSR_CAN_SEND 0x20

#define AGENT_SEGMENT 0x0100		/* 1000h to 1FFFh: the agent */
#define STACK_SEGMENT 0x0200		/* 2000h to 2FFFh: stack of the called code */
#define DATA 0x2000			/* 3000h to 3DFFh: data and our stack */
#define AGENT_STACK 0x2e00
#define STACK_TOP 0x1000

#define REGISTERS_BYTES 40		/* 'registers'; 'sent' follows it */

	.code16
	.text
	.globl	_start
_start:
rom:
	.byte	0x55, 0xaa
	.byte	ROM_BLOCKS
	lretw				# init: nothing to do
	.org	rom + 0x1a
	.word	pnp - rom
	.balign	16
pnp:
	.ascii	"$PnP"
	.byte	1, 2
	.word	0
	.byte	0, 0
	.long	0
	.word	maker, product
	.byte	1, 0, 0
	.byte	0x74
	.word	0, 0, bev
	.word	0, 0
maker:	.asciz	"lsi8xx-rom tests"
product: .asciz	"test agent"

bev:	cli
	cld
	pushw	%cs			# copy ourselves to AGENT_SEGMENT
	popw	%ds
	movw	$AGENT_SEGMENT, %ax
	movw	%ax, %es
	xorw	%si, %si
	xorw	%di, %di
	movw	$rom_end, %cx
	rep movsb
	ljmpw	$AGENT_SEGMENT, $moved

moved:	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$AGENT_STACK, %esp
	movl	$0, step_at
	movw	$LSR - 1, %dx		# DTR and RTS on
	movb	$3, %al
	outb	%al, %dx
	sti
	movb	$'A', %al		# ready
	callw	send

command:
	callw	receive
	cmpb	$'i', %al
	je	interrupt
	movb	%al, command_byte
	callw	receive32
	movl	%eax, %ebx		# address
	callw	receive32
	movl	%eax, %ebp		# length
	cmpb	$'r', command_byte
	je	read
	cmpb	$'f', command_byte
	jne	1f
	callw	receive
	movb	%al, fill
1:	testl	%ebp, %ebp
	jz	done
	movb	fill, %al
	cmpb	$'f', command_byte
	je	2f
	callw	receive
2:	callw	point
	movb	%al, %fs:(%di)
	incl	%ebx
	decl	%ebp
	jmp	1b
read:	testl	%ebp, %ebp
	jz	command
	callw	point
	movb	%fs:(%di), %al
	callw	send
	incl	%ebx
	decl	%ebp
	jmp	read
done:	movb	$'K', %al
	callw	send
	jmp	command

/* FS:DI = linear address EBX, up to FFFF:FFFFh */
point:	movl	%ebx, %edi
	movl	%ebx, %ecx
	shrl	$4, %ecx
	andl	$15, %edi
	cmpl	$0xffff, %ecx
	jbe	1f
	movl	$0xffff, %ecx
	movl	%ebx, %edi
	subl	$0xffff0, %edi
1:	movw	%cx, %fs
	retw

interrupt:
	callw	receive32
	movl	%eax, repeat
	callw	receive
	movb	%al, int_number
	movw	$registers, %di
	movw	$REGISTERS_BYTES, %cx
1:	callw	receive
	stosb
	loop	1b

	movl	%esp, agent_esp
	rdtsc
	movl	%eax, began
	movl	%edx, began + 4
	movl	$registers, %esi	# each call starts with the registers in `sent`
	movl	$sent, %edi
	movw	$REGISTERS_BYTES, %cx
	rep movsb
again:	movl	step_at, %ebx
	testl	%ebx, %ebx
	jz	1f
	movl	step_state, %eax
	imull	step_factor, %eax
	addl	step_addend, %eax
	movl	%eax, step_state
	shrl	$8, %eax
	andl	step_mask, %eax
	addl	step_base, %eax
	movl	%ebx, %ecx
	shrl	$4, %ecx
	andl	$15, %ebx
	movw	%cx, %fs
	movl	%eax, %fs:(%bx)
1:	movw	$STACK_SEGMENT, %ax
	movw	%ax, %ss
	movl	$STACK_TOP, %esp
	pushw	REGISTERS_BYTES + r_flags
	movl	REGISTERS_BYTES + r_edi, %edi
	movl	REGISTERS_BYTES + r_esi, %esi
	movl	REGISTERS_BYTES + r_ebp, %ebp
	movl	REGISTERS_BYTES + r_ebx, %ebx
	movl	REGISTERS_BYTES + r_edx, %edx
	movl	REGISTERS_BYTES + r_ecx, %ecx
	movl	REGISTERS_BYTES + r_eax, %eax
	movw	REGISTERS_BYTES + r_es, %es
	movw	REGISTERS_BYTES + r_fs, %fs
	movw	REGISTERS_BYTES + r_gs, %gs
	movw	REGISTERS_BYTES + r_ds, %ds
	popfw
	.byte	0xcd			# INT
int_number: .byte 0
	pushfw				# 2 bytes below the top
	cld
	cli
	pushw	%ds
	pushw	%cs
	popw	%ds
	popw	r_ds
	popw	r_flags
	btw	$0, r_flags
	adcl	$0, failed
	movl	%edi, r_edi
	movl	%esi, r_esi
	movl	%ebp, r_ebp
	movl	%ebx, r_ebx
	movl	%edx, r_edx
	movl	%ecx, r_ecx
	movl	%eax, r_eax
	movw	%es, r_es
	movw	%fs, r_fs
	movw	%gs, r_gs
	subw	$STACK_TOP, %sp
	movw	%sp, r_sp
	movw	%ds, %ax
	movw	%ax, %es
	decl	repeat
	jnz	again
	movw	%ax, %bx
	rdtsc
	movl	%eax, ended
	movl	%edx, ended + 4
	movw	%bx, %ax
	movw	%ax, %ss
	movl	agent_esp, %esp
	sti
	movb	$'K', %al
	callw	send
	movw	$registers, %si
	movw	$REGISTERS_BYTES, %cx
1:	lodsb
	callw	send
	loop	1b
	jmp	command

/* Send AL. Clobbers AX, DX */
send:	movb	%al, %ah
1:	movw	$LSR, %dx
	inb	%dx, %al
	testb	$LSR_CAN_SEND, %al
	jz	1b
	movb	%ah, %al
	movw	$COM, %dx
	outb	%al, %dx
	retw

receive:
	movw	$LSR, %dx
1:	inb	%dx, %al
	testb	$LSR_RECEIVED, %al
	jz	1b
	movw	$COM, %dx
	inb	%dx, %al
	retw

/* EAX = four bytes, low byte first. Clobbers CX, DX, ESI */
receive32:
	movw	$4, %cx
1:	callw	receive
	shrl	$8, %esi
	movzbl	%al, %eax
	shll	$24, %eax
	orl	%eax, %esi
	loop	1b
	movl	%esi, %eax
	retw

rom_end:

	.struct	DATA
step:
step_at: .skip	4
step_state: .skip 4
step_factor: .skip 4
step_addend: .skip 4
step_mask: .skip 4
step_base: .skip 4
failed:	.skip	4			# calls that returned CF set
	.skip	4
began:	.skip	8			# time-stamp counter before the first call
ended:	.skip	8			# and after the last
	.skip	16
registers:
r_edi:	.skip	4
r_esi:	.skip	4
r_ebp:	.skip	4
r_ebx:	.skip	4
r_edx:	.skip	4
r_ecx:	.skip	4
r_eax:	.skip	4
r_ds:	.skip	2
r_es:	.skip	2
r_fs:	.skip	2
r_gs:	.skip	2
r_flags: .skip	2
r_sp:	.skip	2
registers_end:
	.if	registers_end - registers - REGISTERS_BYTES
	.error	"REGISTERS_BYTES"
	.endif
sent:	.skip	REGISTERS_BYTES
agent_esp: .skip 4
repeat:	.skip	4
command_byte:	.skip	1
fill:	.skip	1
