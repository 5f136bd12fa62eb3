/*
 * An operation: several steps, other programs or AWS, minutes (snapshot, restore, drill …). All of
 * it waits, so it lives in processes of its own: one that plans, one that runs (the job).
 *
 *   plan    op_plan(): looks, decides, names the steps. Changes nothing. Its hash stands for what
 *           was shown: the command line, the target, who the server is, the steps.
 *   run     op_run(), in the job: plans again, and refuses (ERR_CHANGED) when the hash is another
 *           one; then step after step, each written down before and after.
 *   resume  op_run() of a job whose process died: what was decided is read back from the facts;
 *           a step that is done is skipped, one that was under way is looked for in the world.
 *   undo    op_undo(): takes back what a job has left behind, newest first.
 *
 * Steps talk to each other by facts only, so that a job goes on in another process.
 */
#ifndef PGMEDIC_OPS_OP_H
#define PGMEDIC_OPS_OP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/doc.h"
#include "base/error.h"
#include "base/lexer.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/conn.h"
#include "store/jobs.h"

/* standby = NAME of a [target OF]; the data directory as [target NAME] says, "" nothing. */
struct op_standby {
	const char *of, *name, *data_directory;
};

/* A target as operations see it: [target NAME] of the configuration. "" where nothing is set. */
struct op_target {
	const char *name, *conninfo, *password; /* password NULL: none was typed */
	const char *provider;                   /* "rds", "local", "none", "" by what is known */
	const char *instance, *cluster, *region, *profile, *credentials_file,
	    *endpoint_url; /* rds */
	const char *data_directory, *pgbackrest_config, *pgbackrest_stanza, *patroni_url;
	const char *restore_root;              /* where restored servers go */
	const char *dump_root;                 /* where dumps go */
	const char *critical_queries;          /* a file */
	const char *pgbouncer;                 /* conninfo of its admin console */
	const char *proxy_role, *proxy_secret; /* ARNs, of `proxy create` */
	const struct op_target *standby;       /* NULL: none */
	const struct op_standby *standbys;     /* of all targets; ends with a NULL of; or NULL */
	bool is_protected;
	const char *approve;       /* "two": somebody else has to approve it; "" */
	const char *approvals;     /* folder for that */
	const char *read_only_why; /* NULL: operations are allowed */
};

/* What confirms: nothing, "y", or the target's name. */
enum op_class { OP_LOOKS, OP_WRITES, OP_DESTROYS };

struct op_step {
	const char *name;                 /* "backup": unique in the operation */
	const char *step, *effect, *risk; /* of the plan; risk: "none", "low", "medium", "high" */
};

struct op_kind;
struct op {
	struct arena arena;
	const struct op_kind *kind;
	const struct op_impl *impl; /* of the target's provider; NULL: none */
	const struct op_target *target;
	const struct words *words;
	const char *line;
	/* the plan */
	struct doc doc;
	struct op_step *steps;
	int nsteps, cap_steps;
	enum op_class confirm; /* the kind's, raised by what the plan found */
	const char *question;  /* "restore 20261121-… to copy?" */
	struct strbuf identity;
	struct pg_peer peer; /* the server it is about, for the journal; "" unknown */
	int64_t system_identifier;
	char hash[65];
	struct job_fact *facts; /* until there is a job to keep them */
	int nfacts, cap_facts;
	/* the run */
	struct journal *journal; /* NULL while planning */
	int64_t job;
	const volatile sig_atomic_t *stop; /* set: end as soon as nothing is torn; NULL: never */
	const char *step;                  /* that is under way */
	int64_t *settled;                  /* leftovers, by the step under way */
	int nsettled, cap_settled;
	struct strbuf result;       /* JSON object */
	struct node_env *node_envs; /* of servers that were stopped: local_node_env.h */
};

/* Did it happen? Told by the state of the world, never by memory. */
enum op_seen { OP_NOT_SEEN, OP_SEEN, OP_UNSURE };

struct op_step_def {
	const char *name;
	/* NULL: the step may be repeated. OP_UNSURE with *err: the job stops and says so. */
	enum op_seen (*seen)(struct op *op, struct error *err);
	bool (*run)(struct op *op, struct error *err);
};

/* How one provider does it. */
struct op_impl {
	bool (*plan)(struct op *op, struct error *err);
	const struct op_step_def *steps; /* ends with a NULL name; those a plan names are run */
	/* Add the members of op->result from the facts, after the last step; NULL: it has none. */
	bool (*result)(struct op *op, struct error *err);
};

