/*
 * The lab's folder: where it is, whose it is, one user at a time, and the marker that says what was
 * made here. Nothing is stopped or removed without a marker whose system identifier is the one in
 * the data directory's control file.
 */
#ifndef PGMEDIC_GUIDE_LAB_FOLDER_H
#define PGMEDIC_GUIDE_LAB_FOLDER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/strbuf.h"

#define LAB_TARGETS "targets.conf" /* what operations need to know of its servers */

struct lab_server {     /* a PostgreSQL server as it was started */
	int port;       /* 0: the lab has none */
	pid_t pid;      /* 0: not started yet */
	uint64_t start; /* with pid the identity of the process */
};

struct lab {
	struct arena arena;
	const char *dir;  /* absolute, without links once the folder exists */
	const char *user; /* name of its owner */
	uid_t uid;
	gid_t gid;
	int lock_fd;                       /* -1: not locked */
	const volatile sig_atomic_t *stop; /* give up what is waited for; may be NULL */
	bool has_statements; /* pg_stat_statements is loaded; known while the lab is made */
	bool has_backup;     /* pgBackRest serves it; known while it is made */
	struct strbuf tail;  /* end of the log of what failed, for the user */

	/* The marker. */
	bool is_complete; /* `up` came to its end */
	bool has_load;
	uint64_t system_id; /* 0: initdb has not finished */
	struct lab_server primary, standby;
	int pool_port;       /* 0: the lab has no PgBouncer */
	int cloud_port;      /* 0: the lab has no cloud */
	int endpoint_port;   /* of the cloud's instance, leads to whichever server is the primary */
	const char *bindir;  /* of PostgreSQL */
	const char *version; /* "15.14" */
	const char *password; /* of the superuser */
	const char *scratch;  /* folder that initdb fills before it becomes "primary" */
};

/*
 * Who would own the lab, and its folder: `directory`, else $PGMEDIC_LAB, else the first that has a
 * marker of $XDG_STATE_HOME/pgmedic/lab and /var/tmp/pgmedic-lab-UID (as root only the latter, with
 * UID of the user that is dropped to). Touches nothing.
 */
bool lab_locate(struct lab *lab, const char *directory, struct error *err) MUST_CHECK;
void lab_release(struct lab *lab);
/* As root: become the lab's owner, for good. With `make`, the folder is made first, owned by that
 * user. */
bool lab_become_owner(struct lab *lab, bool make, struct error *err) MUST_CHECK;
/* Make the folder (with `make`), make sure that it is private and ours, and wait for our turn.
 * ERR_NOT_FOUND: no folder. */
bool lab_lock(struct lab *lab, bool make, struct error *err) MUST_CHECK;
bool lab_is_empty(const struct lab *lab);

/* Read the marker. ERR_NOT_FOUND: none. Damaged, or not the owner's private file: another error. */
bool lab_read(struct lab *lab, struct error *err) MUST_CHECK;
bool lab_write(struct lab *lab, struct error *err) MUST_CHECK;

/* A path in the folder, in the lab's arena. */
const char *lab_path(struct lab *lab, const char *name);
/* Write a new file of the folder (0600), replacing it. */
bool lab_write_file(
    struct lab *lab, const char *name, const char *text, struct error *err) MUST_CHECK;
bool lab_make_dir(struct lab *lab, const char *name, struct error *err) MUST_CHECK;
/* The text of a compiled-in file with each @NAME@ of the pairs (name, value, ..., NULL) replaced.
 */
char *lab_fill(struct lab *lab, const char *file, ...) __attribute__((sentinel));
/* pg_control's system identifier of a data directory of the lab; 0: no such file. */
uint64_t lab_system_id(struct lab *lab, const char *data);
/* Remove what the lab has made, then the folder. ERR_STATE when something else is left in it. */
bool lab_remove(struct lab *lab, struct error *err) MUST_CHECK;
/* An environment for the lab's programs: little of ours, no PG*, language C; `extra`
 * (NULL-terminated, at most 20) added. */
const char *const *lab_environment(struct lab *lab, const char *const *extra);
/* Keep the end of a log for the user. */
void lab_keep_tail(struct lab *lab, const char *path);

#endif
