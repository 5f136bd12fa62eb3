/* Between whatif.c (the session), whatif_plan.c (statements) and whatif_hypo.c (HypoPG). */
#ifndef PGMEDIC_PG_WHATIF_PRIV_H
#define PGMEDIC_PG_WHATIF_PRIV_H

#include <libpq-fe.h>
#include <signal.h>

#include "pg/query.h"
#include "pg/whatif.h"

struct whatif_type {
	uint32_t oid;
	const char *name, *base; /* base: of a domain, else NULL */
};

/* Names that a statement must not have to be planned here: see whatif_guard.c. */
struct whatif_suspect;
struct whatif_guard {
	struct arena arena;
	struct whatif_suspect *list;
	int n, version; /* version: of the list, 0 none yet */
	uint64_t print; /* of its content */
	int64_t asked_us;
};

struct whatif {
	PGconn *pq;
	PGcancel *cancel;
	volatile sig_atomic_t is_stopped;
	int fd;
	struct pg_catalog *catalog;
	struct arena arena;
	int statement_ms;
	bool is_pooled, is_standby, can_untrack;
	bool no_hypopg;
	const char *home_path;
	int explains, serial;
	double rtt_ms;
	bool has_leftover; /* prepared statements that were not dropped */
	struct whatif_type *types;
	int ntypes, types_cap;
	struct whatif_guard guard;
	/* HypoPG */
	enum whatif_hypo hypo;
	char hypo_what[160], hypo_hint[160];
	const char *hypo_schema;
	bool can_hide, has_real_oids;
	int nhypo, generation; /* generation: of the hypothetical set */
};

/* One transaction in the pipeline: begin, questions, end; then whatif_next() for each of its
 * answers, the two of the beginning skipped by whatif_begun(). */
struct whatif_frame {
	const char *search_path; /* NULL: pg_catalog */
	int timeout_ms;
	bool no_pruning;
};
bool whatif_begin(struct whatif *w, const struct whatif_frame *frame, struct error *err) MUST_CHECK;
/* The end of its questions; the transaction is rolled back. */
bool whatif_end(struct whatif *w, struct error *err) MUST_CHECK;
/* The answers of the beginning; false and *err when it failed (the others are skipped answers
 * then). The connection is lost when w->pq is NULL afterwards. */
bool whatif_begun(struct whatif *w, int64_t deadline_us, struct error *err) MUST_CHECK;
/* The next answer; NULL and *err when the connection is lost or the time is up. */
PGresult *whatif_next(struct whatif *w, int64_t deadline_us, struct error *err) MUST_CHECK;
/* The answers of the end. */
bool whatif_ended(struct whatif *w, int64_t deadline_us, struct error *err) MUST_CHECK;
/* Queue a command. */
bool whatif_send(struct whatif *w, const char *sql, int nparams, const uint32_t *types,
    const char *const *values, struct error *err) MUST_CHECK;
/* Now and that many ms on, in us. */
int64_t whatif_deadline(int ms);
/* The connection is unusable from now on; always false. */
bool whatif_lose(struct whatif *w, struct error *err);
bool whatif_usable(const struct whatif *w, struct error *err) MUST_CHECK;
/* Learn what HypoPG is here, and begin with an empty set. */
bool whatif_hypo_open(struct whatif *w, struct error *err) MUST_CHECK;
/* The parts of a generic EXPLAIN, for transactions that whatif_begin() began. */
enum { WHATIF_BATCH = 16 }; /* transactions under way at once */
/* A name for a prepared statement that no other has. */
void whatif_name(struct whatif *w, char *name, size_t size);
/* Earlier statements whose EXPLAIN failed are still prepared; only where the session is ours. One
 * answer when it was sent. */
bool whatif_send_leftover(struct whatif *w, bool *is_sent, struct error *err) MUST_CHECK;
/* PREPARE, EXPLAIN EXECUTE, DEALLOCATE: three answers; through a pooler one more before them. */
bool whatif_send_generic(struct whatif *w, const char *name, const char *text, int nparams,
    struct error *err) MUST_CHECK;
/* Its answers. */
bool whatif_take_generic(
    struct whatif *w, int64_t deadline, struct arena *arena, const char **json, struct error *err);
/* One answer; false and *err unless it is of this kind. The first error counts. */
bool whatif_take(struct whatif *w, int64_t deadline, ExecStatusType status, PGresult **result,
    struct error *err);
/* Were partitions left out of a generic plan, by the NULLs that stand for parameters? */
bool whatif_is_pruned(const char *json);
/* Ask for the list where it is older than a second. */
bool whatif_guard_look(struct whatif *w, struct error *err) MUST_CHECK;
/* May this be planned? path: that it is planned with, NULL the role's own. */
bool whatif_guard_allows(
    struct whatif *w, const char *text, const char *path, struct error *err) MUST_CHECK;
/* The type's name; NULL before it was learned. */
const struct whatif_type *whatif_type(const struct whatif *w, uint32_t oid);

#endif
