#include "config.h"

#include "ops/gates.h"

#include <stdarg.h>

#include "base/strbuf.h"

enum { MAX_TEXT = 1024 };

static void PRINTF_LIKE(4, 0)
    add(struct gates *g, const char *name, enum role role, const char *fmt, va_list ap)
{
	struct strbuf sb = STRBUF_INIT(MAX_TEXT);

	strbuf_addv(&sb, fmt, ap);
	doc_pair(&g->op->doc, name, role, "%s%s", role == ROLE_CRIT ? "RED: " : "", sb.buf);
	if (role == ROLE_CRIT && g->red++ == 0) {
		error_set(g->err, ERR_REFUSED, "gate '%s' is red: %.150s", name, sb.buf);
		error_hint(g->err, "Nothing has been touched.");
	}
	strbuf_release(&sb);
}

void
gate(struct gates *g, const char *name, bool is_green, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(g, name, is_green ? ROLE_NORMAL : ROLE_CRIT, fmt, ap);
	va_end(ap);
}

void
gate_warn(struct gates *g, const char *name, bool is_green, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(g, name, is_green ? ROLE_NORMAL : ROLE_WARN, fmt, ap);
	va_end(ap);
}
