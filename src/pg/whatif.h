/*
 * A session for index advice: it plans other people's statements and asks HypoPG what an index
 * would change, and leaves nothing behind. Its own connection, never pooled with the collector's;
 * read-only transactions that are rolled back, statement and lock timeouts,
 * pg_stat_statements.track = none where the role may, application_name "pgmedic advise". Blocks,
 * but never longer than its timeouts; whatif_stop() from another thread or a signal handler ends
 * it. A session belongs to one thread.
 */
#ifndef PGMEDIC_PG_WHATIF_H
#define PGMEDIC_PG_WHATIF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rowset.h"

struct whatif;

enum whatif_hypo {
	HYPO_USABLE,
	HYPO_OFF,     /* hypopg = never */
	HYPO_ABSENT,  /* not created in this database (available or not: see whatif_hypo_what) */
	HYPO_DENIED,  /* the role may not call it */
	HYPO_REFUSED, /* pg_hint_plan is loaded beside it (pg_hint_plan #205), or a pooler between
	               */
};

struct whatif_conf {
	const char *conninfo, *password;
	const char *database; /* NULL: the conninfo's */
	bool no_hypopg;       /* hypopg = never */
	int statement_ms;     /* timeout of one EXPLAIN; 0: 2000 */
};

/* NULL and *err: cannot connect. */
struct whatif *whatif_open(const struct whatif_conf *conf, struct error *err) MUST_CHECK;
/* hypopg_reset(), DEALLOCATE, close. NULL is fine. */
void whatif_close(struct whatif *w);
enum whatif_hypo whatif_hypo(const struct whatif *w, const char **what, const char **hint);
int whatif_version_num(const struct whatif *w);
int whatif_explains(const struct whatif *w);  /* EXPLAINs sent so far, tries included */
double whatif_rtt_ms(const struct whatif *w); /* least round trip seen */

/* A named query of src/pg in this session (catalog, statistics, workload). NULL and *err on
 * failure; the caller unrefs. */
struct rowset *whatif_query(struct whatif *w, const char *name, const char *const *params,
    int nparams, struct error *err) MUST_CHECK;

/*
 * A statement made ready to plan: repaired, typed, made read-only. Texts of pg_stat_statements ($n
 * for constants, several thousand bytes, squashed IN lists, utility statements around a query) all
 * go in here.
 */
enum whatif_why {
	WHATIF_OK,
	WHATIF_UTILITY,   /* nothing to plan in it */
	WHATIF_TRUNCATED, /* cut, NULL or "<insufficient privilege>" */
	WHATIF_DENIED,    /* the role may not read what it reads */
	WHATIF_GONE,      /* names what is not here: temporary, dropped, of another database */
	WHATIF_SYNTAX,    /* could not be repaired */
	WHATIF_TIMEOUT,
	WHATIF_UNSAFE, /* planning could run somebody else's function, or lock too much */
	WHATIF_OTHER,
};

struct whatif_statement {
	const char *text; /* as it is planned; DML as SELECT when is_rewritten */
	int nparams;
	const uint32_t *types;         /* [nparams] type oids that the server resolved */
	const char *const *type_names; /* [nparams] format_type */
	bool is_rewritten;             /* UPDATE/DELETE … as SELECT, row locks left out */
	char command;                  /* 's' 'i' 'u' 'd' 'm' of the original */
	const char *search_path;       /* in force, or NULL */
	int retries;
	/* what a generic EXPLAIN said while it was made ready, and of which hypothetical set:
	 * spares whatif_explain() the first one */
	const char *plan;
	int generation;
	int guard; /* the version of the list that it was found safe by */
};

/* search_path: of the role that runs it (database and role settings), NULL ours. Everything in the
 * arena. On failure *why and *err. */
bool whatif_prepare(struct whatif *w, const char *text, const char *search_path,
    struct arena *arena, struct whatif_statement *out, enum whatif_why *why,
    struct error *err) MUST_CHECK;
/* Several at once, in a few round trips. False: the connection is gone, or it was stopped. */
struct whatif_job {
	const char *text, *search_path;
	struct whatif_statement statement;
	enum whatif_why why;
	struct error error; /* unless WHATIF_OK */
};
bool whatif_prepare_many(struct whatif *w, struct whatif_job *jobs, int n, struct arena *arena,
    struct error *err) MUST_CHECK;

/*
 * EXPLAIN (VERBOSE, FORMAT JSON, COSTS) of a prepared statement. values NULL: planned generically;
 * else one text per parameter (a value for each; NULL means SQL NULL) and planned for these values.
 * The JSON text is in the arena.
 */
bool whatif_explain(struct whatif *w, const struct whatif_statement *s, const char *const *values,
    struct arena *arena, const char **json, struct error *err) MUST_CHECK;

/* Several at once, in one round trip where no pooler is between. Each gets its json, or NULL and
 * its error. False: the connection is gone, or it was stopped. */
struct whatif_ask {
	const struct whatif_statement *statement;
	const char *const *values; /* as above */
	const char *json;
	struct error error;
};
bool whatif_explain_many(struct whatif *w, struct whatif_ask *asks, int n, struct arena *arena,
    struct error *err) MUST_CHECK;

/* Hypothetical plain-column B-trees: at most WHATIF_MAX_HYPO alive. columns as quoted by the server
 * or plain names (they are quoted here); desc[i], nulls[i] and opclass[i] (e.g.
 * "text_pattern_ops"; NULL default) per column. */
enum { WHATIF_MAX_HYPO = 200, WHATIF_MAX_KEYS = 8 };
struct whatif_index {
	uint32_t relid;
	const char *schema, *table;
	int nkeys;
	const char *columns[WHATIF_MAX_KEYS];
	bool desc[WHATIF_MAX_KEYS];
	enum whatif_nulls {
		WHATIF_NULLS_DEFAULT,
		WHATIF_NULLS_FIRST,
		WHATIF_NULLS_LAST
	} nulls[WHATIF_MAX_KEYS];
	const char *opclass[WHATIF_MAX_KEYS];
};
/* *name: the name that plans show it by ("<12345>btree_t_a"), in the arena. */
bool whatif_create(struct whatif *w, const struct whatif_index *ix, struct arena *arena,
    uint32_t *oid, const char **name, struct error *err) MUST_CHECK;
/* Several at once. Each gets its oid and name, or 0 and its error. False: none could be asked for.
 */
struct whatif_created {
	uint32_t oid;
	const char *name;
	struct error error;
};
bool whatif_create_many(struct whatif *w, const struct whatif_index *ix, int n, struct arena *arena,
    struct whatif_created *made, struct error *err) MUST_CHECK;
bool whatif_drop(struct whatif *w, uint32_t oid, struct error *err) MUST_CHECK;
bool whatif_reset(struct whatif *w, struct error *err) MUST_CHECK;
/* HypoPG hides an existing index (1.4 and newer), to ask what dropping it would cost; false where
 * it cannot. */
bool whatif_hide(struct whatif *w, uint32_t oid, bool hidden, struct error *err) MUST_CHECK;

/* Ends what is under way, at once, from a signal handler too. */
void whatif_stop(struct whatif *w);

#endif
