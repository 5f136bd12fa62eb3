#include "config.h"

#include "app/sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hmap.h"
#include "collect/collector.h"
#include "collect/schedule.h"

/* Long enough for a first answer of every probe over a slow line; a probe that has none by then has
 * a note instead. */
enum { CONNECT_MS = 30000, ANSWERS_MS = 8000, PAIR_MS = 6000, TEXTS_MS = 2500, CLOUD_MS = 45000 };

struct sampler {
	struct collector *collector;
	int wake[2];
	const struct snapshot *snap;
	bool has_other_log; /* the log is read without the server: here, or from AWS */
	struct rowset *posted[PROBE_COUNT]; /* the last of each, until it is seen */
	void *cache;                        /* of the pane filled last */
	const struct pane *cache_pane;
};

struct sampler *
sampler_open(const struct target *target, struct error *err)
{
	struct sampler *s = xcalloc(1, sizeof(*s));
	struct target_conf conf = {
		.name = target->name,
		.conninfo = target->conninfo,
		.password = target->password,
		.pgbouncer = target->pgbouncer,
		.log_file = target->log_file,
		.refresh_ms =
		    target->refresh_ms > 0 && target->refresh_ms < 1000 ? target->refresh_ms : 1000,
		.query_len = 1 << 20,
		.no_action = true,
		.capacity = target->capacity,
		.cloud = target->cloud,
	};

	if (pipe2(s->wake, O_CLOEXEC | O_NONBLOCK) != 0) {
		error_set(err, ERR_STATE, "cannot make a pipe: %s", strerror(errno));
		free(s);
		return NULL;
	}
	conf.cloud.is_when_shown = true;
	s->has_other_log = target->log_file ||
	    (target->cloud.instance && *target->cloud.instance) ||
	    (target->cloud.provider && strcmp(target->cloud.provider, "rds") == 0);
	s->collector = collector_start(&conf, 1, s->wake[1]);
	return s;
}

static void
drop_cache(struct sampler *s)
{
	if (s->cache && s->cache_pane->cache_free)
		s->cache_pane->cache_free(s->cache);
	s->cache = NULL;
	s->cache_pane = NULL;
}

void
sampler_close(struct sampler *s)
{
	if (!s)
		return;
	drop_cache(s);
	for (int i = 0; i < PROBE_COUNT; i++)
		rowset_unref(s->posted[i]);
	snapshot_unref(s->snap);
	collector_stop(s->collector);
	close(s->wake[0]);
	close(s->wake[1]);
	free(s);
}

/* A newer snapshot, or the same after timeout_ms. */
static void
wait_snapshot(struct sampler *s, int timeout_ms)
{
	struct pollfd pfd = { .fd = s->wake[0], .events = POLLIN };
	char buf[64];

	if (poll(&pfd, 1, timeout_ms) > 0)
		while (read(s->wake[0], buf, sizeof(buf)) > 0)
			continue;
	snapshot_unref(s->snap);
	s->snap = collector_snapshot(s->collector, 0);
}

/* Posted answers are not the server's: whoever posts them knows when they are there. */
static bool
has_answer(const struct snapshot *snap, enum probe_id probe)
{
	if (probe_plans[probe].scope == SCOPE_POSTED)
		return true;
	return snap->cur[probe] && snap->cur[probe]->state != SAMPLE_NONE;
}

static bool
all_answered(const struct snapshot *snap, const struct pane *pane)
{
	for (int i = 0; i < pane->nprobes; i++)
		if (!has_answer(snap, pane->probes[i]))
			return false;
	return has_answer(snap, PROBE_SERVER) && has_answer(snap, PROBE_ACTIVITY) &&
	    has_answer(snap, PROBE_DBSUM);
}

static bool
cloud_answered(const struct snapshot *snap, const struct pane *pane)
{
	for (int i = 0; i < pane->nprobes; i++)
		if (!has_answer(snap, pane->probes[i]))
			return false;
	return true;
}

/* Probes that count nothing: a second answer says no more than the first. */
static bool
is_list(enum probe_id probe)
{
	return probe_plans[probe].scope == SCOPE_CLOUD || probe == PROBE_CAPACITY ||
	    probe == PROBE_INT4_KEYS || probe == PROBE_FLAWS || probe == PROBE_SLOTS ||
	    probe == PROBE_ARCHIVER || probe == PROBE_LOCKS || probe == PROBE_NAMES ||
	    probe == PROBE_LOCK_NAMES || probe == PROBE_STATEMENT_TEXTS ||
	    probe == PROBE_STATEMENTS_INFO || probe == PROBE_SETTINGS || probe == PROBE_SIZES ||
	    probe == PROBE_WRAPAROUND || probe == PROBE_SUBSCRIPTIONS ||
	    probe == PROBE_VACUUM_TABLES || probe == PROBE_XMIN_HOLDERS ||
	    probe == PROBE_STORAGE_WAL || probe == PROBE_STORAGE_TEMP ||
	    probe == PROBE_STORAGE_LOG || probe == PROBE_STORAGE_KINDS ||
	    probe == PROBE_STORAGE_TABLES || probe == PROBE_STORAGE_PARTITIONS ||
	    probe == PROBE_STORAGE_ARRIVALS || probe == PROBE_TABLESPACES ||
	    probe == PROBE_BACKUP_HISTORY || probe == PROBE_LOG_SOURCE || probe == PROBE_LOGS;
}

/* Every probe that answers well and counts something has done so twice. */
static bool
all_paired(const struct snapshot *snap, const struct pane *pane)
{
	for (int i = 0; i < pane->nprobes; i++) {
		enum probe_id p = pane->probes[i];

		if (!is_list(p) && snap->cur[p] && snap->cur[p]->state == SAMPLE_OK &&
		    !snap->prev[p])
			return false;
	}
	return snap->prev[PROBE_DBSUM] || !has_answer(snap, PROBE_DBSUM) ||
	    snap->cur[PROBE_DBSUM]->state != SAMPLE_OK;
}

