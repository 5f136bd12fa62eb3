/* Acts without a server: what they ask, what they refuse, what they say about answers. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ops/act.h"
#include "pg/pg.h"

static struct act *
make(struct arena *arena, const char *line, const struct act_env *env, struct error *err)
{
	struct words words;

	memset(err, 0, sizeof(*err));
	assert_true(lex_line(arena, line, false, &words, err));
	return act_new(&words, line, env, err);
}

/* Rows of a named query, all NULL, columns as its file declares them. */
static struct rowset *
rows_of(const char *query, int n)
{
	const struct pg_query *q = pg_query_by_name(query);
	struct rowset *rs;

	assert_non_null(q);
	rs = rowset_new(q->ncols, q->col_names, q->col_types);
	for (int i = 0; i < n; i++)
		rowset_add(rs);
	return rs;
}

static void
put(struct rowset *rs, int row, const char *column, struct cell value)
{
	int col = rowset_col(rs, column);

	assert_true(col >= 0);
	rs->cells[(size_t)row * (size_t)rs->ncols + (size_t)col] = value;
}

struct session {
	int pid;
	const char *type, *state, *application;
	bool may, is_super, is_self, is_wraparound;
	int64_t start;
};

static struct rowset *
session_rows(const struct session *s, int n)
{
	struct rowset *rs = rows_of("look_sessions", n);

	for (int i = 0; i < n; i++) {
		put(rs, i, "pid", cell_int(s[i].pid));
		put(rs, i, "backend_start",
		    s[i].start ? cell_time(s[i].start) : cell_null(WHY_DENIED));
		put(rs, i, "query_start", cell_time(1000));
		put(rs, i, "state", cell_text(s[i].state));
		put(rs, i, "backend_type", cell_text(s[i].type ? s[i].type : "client backend"));
		put(rs, i, "application_name",
		    cell_text(s[i].application ? s[i].application : "app"));
		put(rs, i, "may", cell_bool(s[i].may));
		put(rs, i, "is_super", cell_bool(s[i].is_super));
		put(rs, i, "is_self", cell_bool(s[i].is_self));
		put(rs, i, "is_wraparound", cell_bool(s[i].is_wraparound));
	}
	return rs;
}

static void
answer(struct act *a, struct rowset *rows)
{
	act_answer(a, rows, NULL);
	rowset_unref(rows);
}

/* Ask the queries of a plan, checking their names, and give these sessions. */
static void
look(struct act *a, const struct session *s, int n)
{
	struct act_query q;

	assert_true(act_next(a, &q));
	assert_string_equal(q.query, "look_sessions");
	assert_false(q.is_act);
	answer(a, session_rows(s, n));
	if (act_stage(a) == ACT_LOOKING) {
		assert_true(act_next(a, &q));
		assert_string_equal(q.query, "look_blocks");
		answer(a, rows_of("look_blocks", 0));
	}
}

static const struct act_env prod = { .target = "prod" };

static void
refuses_before_a_look(void **state)
{
	struct act_env read_only = { .target = "prod", .read_only_why = "--read-only" };
	static const struct {
		const char *line, *part;
	} cases[] = {
		{ "terminate abc", "abc" },
		{ "cancel 0", "0" },
		{ "cancel -5", "-5" },
		{ "cancel", "no session" },
		{ "vacuum", "name" },
		{ "vacuum fulll t", "fulll" },
		{ "analyze a b", "b" },
		{ "reset", "what" },
		{ "reset tables", "tables" },
		{ "checkpoint now", "now" },
	};
	struct arena arena = { 0 };
	struct error err;

	(void)state;
	assert_null(make(&arena, "terminate 5", &read_only, &err));
	assert_int_equal(err.code, ERR_REFUSED);
	assert_non_null(strstr(err.hint, "--read-only"));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_null(make(&arena, cases[i].line, &prod, &err));
		assert_int_equal(err.code, ERR_USAGE);
		assert_non_null(strstr(err.what, cases[i].part));
	}
	arena_release(&arena);
}

