/* The journal: written, read, shared, and honest about what it cannot do. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf.h"
#include "store/journal.h"

static char folder[512];

static int
setup(void **state)
{
	(void)state;
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/journal.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	setenv("XDG_STATE_HOME", folder, 1);
	return 0;
}

static struct journal *
open_journal(void)
{
	struct error err = { 0 };
	struct journal *j = journal_open(&err);

	assert_string_equal(err.what, "");
	assert_non_null(j);
	return j;
}

static struct journal_act
sample(const char *command)
{
	return (struct journal_act){
		.os_user = "dba",
		.target = "prod",
		.host = "db1",
		.port = "5432",
		.database = "shop",
		.role = "admin",
		.system_identifier = INT64_C(7300000000000000001),
		.command = command,
		.plan = "terminate 42",
		.risk = "low",
		.confirmed_how = "--yes",
		.state = JOURNAL_RUNNING,
		.pid = 77,
	};
}

static void
writes_and_reads(void **state)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct journal *j = open_journal();
	struct journal_act a = sample("terminate 42"), back;

	(void)state;
	assert_true(journal_begin(j, &a, &err));
	assert_true(a.id > 0);
	journal_close(j);
	j = open_journal();
	assert_true(journal_get(j, a.id, &arena, &back, &err));
	assert_string_equal(back.command, "terminate 42");
	assert_string_equal(back.target, "prod");
	assert_int_equal(back.state, JOURNAL_RUNNING);
	assert_int_equal(back.finished_at.us, 0);
	assert_true(back.system_identifier == a.system_identifier);
	assert_int_equal(back.pid, 77);
	assert_true(journal_update(j, a.id, JOURNAL_DONE, "gone", 0, &err));
	assert_true(journal_get(j, a.id, &arena, &back, &err));
	assert_int_equal(back.state, JOURNAL_DONE);
	assert_string_equal(back.detail, "gone");
	assert_true(back.finished_at.us >= back.started_at.us);
	assert_int_equal(back.pid, 77);
	journal_close(j);
	arena_release(&arena);
}

static void
lists_newest_first(void **state)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct journal *j = open_journal();
	struct journal_act a = sample("first"), b = sample("second"), *acts;
	int n;

	(void)state;
	assert_true(journal_begin(j, &a, &err));
	assert_true(journal_begin(j, &b, &err));
	assert_true(journal_update(j, b.id, JOURNAL_FAILED, "no", 0, &err));
	assert_true(journal_list(j, 2, false, &arena, &acts, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(acts[0].id, b.id);
	assert_int_equal(acts[1].id, a.id);
	assert_true(journal_list(j, 100, true, &arena, &acts, &n, &err));
	for (int i = 0; i < n; i++)
		assert_int_equal(acts[i].finished_at.us, 0);
	assert_int_equal(acts[0].id, a.id);
	journal_close(j);
	arena_release(&arena);
}

static void
keeps_secrets_out(void **state)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct journal *j = open_journal();
	struct journal_act a = sample("explain alter role x password 'hunter2'"), back;

	(void)state;
	a.plan = "connect to postgresql://u:hunter2@h/db";
	assert_true(journal_begin(j, &a, &err));
	assert_true(
	    journal_update(j, a.id, JOURNAL_FAILED, "host=h password=hunter2 failed", 0, &err));
	assert_true(journal_get(j, a.id, &arena, &back, &err));
	assert_null(strstr(back.command, "hunter2"));
	assert_null(strstr(back.plan, "hunter2"));
	assert_null(strstr(back.detail, "hunter2"));
	journal_close(j);
	arena_release(&arena);
}

static void
several_at_once(void **state)
{
	struct error err = { 0 };
	struct journal *one = open_journal(), *two = open_journal();
	struct journal_act a = sample("a"), b = sample("b");

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_true(journal_begin(one, &a, &err));
		assert_true(journal_begin(two, &b, &err));
		assert_true(a.id != b.id);
	}
	journal_close(one);
	journal_close(two);
}

static void
knows_who_lives(void **state)
{
	struct error err = { 0 };
	int fd;

	(void)state;
	assert_false(journal_lock_held(900));
	fd = journal_lock_take(900, &err);
	assert_true(fd >= 0);
	assert_true(journal_lock_held(900));
	assert_int_equal(journal_lock_take(900, &err), -1);
	assert_int_equal(err.code, ERR_STATE);
	journal_lock_drop(900, fd);
	assert_false(journal_lock_held(900));
}

static void
missing_act(void **state)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct journal *j = open_journal();
	struct journal_act back;

	(void)state;
	assert_false(journal_get(j, 999999, &arena, &back, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_false(journal_update(j, 999999, JOURNAL_DONE, "", 0, &err));
	journal_close(j);
	arena_release(&arena);
}

static void
is_private(void **state)
{
	struct arena arena = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(stat(path_state(&arena, "journal.db"), &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	arena_release(&arena);
}

/* A file stands where the folder should be: then nothing is written, and the reason is told. */
static void
refuses_unwritable(void **state)
{
	struct error err = { 0 };
	char path[600];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/file.XXXXXX", folder);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	setenv("XDG_STATE_HOME", path, 1);
	assert_null(journal_open(&err));
	assert_int_equal(err.code, ERR_JOURNAL);
	assert_true(*err.what && *err.hint);
	close(fd);
	unlink(path);
	setenv("XDG_STATE_HOME", folder, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_and_reads),
		cmocka_unit_test(lists_newest_first),
		cmocka_unit_test(keeps_secrets_out),
		cmocka_unit_test(several_at_once),
		cmocka_unit_test(knows_who_lives),
		cmocka_unit_test(missing_act),
		cmocka_unit_test(is_private),
		cmocka_unit_test(refuses_unwritable),
	};

	return cmocka_run_group_tests_name("store/journal", tests, setup, NULL);
}