struct op_kind {
	const char *verb; /* first word of the command line */
	const char *sub;  /* the second, where that makes it this one; NULL: any */
	const char *usage, *help;
	const char *instead; /* what a provider that does not have it offers; NULL: nothing */
	enum op_class confirm;
	bool looks_alone; /* without a word more it only looks */
	/* pgBackRest, pg_ctl, Patroni … of a server whose machine this is; RDS and Aurora; what
	 * takes SQL alone, for a target without a provider. NULL: not there. */
	const struct op_impl *local, *rds, *sql;
	const struct op_impl *patroni; /* in place of local, where Patroni runs the cluster */
};
extern const struct op_kind *const op_kinds[]; /* NULL-terminated */
/* The kind that a command line means; NULL: none. */
const struct op_kind *op_kind_of(const struct words *words);
/* "snapshot drop" */
const char *op_kind_name(const struct op_kind *kind, struct arena *arena);

/*
 * Take back one kind of leftover; idempotent: what is not there any more is settled, too. What a
 * job did to its end is no leftover, and can still be taken back where its last step keeps the
 * facts "undo", which says what that does, and "undo_kind", one of these: it is called with a
 * leftover that has no id.
 */
struct op_leftover_def {
	const char *kind;
	bool (*undo)(struct op *op, const struct job_leftover *left, struct error *err);
};
extern const struct op_leftover_def op_leftover_defs[]; /* ends with a NULL kind */

enum op_provider { PROVIDER_NONE, PROVIDER_LOCAL, PROVIDER_RDS };
/* As configured; where that says nothing, by the keys that are set and the server's name. */
enum op_provider op_provider_of(const struct op_target *target);

/* words, line and target must outlive it. */
void op_init(
    struct op *op, const struct op_target *target, const struct words *words, const char *line);
void op_release(struct op *op);
/* Looks and decides. False: refused, unreachable, wrong words. */
bool op_plan(struct op *op, struct error *err) MUST_CHECK;
/* What the user has to type: "", "y", or the target's name. */
const char *op_expects(const struct op *op);
const char *op_worst_risk(const struct op *op);
/* The steps as JSON: [{"step","effect","risk"}]. */
void op_steps_json(const struct op *op, struct strbuf *out);
/*
 * Run it as the job op->job of op->journal, whose lock is held. plan_hash: what was confirmed; NULL
 * resumes. On success op->result is complete.
 */
bool op_run(struct op *op, const char *plan_hash, struct error *err) MUST_CHECK;
/* Take back the leftovers of op->job. False: something could not be; the rest has been tried. */
bool op_undo(struct op *op, struct error *err) MUST_CHECK;

/* ------------------------------------------------------------------ for kinds */

void op_add_step(struct op *op, const char *name, const char *risk, const char *step,
    const char *effect_fmt, ...) PRINTF_LIKE(5, 6);
/* What must be the same when it runs: system identifier, role, timeline, state. */
void op_identity(struct op *op, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Facts; while planning in memory, kept with the job from its begin. Values hold no secret. */
bool op_fact_set(struct op *op, struct error *err, const char *name, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* The time, us since 1970. */
bool op_fact_now(struct op *op, struct error *err, const char *name);
const char *op_fact(struct op *op, const char *name); /* NULL: none */
int64_t op_fact_int(struct op *op, const char *name, int64_t other);
double op_fact_num(struct op *op, const char *name, double other);
/* Shown by `jobs`; pct < 0: unknown. */
void op_progress(struct op *op, double pct, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Should it stop? Also beats the heart and reads the wish from the journal. */
bool op_stopped(struct op *op, struct error *err) MUST_CHECK;
/* Sleep, in pieces; false when it should stop. */
bool op_wait_ms(struct op *op, int ms, struct error *err) MUST_CHECK;
/* Before making what may be left behind; args: a JSON object. What this job has said already is not
 * said again. */
bool op_leave(struct op *op, const char *kind, const char *args, int64_t *id, struct error *err,
    const char *what_fmt, ...) PRINTF_LIKE(6, 7) MUST_CHECK;
/* It has been taken back, or was meant to stay. While a step runs it is written down with the end
 * of that step, at once: killed between the two, a job would have neither done nor left it. */
bool op_settle(struct op *op, int64_t id, struct error *err) MUST_CHECK;
/* The same for all leftovers of this job of one kind (which are meant to stay now). */
bool op_settle_kind(struct op *op, const char *kind, struct error *err) MUST_CHECK;

#endif
