/*
 * scale class|storage|iops, storage max: what ModifyDBInstance changes. What costs an outage says
 * so, and what cannot be taken back; what RDS would refuse is refused before it is asked.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ops/rds_modify.h"

enum {
	GP3_STRIPED_GB = 400, /* from here on a gp3 volume is striped, and its IOPS can be chosen */
	GP3_BASE_IOPS = 3000,
	GP3_STRIPED_IOPS = 12000,
	GP3_MOST_IOPS = 64000,
	IO_LEAST_IOPS = 1000,
	IO_MOST_IOPS = 256000,
	MOST_GB = 65536,
};

/* ------------------------------------------------------------------ rules of storage */

int
rds_size_gb(const char *text)
{
	char *end;
	double n = strtod(text, &end);

	end += strspn(end, " ");
	if (end == text || !(n > 0))
		return 0;
	if (strcasecmp(end, "TB") == 0 || strcasecmp(end, "TiB") == 0 || strcasecmp(end, "T") == 0)
		n *= 1024;
	else if (*end && strcasecmp(end, "GB") != 0 && strcasecmp(end, "GiB") != 0 &&
	    strcasecmp(end, "G") != 0)
		return 0;
	return n == (double)(int)n && n <= MOST_GB ? (int)n : 0;
}

int
rds_number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return end == text || *end || n <= 0 || n > 10000000 ? 0 : (int)n;
}

static bool
no_iops(struct error *err, const char *why)
{
	error_set(err, ERR_USAGE, "IOPS cannot be chosen here");
	return error_hint(err, "%s", why);
}

static bool
iops_within(int iops, int least, int most, int per_gb, int gb, struct error *err)
{
	int64_t by_size = (int64_t)per_gb * gb;
	int top = by_size < most ? (int)by_size : most;

	if (iops >= least && iops <= top)
		return true;
	error_set(err, ERR_USAGE, "%d IOPS are not possible with %d GiB", iops, gb);
	return error_hint(err, "From %d to %d (%d for each GiB).", least, top, per_gb);
}

bool
rds_storage_allows(const struct rds_values *now, int gb, int *iops, struct error *err)
{
	const char *type = now->storage_type;
	bool is_io = strcmp(type, "io1") == 0 || strcmp(type, "io2") == 0;

	if (is_io) {
		/* RDS wants them in each call. */
		if (!*iops)
			*iops = now->iops;
		return iops_within(*iops, IO_LEAST_IOPS, IO_MOST_IOPS,
		    strcmp(type, "io1") == 0 ? 50 : 1000, gb, err);
	}
	if (strcmp(type, "gp3") != 0)
		return !*iops ||
		    no_iops(err, "They follow from the size, except with gp3, io1 and io2.");
	if (gb < GP3_STRIPED_GB)
		return !*iops || *iops == GP3_BASE_IOPS ||
		    no_iops(err, "gp3 below 400 GiB has 3000 IOPS and 125 MiB/s, no more.");
	if (!*iops && now->storage_gb >= GP3_STRIPED_GB && now->iops > GP3_STRIPED_IOPS)
		*iops = now->iops;
	if (!*iops)
		return true;
	if (!iops_within(*iops, GP3_STRIPED_IOPS, GP3_MOST_IOPS, 500, gb, err))
		return false;
	if (now->throughput * 4 <= *iops)
		return true;
	error_set(err, ERR_USAGE, "%d IOPS are too few for %d MiB/s", *iops, now->throughput);
	return error_hint(err, "At least four for each MiB/s.");
}

/* ------------------------------------------------------------------ class */

struct ordering {
	const char *type; /* of the storage */
	bool is_class, is_type;
};

static bool
take_options(const struct aws_answer *answer, void *arg, struct error *err)
{
	struct ordering *o = arg;
	const struct xml *x = xml_get(answer->xml, "OrderableDBInstanceOptions");

	(void)err;
	for (x = x ? x->child : NULL; x; x = x->next) {
		o->is_class = true;
		o->is_type |= !*xml_text(x, "StorageType") ||
		    strcmp(xml_text(x, "StorageType"), o->type) == 0;
	}
	return true;
}

static bool
ask_options(struct op *op, struct aws *aws, const struct rds_spec *s, const char *class,
    struct ordering *o, struct error *err)
{
	struct aws_param params[] = { { "Engine", s->engine }, { "EngineVersion", s->version },
		{ "DBInstanceClass", class }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "DescribeOrderableDBInstanceOptions", .params = params
	};

	(void)op;
	*o = (struct ordering){ .type = s->now.storage_type };
	return aws_pages(aws, &call, take_options, o, err);
}

/* Where the service does not know the present class either, it cannot be asked about another one.
 */