static void
protects(void **state)
{
	static const struct {
		struct session s;
		const char *line, *part;
		enum err_code code;
	} cases[] = {
		{ { .pid = 5, .start = 1, .state = "active", .may = true, .is_self = true },
		    "terminate 5", "own", ERR_REFUSED },
		{ { .pid = 9, .start = 1, .state = "active", .may = true }, "terminate 9", "own",
		    ERR_REFUSED },
		{ { .pid = 5, .start = 1, .state = "active", .type = "walsender", .may = true },
		    "terminate 5", "WAL sender", ERR_REFUSED },
		{ { .pid = 5,
		      .start = 1,
		      .state = "active",
		      .type = "autovacuum worker",
		      .may = true,
		      .is_wraparound = true },
		    "cancel 5", "wraparound", ERR_REFUSED },
		{ { .pid = 5, .start = 1, .state = "active", .is_super = true }, "terminate 5",
		    "superuser", ERR_DENIED },
		{ { .pid = 5, .start = 1, .state = "active" }, "terminate 5", "may not signal",
		    ERR_DENIED },
		{ { .pid = 5, .state = "active", .may = true }, "terminate 5", "identity",
		    ERR_DENIED },
		{ { .pid = 5, .start = 1, .state = "idle in transaction", .may = true }, "cancel 5",
		    "nothing to cancel", ERR_REFUSED },
	};
	static const int own[] = { 9 };
	struct act_env env = { .target = "prod", .own_pids = own, .nown = 1 };
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct error err;
		const struct error *why;
		const char *line;
		struct act *a = make(&arena, cases[i].line, &env, &err);

		assert_non_null(a);
		look(a, &cases[i].s, 1);
		assert_int_equal(act_stage(a), ACT_FINISHED);
		assert_int_equal(act_result(a, &line, &why), ACT_REFUSED);
		assert_non_null(why);
		assert_int_equal(why->code, cases[i].code);
		assert_non_null(strstr(why->what, cases[i].part));
		act_free(a);
	}
	arena_release(&arena);
}

/* Given up before the answer nothing was done; after it, nobody knows. */
static void
is_not_refused_when_left_while_it_runs(void **state)
{
	static const struct session s = { .pid = 5, .start = 1, .state = "active", .may = true };
	struct arena arena = { 0 };
	const struct error *why;
	const char *line;

	(void)state;
	for (int confirmed = 0; confirmed < 2; confirmed++) {
		struct act_query q;
		struct error err;
		struct act *a = make(&arena, "terminate 5", &prod, &err);

		look(a, &s, 1);
		if (confirmed) {
			assert_true(act_confirm(a, "y", &err));
			assert_true(act_next(a, &q));
		}
		act_abort(a);
		assert_int_equal(act_stage(a), ACT_FINISHED);
		assert_int_equal(act_result(a, &line, &why), confirmed ? ACT_FAILED : ACT_REFUSED);
		assert_int_equal(why->code, confirmed ? ERR_STATE : ERR_NOT_CONFIRMED);
		act_free(a);
	}
	arena_release(&arena);
}

static void
force_is_needed_for_walsenders(void **state)
{
	static const struct session s = {
		.pid = 5, .start = 1, .state = "active", .type = "walsender", .may = true
	};
	struct arena arena = { 0 };
	struct error err;
	struct act *a = make(&arena, "terminate 5 --force", &prod, &err);

	(void)state;
	look(a, &s, 1);
	assert_int_equal(act_stage(a), ACT_PLANNED);
	act_free(a);
	arena_release(&arena);
}

static void
confirmation(void **state)
{
	static const struct session two[] = {
		{ .pid = 5, .start = 1, .state = "active", .may = true },
		{ .pid = 6, .start = 1, .state = "active", .may = true },
	};
	struct act_env guarded = { .target = "prod", .is_protected = true };
	struct arena arena = { 0 };
	struct error err;
	struct act *a = make(&arena, "terminate 5", &prod, &err);

	(void)state;
	look(a, two, 1);
	assert_string_equal(act_expects(a), "y");
	assert_false(act_confirm(a, "yes", &err));
	assert_int_equal(err.code, ERR_NOT_CONFIRMED);
	assert_int_equal(act_stage(a), ACT_FINISHED);
	act_free(a);

	a = make(&arena, "terminate 5 6", &prod, &err);
	look(a, two, 2);
	assert_string_equal(act_expects(a), "2");
	assert_true(act_confirm(a, "2", &err));
	assert_int_equal(act_stage(a), ACT_RUNNING);
	act_free(a);

	a = make(&arena, "terminate 5", &guarded, &err);
	look(a, two, 1);
	assert_string_equal(act_expects(a), "prod");
	assert_false(act_confirm_yes(a, &err));
	assert_int_equal(act_stage(a), ACT_FINISHED);
	act_free(a);

	a = make(&arena, "terminate 5", &guarded, &err);
	look(a, two, 1);
	assert_true(act_confirm(a, "prod", &err));
	act_free(a);
	arena_release(&arena);
}