/* Has every statement its text? */
static bool
has_texts(const struct snapshot *snap)
{
	const struct rowset *rows = snapshot_rows(snap, PROBE_STATEMENTS);
	struct hmap known = { 0 };
	int col = rows ? rowset_col(rows, "queryid") : -1;
	bool all = true;

	for (int i = 0; i < snap->ntexts; i++) {
		const struct rowset *texts = snap->texts[i]->rows;
		int id = rowset_col(texts, "queryid");

		for (int k = 0; k < texts->nrows; k++)
			hmap_put(&known, (uint64_t)cell_i64(rowset_cell(texts, k, id), 0), 1);
	}
	for (int i = 0; col >= 0 && i < rows->nrows && all; i++) {
		const struct cell *id = rowset_cell(rows, i, col);

		all = cell_is_null(id) || hmap_has(&known, (uint64_t)id->i);
	}
	hmap_release(&known);
	return all;
}

static bool
fail_link(const struct snapshot *snap, struct error *err)
{
	bool is_auth = strstr(snap->link_what, "assword") || strstr(snap->link_what, "role");

	error_set(err, is_auth ? ERR_AUTH : ERR_CONNECT, "cannot reach %s: %s", snap->target,
	    *snap->link_what ? snap->link_what : "no answer");
	return error_hint(err, "%s", snap->link_hint);
}

/* The first answer, or the reason why there is none. */
static bool
wait_first(struct sampler *s, struct error *err)
{
	struct mono start = mono_now();

	for (;;) {
		if (s->snap && s->snap->taken_at.us && has_answer(s->snap, PROBE_SERVER))
			return true;
		if (s->snap && s->snap->link == LINK_DOWN)
			return fail_link(s->snap, err);
		if (mono_since_ms(mono_now(), start) > CONNECT_MS)
			return fail_link(s->snap, err);
		wait_snapshot(s, 200);
	}
}

static void
wait_until(struct sampler *s, const struct pane *pane,
    bool (*done)(const struct snapshot *, const struct pane *), int ms)
{
	struct mono start = mono_now();

	while (!done(s->snap, pane) && mono_since_ms(mono_now(), start) < ms)
		wait_snapshot(s, 100);
}

static bool
log_answered(const struct snapshot *snap, const struct pane *pane)
{
	(void)pane;
	return has_answer(snap, PROBE_LOGS);
}

static bool
texts_done(const struct snapshot *snap, const struct pane *pane)
{
	(void)pane;
	return has_texts(snap);
}

void
sampler_post(struct sampler *s, enum probe_id probe, struct rowset *rows)
{
	rowset_unref(s->posted[probe]);
	s->posted[probe] = rows;
}

/* Hand over what was posted, and wait until it is in the snapshot. */
static void
take_posted(struct sampler *s)
{
	struct mono start = mono_now();

	for (int i = 0; i < PROBE_COUNT; i++) {
		struct rowset *rows = s->posted[i];

		if (!rows)
			continue;
		while (!collector_post(s->collector, 0, (enum probe_id)i, rowset_ref(rows)) &&
		    mono_since_ms(mono_now(), start) < ANSWERS_MS)
			wait_snapshot(s, 20);
		while (snapshot_rows(s->snap, (enum probe_id)i) != rows &&
		    mono_since_ms(mono_now(), start) < ANSWERS_MS)
			wait_snapshot(s, 20);
	}
}

const struct snapshot *
sampler_posted(struct sampler *s)
{
	take_posted(s);
	return s->snap;
}

const struct snapshot *
sampler_wait(struct sampler *s, const struct pane *pane, struct error *err)
{
	enum probe_id probes[PROBE_COUNT];

	(void)collector_show(s->collector, 0, probes, pane_probes(pane, NULL, 0, probes));
	wait_snapshot(s, 0);
	if (pane->is_cloud) {
		wait_until(s, pane, cloud_answered, CLOUD_MS);
		return s->snap;
	}
	if (pane->follows && s->has_other_log) {
		wait_until(s, pane, log_answered, CLOUD_MS);
		if (has_answer(s->snap, PROBE_LOGS))
			return s->snap;
	}
	if (!wait_first(s, err))
		return NULL;
	wait_until(s, pane, all_answered, ANSWERS_MS);
	if (pane->needs_pair)
		wait_until(s, pane, all_paired, PAIR_MS);
	if (pane->needs_texts)
		wait_until(s, pane, texts_done, TEXTS_MS);
	take_posted(s);
	return s->snap;
}

const struct snapshot *
sampler_cloud(struct sampler *s, const struct pane *pane)
{
	struct pane cloud = { .nprobes = 0 };
	enum probe_id probes[PROBE_COUNT];

	for (int i = 0; i < pane->nprobes; i++)
		if (probe_plans[pane->probes[i]].scope == SCOPE_CLOUD)
			probes[cloud.nprobes++] = pane->probes[i];
	cloud.probes = probes;
	wait_until(s, &cloud, cloud_answered, CLOUD_MS);
	return s->snap;
}

void
sampler_fill(
    struct sampler *s, const struct pane *pane, const struct pane_opts *opts, struct grid *grid)
{
	struct pane_ctx ctx = { .snap = s->snap, .opts = opts, .now = mono_now() };

	if (s->cache_pane != pane) {
		drop_cache(s);
		s->cache_pane = pane;
		s->cache = pane->cache_new ? pane->cache_new() : NULL;
	}
	ctx.cache = s->cache;
	pane->fill(&ctx, grid);
	grid_seal(grid);
}
