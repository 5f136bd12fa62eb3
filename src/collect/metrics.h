/* The figures of a tick, from the samples as they come. One thread at a time; part of the feed. */
#ifndef PGMEDIC_COLLECT_METRICS_H
#define PGMEDIC_COLLECT_METRICS_H

#include "model/snapshot.h"

enum { METRICS_POOLS = 64 };
struct metrics_pool {
	uint64_t key; /* hash of the database's name */
	double size;
};

struct metrics {
	float value[METRIC_COUNT];       /* of the newest samples; NAN unknown */
	struct mono taken[METRIC_COUNT]; /* when the value was measured; 0: with each tick */
	struct metrics_pool pools[METRICS_POOLS]; /* PgBouncer's pool sizes */
	int npools;
};

void metrics_init(struct metrics *m);
/* Values that compare with the past are unknown again. */
void metrics_begin_life(struct metrics *m);
/* A good sample, and the one to pair it with or NULL. */
void metrics_take(struct metrics *m, const struct sample *s, const struct sample *before,
    const struct server_info *server);
/* Fill the tick's metrics; its loads, mono and at are set. Values too old to speak of that moment
 * are NAN. */
void metrics_tick(struct metrics *m, struct tick *t);

#endif
