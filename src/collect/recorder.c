/* From feed hooks to blocks. */
#include "config.h"

#include "collect/recorder.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collect/recevent.h"
#include "collect/recwriter.h"

enum { MAX_TARGETS = 1000, MAX_PIECES = 64, MAX_LOG_BYTES = 4 << 20 };
static const int64_t key_period_us = 300 * 1000000LL;

/* Answers that add to one another: all of them make what is known. */
struct pieces {
	const struct sample *list[MAX_PIECES];
	int n;
	size_t bytes;
};

struct rec_target {
	struct recorder *rec;
	int number;
	char name[64];
	struct server_info server;
	bool has_server;
	enum link_state link;
	char what[256], hint[256];
	const struct sample *good[PROBE_COUNT], *prev[PROBE_COUNT];
	struct pieces texts, logs;
};

struct recorder {
	pthread_mutex_t lock;     /* guards all below but what only the collector touches: pending,
	                             targets' state */
	struct recfile *file;     /* in memory; of a file NULL */
	struct recwriter *writer; /* of a file; has a lock of its own */
	bool has_started, has_failed;
	bool has_gap; /* the disk did not follow: the next block begins anew */
	struct error error;
	int64_t refreshes, left_out;
	struct strbuf pending; /* events since the last block */
	struct mono last_key;
	struct rec_target *targets[MAX_TARGETS];
	int ntargets;
};

