/*
 * The recorder: writes what feeds are fed, as it comes, to a file or to a ring in memory (for going
 * back in time). Each refresh is one block; every few minutes a block with all that is known, where
 * reading may begin.
 *
 * Its hooks run in the collector thread; the rest is for the UI thread. A full disk stops the
 * recording, not the collector: recorder_error() says so.
 */
#ifndef PGMEDIC_COLLECT_RECORDER_H
#define PGMEDIC_COLLECT_RECORDER_H

#include "base/error.h"
#include "collect/feed.h"
#include "collect/recfile.h"

enum {
	RECFILE_START = 2
}; /* first block of a run of the recorder: nothing before it goes on in it */

struct recorder;

struct recorder *recorder_file(const char *path, struct error *err) MUST_CHECK;
struct recorder *recorder_memory(size_t max_bytes);
/* After the feeds are gone. */
void recorder_close(struct recorder *r);

/* The hook for a target's feed; at most 1,000 targets. Before the feed is fed. */
struct feed_hook recorder_hook(struct recorder *r, const char *target);

/* Bytes and refreshes recorded so far; false and *err once writing failed. */
bool recorder_state(
    struct recorder *r, int64_t *bytes, int64_t *refreshes, struct error *err) MUST_CHECK;
/* The recording in memory as it is now, to replay or to save. */
struct recfile *recorder_copy(struct recorder *r, struct error *err) MUST_CHECK;

#endif
