/* Jobs of steps and the chained lines: kept, read back, and honest about what was changed. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf.h"
#include "store/chain.h"
#include "store/jobs.h"

static char folder[512];

static int
setup(void **state)
{
	(void)state;
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/jobs.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	setenv("XDG_STATE_HOME", folder, 1);
	return 0;
}

static struct journal *
with_job(int64_t *id)
{
	struct error err = { 0 };
	struct journal *j = journal_open(&err);
	struct journal_act act = { .os_user = "dba",
		.target = "prod",
		.command = "snapshot",
		.state = JOURNAL_PLANNED,
		.risk = "low" };
	struct job_row row = { .kind = "snapshot", .plan_hash = "abc", .plan = "[]" };

	assert_non_null(j);
	assert_true(journal_begin(j, &act, &err));
	row.id = *id = act.id;
	assert_true(jobs_create(j, &row, &err));
	return j;
}

static void
a_job_is_read_back(void **state)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct job_step_row *steps;
	struct job_fact *facts;
	struct job_leftover *left;
	struct job_row row;
	int64_t id, left_id;
	struct journal *j = with_job(&id);
	int n;

	(void)state;
	assert_true(jobs_step(j, id, "check", JOB_STEP_DOING, "", &err));
	assert_true(jobs_step(j, id, "check", JOB_STEP_DONE, "well", &err));
	assert_true(jobs_step(j, id, "backup", JOB_STEP_DOING, "", &err));
	assert_true(jobs_fact_set(j, id, "type", "full", &err));
	assert_true(jobs_fact_set(j, id, "type", "incr", &err));
	assert_true(
	    jobs_leave(j, id, "directory", "a scratch", "{\"path\":\"/x\"}", &left_id, &err));
	jobs_beat(j, id, "half");
	journal_close(j);

	j = journal_open(&err);
	assert_true(jobs_get(j, id, &arena, &row, &err));
	assert_string_equal(row.kind, "snapshot");
	assert_string_equal(row.progress, "half");
	assert_true(row.heartbeat.us > 0);
	assert_true(jobs_steps(j, id, &arena, &steps, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(steps[0].state, JOB_STEP_DONE);
	assert_string_equal(steps[0].detail, "well");
	assert_string_equal(steps[1].name, "backup");
	assert_int_equal(steps[1].state, JOB_STEP_DOING);
	assert_true(jobs_facts(j, id, &arena, &facts, &n, &err));
	assert_int_equal(n, 1);
	assert_string_equal(facts[0].value, "incr");
	assert_null(jobs_fact(j, id, "other", &arena, &err));
	assert_true(jobs_leftovers(j, 0, &arena, &left, &n, &err));
	assert_int_equal(n, 1);
	assert_string_equal(left[0].target, "prod");
	assert_true(jobs_settle(j, left_id, &err));
	assert_true(jobs_leftovers(j, id, &arena, &left, &n, &err));
	assert_int_equal(n, 0);
	assert_string_equal(err.what, "");
	journal_close(j);
	arena_release(&arena);
}

static void
one_job_acts_on_a_target(void **state)
{
	struct error err = { 0 };
	int64_t first, second;
	struct journal *j = with_job(&first), *other = with_job(&second);
	int lock = journal_lock_take(first, &err);

	(void)state;
	assert_true(jobs_lease(j, "prod", first, &err));
	assert_true(jobs_lease(j, "prod", first, &err));
	assert_false(jobs_lease(other, "prod", second, &err));
	assert_int_equal(err.code, ERR_STATE);
	assert_true(jobs_lease(other, "elsewhere", second, &err));
	/* Its process has gone: the lease goes with it. */
	journal_lock_drop(first, lock);
	assert_true(jobs_lease(other, "prod", second, &err));
	journal_close(j);
	journal_close(other);
}

static void
a_wish_to_stop_is_seen(void **state)
{
	struct error err = { 0 };
	int64_t id;
	struct journal *j = with_job(&id);

	(void)state;
	assert_false(jobs_is_cancelled(j, id));
	assert_true(jobs_cancel(j, id, &err));
	assert_true(jobs_is_cancelled(j, id));
	assert_true(journal_update(j, id, JOURNAL_DONE, "", 0, &err));
	assert_false(jobs_cancel(j, id, &err));
	journal_close(j);
}

