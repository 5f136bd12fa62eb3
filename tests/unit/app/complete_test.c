/* Completion: from the tables and one snapshot. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/complete.h"

static const char *const themes[] = { "dark", "light", NULL };
static const char *const keymaps[] = { "default", "vim", NULL };

/* A snapshot with three sessions. */
static struct snapshot *
sessions(void)
{
	static const char *const names[] = { "pid" };
	static const uint8_t types[] = { CELL_INT };
	struct snapshot *s = snapshot_new();
	struct sample *sample = calloc(1, sizeof(*sample));
	static const int64_t pids[] = { 4321, 77, 4300 };

	atomic_init(&sample->refs, 2);
	sample->probe = PROBE_ACTIVITY;
	sample->state = SAMPLE_OK;
	sample->rows = rowset_new(1, names, types);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++)
		rowset_add(sample->rows)[0] = cell_int(pids[i]);
	s->cur[PROBE_ACTIVITY] = s->good[PROBE_ACTIVITY] = sample;
	return s;
}

/* The candidates of "line" with the cursor at its end, blank separated. */
static const char *
candidates(struct arena *arena, const char *line, const struct snapshot *snap, int *from)
{
	struct target items[] = { { .name = "prod" }, { .name = "stage" } };
	struct targets targets = { .items = items, .n = 2 };
	struct complete_ctx ctx = {
		.snap = snap,
		.pane = pane_by_name("activity"),
		.targets = &targets,
		.themes = themes,
		.keymaps = keymaps,
		.no_files = true,
	};
	struct completion out;
	char *text;

	complete_line(arena, &ctx, line, (int)strlen(line), &out);
	if (from)
		*from = out.from;
	text = arena_strdup(arena, "");
	for (int i = 0; i < out.n; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? " " : "", out.items[i]);
	return text;
}

static void
words_of_tables(void **state)
{
	struct arena arena = { 0 };
	struct snapshot *snap = sessions();
	int from;

	(void)state;
	assert_string_equal(candidates(&arena, "journ", snap, &from), "journal");
	assert_int_equal(from, 0);
	assert_string_equal(candidates(&arena, "lock", snap, NULL), "locks");
	assert_string_equal(candidates(&arena, "theme ", snap, &from), "dark light");
	assert_int_equal(from, 6);
	assert_string_equal(candidates(&arena, "keymap v", snap, NULL), "vim");
	assert_string_equal(candidates(&arena, "set mou", snap, NULL), "mouse");
	assert_string_equal(candidates(&arena, "set mouse ", snap, NULL), "no yes");
	assert_string_equal(candidates(&arena, "set theme d", snap, NULL), "dark");
	assert_string_equal(candidates(&arena, "sort xact_", snap, NULL), "xact_age_s");
	assert_non_null(strstr(candidates(&arena, "target ", snap, NULL), "prod"));
	assert_string_equal(candidates(&arena, "nosuch ", snap, NULL), "");
	assert_string_equal(candidates(&arena, "help settin", snap, NULL), "settings");
	snapshot_unref(snap);
	arena_release(&arena);
}

static void
pids_of_the_snapshot(void **state)
{
	struct arena arena = { 0 };
	struct snapshot *snap = sessions();

	(void)state;
	assert_string_equal(candidates(&arena, "cancel 4", snap, NULL), "4300 4321");
	assert_string_equal(candidates(&arena, "cancel 77 43", snap, NULL), "4300 4321");
	assert_non_null(strstr(candidates(&arena, "terminate ", snap, NULL), "tagged"));
	assert_null(strstr(candidates(&arena, "cancel 4", NULL, NULL), "4300"));
	snapshot_unref(snap);
	arena_release(&arena);
}

static void
common_beginning(void **state)
{
	struct arena arena = { 0 };
	struct complete_ctx ctx = { .no_files = true,
		.themes = (const char *const[]){ "solar-dark", "solar-light", NULL } };
	struct completion out;

	(void)state;
	complete_line(&arena, &ctx, "theme s", 7, &out);
	assert_int_equal(out.n, 2);
	assert_string_equal(out.common, "solar-");
	/* the cursor inside the line: what is behind it stays */
	complete_line(&arena, &ctx, "theme solar-d xx", 13, &out);
	assert_int_equal(out.n, 1);
	assert_int_equal(out.to, 13);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_tables),
		cmocka_unit_test(pids_of_the_snapshot),
		cmocka_unit_test(common_beginning),
	};

	return cmocka_run_group_tests_name("app/complete", tests, NULL, NULL);
}
