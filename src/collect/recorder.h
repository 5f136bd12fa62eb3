/*
 * The recorder: writes what feeds are fed, as it comes, to a file or to a ring in memory (for going
 * back in time). Each refresh is one block; every few minutes a block with all that is known, where
 * reading may begin.
 *
 * Its hooks run in the collector thread; the rest is for the UI thread. A file is written by a
 * thread of its own: a full disk stops the recording, one that hangs leaves refreshes out of it,
 * and neither stops the collector.
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

/* Bytes written and refreshes recorded so far; false and *err once writing failed. */
bool recorder_state(
    struct recorder *r, int64_t *bytes, int64_t *refreshes, struct error *err) MUST_CHECK;
/* Refreshes that are not in the recording, because the disk did not take them in time. */
int64_t recorder_left_out(struct recorder *r);
/* The end of a recording to a file, after the feeds are gone: waits until it is written (some
 * seconds for a disk that does not answer) and says how large it became; false and *err when it is
 * not whole. */
bool recorder_end(struct recorder *r, int64_t *bytes, struct error *err) MUST_CHECK;
/* The recording in memory as it is now, to replay or to save. */
struct recfile *recorder_copy(struct recorder *r, struct error *err) MUST_CHECK;

#endif
