/* Samples into snapshots: pairs, ticks, events, and lives of a server that no rate may span. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "collect/feed.h"

static const int64_t epoch = INT64_C(1700000000) * 1000000;

struct server_row {
	double at_s; /* server's clock and ours */
	int64_t start_us;
	bool is_standby;
	int timeline;
	int64_t lsn;
};

static void
stamp(struct sample *s, double at_s)
{
	s->at.us = (int64_t)(at_s * 1e6) + 1;
	s->server_at.us = epoch + (int64_t)(at_s * 1e6);
}

static struct sample *
server_sample(const struct server_row *r)
{
	static const char *const names[] = { "now", "start_time", "is_standby", "timeline",
		"wal_lsn" };
	static const uint8_t types[] = { CELL_TIME, CELL_TIME, CELL_BOOL, CELL_INT, CELL_INT };
	struct rowset *rs = rowset_new(5, names, types);
	struct cell *c = rowset_add(rs);
	struct sample *s = sample_new(PROBE_SERVER, SAMPLE_OK, rs);
	stamp(s, r->at_s);
	c[0] = cell_time(s->server_at.us);
	c[1] = cell_time(r->start_us);
	c[2] = cell_bool(r->is_standby);
	c[3] = cell_int(r->timeline);
	c[4] = cell_int(r->lsn);
	return s;
}

static struct sample *
dbsum_sample(double at_s, int64_t commits, int64_t own)
{
	static const char *const names[] = { "commits", "rollbacks", "blks_hit", "blks_read",
		"temp_bytes", "deadlocks", "stats_reset", "own_xacts" };
	static const uint8_t types[] = { CELL_INT, CELL_INT, CELL_INT, CELL_INT, CELL_INT, CELL_INT,
		CELL_TIME, CELL_INT };
	struct rowset *rs = rowset_new(8, names, types);
	struct cell *c = rowset_add(rs);
	for (int i = 0; i < 6; i++)
		c[i] = cell_int(0);
	c[0] = cell_int(commits);
	c[7] = cell_int(own);
	struct sample *s = sample_new(PROBE_DBSUM, SAMPLE_OK, rs);
	stamp(s, at_s);
	return s;
}

static struct sample *
activity_sample(double at_s, int active)
{
	static const char *const names[] = { "pid", "backend_type", "state", "wait_type",
		"wait_event", "query_start", "now" };
	static const uint8_t types[] = { CELL_INT, CELL_TEXT, CELL_TEXT, CELL_TEXT, CELL_TEXT,
		CELL_TIME, CELL_TIME };
	struct rowset *rs = rowset_new(7, names, types);
	struct sample *s = sample_new(PROBE_ACTIVITY, SAMPLE_OK, rs);
	stamp(s, at_s);
	for (int i = 0; i < active + 1; i++) {
		struct cell *c = rowset_add(rs);
		c[0] = cell_int(100 + i);
		c[1] = cell_text("client backend");
		c[2] = cell_text(i < active ? "active" : "idle");
		c[5] = cell_time(s->server_at.us - 5000000);
		c[6] = cell_time(s->server_at.us);
	}
	return s;
}

static bool
has_event(const struct snapshot *s, const char *code)
{
	for (int i = 0; i < s->nevents; i++)
		if (strcmp(s->events[i].code, code) == 0)
			return true;
	return false;
}

static void
refresh(struct feed *f, struct server_row row, int64_t commits, int active)
{
	feed_apply(f, server_sample(&row));
	feed_apply(f, activity_sample(row.at_s, active));
	feed_apply(f, dbsum_sample(row.at_s, commits, 0));
}

static void
test_pairs_and_ticks(void **state)
{
	(void)state;
	const struct rowset *cur, *prev;
	double seconds;
	struct feed *f = feed_new("t");
	refresh(f, (struct server_row){ 1, epoch, false, 1, 1000 }, 100, 3);
	struct snapshot *s = feed_seal(f);
	assert_string_equal(s->target, "t");
	assert_false(snapshot_pair(s, PROBE_DBSUM, &cur, &prev, &seconds));
	assert_int_equal(s->series.n, 1);
	assert_true(isnan(series_tick(&s->series, 0)->metric[METRIC_TPS]));
	assert_int_equal((int)series_tick(&s->series, 0)->metric[METRIC_AAS], 3);
	refresh(f, (struct server_row){ 3, epoch, false, 1, 5000 }, 300, 0);
	struct snapshot *s2 = feed_seal(f);
	assert_true(snapshot_pair(s2, PROBE_DBSUM, &cur, &prev, &seconds));
	assert_true(fabs(seconds - 2) < 1e-9);
	const struct tick *t = series_tick(&s2->series, 1);
	assert_true(fabsf(t->metric[METRIC_TPS] - 100) < 0.01F);
	assert_true(fabsf(t->metric[METRIC_WAL_BPS] - 2000) < 0.01F);
	assert_int_equal((int)t->metric[METRIC_CONNECTIONS], 1);
	/* The first snapshot is what it was. */
	assert_int_equal(s->series.n, 1);
	assert_int_equal(s2->seq, s->seq + 1);
	/* Without new activity there is no new tick. */
	struct snapshot *s3 = feed_seal(f);
	assert_int_equal(s3->series.n, 2);
	snapshot_unref(s);
	snapshot_unref(s2);
	snapshot_unref(s3);
	feed_free(f);
}

