/* From feed hooks to blocks. */
#include "config.h"

#include "collect/recorder.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collect/recevent.h"

enum { MAX_TARGETS = 1000, MAX_TEXTS = 64 };
static const int64_t key_period_us = 300 * 1000000LL;

struct rec_target {
	struct recorder *rec;
	int number;
	char name[64];
	struct server_info server;
	bool has_server;
	enum link_state link;
	char what[256], hint[256];
	const struct sample *good[PROBE_COUNT], *prev[PROBE_COUNT];
	const struct sample *texts[MAX_TEXTS];
	int ntexts;
};

struct recorder {
	pthread_mutex_t lock; /* guards all below but what only the collector touches: pending,
	                         targets' state */
	struct recfile *file;
	bool is_memory, has_started, has_failed;
	struct error error;
	int64_t refreshes;
	struct strbuf pending; /* events since the last block */
	struct mono last_key;
	struct rec_target *targets[MAX_TARGETS];
	int ntargets;
};

static struct recorder *
recorder_new(struct recfile *file, bool is_memory)
{
	struct recorder *r = xcalloc(1, sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	r->file = file;
	r->is_memory = is_memory;
	strbuf_init(&r->pending, RECFILE_MAX_RAW);
	return r;
}

struct recorder *
recorder_file(const char *path, struct error *err)
{
	struct recfile *f = recfile_create(path, err);
	return f ? recorder_new(f, false) : NULL;
}

struct recorder *
recorder_memory(size_t max_bytes)
{
	return recorder_new(recfile_memory(max_bytes), true);
}

static void
release_target(struct rec_target *t)
{
	for (int i = 0; i < PROBE_COUNT; i++) {
		sample_unref(t->good[i]);
		sample_unref(t->prev[i]);
	}
	for (int i = 0; i < t->ntexts; i++)
		sample_unref(t->texts[i]);
	free(t);
}

void
recorder_close(struct recorder *r)
{
	if (!r)
		return;
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
		for (int k = 0; k < t->ntexts; k++)
			put_sample(out, t, t->texts[k]);
		for (int p = 0; p < PROBE_COUNT; p++)
			if (t->prev[p] && p != PROBE_STATEMENT_TEXTS)
				put_sample(out, t, t->prev[p]);
		for (int p = 0; p < PROBE_COUNT; p++)
			if (t->good[p] && p != PROBE_STATEMENT_TEXTS)
				put_sample(out, t, t->good[p]);
	}
}

static void
append(struct recorder *r, unsigned flags, const struct strbuf *raw)
{
	struct error err;

	if (r->has_failed)
		return;
	if (!recfile_append(r->file, wall_now(), flags, raw, &err)) {
		r->has_failed = true;
		r->error = err;
	}
}

/* A block for what came since the last one; before it, when it is time, one with all that was known
 * then. */
static void
flush(struct recorder *r)
{
	struct mono now = mono_now();

	pthread_mutex_lock(&r->lock);
	append(r, 0, &r->pending);
	r->refreshes++;
	if (now.us - r->last_key.us > key_period_us) {
		struct strbuf all = STRBUF_INIT(RECFILE_MAX_RAW);
		put_all(r, &all);
		append(r, RECFILE_KEY, &all);
		strbuf_release(&all);
		r->last_key = now;
	}
	pthread_mutex_unlock(&r->lock);
	strbuf_clear(&r->pending);
}

/* The first block names the targets and marks that a run begins. */
static void
begin(struct recorder *r)
{
	struct strbuf all = STRBUF_INIT(RECFILE_MAX_RAW);

	if (r->has_started)
		return;
	r->has_started = true;
	r->last_key = mono_now();
	pthread_mutex_lock(&r->lock);
	put_all(r, &all);
	append(r, RECFILE_KEY | RECFILE_START, &all);
	pthread_mutex_unlock(&r->lock);
	strbuf_release(&all);
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
		if (t->ntexts == MAX_TEXTS) {
			sample_unref(t->texts[0]);
			memmove(t->texts, t->texts + 1, (MAX_TEXTS - 1) * sizeof(t->texts[0]));
			t->ntexts--;
		}
		t->texts[t->ntexts++] = sample_ref(s);
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
	*bytes = recfile_bytes(r->file);
	*refreshes = r->refreshes;
	ok = !r->has_failed;
	if (!ok)
		*err = r->error;
	pthread_mutex_unlock(&r->lock);
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