/* A new job is seen with its lock or not at all; taken up again once, and its old end forgotten. */
static void
a_job_is_begun_and_begun_again_once(void **state)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct journal *j = journal_open(&err);
	struct journal_act act = { .os_user = "dba",
		.target = "prod",
		.command = "snapshot",
		.state = JOURNAL_PLANNED,
		.risk = "low" };
	struct journal_act *listed;
	struct job_row row = { .kind = "snapshot", .plan_hash = "abc", .plan = "[]" };
	int lock, n;

	(void)state;
	lock = jobs_begin(j, &act, &row, &err);
	assert_true(lock >= 0);
	assert_true(journal_lock_held(act.id));
	assert_true(journal_lost(j, act.id, &err)); /* it is not */
	assert_true(journal_get(j, act.id, &arena, &act, &err));
	assert_int_equal(act.state, JOURNAL_PLANNED);
	assert_false(jobs_again(j, act.id, "resume", &err));
	assert_int_equal(err.code, ERR_STATE);
	/* Handed over as a descriptor, it is the same lock. */
	assert_int_equal(journal_lock_inherit(act.id, lock), lock);
	assert_int_equal(journal_lock_inherit(act.id, 2), -1);
	close(lock);
	assert_true(journal_lost(j, act.id, &err));
	assert_true(journal_get(j, act.id, &arena, &act, &err));
	assert_int_equal(act.state, JOURNAL_LOST);
	assert_true(jobs_list(j, &arena, &listed, &n, &err));
	assert_int_equal(listed[0].id, act.id);

	assert_true(jobs_again(j, act.id, "resume", &err));
	assert_true(journal_get(j, act.id, &arena, &act, &err));
	assert_int_equal(act.state, JOURNAL_PLANNED);
	assert_int_equal(act.finished_at.us, 0);
	assert_false(jobs_again(j, act.id, "resume", &err));
	/* What has ended stays as it ended, whoever thought it lost. */
	assert_true(journal_update(j, act.id, JOURNAL_DONE, "done", 0, &err));
	assert_true(journal_lost(j, act.id, &err));
	assert_true(journal_get(j, act.id, &arena, &act, &err));
	assert_int_equal(act.state, JOURNAL_DONE);
	/* Two looked at it while it was lost; the second comes when the first has brought it to its
	 * end. */
	assert_false(jobs_again(j, act.id, "resume", &err));
	assert_int_equal(err.code, ERR_STATE);
	assert_true(journal_get(j, act.id, &arena, &act, &err));
	assert_int_equal(act.state, JOURNAL_DONE);
	assert_true(jobs_again(j, act.id, "undo", &err));
	journal_close(j);
	arena_release(&arena);
}

/* A stop that was wished for does not stop what is begun again. */
static void
a_wish_to_stop_is_forgotten_by_resume(void **state)
{
	struct error err = { 0 };
	int64_t id;
	struct journal *j = with_job(&id);

	(void)state;
	assert_true(jobs_cancel(j, id, &err));
	assert_true(journal_update(j, id, JOURNAL_FAILED, "stopped", 0, &err));
	assert_true(jobs_again(j, id, "resume", &err));
	assert_false(jobs_is_cancelled(j, id));
	journal_close(j);
}

/* Act, job and chained line are written together or not at all. */
static void
what_is_not_chained_is_not_begun(void **state)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct journal *j = journal_open(&err);
	struct journal_act act = { .os_user = "dba",
		.target = "prod",
		.command = "snapshot",
		.state = JOURNAL_PLANNED,
		.risk = "low" },
	                   *acts;
	struct job_row row = { .kind = "snapshot", .plan_hash = "abc", .plan = "[]" };
	const char *path = path_state(&arena, "journal.jsonl");
	int before, after;

	(void)state;
	assert_true(journal_list(j, 1000, false, &arena, &acts, &before, &err));
	(void)unlink(path);
	assert_int_equal(mkdir(path, 0700), 0); /* cannot be appended to, not even by root */
	assert_int_equal(jobs_begin(j, &act, &row, &err), -1);
	assert_int_equal(err.code, ERR_JOURNAL);
	assert_true(journal_list(j, 1000, false, &arena, &acts, &after, &err));
	assert_int_equal(before, after);
	assert_int_equal(rmdir(path), 0);
	journal_close(j);
	arena_release(&arena);
}

static void
verified_snapshots(void **state)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct job_verified v = { "20261121-1F", { 1000000 }, true, 5.8, NAN }, *items;
	int64_t id;
	struct journal *j = with_job(&id);
	int n;

	(void)state;
	assert_true(jobs_verified_set(j, "prod", &v, &err));
	v.passed = false;
	assert_true(jobs_verified_set(j, "prod", &v, &err));
	assert_true(jobs_verified(j, "prod", &arena, &items, &n, &err));
	assert_int_equal(n, 1);
	assert_false(items[0].passed);
	assert_true(fabs(items[0].rto_s - 5.8) < 1e-9);
	assert_true(isnan(items[0].rpo_s));
	journal_close(j);
	arena_release(&arena);
}

/* ------------------------------------------------------------------ the chained lines */

static const char *
chain_path(struct arena *arena)
{
	return path_state(arena, "journal.jsonl");
}

static struct chain_tip tip;

static void
append(const char *text)
{
	struct error err = { 0 };

	assert_true(chain_append(&(struct chain_event){ 1, "step", "backup", text }, &tip, &err));
}

static void
new_chain(struct arena *arena)
{
	unlink(chain_path(arena));
	tip = (struct chain_tip){ 0 };
	append("one");
	append("two");
	append("three, with \"quotes\" and a \x1b[31m colour");
}