static struct recorder *
recorder_new(void)
{
	struct recorder *r = xcalloc(1, sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	strbuf_init(&r->pending, RECFILE_MAX_RAW);
	return r;
}

struct recorder *
recorder_file(const char *path, struct error *err)
{
	struct recfile *f = recfile_create(path, err);
	struct recorder *r = f ? recorder_new() : NULL;

	if (r)
		r->writer = recwriter_new(f);
	return r;
}

struct recorder *
recorder_memory(size_t max_bytes)
{
	struct recorder *r = recorder_new();

	r->file = recfile_memory(max_bytes);
	return r;
}

static void
drop_oldest(struct pieces *p)
{
	p->bytes -= p->list[0]->rows->arena.bytes;
	sample_unref(p->list[0]);
	memmove(p->list, p->list + 1, (size_t)(p->n - 1) * sizeof(p->list[0]));
	p->n--;
}

static void
add_piece(struct pieces *p, const struct sample *s, size_t max_bytes)
{
	if (s->rows->nrows == 0)
		return;
	while (p->n == MAX_PIECES || (p->n > 0 && p->bytes > max_bytes))
		drop_oldest(p);
	p->list[p->n++] = sample_ref(s);
	p->bytes += s->rows->arena.bytes;
}

static void
release_target(struct rec_target *t)
{
	for (int i = 0; i < PROBE_COUNT; i++) {
		sample_unref(t->good[i]);
		sample_unref(t->prev[i]);
	}
	while (t->texts.n > 0)
		drop_oldest(&t->texts);
	while (t->logs.n > 0)
		drop_oldest(&t->logs);
	free(t);
}

void
recorder_close(struct recorder *r)
{
	struct error ignored;
	int64_t bytes;

	if (!r)
		return;
	if (!recorder_end(r, &bytes, &ignored))
		bytes = 0; /* who wants to know has ended it before */
	for (int i = 0; i < r->ntargets; i++)
		release_target(r->targets[i]);
	strbuf_release(&r->pending);
	recfile_close(r->file);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static void
put(struct strbuf *out, const struct rec_target *t, struct rec_event ev)
{
	ev.target = t->number;
	ev.at = wall_now();
	ev.mono = ev.sample ? ev.sample->at : mono_now();
	rec_put(out, &ev);
}

static void
put_link(struct strbuf *out, const struct rec_target *t)
{
	struct rec_event ev = { .kind = REC_LINK, .link = t->link };
	snprintf(ev.what, sizeof(ev.what), "%s", t->what);
	snprintf(ev.hint, sizeof(ev.hint), "%s", t->hint);
	put(out, t, ev);
}

/* A sample that was handed to a hook is const; the event only reads it. */
static void
put_sample(struct strbuf *out, const struct rec_target *t, const struct sample *s)
{
	put(out, t, (struct rec_event){ .kind = REC_SAMPLE, .sample = (struct sample *)s });
}

/* Everything known of every target: earlier answers first, so that reading rebuilds good and prev.
 */
static void
put_all(struct recorder *r, struct strbuf *out)
{
	for (int i = 0; i < r->ntargets; i++) {
		const struct rec_target *t = r->targets[i];
		struct rec_event ev = { .kind = REC_TARGET };

		snprintf(ev.name, sizeof(ev.name), "%s", t->name);
		put(out, t, ev);
		if (t->has_server)
			put(out, t, (struct rec_event){ .kind = REC_SERVER, .server = t->server });
		put_link(out, t);
		for (int k = 0; k < t->texts.n; k++)
			put_sample(out, t, t->texts.list[k]);
		for (int k = 0; k < t->logs.n; k++)
			put_sample(out, t, t->logs.list[k]);
		for (int p = 0; p < PROBE_COUNT; p++)
			if (t->prev[p])
				put_sample(out, t, t->prev[p]);
		for (int p = 0; p < PROBE_COUNT; p++)
			if (t->good[p])
				put_sample(out, t, t->good[p]);
	}
}

/* Takes what is in raw. False: the disk does not follow, and nothing was taken. */
static bool
append(struct recorder *r, unsigned flags, struct strbuf *raw)
{
	struct error err;

	if (r->writer)
		return recwriter_put(r->writer, wall_now(), flags, raw);
	if (r->file && !r->has_failed && !recfile_append(r->file, wall_now(), flags, raw, &err)) {
		r->has_failed = true;
		r->error = err;
	}
	strbuf_clear(raw);
	return true;
}

/* A block with all that is known now. */
static bool
append_all(struct recorder *r, unsigned flags)
{
	struct strbuf all = STRBUF_INIT(RECFILE_MAX_RAW);
	bool ok;

	put_all(r, &all);
	ok = append(r, flags, &all);
	strbuf_release(&all);
	return ok;
}

/* A block for what came since the last one; after it, when it is time, one with all that is known.
 * Where blocks were left out, the next one is like that of a new run. */
static void
flush(struct recorder *r)
{
	struct mono now = mono_now();
	bool is_key = now.us - r->last_key.us > key_period_us, ok;

	pthread_mutex_lock(&r->lock);
	if (r->has_gap) {
		ok = append_all(r, RECFILE_KEY | RECFILE_START);
		is_key = false;
		if (ok)
			r->last_key = now;
	} else {
		ok = append(r, 0, &r->pending);
	}
	r->has_gap = !ok;
	r->refreshes += ok;
	r->left_out += !ok;
	if (ok && is_key && append_all(r, RECFILE_KEY))
		r->last_key = now;
	pthread_mutex_unlock(&r->lock);
	strbuf_clear(&r->pending);
}

/* The first block names the targets and marks that a run begins. */
static void
begin(struct recorder *r)
{
	if (r->has_started)
		return;
	r->has_started = true;
	r->last_key = mono_now();
	pthread_mutex_lock(&r->lock);
	r->has_gap = !append_all(r, RECFILE_KEY | RECFILE_START);
	pthread_mutex_unlock(&r->lock);
}

static void
hook_sample(void *arg, const struct sample *s)
{
	struct rec_target *t = arg;
	enum probe_id p = s->probe;

	begin(t->rec);
	put_sample(&t->rec->pending, t, s);
	if (s->state != SAMPLE_OK)
		return;
	if (p == PROBE_STATEMENT_TEXTS) {
		add_piece(&t->texts, s, SIZE_MAX);
		return;
	}
	if (p == PROBE_LOGS) {
		add_piece(&t->logs, s, MAX_LOG_BYTES);
		return;
	}
	sample_unref(t->prev[p]);
	t->prev[p] = t->good[p];
	t->good[p] = sample_ref(s);
}

static void
hook_server(void *arg, const struct server_info *server)
{
	struct rec_target *t = arg;

	t->server = *server;
	t->has_server = true;
	begin(t->rec);
	put(&t->rec->pending, t, (struct rec_event){ .kind = REC_SERVER, .server = *server });
}

static void
hook_link(void *arg, enum link_state state, const char *what, const char *hint)
{
	struct rec_target *t = arg;

	t->link = state;
	snprintf(t->what, sizeof(t->what), "%s", what);
	snprintf(t->hint, sizeof(t->hint), "%s", hint);
	begin(t->rec);
	put_link(&t->rec->pending, t);
}

static void
hook_seal(void *arg, const struct snapshot *s)
{
	struct rec_target *t = arg;

	if (t->rec->pending.len == 0)
		return; /* nothing came: a change of the age alone */
	put(&t->rec->pending, t, (struct rec_event){ .kind = REC_SEAL, .cost = s->cost });
	flush(t->rec);
}

struct feed_hook
recorder_hook(struct recorder *r, const char *target)
{
	struct rec_target *t = xcalloc(1, sizeof(*t));

	if (r->ntargets == MAX_TARGETS)
		fatal("a recording holds at most %d targets", MAX_TARGETS);
	t->rec = r;
	t->number = r->ntargets;
	snprintf(t->name, sizeof(t->name), "%s", target);
	r->targets[r->ntargets++] = t;
	return (struct feed_hook){ .arg = t,
		.sample = hook_sample,
		.server = hook_server,
		.link = hook_link,
		.seal = hook_seal };
}

bool
recorder_state(struct recorder *r, int64_t *bytes, int64_t *refreshes, struct error *err)
{
	bool ok;

	pthread_mutex_lock(&r->lock);
	*bytes = r->file ? recfile_bytes(r->file) : 0;
	*refreshes = r->refreshes;
	ok = !r->has_failed;
	if (!ok)
		*err = r->error;
	pthread_mutex_unlock(&r->lock);
	return r->writer ? recwriter_state(r->writer, bytes, err) : ok;
}

int64_t
recorder_left_out(struct recorder *r)
{
	int64_t n;

	pthread_mutex_lock(&r->lock);
	n = r->left_out;
	pthread_mutex_unlock(&r->lock);
	return n;
}

bool
recorder_end(struct recorder *r, int64_t *bytes, struct error *err)
{
	bool ok = recwriter_end(r->writer, bytes, err);

	r->writer = NULL;
	return ok;
}

struct recfile *
recorder_copy(struct recorder *r, struct error *err)
{
	struct recfile *copy;

	pthread_mutex_lock(&r->lock);
	copy = recfile_copy(r->file, err);
	pthread_mutex_unlock(&r->lock);
	return copy;
}
