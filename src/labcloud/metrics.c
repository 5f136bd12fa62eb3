#include "config.h"

#include "labcloud/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/rowset.h"
#include "pg/sync.h"

enum { SECONDS = 3 * 3600, SESSIONS = 1 << 17, TEXTS = 4096, QUERY_MS = 2000 };

struct metrics {
	struct {
		int64_t at; /* second; 0: never measured */
		double v[METRICS];
	} seconds[SECONDS];
	struct {
		int64_t at;
		uint16_t key[DIMENSIONS];
	} sessions[SESSIONS]; /* a ring */
	uint64_t nsessions;   /* ever */
	char *texts[TEXTS];   /* the first is of what no longer fits */
	int ntexts;
};

static const char *const names[] = {
#define X(name, unit) #name,
	METRIC_LIST(X)
#undef X
};

enum metric
metric_find(const char *name)
{
	int i = 0;

	while (i < METRICS && strcmp(names[i], name) != 0)
		i++;
	return (enum metric)i;
}

const char *
metric_name(enum metric metric)
{
	return names[metric];
}

/* ---- measuring */

struct sampler { /* what the thread keeps for itself */
	struct world *world;
	struct pg_sync *pg;
	int port;
	double cpu_busy, cpu_all, reads, in, out; /* counters of the second before; < 0: none */
};

/* How much of all processors was busy since the last look, in percent. */
static double
cpu_percent(struct sampler *s)
{
	double v[8] = { 0 }, all = 0, result = 0;
	FILE *f = fopen("/proc/stat", "re");

	if (f &&
	    fscanf(f, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3], &v[4],
	        &v[5], &v[6], &v[7]) == 8) {
		for (int i = 0; i < 8; i++)
			all += v[i];
		double busy = all - v[3] - v[4];

		if (s->cpu_all >= 0 && all > s->cpu_all)
			result = 100 * (busy - s->cpu_busy) / (all - s->cpu_all);
		s->cpu_busy = busy;
		s->cpu_all = all;
	}
	if (f)
		fclose(f);
	return result;
}

static double
free_memory(void)
{
	char line[128];
	double kb = 0;
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %lf", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb * 1024;
}

static double
rate(double now, double *before)
{
	double result = *before >= 0 && now >= *before ? now - *before : 0;

	*before = now;
	return result;
}

/* The loopback interface carries the lab's traffic. */
static void
network(struct sampler *s, double *v)
{
	char line[256];
	double in = 0, out = 0;
	FILE *f = fopen("/proc/net/dev", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " lo: %lf %*f %*f %*f %*f %*f %*f %*f %lf", &in, &out) == 2)
			break;
	if (f)
		fclose(f);
	v[METRIC_NetworkReceiveThroughput] = rate(in, &s->in);
	v[METRIC_NetworkTransmitThroughput] = rate(out, &s->out);
}

static uint16_t
intern(struct metrics *m, const char *text)
{
	for (int i = 0; i < m->ntexts; i++)
		if (strcmp(m->texts[i], text) == 0)
			return (uint16_t)i;
	if (m->ntexts == TEXTS)
		return 0;
	m->texts[m->ntexts] = xstrdup(text);
	return (uint16_t)m->ntexts++;
}

static const char *
text_of(struct arena *arena, const struct rowset *rows, int row, const char *column)
{
	const struct cell *c = rowset_get(rows, row, column);

	return c->type == CELL_TEXT ? arena_strndup(arena, c->s, c->len) : "";
}

static void
add_session(
    struct world *w, struct arena *arena, const struct rowset *rows, int row, int64_t at, double *v)
{
	struct metrics *m = w->metrics;
	const char *wait = text_of(arena, rows, row, "wait");
	uint64_t place = m->nsessions++ % SESSIONS;

	m->sessions[place].at = at;
	m->sessions[place].key[DIM_WAIT] = intern(m, wait);
	m->sessions[place].key[DIM_USER] = intern(m, text_of(arena, rows, row, "user_name"));
	m->sessions[place].key[DIM_SQL] = intern(m, text_of(arena, rows, row, "statement"));
	v[METRIC_DBLoad] += 1;
	v[strcmp(wait, "CPU") == 0 ? METRIC_DBLoadCPU : METRIC_DBLoadNonCPU] += 1;
}

/* With the world locked. */
static void
store(struct sampler *s, const struct rowset *rows, int64_t at, double *v)
{
	struct arena arena = { 0 };

	for (int r = 0; rows && r < rows->nrows; r++) {
		const char *name = text_of(&arena, rows, r, "name");
		const struct cell *value = rowset_get(rows, r, "value");
		enum metric metric = metric_find(name);

		if (strcmp(name, "session") == 0)
			add_session(s->world, &arena, rows, r, at, v);
		else if (value->type != CELL_FLOAT)
			continue;
		else if (strcmp(name, "LastArchived") == 0)
			s->world->archived.us = (int64_t)value->f * 1000000;
		else if (strcmp(name, "ReadOperations") == 0)
			v[METRIC_ReadIOPS] = rate(value->f, &s->reads);
		else if (metric != METRICS)
			v[metric] = value->f;
	}
	arena_release(&arena);
	s->world->metrics->seconds[at % SECONDS].at = at;
	memcpy(s->world->metrics->seconds[at % SECONDS].v, v, sizeof(double) * METRICS);
}

