/*
 * pgBackRest: run it, and judge what it did. Its exit status 0 does not mean that a backup is good
 * (a corrupt page, a missing segment), so each verdict is made from what it says.
 */
#ifndef PGMEDIC_OPS_PGBACKREST_H
#define PGMEDIC_OPS_PGBACKREST_H

#include <stdbool.h>

#include "base/json.h"
#include "ops/op.h"

struct pgbackrest_backup {
	const char *label;    /* "20261121-042011F" */
	const char *type;     /* "full", "diff", "incr" */
	const char *prior;    /* label it builds on, "" none */
	const char *name;     /* annotation: what the user called it, "" */
	const char *policy;   /* annotation: "daily", "weekly", "monthly", "" */
	const char *verified; /* annotation: the verdict of `verify`, check_mark(), "" */
	const char *job;      /* annotation: id of the job that made it, "" */
	struct wall start, stop;
	int64_t size, delta, repo_size;   /* bytes: of the database, copied, in the repository */
	const char *wal_start, *wal_stop; /* segment names */
	const char *lsn_start, *lsn_stop;
	const char **references;
	int nreferences;
	bool has_error; /* pages were corrupt when it was made */
};

struct pgbackrest_info {
	struct json *root;
	const char *stanza;
	int code;                          /* of the stanza's status; 0: ok */
	const char *message;               /* of it */
	bool is_running;                   /* a backup holds the lock */
	struct pgbackrest_backup *backups; /* oldest first */
	int n;
	const char *wal_id, *wal_min,
	    *wal_max;                  /* of the newest database: "15-1", segments; "" none */
	const char *system_identifier; /* digits */
	int pg_major;                  /* of the newest database: 15 */
};

/* Everything it knows of the target's stanza; to be released also on failure. */
bool pgbackrest_info(struct op *op, struct pgbackrest_info *info, struct error *err) MUST_CHECK;
void pgbackrest_info_release(struct pgbackrest_info *info);
/* By label, or by the name it was given; "latest". NULL: none. */
const struct pgbackrest_backup *pgbackrest_find(
    const struct pgbackrest_info *info, const char *name);
/*
 * Run a command; args: NULL-terminated, without config and stanza. out: all that it printed (may be
 * NULL). ERR_PROGRAM with the last line that says something, and a hint by the exit status.
 */
bool pgbackrest_run(struct op *op, const char *const *args, int timeout_ms, struct strbuf *out,
    struct error *err) MUST_CHECK;
/* The first line that begins with "WARN:" or "ERROR:" but those about resuming; NULL: none. */
const char *pgbackrest_warning(struct arena *arena, const char *output);
/* Its version, "2.45"; ERR_PROGRAM where it is not installed. */
bool pgbackrest_version(struct op *op, const char **version, struct error *err) MUST_CHECK;

#endif
