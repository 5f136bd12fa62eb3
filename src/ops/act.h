/*
 * An act: one command that changes a server, as a machine without I/O. Its driver (app/acting.c in
 * the console, app/run.c without a screen) runs the queries it asks for, shows the plan, brings the
 * answer, writes the journal.
 *
 *   LOOKING   who and what: act_next() says which query to run, act_answer() takes its rows
 *   PLANNED   the plan is ready: act_doc(), act_steps(), act_question()
 *   RUNNING   confirmed: act_next() gives the queries that act, then those that verify
 *   DETACHED  confirmed: long work; the driver starts a job process that runs act_statement()
 *   FINISHED  act_result()
 */
#ifndef PGMEDIC_OPS_ACT_H
#define PGMEDIC_OPS_ACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/doc.h"
#include "base/error.h"
#include "base/lexer.h"
#include "base/rowset.h"

enum act_stage { ACT_LOOKING, ACT_PLANNED, ACT_RUNNING, ACT_DETACHED, ACT_FINISHED };

/* How it ended. */
enum act_state {
	ACT_DONE,
	ACT_PARTLY, /* some of what was asked */
	ACT_ENDING, /* signalled; a session still rolls back or ends */
	ACT_FAILED,
	ACT_REFUSED,
	ACT_STARTED, /* a job goes on */
};

/* A session that is meant: backend_start 0 when only its pid was typed. */
struct act_session {
	int pid;
	int64_t backend_start; /* microseconds since 1970 */
};

/* What the driver knows of the target. Strings must live as long as the act. */
struct act_env {
	const char *target;
	const char *read_only_why; /* NULL: acts are allowed */
	bool is_protected;
	bool force;          /* --force was given */
	const int *own_pids; /* sessions of this program */
	int nown;
	const struct act_session *sessions; /* for "tagged" and "where …": resolved by the driver */
	int nsessions;
	const char *selection; /* how those were chosen, for the plan: "tagged", "where …", NULL */
	const struct rowset *advice; /* rows of PROBE_ADVICE, for what is known of an index to be
	                                made; NULL: none; read by act_new() only */
	/* Room on the disk of a folder of this machine, -1 unknown; NULL: not to be known. */
	int64_t (*free_bytes)(const char *folder);
};

struct act_query {
	const char *query; /* name of a query in src/pg */
	const char *params[16];
	int nparams;
	bool is_act;
	int timeout_ms;
	int delay_ms; /* wait so long before sending */
};

struct act_step {
	const char *step, *effect, *risk; /* risk: "none", "low", "medium", "high" */
};

struct act;

/* Parse the words of a command line of the table below. NULL and *err when it is refused before a
 * look (read-only, wrong words). */
struct act *act_new(const struct words *words, const char *line, const struct act_env *env,
    struct error *err) MUST_CHECK;
void act_free(struct act *a);
enum act_stage act_stage(const struct act *a);
/* The query to run now; false when none is due (PLANNED, DETACHED, FINISHED). */
bool act_next(struct act *a, struct act_query *q) MUST_CHECK;
/* Its answer: rows, or the error when rows is NULL. */
void act_answer(struct act *a, const struct rowset *rows, const struct error *error);

/* The plan as text and as steps. */
const struct doc *act_doc(const struct act *a);
const struct act_step *act_steps(const struct act *a, int *n);
const char *act_line(const struct act *a); /* the command line */
const char *act_worst_risk(const struct act *a);
/* What the user is asked ("terminate 3 sessions? type 3"), and the text that confirms. */
const char *act_question(const struct act *a);
const char *act_expects(const struct act *a); /* "y", "3", or the target's name */
/* The answer typed; ERR_NOT_CONFIRMED when it is not what act_expects() said. --yes confirms all
 * but a protected target. After a wrong answer the act is FINISHED, refused. */
bool act_confirm(struct act *a, const char *typed, struct error *err) MUST_CHECK;
bool act_confirm_yes(struct act *a, struct error *err) MUST_CHECK;
void act_abort(struct act *a);
/* The driver could not go on (journal, connection): FINISHED, refused or failed by the error's
 * code. */
void act_failed(struct act *a, const struct error *error);
const char *act_confirmed_how(const struct act *a);

/*
 * PLANNED and later: does it take away what nobody can give back (sessions with their transactions,
 * an index, counters)? Then what exactly, as a text in the arena that is the same whenever the same
 * is meant: it is what a second person approves. NULL: no.
 */
const char *act_takes(const struct act *a, struct arena *arena);

/* FINISHED: the outcome in one line and in full; error when it did not. DETACHED: the job's line.
 */
enum act_state act_result(const struct act *a, const char **line, const struct error **error);
const struct doc *act_result_doc(const struct act *a);
/* DETACHED: statement that the server itself has quoted, to be run by the job; timeouts are off. */
const char *act_statement(const struct act *a);
/* The driver reports how starting the job went (job 0: error). */
void act_detached(struct act *a, int64_t job, const struct error *error);

/* What a job has to do beside running act_statement(); NULL where that is all. */
struct act_job {
	const char *kind;          /* "create index", "drop index" */
	const char *schema, *name; /* of the index */
	const char *table;         /* its table's name, not qualified */
	const char *relid;         /* oid of the table (create) or of the index (drop) */
	const char *tail;          /* create: what follows USING */
	bool is_unique, has_parts, force;
	const char *queryids; /* statements it is to help, as a JSON list */
	const char *undo;     /* the command that takes it back */
};
const struct act_job *act_job(const struct act *a);

struct act_class {
	const char *name, *usage, *help;
};
/* Is the word a verb of act_new()? */
bool act_is_verb(const char *word);

#endif