static void
test_own_transactions(void **state)
{
	(void)state;
	struct feed *f = feed_new("t");
	refresh(f, (struct server_row){ 1, epoch, false, 1, 0 }, 100, 0);
	feed_apply(f, activity_sample(2, 0));
	feed_apply(f, dbsum_sample(2, 105, 3));
	struct snapshot *s = feed_seal(f);
	assert_true(fabsf(series_tick(&s->series, 0)->metric[METRIC_TPS] - 2) < 0.01F);
	snapshot_unref(s);
	feed_free(f);
}

static void
test_restart(void **state)
{
	(void)state;
	const struct rowset *cur, *prev;
	double seconds;
	struct feed *f = feed_new("t");
	refresh(f, (struct server_row){ 1, epoch, false, 1, 0 }, 1000, 0);
	refresh(f, (struct server_row){ 2, epoch, false, 1, 0 }, 2000, 0);
	refresh(f, (struct server_row){ 9, epoch + 8000000, false, 1, 0 }, 10, 0);
	struct snapshot *s = feed_seal(f);
	assert_true(has_event(s, "restart"));
	assert_false(has_event(s, "stats_reset"));
	assert_false(snapshot_pair(s, PROBE_DBSUM, &cur, &prev, &seconds));
	assert_true(isnan(series_tick(&s->series, s->series.n - 1)->metric[METRIC_TPS]));
	snapshot_unref(s);
	refresh(f, (struct server_row){ 10, epoch + 8000000, false, 1, 0 }, 20, 0);
	s = feed_seal(f);
	assert_true(snapshot_pair(s, PROBE_DBSUM, &cur, &prev, &seconds));
	assert_int_equal(rowset_get(prev, 0, "commits")->i, 10);
	snapshot_unref(s);
	feed_free(f);
}

static void
test_events(void **state)
{
	(void)state;
	struct feed *f = feed_new("t");
	refresh(f, (struct server_row){ 1, epoch, true, 1, 0 }, 1000, 0);
	refresh(f, (struct server_row){ 2, epoch, false, 2, 0 }, 1001, 0);
	struct snapshot *s = feed_seal(f);
	assert_true(has_event(s, "promoted"));
	assert_int_equal(s->server.timeline, 2);
	assert_false(s->server.is_standby);
	assert_false(has_event(s, "stats_reset"));
	snapshot_unref(s);
	feed_apply(f, dbsum_sample(3, 5, 0));
	s = feed_seal(f);
	assert_true(has_event(s, "stats_reset"));
	assert_false(has_event(s, "clock_jump"));
	snapshot_unref(s);
	struct sample *jump = server_sample(&(struct server_row){ 4, epoch, false, 2, 0 });
	jump->server_at.us += 3600 * INT64_C(1000000);
	feed_apply(f, jump);
	s = feed_seal(f);
	assert_true(has_event(s, "clock_jump"));
	snapshot_unref(s);
	feed_free(f);
}

static void
test_links(void **state)
{
	(void)state;
	struct mono never = { 0 };
	struct feed *f = feed_new("t");
	feed_link(f, LINK_DOWN, "refused", "try", (struct mono){ 1000000 }, never);
	feed_link(f, LINK_UP, "", "", (struct mono){ 2000000 }, never);
	struct snapshot *s = feed_seal(f);
	assert_int_equal(s->nevents, 0); /* nothing was lost yet */
	snapshot_unref(s);
	feed_link(f, LINK_UP, "", "", (struct mono){ 3000000 }, never);
	feed_link(f, LINK_DOWN, "gone", "", (struct mono){ 4000000 }, (struct mono){ 5000000 });
	feed_link(f, LINK_DOWN, "still gone", "", never, (struct mono){ 6000000 });
	s = feed_seal(f);
	assert_int_equal(s->link, LINK_DOWN);
	assert_string_equal(s->link_what, "still gone");
	assert_int_equal(s->link_since.us, 4000000);
	assert_int_equal(s->link_retry_at.us, 6000000);
	assert_true(has_event(s, "lost"));
	snapshot_unref(s);
	feed_link(f, LINK_UP, "", "", (struct mono){ 7000000 }, never);
	s = feed_seal(f);
	assert_true(has_event(s, "reconnected"));
	assert_int_equal(s->link_since.us, 7000000);
	snapshot_unref(s);
	feed_free(f);
}

static void
test_failure_keeps_good_rows(void **state)
{
	(void)state;
	struct feed *f = feed_new("t");
	feed_apply(f, dbsum_sample(1, 7, 0));
	struct sample *bad = sample_new(PROBE_DBSUM, SAMPLE_TIMEOUT, NULL);
	snprintf(bad->what, sizeof(bad->what), "too slow");
	feed_apply(f, bad);
	struct snapshot *s = feed_seal(f);
	assert_int_equal(s->cur[PROBE_DBSUM]->state, SAMPLE_TIMEOUT);
	assert_int_equal(rowset_get(snapshot_rows(s, PROBE_DBSUM), 0, "commits")->i, 7);
	snapshot_unref(s);
	feed_free(f);
}

