/* What a recorder wrote, a replay shows: the same rows, pairs for rates and history, wherever it is
 * sought. */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/feed.h"
#include "collect/recorder.h"
#include "collect/replay.h"

enum { REFRESHES = 40 };
static char path[64];
static int64_t clock_us; /* of the server we play */

static struct sample *
one_row(enum probe_id probe, int ncols, const char *const *names, const uint8_t *types,
    const struct cell *cells)
{
	struct sample *s = sample_new(probe, SAMPLE_OK, rowset_new(ncols, names, types));
	struct cell *row = rowset_add(s->rows);

	memcpy(row, cells, (size_t)ncols * sizeof(*cells));
	s->server_at.us = clock_us;
	s->at.us = clock_us - 1700000000000000 + 77; /* seconds after the machine started */
	return s;
}

static void
refresh(struct feed *f, int64_t commits)
{
	static const char *const server[] = { "now", "is_standby", "start_time" };
	static const uint8_t server_types[] = { CELL_TIME, CELL_BOOL, CELL_TIME };
	static const char *const sums[] = { "commits", "rollbacks" };
	static const uint8_t sums_types[] = { CELL_INT, CELL_INT };

	clock_us += 1000000;
	feed_apply(f,
	    one_row(PROBE_SERVER, 3, server, server_types,
	        (struct cell[]){ cell_time(clock_us), cell_bool(false), cell_time(1000) }));
	feed_apply(f,
	    one_row(PROBE_DBSUM, 2, sums, sums_types,
	        (struct cell[]){ cell_int(commits), cell_int(0) }));
	snapshot_unref(feed_seal(f));
}

static int
record(void **state)
{
	struct error err;
	struct recorder *r;
	struct feed *f;
	struct feed_hook hook;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/pgmedic-replay-%d", (int)getpid());
	unlink(path);
	clock_us = 1700000000000000;
	r = recorder_file(path, &err);
	if (!r)
		return -1;
	f = feed_new("prod");
	hook = recorder_hook(r, "prod");
	feed_set_hook(f, &hook);
	feed_server(
	    f, &(struct server_info){ .version_num = 170002, .host = "db", .port = "5432" });
	feed_link(f, LINK_UP, "", "", (struct mono){ 1 }, (struct mono){ 0 });
	for (int i = 1; i <= REFRESHES; i++)
		refresh(f, i * 100);
	feed_free(f);
	recorder_close(r);
	return 0;
}

static int
forget(void **state)
{
	(void)state;
	return unlink(path);
}

static int64_t
commits_at(struct replay *r, int64_t *before, double *seconds)
{
	const struct snapshot *s = replay_snapshot(r, 0);
	const struct rowset *cur, *prev;
	int64_t n = cell_i64(rowset_get(snapshot_rows(s, PROBE_DBSUM), 0, "commits"), -1);

	*before = -1;
	if (snapshot_pair(s, PROBE_DBSUM, &cur, &prev, seconds))
		*before = cell_i64(rowset_get(prev, 0, "commits"), -1);
	snapshot_unref(s);
	return n;
}

static struct replay *
open_replay(void)
{
	struct error err;
	struct recfile *f = recfile_open(path, &err);
	struct replay *r;

	assert_non_null(f);
	r = replay_new(f, &err);
	assert_non_null(r);
	return r;
}

static void
steps_show_what_was_recorded(void **state)
{
	struct replay *r = open_replay();
	struct error err;
	int64_t before;
	double seconds;

	(void)state;
	assert_int_equal(replay_targets(r), 1);
	assert_string_equal(replay_target_name(r, 0), "prod");
	assert_int_equal(commits_at(r, &before, &seconds), 100);
	for (int i = 2; i <= REFRESHES; i++) {
		assert_true(replay_step(r, 1, &err));
		assert_int_equal(commits_at(r, &before, &seconds), i * 100);
		assert_int_equal(before, (i - 1) * 100);
		assert_true(seconds > 0.999 && seconds < 1.001);
	}
	assert_false(replay_step(r, 1, &err));
	assert_int_equal(err.code, ERR_STATE);
	assert_true(replay_step(r, -3, &err));
	assert_int_equal(commits_at(r, &before, &seconds), (REFRESHES - 3) * 100);
	assert_int_equal(before, (REFRESHES - 4) * 100);
	assert_false(replay_step(r, -1000, &err));
	assert_int_equal(commits_at(r, &before, &seconds), 100);
	replay_free(r);
}