static void
sample(struct sampler *s)
{
	struct world *w = s->world;
	struct rowset *rows = NULL;
	struct statvfs fs;
	struct error ignored;
	double v[METRICS] = { 0 };
	char conninfo[128];

	pthread_mutex_lock(&w->lock);
	int port = w->ninstances ? w->instances[0].port : 0;
	pthread_mutex_unlock(&w->lock);
	if (s->pg && port != s->port) {
		pg_sync_close(s->pg);
		s->pg = NULL;
	}
	if (!s->pg && port) {
		s->port = port;
		snprintf(conninfo, sizeof(conninfo),
		    "host=127.0.0.1 port=%d user=dba dbname=shop connect_timeout=2", port);
		s->pg = pg_sync_open(conninfo, NULL, &ignored);
	}
	if (s->pg)
		rows = pg_sync_run(s->pg, "lab_cloud", NULL, 0, QUERY_MS, &ignored);
	if (s->pg && !rows) {
		pg_sync_close(s->pg);
		s->pg = NULL;
	}
	v[METRIC_CPUUtilization] = cpu_percent(s);
	v[METRIC_FreeableMemory] = free_memory();
	if (statvfs(w->options.directory, &fs) == 0)
		v[METRIC_FreeStorageSpace] = (double)fs.f_bavail * (double)fs.f_frsize;
	network(s, v);
	/* A server that does not answer has no data points, as there. */
	if (rows) {
		pthread_mutex_lock(&w->lock);
		store(s, rows, wall_now().us / 1000000, v);
		pthread_mutex_unlock(&w->lock);
		rowset_unref(rows);
	}
}

static void *
sampler_thread(void *arg)
{
	struct sampler s = { .world = arg, .cpu_all = -1, .reads = -1, .in = -1, .out = -1 };

	for (;;) {
		int64_t into = wall_now().us % 1000000;
		const struct timespec rest = { .tv_nsec = (999999 - into) * 1000 };

		sample(&s);
		nanosleep(&rest, NULL);
	}
	return NULL;
}

bool
metrics_start(struct world *w, struct error *err)
{
	pthread_t thread;

	w->metrics = xcalloc(1, sizeof(*w->metrics));
	intern(w->metrics, "other");
	if (pthread_create(&thread, NULL, sampler_thread, w) != 0)
		return error_set(err, ERR_PROGRAM, "cannot start a thread");
	pthread_detach(thread);
	return true;
}

/* ---- reading */

struct metric_span
metrics_span(const struct world *w, enum metric metric, int64_t from, int64_t to)
{
	struct metric_span span = { 0 };

	for (int64_t t = from; t < to; t++) {
		double v = w->metrics->seconds[t % SECONDS].v[metric];

		if (w->metrics->seconds[t % SECONDS].at != t)
			continue;
		span.min = span.n && span.min < v ? span.min : v;
		span.max = span.n && span.max > v ? span.max : v;
		span.sum += v;
		span.n++;
	}
	return span;
}

/* Seconds of from..to that were measured: what sums are divided by. */
static int
measured(const struct world *w, int64_t from, int64_t to)
{
	return metrics_span(w, METRIC_DBLoad, from, to).n;
}

static uint64_t
oldest(const struct metrics *m)
{
	return m->nsessions > SESSIONS ? m->nsessions - SESSIONS : 0;
}

static int
by_load(const void *a, const void *b)
{
	const struct load_key *x = a, *y = b;

	return x->load < y->load ? 1 : x->load > y->load ? -1 : strcmp(x->text, y->text);
}

int
metrics_load(const struct world *w, enum dimension by, int64_t from, int64_t to,
    struct load_key *keys, int max)
{
	const struct metrics *m = w->metrics;
	struct load_key *all = xcalloc((size_t)m->ntexts, sizeof(*all));
	int seconds = measured(w, from, to), n = 0;

	for (uint64_t i = oldest(m); i < m->nsessions; i++)
		if (m->sessions[i % SESSIONS].at >= from && m->sessions[i % SESSIONS].at < to)
			all[m->sessions[i % SESSIONS].key[by]].load +=
			    1.0 / (seconds ? seconds : 1);
	for (int i = 0; i < m->ntexts; i++)
		all[i].text = m->texts[i];
	qsort(all, (size_t)m->ntexts, sizeof(*all), by_load);
	while (n < max && n < m->ntexts && all[n].load > 0) {
		keys[n] = all[n];
		n++;
	}
	free(all);
	return n;
}

double
metrics_load_of(
    const struct world *w, enum dimension by, const char *text, int64_t from, int64_t to)
{
	const struct metrics *m = w->metrics;
	int seconds = measured(w, from, to), n = 0;

	for (uint64_t i = oldest(m); i < m->nsessions; i++)
		n += m->sessions[i % SESSIONS].at >= from && m->sessions[i % SESSIONS].at < to &&
		    strcmp(m->texts[m->sessions[i % SESSIONS].key[by]], text) == 0;
	return seconds ? (double)n / seconds : 0;
}