static struct sample *
texts_sample(int64_t id)
{
	static const char *const names[] = { "queryid", "query" };
	static const uint8_t types[] = { CELL_INT, CELL_TEXT };
	struct rowset *rs = rowset_new(2, names, types);
	struct cell *c = rowset_add(rs);
	c[0] = cell_int(id);
	c[1] = cell_text(arena_printf(&rs->arena, "SELECT %d", (int)id));
	return sample_new(PROBE_STATEMENT_TEXTS, SAMPLE_OK, rs);
}

static void
test_texts_pile_up(void **state)
{
	(void)state;
	struct feed *f = feed_new("t");
	enum { N = 100 };
	for (int i = 1; i <= N; i++)
		feed_apply(f, texts_sample(i));
	struct snapshot *s = feed_seal(f);
	int seen = 0;
	for (int i = 0; i < s->ntexts; i++) {
		const struct rowset *rs = s->texts[i]->rows;
		for (int row = 0; row < rs->nrows; row++) {
			char want[32];
			snprintf(want, sizeof(want), "SELECT %d", ++seen);
			assert_int_equal(rowset_get(rs, row, "queryid")->i, seen);
			assert_true(cell_is(rowset_get(rs, row, "query"), want));
		}
	}
	assert_int_equal(seen, N);
	assert_true(s->ntexts <= 16);
	snapshot_unref(s);
	feed_free(f);
}

struct heard {
	int samples, links, seals;
};
static void
hear_sample(void *arg, const struct sample *s)
{
	(void)s;
	((struct heard *)arg)->samples++;
}
static void
hear_link(void *arg, enum link_state link, const char *what, const char *hint)
{
	(void)link, (void)what, (void)hint;
	((struct heard *)arg)->links++;
}
static void
hear_seal(void *arg, const struct snapshot *s)
{
	(void)s;
	((struct heard *)arg)->seals++;
}

static void
test_hook(void **state)
{
	(void)state;
	struct heard heard = { 0 };
	struct feed_hook hook = {
		.arg = &heard, .sample = hear_sample, .link = hear_link, .seal = hear_seal
	};
	struct feed *f = feed_new("t");
	feed_set_hook(f, &hook);
	refresh(f, (struct server_row){ 1, epoch, false, 1, 0 }, 1, 1);
	for (int i = 0; i < 3; i++)
		feed_link(f, LINK_UP, "", "", (struct mono){ 1 }, (struct mono){ 0 });
	snapshot_unref(feed_seal(f));
	assert_int_equal(heard.samples, 3);
	assert_int_equal(heard.links, 1);
	assert_int_equal(heard.seals, 1);
	feed_set_hook(f, NULL);
	snapshot_unref(feed_seal(f));
	assert_int_equal(heard.seals, 1);
	feed_free(f);
}

static struct feed *replayed;

static void
replay_server(void *arg, const struct server_info *server)
{
	(void)arg;
	feed_server(replayed, server);
}

static void
replay_link(void *arg, enum link_state state, const char *what, const char *hint)
{
	(void)arg;
	feed_link(replayed, state == LINK_UP ? LINK_REPLAY : state, what, hint, (struct mono){ 5 },
	    (struct mono){ 0 });
}

/* What a recorder hears is enough to derive the same. */
static void
test_a_replay_derives_the_same(void **state)
{
	const struct feed_hook hook = { .server = replay_server, .link = replay_link };
	struct feed *f = feed_new("t");

	(void)state;
	replayed = feed_new("t");
	feed_replaying(replayed, (struct mono){ 5 });
	feed_set_hook(f, &hook);
	feed_server(f, &(struct server_info){ .host = "db", .own_pid = 11 });
	feed_link(f, LINK_UP, "", "", (struct mono){ 1 }, (struct mono){ 0 });
	feed_action_pid(f, 12);
	assert_int_equal(feed_server_info(replayed)->action_pid, 12);
	feed_link(f, LINK_DOWN, "gone", "", (struct mono){ 2 }, (struct mono){ 0 });
	feed_action_pid(f, 0);
	feed_link(f, LINK_UP, "", "", (struct mono){ 3 }, (struct mono){ 0 });
	assert_int_equal(feed_server_info(replayed)->action_pid, 0);
	struct snapshot *a = feed_seal(f), *b = feed_seal(replayed);
	assert_int_equal(a->nevents, 2);
	assert_int_equal(b->nevents, a->nevents);
	for (int i = 0; i < a->nevents; i++)
		assert_string_equal(b->events[i].code, a->events[i].code);
	snapshot_unref(a);
	snapshot_unref(b);
	feed_free(replayed);
	feed_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs_and_ticks),
		cmocka_unit_test(test_own_transactions),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_failure_keeps_good_rows),
		cmocka_unit_test(test_texts_pile_up),
		cmocka_unit_test(test_hook),
		cmocka_unit_test(test_a_replay_derives_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
