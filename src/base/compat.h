/* Compiler attributes and tiny macros used everywhere. */
#ifndef PGMEDIC_BASE_COMPAT_H
#define PGMEDIC_BASE_COMPAT_H

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define NORETURN          __attribute__((noreturn))
#define UNUSED            __attribute__((unused))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
