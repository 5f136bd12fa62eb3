/*
 * Which snapshots are kept, and until when: daily ones for some days, weekly ones longer, monthly
 * ones longest. Pure, any thread.
 *
 * What a snapshot is: what it was said to be ("daily", "weekly", "monthly"), else, where it is a
 * full one, the first of its month is monthly, the first of its week (from Sunday) weekly, all
 * others daily; months and weeks are those of UTC. One that was given a name, or that somebody else
 * looks after, is left alone.
 *
 * Never dropped: the newest that is good, the last good full one, the last one that was verified,
 * and all that a kept one builds upon.
 */
#ifndef PGMEDIC_MODEL_RETENTION_H
#define PGMEDIC_MODEL_RETENTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/error.h"

/* Days; 0: there are none of that sort. */
struct retention {
	int daily, weekly, monthly;
	int continuous; /* recovery to any moment */
};
enum { RETENTION_MAX_DAYS = 3650 };

/* "daily 30 weekly 90 monthly 365 continuous 7": in any order, daily is needed. ERR_USAGE. */
bool retention_parse(const char *text, struct retention *out, struct error *err) MUST_CHECK;
const char *retention_text(const struct retention *r, char *buf, size_t size);

enum retention_class {
	RETENTION_OTHER, /* a name of its own, or not ours */
	RETENTION_DAILY,
	RETENTION_WEEKLY,
	RETENTION_MONTHLY,
};
extern const char *const retention_class_names[];
/* RETENTION_OTHER: no such word. */
enum retention_class retention_class_of(const char *word);

struct retention_item {
	const char *id;
	const char *policy;      /* what it was said to be, "" nothing */
	const char *const *uses; /* ids of those it builds upon; may be NULL */
	int nuses;
	struct wall at;
	bool is_full, is_bad, is_verified, is_left_alone;
	/* out */
	enum retention_class class;
	struct wall expires; /* 0: never */
	bool is_dropped;
	const char *why; /* why it is kept though it has expired: "the newest"; "" */
};

/* items: oldest first. */
void retention_judge(
    struct retention_item *items, int n, const struct retention *r, struct wall now);

#endif
