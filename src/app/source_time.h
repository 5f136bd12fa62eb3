/*
 * A source that moves in time: a recording from a file, or the live collector with what a recorder
 * keeps of its past in memory. UI thread.
 */
#ifndef PGMEDIC_APP_SOURCE_TIME_H
#define PGMEDIC_APP_SOURCE_TIME_H

#include "app/source.h"
#include "collect/recorder.h"
#include "collect/replay.h"

struct time_source;

/* Over a recording: takes the replay. It stands where the replay stands and plays from there. */
struct time_source *time_source_replay(struct replay *take);
/* Over a collector whose targets are hooked to the recorder in this order; both are the caller's.
 * It is live at first. */
struct time_source *time_source_live(struct collector *c, struct recorder *past);
void time_source_free(struct time_source *t);
struct source time_source_ops(struct time_source *t);

/*
 * A place in time as users write it: "start", "end", RFC 3339, HH:MM or HH:MM:SS of the day of `at`
 * (UTC), or -5m, +30s from `at`. Pure.
 */
bool time_read(const char *where, struct wall first, struct wall last, struct wall at,
    struct wall *t, struct error *err) MUST_CHECK;

#endif