static bool
check_class(
    struct op *op, struct aws *aws, const struct rds_spec *s, const char *class, struct error *err)
{
	struct ordering then = { 0 }, now = { 0 };
	struct error why = { 0 };

	if (strncmp(class, "db.", 3) != 0 || !strchr(class + 3, '.')) {
		error_set(err, ERR_USAGE, "'%s' is no instance class", class);
		return error_hint(err, "As db.r6g.large.");
	}
	if (strcmp(class, s->now.instance_class) == 0 &&
	    strcmp(class, s->pending.instance_class) == 0) {
		error_set(err, ERR_REFUSED, "%s is of class %s already", s->id, class);
		return error_hint(err, "There is nothing to do.");
	}
	if (!ask_options(op, aws, s, class, &then, &why) ||
	    (!then.is_class &&
	        (!ask_options(op, aws, s, s->now.instance_class, &now, &why) || !now.is_class))) {
		doc_pair(&op->doc, "not checked", ROLE_WARN, "whether %s can be had: %s", class,
		    *why.what ? why.what : "RDS names no classes here");
		return true;
	}
	if (then.is_class && (then.is_type || s->is_aurora))
		return true;
	error_set(err, ERR_REFUSED, "%s cannot be had for %s %s with %s in %s", class, s->engine,
	    s->version, s->now.storage_type, aws_region(aws));
	return error_hint(err,
	    "aws rds describe-orderable-db-instance-options --engine %s names them.", s->engine);
}

static bool
plan_class(struct op *op, struct aws *aws, struct rds_spec *s, struct error *err)
{
	const char *class = op->words->n > 2 ? op->words->w[2].text : "";
	const char *when = op->words->n > 3 ? op->words->w[3].text : "window";
	bool is_now = strcmp(when, "now") == 0;

	if (op->words->n > 4 || (!is_now && strcmp(when, "window") != 0)) {
		error_set(err, ERR_USAGE, "scale class takes a class, and when");
		return error_hint(err, "scale class db.r6g.large [now|window]");
	}
	if (!check_class(op, aws, s, class, err))
		return false;
	doc_pair(&op->doc, "class", ROLE_NORMAL, "%s, then %s", s->now.instance_class, class);
	if (is_now) {
		op->confirm = OP_DESTROYS;
		doc_pair(&op->doc, "OUTAGE", ROLE_CRIT, "%s",
		    s->is_multi_az ?
		        "at once: a failover to the standby, 1 to 2 minutes, all connections are cut" :
		        "at once: down for minutes while the instance is moved, all connections are cut");
	} else {
		doc_pair(&op->doc, "when", ROLE_NORMAL,
		    "in the next maintenance window (%s UTC), with an outage of minutes then",
		    *s->window ? s->window : "unknown");
		doc_pair(&op->doc, "", ROLE_DIM, "`scale class %s now` does it at once", class);
	}
	doc_pair(&op->doc, "note", ROLE_NORMAL, "%s",
	    "caches begin cold; parameters that are formulas of the memory (shared_buffers, max_connections) change with it");
	op_add_step(op, "modify", is_now ? "high" : "low", "ask for the class",
	    "ModifyDBInstance, ApplyImmediately %s", is_now ? "true" : "false");
	op_add_step(op, "wait", "none",
	    is_now ? "wait until it runs in it" : "see that it waits for its window", "%s",
	    "by what DescribeDBInstances says of class and pending changes");
	op->question = arena_printf(&op->arena, "%s %s from %s to %s?",
	    is_now ? "take down and move" : "have moved in its window", s->id,
	    s->now.instance_class, class);
	return rds_want(op, err, "DBInstanceClass", "%s", class) &&
	    rds_want_back(op, err, "DBInstanceClass", "%s", s->now.instance_class) &&
	    op_fact_set(op, err, "undo_text",
	        "class %s again: another outage where it has been changed",
	        s->now.instance_class) &&
	    op_fact_set(op, err, "applies", "%s", when) &&
	    op_fact_set(op, err, "from", "%s", s->now.instance_class) &&
	    op_fact_set(op, err, "to", "%s", class);
}

/* ------------------------------------------------------------------ storage, iops */

static bool
only_of_instances(const struct rds_spec *s, struct error *err)
{
	if (!s->is_aurora)
		return true;
	error_set(err, ERR_UNSUPPORTED, "%s is Aurora, whose storage is not of an instance", s->id);
	return error_hint(err, "It grows by itself, and is billed by what is used.");
}

