/*
 * What can be recovered: WAL segments of the repository, walked one by one from each backup on.
 * pgBackRest's own "min" and "max" and its verify do not see a segment that is missing between.
 */
#ifndef PGMEDIC_OPS_LOCAL_WINDOW_H
#define PGMEDIC_OPS_LOCAL_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "ops/op.h"
#include "ops/pgbackrest.h"

struct wal_segment {
	uint32_t timeline;
	int64_t number; /* LSN / size of a segment */
	struct wall at; /* when it reached the repository */
};

/* A timeline of the present's ancestry; it begins where its parent was left. */
struct wal_branch {
	uint32_t timeline;
	int64_t begin; /* LSN; 0: the first */
};

struct wal_archive {
	int64_t segment_size;    /* bytes */
	struct wal_branch *line; /* from the first timeline to the one that recovery follows */
	int nline;
	uint32_t newest;           /* timeline that has a .history file; 0: none */
	struct wal_segment *items; /* by timeline and number */
	int n;
};

/* All segments of the newest database of the stanza, and the line of its newest timeline.
 * segment_size 0: of 16 MB, as usual. */
bool wal_archive_read(struct op *op, const struct pgbackrest_info *info, int64_t segment_size,
    struct wal_archive *out, struct error *err) MUST_CHECK;
/* The line of another timeline instead: as its .history file says, after which a failover has gone
 * another way. */
bool wal_archive_follow(struct op *op, const struct pgbackrest_info *info, struct wal_archive *a,
    uint32_t timeline, struct error *err) MUST_CHECK;
/* Is that LSN of that timeline in the line? */
bool wal_is_in_line(const struct wal_archive *a, uint32_t timeline, int64_t lsn);
/* "000000010000000000000003" into its parts. */
bool wal_parse_name(
    const struct wal_archive *a, const char *name, uint32_t *timeline, int64_t *number);
const char *wal_name(struct op *op, const struct wal_archive *a, uint32_t timeline, int64_t number);

/* How far WAL goes without a gap from where a backup began. */
struct wal_reach {
	bool is_whole;                  /* the backup has all that it needs itself */
	const struct wal_segment *last; /* the last one without a gap; NULL none */
	const char *missing;            /* "" there is no gap behind `last` */
	bool is_left;                   /* on a timeline that was left before it was made */
};
void wal_reach_of(struct op *op, const struct wal_archive *a, const struct pgbackrest_backup *b,
    struct wal_reach *out);
/* Does a source that is at `lsn` have nothing but what the reach has? A new segment begins with a
 * header, which is nobody's data. */
bool wal_has_all(const struct wal_archive *a, const struct wal_reach *reach, int64_t lsn);
/* The first segment of that reach that came to the repository at or after `at`; NULL: none. */
const struct wal_segment *wal_covers_time(
    struct op *op, const struct wal_archive *a, const struct pgbackrest_backup *b, struct wall at);
/* "window" and "gap" lines, oldest first; false: nothing can be recovered. */
bool wal_window_doc(struct op *op, struct doc *doc, const struct wal_archive *a,
    const struct pgbackrest_info *info);
/* The same in one line, for a refusal. */
const char *wal_window_text(
    struct op *op, const struct wal_archive *a, const struct pgbackrest_info *info);

#endif
