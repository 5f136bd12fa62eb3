/* Errors of the world, and the end of the program for our own mistakes. */
#include "config.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { MAX_HOOKS = 4 };

static void (*hooks[MAX_HOOKS])(void);
static int nhooks;
static atomic_flag is_dying = ATOMIC_FLAG_INIT;

/* Server text ends up in errors: nothing in it may reach a terminal as a control, and a character
 * that the end of the array cut in two goes. */
static void
make_clean(char *s)
{
	size_t len = strlen(s), in = 0, out = 0, n;
	uint32_t cp;

	while (in < len) {
		n = utf8_decode(s + in, len - in, &cp);
		if (n == 1 && cp == 0xfffd && len - in < 4 && (s[in] & 0xc0) == 0xc0)
			break;
		if (utf8_cp_is_unsafe(cp) || (n == 1 && cp == 0xfffd)) {
			s[out++] = '?';
		} else {
			memmove(s + out, s + in, n);
			out += n;
		}
		in += n;
	}
	s[out] = '\0';
}

bool
error_set(struct error *err, enum err_code code, const char *fmt, ...)
{
	char what[sizeof(err->what)];
	va_list ap;

	/* The arguments may be parts of *err itself. */
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	memset(err, 0, sizeof(*err));
	err->code = code;
	make_clean(what);
	memcpy(err->what, what, sizeof(what));
	return false;
}

bool
error_hint(struct error *err, const char *fmt, ...)
{
	char hint[sizeof(err->hint)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(hint, sizeof(hint), fmt, ap);
	va_end(ap);
	make_clean(hint);
	memcpy(err->hint, hint, sizeof(hint));
	return false;
}

bool
error_prefix(struct error *err, const char *fmt, ...)
{
	char context[sizeof(err->what)], what[sizeof(context) + 2 + sizeof(err->what)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	snprintf(what, sizeof(what), "%s: %s", context, err->what);
	what[sizeof(err->what) - 1] = '\0';
	make_clean(what);
	memcpy(err->what, what, sizeof(err->what));
	return false;
}

const char *
error_name(enum err_code code)
{
	switch (code) {
#define X(num, name, text) \
	case ERR_##name:   \
		return #name;
		ERR_LIST(X)
#undef X
	}
	return "UNKNOWN";
}

void
error_report(const struct error *err)
{
	fprintf(stderr, "pgmedic: %s\n", err->what);
	if (err->hint[0])
		fprintf(stderr, "HINT: %s\n", err->hint);
}

void
fatal(const char *fmt, ...)
{
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	make_clean(what);
	/* A hook that fails itself must not start over. */
	if (!atomic_flag_test_and_set(&is_dying))
		while (nhooks > 0)
			hooks[--nhooks]();
	fprintf(stderr, "pgmedic: fatal: %s\n", what);
	abort();
}

void
fatal_hook(void (*hook)(void))
{
	if (nhooks == MAX_HOOKS)
		fatal("more than %d fatal hooks", MAX_HOOKS);
	hooks[nhooks++] = hook;
}
