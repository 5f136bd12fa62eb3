/* The engine of operations: what a step has settled is written down with its end, or not at all. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ops/op.h"
#include "store/journal.h"

static char folder[512];
static int left_inside;

static int
setup(void **state)
{
	(void)state;
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/op.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	setenv("XDG_STATE_HOME", folder, 1);
	return 0;
}

/* What another process reads, if this one is killed now. */
static int
leftovers_of(int64_t job)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct journal *j = journal_open(&err);
	struct job_leftover *items;
	int n;

	assert_non_null(j);
	assert_true(jobs_leftovers(j, job, &arena, &items, &n, &err));
	journal_close(j);
	arena_release(&arena);
	return n;
}

static bool
make_and_settle(struct op *op, struct error *err)
{
	int64_t id;

	assert_true(op_leave(op, "directory", "{}", &id, err, "a folder"));
	assert_true(op_settle_kind(op, "directory", err));
	left_inside = leftovers_of(op->job);
	return true;
}

static bool
settle_and_fail(struct op *op, struct error *err)
{
	make_and_settle(op, err);
	return error_set(err, ERR_STATE, "it is not to be");
}

static bool
settle_and_make_again(struct op *op, struct error *err)
{
	int64_t id;

	return make_and_settle(op, err) && op_leave(op, "directory", "{}", &id, err, "a folder");
}

static enum job_step_state
state_of_step(struct journal *j, int64_t job)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct job_step_row *steps;
	enum job_step_state state;
	int n;

	assert_true(jobs_steps(j, job, &arena, &steps, &n, &err));
	assert_int_equal(n, 1);
	state = steps[0].state;
	arena_release(&arena);
	return state;
}

/* A job of one step; the leftovers that it ends with. */
static int
run_one(bool (*run)(struct op *op, struct error *err), bool ends_well)
{
	const struct op_step_def steps[] = { { "make", NULL, run }, { NULL, NULL, NULL } };
	const struct op_impl impl = { NULL, steps, NULL };
	const struct op_target target = { .name = "prod", .conninfo = "" };
	struct words words = { 0 };
	struct error err = { 0 };
	struct journal *j = journal_open(&err);
	struct journal_act act = {
		.os_user = "dba", .target = "prod", .command = "make", .state = JOURNAL_PLANNED
	};
	struct job_row row = { .kind = "make", .plan_hash = "abc", .plan = "[]" };
	struct op op;
	int n;

	assert_non_null(j);
	assert_true(journal_begin(j, &act, &err));
	row.id = act.id;
	assert_true(jobs_create(j, &row, &err));
	assert_true(jobs_fact_set(j, act.id, "steps", "make", &err));
	op_init(&op, &target, &words, "make");
	op.impl = &impl;
	op.journal = j;
	op.job = act.id;
	assert_int_equal(op_run(&op, NULL, &err), ends_well);
	assert_int_equal(state_of_step(j, act.id), ends_well ? JOB_STEP_DONE : JOB_STEP_FAILED);
	n = leftovers_of(act.id);
	op_release(&op);
	journal_close(j);
	return n;
}

static void
settled_with_the_end(void **state)
{
	(void)state;
	assert_int_equal(run_one(make_and_settle, true), 0);
	assert_int_equal(left_inside, 1);
}

static void
settled_by_what_failed(void **state)
{
	(void)state;
	assert_int_equal(run_one(settle_and_fail, false), 0);
	assert_int_equal(left_inside, 1);
}

static void
made_again_is_left(void **state)
{
	(void)state;
	assert_int_equal(run_one(settle_and_make_again, true), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settled_with_the_end),
		cmocka_unit_test(settled_by_what_failed),
		cmocka_unit_test(made_again_is_left),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
