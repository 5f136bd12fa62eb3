/* What is asked about ids that turn up, and what when there is no answer. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/target.h"

static struct sample *
ids_sample(enum probe_id probe, double at_s, const int64_t *ids, int n)
{
	static const char *const names[] = { "queryid" };
	static const uint8_t types[] = { CELL_INT };
	struct sample *s = sample_new(probe, SAMPLE_OK, rowset_new(1, names, types));

	for (int i = 0; i < n; i++)
		*rowset_add(s->rows) = cell_int(ids[i]);
	s->at.us = (int64_t)(at_s * 1e6) + 1;
	return s;
}

/* What is asked for the texts of, "" for nothing. */
static const char *
asked(struct target *t, double at_s, const int64_t *ids, int n)
{
	struct sample *s = ids_sample(PROBE_STATEMENTS, at_s, ids, n);
	struct probe_slot *slot = &t->slots[PROBE_STATEMENT_TEXTS];
	bool is_wanted;

	slot->is_wanted = false;
	unseen_look(t, s);
	is_wanted = slot->is_wanted;
	slot->is_wanted = false;
	sample_unref(s);
	return is_wanted ? t->unseen.texts_param : "";
}

static void
answer(struct target *t, double at_s)
{
	struct sample *s = ids_sample(PROBE_STATEMENT_TEXTS, at_s, NULL, 0);

	unseen_look(t, s);
	sample_unref(s);
}

static void
test_texts_are_asked_until_they_come(void **state)
{
	static const int64_t ids[] = { 5, -7, 5, 9 };
	struct target *t =
	    target_new(&(struct target_conf){ .name = "t", .no_action = true }, true);

	(void)state;
	t->slots[PROBE_STATEMENT_TEXTS].is_shown = true;
	assert_string_equal(asked(t, 0, ids, 3), "{5,-7}");
	/* It timed out, or the connection was lost. */
	assert_string_equal(asked(t, 10, ids, 4), "{5,-7,9}");
	assert_string_equal(asked(t, 15, ids, 4), "");
	assert_string_equal(asked(t, 75, ids, 4), "{5,-7,9}");
	/* Also of those that are gone by now nobody asks again. */
	answer(t, 76);
	assert_string_equal(asked(t, 200, ids, 4), "");
	target_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_are_asked_until_they_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