static void
storage_steps(struct op *op, const struct rds_spec *s, bool grows)
{
	doc_pair(&op->doc, "meanwhile", ROLE_NORMAL, "%s",
	    "no outage; then storage-optimization, for hours of large volumes, in which I/O may be slower");
	doc_pair(&op->doc, "afterwards", ROLE_WARN,
	    "the next change of storage is possible after six hours%s",
	    grows ? "; storage never shrinks again" : "");
	op_add_step(op, "modify", grows ? "medium" : "low", "ask for it",
	    "ModifyDBInstance of %s, ApplyImmediately true", s->id);
	op_add_step(op, "wait", "none", "wait until it is there", "%s",
	    "by what DescribeDBInstances says; optimization goes on by itself");
}

static bool
check_growth(const struct rds_spec *s, int gb, struct error *err)
{
	int now = s->now.storage_gb, least = now + (now + 9) / 10;

	if (gb >= least)
		return true;
	error_set(err, ERR_REFUSED, "%s has %d GiB: %d GiB %s", s->id, now, gb,
	    gb < now ? "is less, and storage cannot shrink" : "is not 10 % more");
	return error_hint(err, "At least %d GiB.", least);
}

static bool
keep_storage(struct op *op, const struct rds_spec *s, int gb, int iops, struct error *err)
{
	bool grows = gb != s->now.storage_gb;

	return (!grows || rds_want(op, err, "AllocatedStorage", "%d", gb)) &&
	    (!iops || rds_want(op, err, "Iops", "%d", iops)) &&
	    op_fact_set(op, err, "applies", "now") &&
	    (grows ? op_fact_set(op, err, "from", "%d", s->now.storage_gb) &&
	                op_fact_set(op, err, "to", "%d", gb) :
	             op_fact_set(op, err, "from", "%d", s->now.iops) &&
	                op_fact_set(op, err, "to", "%d", iops));
}

static bool
plan_storage(struct op *op, struct aws *aws, struct rds_spec *s, struct error *err)
{
	const struct words *w = op->words;
	int gb = w->n > 2 ? rds_size_gb(w->w[2].text) : 0;
	int iops = w->n == 5 && strcmp(w->w[3].text, "iops") == 0 ? rds_number(w->w[4].text) : 0;

	(void)aws;
	if (!gb || (w->n > 3 && !iops)) {
		error_set(err, ERR_USAGE, "scale storage takes a size");
		return error_hint(err, "scale storage 200GB [iops N]; RDS counts whole GiB.");
	}
	if (!only_of_instances(s, err) || !check_growth(s, gb, err) ||
	    !rds_storage_allows(&s->now, gb, &iops, err))
		return false;
	doc_pair(&op->doc, "storage", ROLE_NORMAL, "%d GiB of %s, then %d GiB", s->now.storage_gb,
	    s->now.storage_type, gb);
	if (iops)
		doc_pair(&op->doc, "IOPS", ROLE_NORMAL, "%d, then %d", s->now.iops, iops);
	else if (strcmp(s->now.storage_type, "gp3") == 0 && gb >= GP3_STRIPED_GB &&
	    s->now.storage_gb < GP3_STRIPED_GB)
		doc_pair(&op->doc, "IOPS", ROLE_NORMAL, "%s",
		    "12000 and 500 MiB/s from 400 GiB on, without extra charge");
	if (s->now.max_storage_gb && gb > s->now.max_storage_gb)
		doc_pair(&op->doc, "WARNING", ROLE_WARN,
		    "autoscaling ends at %d GiB: raise it with `storage max`",
		    s->now.max_storage_gb);
	storage_steps(op, s, true);
	op->question =
	    arena_printf(&op->arena, "grow %s from %d to %d GiB?", s->id, s->now.storage_gb, gb);
	return keep_storage(op, s, gb, iops, err);
}

static bool
plan_iops(struct op *op, struct aws *aws, struct rds_spec *s, struct error *err)
{
	int iops = op->words->n == 3 ? rds_number(op->words->w[2].text) : 0;

	(void)aws;
	if (!iops) {
		error_set(err, ERR_USAGE, "scale iops takes a number");
		return error_hint(err, "scale iops 12000");
	}
	if (!only_of_instances(s, err) ||
	    !rds_storage_allows(&s->now, s->now.storage_gb, &iops, err))
		return false;
	if (iops == s->now.iops) {
		error_set(err, ERR_REFUSED, "%s has %d IOPS already", s->id, iops);
		return error_hint(err, "There is nothing to do.");
	}
	doc_pair(&op->doc, "IOPS", ROLE_NORMAL, "%d, then %d, with %d GiB of %s", s->now.iops, iops,
	    s->now.storage_gb, s->now.storage_type);
	storage_steps(op, s, false);
	op->question =
	    arena_printf(&op->arena, "change %s from %d to %d IOPS?", s->id, s->now.iops, iops);
	return keep_storage(op, s, s->now.storage_gb, iops, err);
}

