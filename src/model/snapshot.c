/* References of samples and snapshots, and the look-ups that panes share. */
#include "config.h"

#include "model/snapshot.h"

#include <stdlib.h>

#include "base/cell.h"

struct sample *
sample_ref(const struct sample *s)
{
	struct sample *own = (struct sample *)s; /* the count is not part of what is const */
	if (own)
		atomic_fetch_add(&own->refs, 1);
	return own;
}

void
sample_unref(const struct sample *s)
{
	struct sample *own = (struct sample *)s;
	if (!own || atomic_fetch_sub(&own->refs, 1) != 1)
		return;
	rowset_unref(own->rows);
	free(own);
}

struct snapshot *
snapshot_new(void)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));
	atomic_init(&s->refs, 1);
	return s;
}

struct snapshot *
snapshot_ref(const struct snapshot *s)
{
	struct snapshot *own = (struct snapshot *)s;
	if (own)
		atomic_fetch_add(&own->refs, 1);
	return own;
}

void
snapshot_unref(const struct snapshot *s)
{
	struct snapshot *own = (struct snapshot *)s;
	if (!own || atomic_fetch_sub(&own->refs, 1) != 1)
		return;
	for (int i = 0; i < PROBE_COUNT; i++) {
		sample_unref(own->cur[i]);
		sample_unref(own->good[i]);
		sample_unref(own->prev[i]);
	}
	for (int i = 0; i < own->ntexts; i++)
		sample_unref(own->texts[i]);
	for (int i = 0; i < own->nlogs; i++)
		sample_unref(own->logs[i]);
	series_release(&own->series);
	rowset_unref(own->alert_memory);
	arena_release(&own->arena);
	free(own);
}

const struct rowset *
snapshot_rows(const struct snapshot *s, enum probe_id probe)
{
	return s->good[probe] ? s->good[probe]->rows : NULL;
}

bool
snapshot_pair(const struct snapshot *s, enum probe_id probe, const struct rowset **cur,
    const struct rowset **prev, double *seconds)
{
	const struct sample *a = s->good[probe], *b = s->prev[probe];
	if (!a || !b || a->server_at.us <= b->server_at.us)
		return false;
	*cur = a->rows;
	*prev = b->rows;
	*seconds = (double)(a->server_at.us - b->server_at.us) / 1e6;
	return true;
}

int64_t
snapshot_age_ms(const struct snapshot *s, enum probe_id probe, struct mono now)
{
	if (s->replay_now.us)
		now = s->replay_now;
	return s->cur[probe] ? mono_since_ms(now, s->cur[probe]->at) : -1;
}
