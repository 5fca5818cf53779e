/* The launcher's first instructions: they pass the stack pointer to a C function. */
#ifndef LANDLOCK_ENTRY_H
#define LANDLOCK_ENTRY_H

#if defined(__x86_64__)
#define ENTRY_CODE(body)         \
	"xor %ebp, %ebp\n\t"     \
	"mov %rsp, %rdi\n\t"     \
	"and $-16, %rsp\n\t"     \
	"call " body "\n\t"      \
	"hlt\n"
#else
#define ENTRY_CODE(body)         \
	"mov x29, #0\n\t"        \
	"mov x30, #0\n\t"        \
	"mov x0, sp\n\t"         \
	"and sp, x0, #-16\n\t"   \
	"bl " body "\n\t"        \
	"brk #1\n"
#endif

#define PROGRAM_ENTRY(name, body)                                                    \
	__asm__(".text\n.globl " #name "\n.hidden " #name "\n.type " #name ",%function\n" \
		#name ":\n" ENTRY_CODE(#body))

#endif