/* found, session, same, allowed, signalled -> what is said */
static void
tells_the_truth(void **state)
{
	static const struct {
		bool found, session, same, allowed;
		int signalled; /* -1 NULL */
		enum act_state state;
		const char *part;
	} cases[] = {
		{ false, false, false, false, -1, ACT_DONE, "not there any more" },
		{ true, false, false, true, -1, ACT_FAILED, "another session" },
		{ true, true, false, true, -1, ACT_FAILED, "another query" },
		{ true, true, true, false, -1, ACT_FAILED, "may not signal" },
		{ true, true, true, true, 0, ACT_DONE, "could not be sent" },
	};
	static const struct session s = { .pid = 5, .start = 7, .state = "active", .may = true };
	struct arena arena = { 0 };
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct act *a = make(&arena, "cancel 5", &prod, &err);
		struct rowset *rows = rows_of("act_cancel", 1);
		const struct error *why;
		const char *line;
		struct act_query q;

		look(a, &s, 1);
		assert_true(act_confirm_yes(a, &err));
		assert_true(act_next(a, &q));
		assert_string_equal(q.query, "act_cancel");
		assert_true(q.is_act);
		assert_string_equal(q.params[0], "{5}");
		assert_string_equal(q.params[1], "{\"1970-01-01T00:00:00.000007Z\"}");
		put(rows, 0, "pid", cell_int(5));
		put(rows, 0, "is_found", cell_bool(cases[i].found));
		put(rows, 0, "is_session", cell_bool(cases[i].session));
		put(rows, 0, "is_same", cell_bool(cases[i].same));
		put(rows, 0, "is_allowed", cell_bool(cases[i].allowed));
		if (cases[i].signalled >= 0)
			put(rows, 0, "is_signalled", cell_bool(cases[i].signalled));
		answer(a, rows);
		assert_int_equal(act_stage(a), ACT_FINISHED);
		assert_int_equal(act_result(a, &line, &why), cases[i].state);
		assert_non_null(strstr(line, cases[i].part));
		act_free(a);
	}
	arena_release(&arena);
}

/* A session that rolls back is looked at again until the time is over, then told as still ending.
 */
static void
verifies_until_gone(void **state)
{
	static const struct session s = { .pid = 5, .start = 7, .state = "active", .may = true };
	struct arena arena = { 0 };
	struct error err;

	(void)state;
	for (int ends = 0; ends < 2; ends++) {
		struct act *a = make(&arena, "terminate 5", &prod, &err);
		struct rowset *rows = rows_of("act_terminate", 1);
		const struct error *why;
		const char *line;
		struct act_query q;
		int looks = 0;

		look(a, &s, 1);
		assert_true(act_confirm_yes(a, &err));
		assert_true(act_next(a, &q));
		put(rows, 0, "pid", cell_int(5));
		for (int c = 1; c < rows->ncols; c++)
			put(rows, 0, rows->names[c], cell_bool(true));
		answer(a, rows);
		while (act_next(a, &q)) {
			struct rowset *again = rows_of("look_gone", 1);

			assert_string_equal(q.query, "look_gone");
			assert_true(q.delay_ms > 0);
			assert_true(++looks < 100);
			put(again, 0, "pid", cell_int(5));
			put(again, 0, "is_here", cell_bool(!(ends && looks == 3)));
			put(again, 0, "has_xid", cell_bool(true));
			answer(a, again);
		}
		assert_int_equal(act_result(a, &line, &why), ends ? ACT_DONE : ACT_ENDING);
		assert_non_null(strstr(line, ends ? "gone" : "rolling back"));
		act_free(a);
	}
	arena_release(&arena);
}

