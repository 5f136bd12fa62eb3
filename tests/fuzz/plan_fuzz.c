/* Plans of any bytes are read or refused; any text is an expression. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "advice/candidates.h"
#include "advice/values.h"
#include "fake/advice_catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
count(void *arg, const struct expr *e)
{
	int *n = arg;

	*n += e->kind != EXPR_OTHER;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct catalog cat;
	struct arena arena = { 0 };
	struct error err;
	char *text = xstrndup((const char *)data, size);
	struct plan *plan = plan_read(&arena, text, strlen(text), &err);
	int n = 0;

	if (!cat.ntables)
		fake_catalog(&cat);
	if (plan) {
		struct needs *needs = needs_read(&arena, plan, &cat);
		struct cands *cands = xcalloc(1, sizeof(*cands));
		struct cand_set mine = { 0 };
		struct value_set sets[VALUE_KINDS];
		static const char *const types[] = { "text", "integer", "jsonb" };

		cands_add(cands, needs, &mine);
		cands_merge(cands);
		values_choose(&arena, needs, text, 3, types, sets);
		free(cands);
	}
	expr_walk(expr_read(&arena, text), count, &n);
	expr_read_sort(&arena, text);
	free(text);
	arena_release(&arena);
	return 0;
}