static const struct what {
	const char *word;
	bool (*plan)(struct op *op, struct aws *aws, struct rds_spec *s, struct error *err);
} whats[] = { { "class", plan_class }, { "storage", plan_storage }, { "iops", plan_iops } };

static bool
scale_plan_with(struct op *op, struct aws *aws, struct error *err)
{
	const char *word = op->words->n > 1 ? op->words->w[1].text : "";
	struct rds_spec s;

	for (size_t i = 0; i < ARRAY_LEN(whats); i++) {
		if (strcmp(whats[i].word, word) != 0)
			continue;
		return rds_spec_look(op, aws, &s, err) && rds_spec_ready(&s, err) &&
		    op_fact_set(op, err, "what", "%s", word) &&
		    op_fact_set(op, err, "window", "%s", s.window) &&
		    whats[i].plan(op, aws, &s, err);
	}
	error_set(err, ERR_USAGE, "scale what?");
	return error_hint(err, "Usage: %s", op->kind->usage);
}

static bool
scale_plan(struct op *op, struct error *err)
{
	return rds_with(op, scale_plan_with, err);
}

/* ------------------------------------------------------------------ storage max */

static bool
max_plan_with(struct op *op, struct aws *aws, struct error *err)
{
	const struct words *w = op->words;
	bool is_off = w->n == 3 && strcmp(w->w[2].text, "off") == 0;
	int gb = w->n == 3 && !is_off ? rds_size_gb(w->w[2].text) : 0, now;
	struct rds_spec s;

	if (w->n != 3 || strcmp(w->w[1].text, "max") != 0 || (!gb && !is_off)) {
		error_set(err, ERR_USAGE, "storage max takes a size, or off");
		return error_hint(err, "Usage: %s", op->kind->usage);
	}
	if (!rds_spec_look(op, aws, &s, err) || !only_of_instances(&s, err) ||
	    (strcmp(s.status, "storage-optimization") != 0 && !rds_spec_ready(&s, err)))
		return false;
	now = s.now.max_storage_gb > s.now.storage_gb ? s.now.max_storage_gb : s.now.storage_gb;
	/* Off is a maximum that has been reached. */
	if (is_off)
		gb = s.now.storage_gb;
	if (!is_off && gb < s.now.storage_gb + (s.now.storage_gb + 9) / 10) {
		error_set(err, ERR_REFUSED, "%s has %d GiB: a maximum of %d GiB leaves no room",
		    s.id, s.now.storage_gb, gb);
		return error_hint(err, "At least %d GiB; `storage max off` ends autoscaling.",
		    s.now.storage_gb + (s.now.storage_gb + 9) / 10);
	}
	if (gb == now) {
		error_set(err, ERR_REFUSED, "it is that already");
		return error_hint(err, "There is nothing to do.");
	}
	doc_pair(&op->doc, "storage", ROLE_NORMAL, "%d GiB; autoscaling %s, then %s",
	    s.now.storage_gb,
	    now > s.now.storage_gb ? arena_printf(&op->arena, "up to %d GiB", now) : "is off",
	    is_off ? "off" : arena_printf(&op->arena, "up to %d GiB", gb));
	if (is_off)
		doc_pair(&op->doc, "WARNING", ROLE_WARN, "%s",
		    "a volume that runs full stops the instance");
	else
		doc_pair(&op->doc, "it grows", ROLE_NORMAL, "%s",
		    "below 10 % free for five minutes, by 10 GiB or a tenth, at most each six hours; it is billed");
	op_add_step(op, "modify", is_off ? "medium" : "low", "set the maximum",
	    "ModifyDBInstance, MaxAllocatedStorage %d: at once, no outage", gb);
	op_add_step(op, "wait", "none", "see that it is set", "%s", "by DescribeDBInstances");
	op->question = is_off ?
	    arena_printf(&op->arena, "let the storage of %s not grow any more?", s.id) :
	    arena_printf(&op->arena, "let the storage of %s grow up to %d GiB?", s.id, gb);
	return rds_want(op, err, "MaxAllocatedStorage", "%d", gb) &&
	    rds_want_back(op, err, "MaxAllocatedStorage", "%d", now) &&
	    op_fact_set(op, err, "undo_text", "a maximum of %d GiB again", now) &&
	    op_fact_set(op, err, "what", "storage_max") &&
	    op_fact_set(op, err, "window", "%s", s.window) &&
	    op_fact_set(op, err, "applies", "now") && op_fact_set(op, err, "from", "%d", now) &&
	    op_fact_set(op, err, "to", "%d", gb);
}

static bool
max_plan(struct op *op, struct error *err)
{
	return rds_with(op, max_plan_with, err);
}

const struct op_impl rds_scale = { scale_plan, rds_modify_steps, rds_modify_result };
const struct op_impl rds_storage = { max_plan, rds_modify_steps, rds_modify_result };
