/* A growing, always terminated string with a ceiling. */
#ifndef PGMEDIC_BASE_STRBUF_H
#define PGMEDIC_BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compat.h"

struct strbuf {
	char *buf; /* never NULL after STRBUF_INIT: "" at first */
	size_t len, cap;
	size_t max; /* ceiling of len; what would pass it is dropped and `cut` set */
	bool cut;
};

extern char strbuf_empty[1];
#define STRBUF_INIT(max_len)                          \
	{                                             \
		.buf = strbuf_empty, .max = (max_len) \
	}

void strbuf_init(struct strbuf *sb, size_t max);
void strbuf_release(struct strbuf *sb);
void strbuf_clear(struct strbuf *sb);
void strbuf_add(struct strbuf *sb, const char *data, size_t len);
void strbuf_adds(struct strbuf *sb, const char *s);
void strbuf_addc(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_addv(struct strbuf *sb, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* Hand the string to the caller, who frees it; the buffer is empty again. */
char *strbuf_take(struct strbuf *sb);

#endif
