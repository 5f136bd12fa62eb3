/* A typed CREATE INDEX of any bytes: what is taken holds no second statement in any of its parts.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ops/index_ddl.h"
#include "pg/sqltext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No ';', nothing left open, and every parenthesis that is closed was opened in it. */
static void
is_part(const char *s)
{
	struct sql_token t;
	int depth = 0;

	for (t = sql_next(&s); s && t.kind != SQL_END; t = sql_next(&s)) {
		if (t.kind == SQL_BROKEN || t.kind == SQL_PARAM)
			abort();
		if (t.kind != SQL_SYMBOL)
			continue;
		depth += (*t.s == '(') - (*t.s == ')');
		if (*t.s == ';' || depth < 0)
			abort();
	}
	if (depth)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct index_ddl ddl;
	const char *schema, *name;
	char *text = malloc(size + 1);

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (index_ddl_parse(&arena, text, &ddl, &err)) {
		for (int i = 0; i < ddl.nkeys; i++) {
			if (!ddl.keys[i].column == !ddl.keys[i].expr)
				abort();
			is_part(ddl.keys[i].expr ? ddl.keys[i].expr : "");
			is_part(ddl.keys[i].suffix);
		}
		is_part(ddl.with ? ddl.with : "");
		is_part(ddl.where ? ddl.where : "");
	}
	(void)index_ddl_name(&arena, text, &schema, &name);
	free(text);
	arena_release(&arena);
	return 0;
}
