/*
 * Writers that are killed at any moment: three at once write and say what was accepted; each in
 * turn dies by SIGKILL, two hundred times in all, and is replaced. Nothing that was accepted is
 * missing, and the file is whole.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf.h"
#include "store/history.h"

enum { WRITERS = 3, KILLS = 200, MAX_ROWS = 400000 };

#define T0 INT64_C(1790000000)

/* What a writer says of a row that history_add() took. */
struct accepted {
	int writer;
	int64_t row;
};

static char folder[512];
static struct accepted *accepted;
static int naccepted;

/* Each row of a writer is a minute of its own, and its size is the number of the row. Thinning and
 * opening anew are part of a life. */
static void
write_until_killed(int writer, int64_t row, int fd)
{
	char name[32];
	struct history_value v = { "tps", 1, 2, 3, 4 };
	struct history_size s = { "total", 0 };
	struct error err = { 0 };
	struct history *h = NULL;

	snprintf(name, sizeof(name), "writer%d", writer);
	for (;; row++) {
		struct history_row r = { .target = name,
			.at = { (T0 + row * 60) * 1000000 },
			.values = &v,
			.nvalues = 1,
			.sizes = &s,
			.nsizes = 1 };
		struct accepted said = { writer, row };

		if (!h)
			h = history_open(&err);
		if (!h)
			_exit(2);
		s.bytes = (double)row;
		if (history_add(h, &r, &err) && write(fd, &said, sizeof(said)) != sizeof(said))
			_exit(3);
		if (row % 50 == 49) {
			if (!history_thin(h, (struct wall){ T0 * 1000000 }, &err))
				_exit(4);
			history_close(h);
			h = NULL;
		}
	}
}

static pid_t
begin(int writer, int64_t row, int fd)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		write_until_killed(writer, row, fd);
	return pid;
}

/* What was said until now. A word is shorter than a pipe's atom, so it comes whole. */
static void
listen(int fd, int64_t *last)
{
	struct accepted said;

	while (read(fd, &said, sizeof(said)) == sizeof(said)) {
		assert_true(naccepted < MAX_ROWS);
		accepted[naccepted++] = said;
		last[said.writer] = said.row;
	}
}

static bool
is_there(sqlite3_stmt *st, const struct accepted *a)
{
	char name[32];
	bool is;

	snprintf(name, sizeof(name), "writer%d", a->writer);
	sqlite3_reset(st);
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, T0 + a->row * 60);
	is = sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int64(st, 0) == a->row;
	sqlite3_reset(st);
	return is;
}

static void
check_file(void)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	char path[700];
	int missing = 0;

	snprintf(path, sizeof(path), "%s/pgmedic/history.db", folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(st, 0), "ok");
	sqlite3_finalize(st);
	assert_int_equal(sqlite3_prepare_v2(db,
	                     "SELECT s.bytes FROM size s JOIN target t ON t.id = s.target"
	                     " JOIN figures f ON f.target = t.id AND f.step = 60"
	                     " AND f.t = s.t / 60 * 60 WHERE t.name = ?1 AND s.t = ?2",
	                     -1, &st, NULL),
	    SQLITE_OK);
	for (int i = 0; i < naccepted; i++)
		missing += !is_there(st, &accepted[i]);
	sqlite3_finalize(st);
	sqlite3_close(db);
	assert_int_equal(missing, 0);
}

static void
nothing_accepted_is_lost(void **state)
{
	pid_t pids[WRITERS];
	int64_t last[WRITERS] = { 0 };
	unsigned seed = 4711;
	const char *valgrind = getenv("PGMEDIC_SUITE_VALGRIND");
	int fds[2], status;

	(void)state;
	/* Writers there do not live long enough to write. */
	if (valgrind && *valgrind)
		skip();
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < WRITERS; i++)
		pids[i] = begin(i, 0, fds[1]);
	for (int kills = 0; kills < KILLS; kills++) {
		int victim = kills % WRITERS;

		seed = seed * 1103515245 + 12345;
		poll(NULL, 0, (int)(seed >> 16) % 30);
		assert_int_equal(kill(pids[victim], SIGKILL), 0);
		assert_int_equal(waitpid(pids[victim], &status, 0), pids[victim]);
		/* It died by our hand, not by its own. */
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		listen(fds[0], last);
		pids[victim] = begin(victim, last[victim] + 1, fds[1]);
	}
	for (int i = 0; i < WRITERS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], &status, 0);
	}
	listen(fds[0], last);
	assert_true(naccepted > KILLS);
	check_file();
	print_message("%d rows accepted, %d writers killed %d times\n", naccepted, WRITERS, KILLS);
	close(fds[0]);
	close(fds[1]);
}

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/history.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	setenv("XDG_STATE_HOME", folder, 1);
	accepted = calloc(MAX_ROWS, sizeof(*accepted));
	assert_non_null(accepted);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(accepted);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_accepted_is_lost),
	};

	return cmocka_run_group_tests_name("store/history_kill", tests, setup, teardown);
}