static struct chain_report
verify(void)
{
	struct chain_report r;
	struct error err = { 0 };

	assert_true(chain_verify(NULL, &tip, &r, &err));
	return r;
}

/* Replace the first `from` of the file. */
static void
forge(const char *path, const char *from, const char *to)
{
	char buf[8192];
	FILE *f = fopen(path, "re");
	size_t n = fread(buf, 1, sizeof(buf) - 1, f);
	char *at;

	buf[n] = '\0';
	fclose(f);
	at = strstr(buf, from);
	assert_non_null(at);
	f = fopen(path, "we");
	fwrite(buf, 1, (size_t)(at - buf), f);
	fputs(to, f);
	fputs(at + strlen(from), f);
	fclose(f);
}

static void
what_was_changed_is_found(void **state)
{
	struct arena arena = { 0 };
	const char *path = chain_path(&arena);

	(void)state;
	new_chain(&arena);
	assert_int_equal(verify().lines, 3);
	assert_int_equal(verify().broken, 0);
	forge(path, "\"two\"", "\"six\"");
	assert_int_equal(verify().broken, 2);

	new_chain(&arena);
	forge(path, "\n{\"seq\":2", "\n{\"seq\":9");
	assert_int_equal(verify().broken, 2);

	/* A line taken out. */
	new_chain(&arena);
	{
		char buf[8192];
		FILE *f = fopen(path, "re");
		size_t n = fread(buf, 1, sizeof(buf) - 1, f);
		char *second, *third;

		buf[n] = '\0';
		fclose(f);
		second = strchr(buf, '\n') + 1;
		third = strchr(second, '\n') + 1;
		f = fopen(path, "we");
		fwrite(buf, 1, (size_t)(second - buf), f);
		fputs(third, f);
		fclose(f);
	}
	assert_int_equal(verify().broken, 2);
	arena_release(&arena);
}

static void
a_torn_line_is_told_and_the_chain_goes_on(void **state)
{
	struct arena arena = { 0 };
	const char *path = chain_path(&arena);
	struct stat st;

	(void)state;
	new_chain(&arena);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - 30), 0);
	assert_int_equal(verify().torn, 1);
	/* A crash in the middle of writing it: nobody remembers it. */
	tip = (struct chain_tip){ 0 };
	append("four");
	assert_int_equal(verify().torn, 1);
	assert_int_equal(verify().broken, 0);
	assert_int_equal(verify().lines, 3);
	arena_release(&arena);
}

/* The last lines removed: the memory of them misses them, also after more was written. */
static void
a_tail_that_was_cut_is_missed(void **state)
{
	struct arena arena = { 0 };
	struct chain_tip before;
	struct stat st;

	(void)state;
	new_chain(&arena);
	assert_int_equal(stat(chain_path(&arena), &st), 0);
	append("the evidence");
	before = tip;
	assert_int_equal(truncate(chain_path(&arena), st.st_size), 0);
	assert_int_equal(verify().broken, 4);
	append("innocent");
	assert_int_equal(tip.seq, before.seq + 1);
	assert_int_equal(verify().broken, 4);
	/* All of it gone. */
	new_chain(&arena);
	unlink(chain_path(&arena));
	assert_int_equal(verify().broken, 1);
	/* Another line of the same number, with a hash of its own. */
	new_chain(&arena);
	before = tip;
	assert_int_equal(stat(chain_path(&arena), &st), 0);
	new_chain(&arena);
	tip = before;
	assert_int_equal(verify().broken, 3);
	arena_release(&arena);
}

static void
secrets_stay_out(void **state)
{
	struct arena arena = { 0 };
	char buf[8192];
	FILE *f;
	size_t n;

	(void)state;
	unlink(chain_path(&arena));
	tip = (struct chain_tip){ 0 };
	append("postgresql://u:geheim42@h/db password=geheim43");
	f = fopen(chain_path(&arena), "re");
	n = fread(buf, 1, sizeof(buf) - 1, f);
	buf[n] = '\0';
	fclose(f);
	assert_null(strstr(buf, "geheim"));
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_is_read_back),
		cmocka_unit_test(one_job_acts_on_a_target),
		cmocka_unit_test(a_wish_to_stop_is_seen),
		cmocka_unit_test(a_job_is_begun_and_begun_again_once),
		cmocka_unit_test(a_wish_to_stop_is_forgotten_by_resume),
		cmocka_unit_test(what_is_not_chained_is_not_begun),
		cmocka_unit_test(verified_snapshots),
		cmocka_unit_test(what_was_changed_is_found),
		cmocka_unit_test(a_torn_line_is_told_and_the_chain_goes_on),
		cmocka_unit_test(a_tail_that_was_cut_is_missed),
		cmocka_unit_test(secrets_stay_out),
	};

	return cmocka_run_group_tests_name("store/jobs", tests, setup, NULL);
}