static void
seeking_clamps_to_the_ends(void **state)
{
	struct replay *r = open_replay();
	struct wall first, last, at;
	struct error err;
	int64_t before;
	double seconds;

	(void)state;
	replay_span(r, &first, &last, &at);
	assert_true(replay_seek(r, (struct wall){ last.us + 1000000 }, &err));
	assert_int_equal(commits_at(r, &before, &seconds), REFRESHES * 100);
	assert_true(replay_at_end(r));
	assert_true(replay_seek(r, (struct wall){ 0 }, &err));
	assert_int_equal(commits_at(r, &before, &seconds), 100);
	replay_free(r);
}

static void
the_state_of_the_link_is_a_recording(void **state)
{
	struct replay *r = open_replay();
	const struct snapshot *s = replay_snapshot(r, 0);

	(void)state;
	assert_int_equal(s->link, LINK_REPLAY);
	assert_int_equal(s->server.version_num, 170002);
	assert_true(snapshot_age_ms(s, PROBE_DBSUM, mono_now()) >= 0);
	assert_int_equal(s->nevents, 0);
	snapshot_unref(s);
	replay_free(r);
}

static void
plays_by_itself_at_any_speed(void **state)
{
	struct replay *r = open_replay();
	struct error err;
	int turns = 0;

	(void)state;
	assert_int_equal(replay_due_ms(r, mono_now()), -1);
	replay_set_speed(r, 1000);
	replay_pause(r, false);
	while (!replay_at_end(r) && turns++ < 1000000)
		replay_tick(r, mono_now(), &err);
	assert_true(replay_at_end(r));
	assert_true(replay_is_paused(r));
	replay_free(r);
}

static void
left_out_before_and_after(struct recorder *r, struct feed *f)
{
	int64_t before = recorder_left_out(r);

	for (int i = 1; i <= 5; i++)
		refresh(f, i * 100);
	assert_int_equal(recorder_left_out(r), before);
}

/* A disk that hangs: a pipe that nobody reads, until somebody does. */
static void
a_hanging_disk_holds_up_nobody(void **state)
{
	enum { MANY = 3000 };
	struct feed *f = feed_new("prod");
	struct feed_hook hook;
	struct recorder *r;
	struct error err;
	int64_t bytes, refreshes;
	char fifo[64], buf[65536];
	int fd;

	(void)state;
	snprintf(fifo, sizeof(fifo), "/tmp/pgmedic-hang-%d", (int)getpid());
	assert_int_equal(mkfifo(fifo, 0600), 0);
	r = recorder_file(fifo, &err);
	assert_non_null(r);
	hook = recorder_hook(r, "prod");
	feed_set_hook(f, &hook);
	feed_link(f, LINK_UP, "", "", (struct mono){ 1 }, (struct mono){ 0 });
	/* Whoever waited for this disk would wait for ever. */
	for (int i = 1; i <= MANY; i++)
		refresh(f, i * 100);
	assert_true(recorder_left_out(r) > 0);
	/* It answers again: what waits is written, and a new run begins in the recording. */
	fd = open(fifo, O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	for (int quiet = 0; quiet < 20;) {
		quiet = read(fd, buf, sizeof(buf)) > 0 ? 0 : quiet + 1;
		poll(NULL, 0, 10);
	}
	left_out_before_and_after(r, f);
	assert_true(recorder_state(r, &bytes, &refreshes, &err));
	assert_true(refreshes > 0 && bytes > 65536);
	feed_free(f);
	close(fd);
	recorder_close(r);
	unlink(fifo);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_show_what_was_recorded),
		cmocka_unit_test(seeking_clamps_to_the_ends),
		cmocka_unit_test(the_state_of_the_link_is_a_recording),
		cmocka_unit_test(plays_by_itself_at_any_speed),
		cmocka_unit_test(a_hanging_disk_holds_up_nobody),
	};
	return cmocka_run_group_tests(tests, record, forget);
}