/* What is freed: waiters whose every blocker goes, through several links; not those with another
 * blocker. */
static void
counts_what_it_frees(void **state)
{
	static const struct session s = { .pid = 1, .start = 7, .state = "active", .may = true };
	static const int64_t by1[] = { 1 }, by2[] = { 2 }, by12[] = { 1, 9 };
	struct arena arena = { 0 };
	struct error err;
	struct act *a = make(&arena, "terminate 1", &prod, &err);
	struct rowset *waits = rows_of("look_blocks", 3);
	struct act_query q;
	char text[4096] = "";

	(void)state;
	assert_true(act_next(a, &q));
	answer(a, session_rows(&s, 1));
	assert_true(act_next(a, &q));
	for (int i = 0; i < 3; i++) {
		static const int64_t *const by[] = { by1, by2, by12 };
		static const uint32_t n[] = { 1, 1, 2 };

		put(waits, i, "pid", cell_int(2 + i));
		put(waits, i, "blocked_by",
		    (struct cell){ .ints = by[i], .len = n[i], .type = CELL_INTS });
	}
	answer(a, waits);
	for (int i = 0; i < act_doc(a)->n; i++) {
		strncat(text, act_doc(a)->lines[i].text, sizeof(text) - strlen(text) - 2);
		strncat(text, "\n", sizeof(text) - strlen(text) - 1);
	}
	assert_non_null(strstr(text, "2 directly; ending it frees 2"));
	act_free(a);
	arena_release(&arena);
}

static void
tables(void **state)
{
	struct arena arena = { 0 };
	struct error err;
	struct act *a = make(&arena, "vacuum full Sales.\"Order \"\"x\"\"\"", &prod, &err);
	struct rowset *rows = rows_of("look_relation", 1);
	struct act_query q;
	int nsteps;

	(void)state;
	/* the lexer takes the quotes of one word away, so the name is also looked for as typed */
	assert_non_null(a);
	assert_true(act_next(a, &q));
	assert_string_equal(q.query, "look_relation");
	assert_string_equal(q.params[0], "vacuum");
	assert_string_equal(q.params[1], "sales");
	assert_string_equal(q.params[4], "{full}");
	put(rows, 0, "name", cell_text("sales.orders"));
	put(rows, 0, "kind", cell_text("r"));
	put(rows, 0, "is_valid", cell_bool(true));
	put(rows, 0, "is_owner", cell_bool(true));
	put(rows, 0, "statement", cell_text("VACUUM (FULL, VERBOSE) sales.orders"));
	answer(a, rows);
	assert_int_equal(act_stage(a), ACT_PLANNED);
	assert_string_equal(act_worst_risk(a), "high");
	assert_null(strstr(act_steps(a, &nsteps)[0].effect, "blocks neither"));
	assert_string_equal(act_expects(a), "sales.orders");
	assert_true(act_confirm(a, "sales.orders", &err));
	assert_int_equal(act_stage(a), ACT_DETACHED);
	assert_string_equal(act_statement(a), "VACUUM (FULL, VERBOSE) sales.orders");
	act_detached(a, 12, NULL);
	assert_int_equal(act_stage(a), ACT_FINISHED);
	act_free(a);

	a = make(&arena, "analyze t", &prod, &err);
	assert_true(act_next(a, &q));
	rows = rows_of("look_relation", 2);
	put(rows, 0, "name", cell_text("a.t"));
	put(rows, 1, "name", cell_text("b.t"));
	answer(a, rows);
	assert_int_equal(act_stage(a), ACT_FINISHED);
	act_free(a);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_before_a_look),
		cmocka_unit_test(protects),
		cmocka_unit_test(is_not_refused_when_left_while_it_runs),
		cmocka_unit_test(force_is_needed_for_walsenders),
		cmocka_unit_test(confirmation),
		cmocka_unit_test(tells_the_truth),
		cmocka_unit_test(verifies_until_gone),
		cmocka_unit_test(counts_what_it_frees),
		cmocka_unit_test(tables),
	};

	return cmocka_run_group_tests_name("ops/act", tests, NULL, NULL);
}
