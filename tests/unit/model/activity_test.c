/* Sessions from rows: states, ages, who counts, workers under leaders, what a role may not see. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "model/activity.h"

#include "unit/model/lock_rows.h"

struct scene {
	struct arena arena;
	struct rowset *rows, *name_rows;
	struct names names;
	struct activity a;
};

static void
name(struct rowset *rs, const char *kind, int oid, const char *text)
{
	struct cell *c = rowset_add(rs);
	c[0] = cell_text(kind);
	c[1] = cell_int(oid);
	c[2] = cell_text(text);
}

static void
build(struct scene *s, const int *own, int nown)
{
	static const char *const columns[] = { "kind", "oid", "name" };
	static const uint8_t types[] = { CELL_TEXT, CELL_INT, CELL_TEXT };

	s->name_rows = rowset_new(3, columns, types);
	name(s->name_rows, "database", 5, "shop");
	name(s->name_rows, "role", 5, "not a database");
	name(s->name_rows, "role", 10, "bob");
	names_use(&s->names, s->name_rows);
	activity_build(&s->a, &s->arena, s->rows, &s->names, own, nown);
}

static void
scene_release(struct scene *s)
{
	activity_release(&s->a);
	names_release(&s->names);
	rowset_unref(s->rows);
	rowset_unref(s->name_rows);
	arena_release(&s->arena);
}

static void
states_and_counts(void **state)
{
	static const struct {
		const char *text;
		enum session_state state;
	} cases[] = {
		{ "active", SESSION_ACTIVE },
		{ "idle", SESSION_IDLE },
		{ "idle in transaction", SESSION_IDLE_TX },
		{ "idle in transaction (aborted)", SESSION_ABORTED },
		{ "fastpath function call", SESSION_FASTPATH },
		{ "disabled", SESSION_DISABLED },
		{ "starting", SESSION_STARTING },
		{ "dreaming", SESSION_OTHER },
	};
	struct scene s = { .rows = activity_rows_new() };
	const int own[] = { 99, 0 };

	(void)state;
	for (int i = 0; i < (int)(sizeof(cases) / sizeof(*cases)); i++)
		activity_rows_add(s.rows, 100 + i, 0, cases[i].text, 10 * i);
	activity_rows_add(s.rows, 99, 0, "active", 5000);
	build(&s, own, 2);
	for (int i = 0; i < (int)(sizeof(cases) / sizeof(*cases)); i++)
		assert_int_equal(s.a.sessions[i].state, cases[i].state);
	assert_int_equal(s.a.counts.clients, 8);
	assert_int_equal(s.a.counts.own, 1);
	assert_int_equal(s.a.counts.active, 2);
	assert_int_equal(s.a.counts.idle, 1);
	assert_int_equal(s.a.counts.idle_tx, 1);
	assert_int_equal(s.a.counts.aborted, 1);
	assert_true(fabs(s.a.counts.oldest_xact_s - 70) < 1e-6);
	assert_true(s.a.sessions[8].is_own);
	assert_true(cell_is(s.a.sessions[0].database, "shop"));
	assert_true(cell_is(s.a.sessions[0].user, "bob"));
	assert_int_equal(activity_find(&s.a, 103), 3);
	assert_int_equal(activity_find(&s.a, 7), -1);
	scene_release(&s);
}

static void
ages(void **state)
{
	struct scene s = { .rows = activity_rows_new() };
	struct cell *c;

	(void)state;
	activity_rows_add(s.rows, 1, 0, "active", 400000); /* over 99 hours */
	activity_rows_add(s.rows, 2, 0, "active", -3);     /* began while the list was made */
	c = activity_rows_add(s.rows, 3, 0, "idle", 8);
	c[7] = cell_null(WHY_NONE);
	build(&s, NULL, 0);
	assert_true(fabs(s.a.sessions[0].xact_age_s - 400000) < 1e-6);
	assert_true(s.a.sessions[1].xact_age_s == 0);
	assert_true(isnan(s.a.sessions[2].xact_age_s));
	assert_true(fabs(s.a.sessions[2].query_age_s - 8) < 1e-6);
	scene_release(&s);
}

