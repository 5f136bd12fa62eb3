/* Statements of any bytes: what is taken for one statement has no second one in it, repairs keep
 * the parameters, and a redacted text has no literal left. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pg/sqltext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No ';' outside quotes and comments, and nothing left open. */
static void
is_one(const char *s)
{
	struct sql_token t;

	do {
		t = sql_next(&s);
		if (t.kind == SQL_BROKEN || (t.kind == SQL_SYMBOL && *t.s == ';'))
			abort();
	} while (t.kind != SQL_END);
}

static void
has_no_literal(const char *s)
{
	struct sql_token t;

	do {
		t = sql_next(&s);
		if (t.kind == SQL_STRING)
			abort();
	} while (t.kind != SQL_END && t.kind != SQL_BROKEN);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	const char *text = arena_strndup(&arena, (const char *)data, size);
	const char *s = sql_explainable(&arena, text, &err);

	if (s) {
		is_one(s);
		if (sql_params(sql_repair(&arena, s)) != sql_params(s))
			abort();
	} else if (!*err.what) {
		abort();
	}
	has_no_literal(sql_redact(&arena, text, strlen(text)));
	arena_release(&arena);
	return 0;
}
