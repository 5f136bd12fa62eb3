/*
 * Ticks in chunks. A chunk is written by the feed alone, tick after tick; a reader looks at the
 * first series.n ticks only, all of which were written before its snapshot was published, so no
 * lock is needed. The same holds for texts: blocks of pointers never move, and an id is in a tick
 * only after its text is in place.
 */
#include "config.h"

#include "model/series.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"

struct series_chunk {
	atomic_int refs;
	int n; /* writer only */
	struct tick ticks[SERIES_CHUNK];
	struct arena arena; /* loads */
};

enum { TEXT_BLOCK = 256, TEXT_BLOCKS = 512, TEXT_MAX = 128 };

struct series_texts {
	atomic_int refs;
	uint32_t n;      /* writer only */
	struct hmap ids; /* hash of the text -> id; writer only */
	struct arena arena;
	const char **blocks[TEXT_BLOCKS];
};

static struct series_texts *
texts_new(void)
{
	struct series_texts *t = xcalloc(1, sizeof(*t));
	atomic_init(&t->refs, 1);
	return t;
}

static void
texts_unref(struct series_texts *t)
{
	if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	for (int i = 0; i < TEXT_BLOCKS; i++)
		free(t->blocks[i]);
	hmap_release(&t->ids);
	arena_release(&t->arena);
	free(t);
}

static void
chunk_unref(struct series_chunk *c)
{
	if (atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	arena_release(&c->arena);
	free(c);
}

const struct tick *
series_tick(const struct series *s, int i)
{
	assert(i >= 0 && i < s->n);
	return &s->chunks[i / SERIES_CHUNK]->ticks[i % SERIES_CHUNK];
}

const char *
series_text(const struct series *s, uint32_t id)
{
	/* Ids come from ticks of this series; block 0 exists once there is a tick with texts. */
	if (!s->texts || id >= TEXT_BLOCK * TEXT_BLOCKS || !s->texts->blocks[id / TEXT_BLOCK])
		return "";
	const char *text = s->texts->blocks[id / TEXT_BLOCK][id % TEXT_BLOCK];
	return text ? text : "";
}

int
series_since(const struct series *s, double seconds)
{
	if (s->n == 0)
		return 0;
	int64_t from = series_tick(s, s->n - 1)->at.us - (int64_t)(seconds * 1e6);
	int low = 0, high = s->n - 1;
	while (low < high) {
		int mid = (low + high) / 2;
		if (series_tick(s, mid)->at.us < from)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static uint32_t
text_add(struct series_texts *t, const char *text, size_t len)
{
	uint32_t id = t->n;
	if (id == TEXT_BLOCK * TEXT_BLOCKS)
		return 0;
	if (!t->blocks[id / TEXT_BLOCK])
		t->blocks[id / TEXT_BLOCK] = xcalloc(TEXT_BLOCK, sizeof(char *));
	t->blocks[id / TEXT_BLOCK][id % TEXT_BLOCK] = arena_strndup(&t->arena, text, len);
	t->n++;
	return id;
}

uint32_t
series_intern(struct series *s, const char *text, size_t len)
{
	if (!s->texts) {
		s->texts = texts_new();
		text_add(s->texts, "", 0);
	}
	if (len == 0)
		return 0;
	if (len > TEXT_MAX)
		len = TEXT_MAX;
	uint64_t key = hash_bytes(0, text, len), id;
	/* Equal hashes of different texts are told apart by probing with another seed. */
	for (uint64_t seed = 1; hmap_get(&s->texts->ids, key, &id); seed++) {
		const char *known = series_text(s, (uint32_t)id);
		if (strlen(known) == len && memcmp(known, text, len) == 0)
			return (uint32_t)id;
		if (seed > 4 || memchr(text, '\0', len))
			return 0;
		key = hash_bytes(seed, text, len);
	}
	id = text_add(s->texts, text, len);
	if (id)
		hmap_put(&s->texts->ids, key, id);
	return (uint32_t)id;
}

void
series_add(struct series *s, const struct tick *tick)
{
	if (s->n == s->nchunks * SERIES_CHUNK) {
		if (s->nchunks == SERIES_CHUNKS) {
			chunk_unref(s->chunks[0]);
			memmove(
			    s->chunks, s->chunks + 1, (SERIES_CHUNKS - 1) * sizeof(s->chunks[0]));
			s->nchunks--;
			s->n -= SERIES_CHUNK;
		}
		struct series_chunk *fresh = xcalloc(1, sizeof(*fresh));
		atomic_init(&fresh->refs, 1);
		s->chunks[s->nchunks++] = fresh;
	}
	struct series_chunk *c = s->chunks[s->nchunks - 1];
	struct tick *t = &c->ticks[c->n++];
	*t = *tick;
	t->loads = NULL;
	if (tick->nloads > 0) {
		struct load *loads = arena_alloc(&c->arena, (size_t)tick->nloads * sizeof(*loads));
		memcpy(loads, tick->loads, (size_t)tick->nloads * sizeof(*loads));
		t->loads = loads;
	}
	s->n++;
}

struct series
series_share(const struct series *s)
{
	for (int i = 0; i < s->nchunks; i++)
		atomic_fetch_add(&s->chunks[i]->refs, 1);
	if (s->texts)
		atomic_fetch_add(&s->texts->refs, 1);
	return *s;
}

void
series_release(struct series *s)
{
	for (int i = 0; i < s->nchunks; i++)
		chunk_unref(s->chunks[i]);
	texts_unref(s->texts);
	*s = (struct series){ .n = 0 };
}