static void
workers(void **state)
{
	struct scene s = { .rows = activity_rows_new() };

	(void)state;
	activity_rows_add(s.rows, 11, 10, "active", 1);
	activity_rows_add(s.rows, 10, 0, "active", 1);
	activity_rows_add(s.rows, 12, 10, "active", 1);
	activity_rows_add(s.rows, 13, 77, "active", 1); /* its leader is gone */
	build(&s, NULL, 0);
	int leader = activity_find(&s.a, 10);
	int w = s.a.sessions[leader].first_worker;
	assert_int_equal(s.a.sessions[w].pid, 11);
	w = s.a.sessions[w].next_worker;
	assert_int_equal(s.a.sessions[w].pid, 12);
	assert_int_equal(s.a.sessions[w].next_worker, -1);
	assert_int_equal(s.a.sessions[activity_find(&s.a, 13)].leader, 0);
	assert_int_equal(s.a.counts.clients, 1);
	assert_int_equal(s.a.counts.background, 3);
	scene_release(&s);
}

/* Without pg_monitor the server tells pid, database and role of others, nothing else. */
static void
denied(void **state)
{
	struct scene s = { .rows = activity_rows_new() };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct cell *c = rowset_add(s.rows);
		c[0] = cell_time(INT64_C(1000000) * NOW_S);
		c[1] = cell_int(1 + i);
		c[16] = cell_text("<insufficient privilege>");
		if (i)
			continue;
		c[2] = cell_int(5);
		c[3] = cell_int(10);
	}
	/* The text alone does not make it so. */
	activity_rows_add(s.rows, 3, 0, "active", 1)[16] = cell_text("<insufficient privilege>");
	build(&s, NULL, 0);
	assert_int_equal(s.a.sessions[0].state, SESSION_DENIED);
	assert_true(s.a.sessions[0].is_client);
	assert_false(s.a.sessions[1].is_client);
	assert_int_equal(s.a.sessions[2].state, SESSION_ACTIVE);
	assert_int_equal(s.a.counts.denied, 2);
	assert_int_equal(s.a.counts.denied_clients, 1);
	assert_int_equal(s.a.counts.clients, 2);
	assert_false(s.a.sessions[0].is_quiet);
	scene_release(&s);
}

/* Texts are cut as bytes on the server; half a character is not shown. */
static void
cut_texts(void **state)
{
	static const struct {
		const char *text;
		uint32_t keep;
	} cases[] = {
		{ "select 1", 8 },
		{ "caf\xc3\xa9", 5 },
		{ "caf\xc3", 3 },
		{ "eur\xe2\x82", 3 },
		{ "eur\xe2\x82\xac", 6 },
		{ "\xf0\x9f\x98", 0 },
		{ "latin \xe9", 6 }, /* as good as half a character */
		{ "", 0 },
	};
	struct scene s = { .rows = activity_rows_new() };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		activity_rows_add(s.rows, (int)i + 1, 0, "active", 1)[16] =
		    cell_text(cases[i].text);
	build(&s, NULL, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(activity_query(&s.a, &s.a.sessions[i]).len, cases[i].keep);
	scene_release(&s);
}

static void
nothing(void **state)
{
	struct scene s = { .rows = NULL };

	(void)state;
	build(&s, NULL, 0);
	assert_int_equal(s.a.n, 0);
	assert_int_equal(activity_find(&s.a, 1), -1);
	assert_int_equal(s.a.counts.clients, 0);
	scene_release(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_and_counts),
		cmocka_unit_test(ages),
		cmocka_unit_test(workers),
		cmocka_unit_test(denied),
		cmocka_unit_test(cut_texts),
		cmocka_unit_test(nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
