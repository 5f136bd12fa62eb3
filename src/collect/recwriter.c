/* A queue of blocks between the collector and the disk. */
#include "config.h"

#include "collect/recwriter.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

enum {
	MOST_BLOCKS = 512,
	MOST_BYTES = 64 << 20, /* that wait; one block may always wait, whatever its size */
	PATIENCE_S = 5,        /* for a block, at the end */
};

struct block {
	struct wall at;
	unsigned flags;
	struct strbuf raw;
};

struct recwriter {
	pthread_t thread;
	struct recfile *file; /* the thread's own */

	pthread_mutex_t mutex; /* what follows */
	pthread_cond_t wake, moved;
	struct block blocks[MOST_BLOCKS]; /* a ring */
	int first, n;
	size_t bytes; /* that wait */
	int64_t written, nwritten;
	bool is_ending, is_done, has_failed;
	bool is_alone; /* nobody waits any more: the thread cleans up */
	struct error error;
};

static void
recwriter_free(struct recwriter *w)
{
	for (int i = 0; i < w->n; i++)
		strbuf_release(&w->blocks[(w->first + i) % MOST_BLOCKS].raw);
	pthread_mutex_destroy(&w->mutex);
	pthread_cond_destroy(&w->wake);
	pthread_cond_destroy(&w->moved);
	free(w);
}

/* ------------------------------------------------------------------ the thread */

/* The oldest block; false: all is written and no more will come. */
static bool
take(struct recwriter *w, struct block *block)
{
	bool any;

	pthread_mutex_lock(&w->mutex);
	while (w->n == 0 && !w->is_ending)
		pthread_cond_wait(&w->wake, &w->mutex);
	any = w->n > 0 && !w->has_failed;
	if (any) {
		*block = w->blocks[w->first];
		w->first = (w->first + 1) % MOST_BLOCKS;
		w->n--;
	}
	pthread_mutex_unlock(&w->mutex);
	return any;
}

static void
written(struct recwriter *w, const struct block *block, bool ok, const struct error *err)
{
	pthread_mutex_lock(&w->mutex);
	w->bytes -= block->raw.len;
	w->written = recfile_bytes(w->file);
	w->nwritten++;
	if (!ok) {
		w->has_failed = true;
		w->error = *err;
	}
	pthread_cond_signal(&w->moved);
	pthread_mutex_unlock(&w->mutex);
}

static void *
recwriter_main(void *arg)
{
	struct recwriter *w = arg;
	struct block block;
	struct error err;
	bool is_alone;

	while (take(w, &block)) {
		bool ok = recfile_append(w->file, block.at, block.flags, &block.raw, &err);

		written(w, &block, ok, &err);
		strbuf_release(&block.raw);
	}
	recfile_close(w->file);
	pthread_mutex_lock(&w->mutex);
	w->is_done = true;
	is_alone = w->is_alone;
	pthread_cond_signal(&w->moved);
	pthread_mutex_unlock(&w->mutex);
	if (is_alone)
		recwriter_free(w);
	return NULL;
}

/* ------------------------------------------------------------------ everybody else */

struct recwriter *
recwriter_new(struct recfile *file)
{
	struct recwriter *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t attr;
	sigset_t all, before;
	int failed;

	w->file = file;
	w->written = recfile_bytes(file);
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->wake, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->moved, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&w->thread, NULL, recwriter_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		fatal("cannot start the recorder's thread: %s", strerror(failed));
	return w;
}

bool
recwriter_put(struct recwriter *w, struct wall at, unsigned flags, struct strbuf *raw)
{
	bool ok;

	pthread_mutex_lock(&w->mutex);
	/* After a failure it is said by the state, and taken for nothing. */
	ok = w->has_failed || w->bytes == 0 ||
	    (w->n < MOST_BLOCKS && w->bytes + raw->len <= MOST_BYTES);
	if (ok && !w->has_failed) {
		w->blocks[(w->first + w->n++) % MOST_BLOCKS] = (struct block){ at, flags, *raw };
		w->bytes += raw->len;
		strbuf_init(raw, raw->max);
		pthread_cond_signal(&w->wake);
	} else if (ok) {
		strbuf_clear(raw);
	}
	pthread_mutex_unlock(&w->mutex);
	return ok;
}

bool
recwriter_state(struct recwriter *w, int64_t *bytes, struct error *err)
{
	bool ok;

	pthread_mutex_lock(&w->mutex);
	*bytes = w->written;
	ok = !w->has_failed;
	if (!ok)
		*err = w->error;
	pthread_mutex_unlock(&w->mutex);
	return ok;
}

/* With the mutex: false when nothing moved for too long. */
static bool
wait_for_end(struct recwriter *w)
{
	while (!w->is_done) {
		int64_t before = w->nwritten;
		int64_t us = mono_now().us;
		struct timespec at = { .tv_sec = us / 1000000 + PATIENCE_S,
			.tv_nsec = us % 1000000 * 1000 };

		while (!w->is_done && w->nwritten == before)
			if (pthread_cond_timedwait(&w->moved, &w->mutex, &at) == ETIMEDOUT)
				break;
		if (!w->is_done && w->nwritten == before)
			return false;
	}
	return true;
}

bool
recwriter_end(struct recwriter *w, int64_t *bytes, struct error *err)
{
	bool is_done, ok;

	*bytes = 0;
	if (!w)
		return true;
	pthread_mutex_lock(&w->mutex);
	w->is_ending = true;
	pthread_cond_signal(&w->wake);
	is_done = wait_for_end(w);
	w->is_alone = !is_done;
	*bytes = w->written;
	ok = is_done && !w->has_failed;
	if (w->has_failed) {
		*err = w->error;
	} else if (!is_done) {
		error_set(err, ERR_FILE, "the disk does not take the end of the recording");
		error_hint(err, "What was written before can be read.");
	}
	/* The thread may end, and clean up, as soon as the mutex is free. */
	if (is_done) {
		pthread_mutex_unlock(&w->mutex);
		pthread_join(w->thread, NULL);
		recwriter_free(w);
	} else {
		pthread_detach(w->thread);
		pthread_mutex_unlock(&w->mutex);
	}
	return ok;
}
