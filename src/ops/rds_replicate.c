/*
 * backup replicate REGION [--days N] [--kms KEY]: RDS keeps automated backups of an instance and
 * its logs in another region, too, from which it can be restored to any moment. Asked of that
 * region. backup replicate stop REGION ends it: what is there is kept for its days.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "ops/op_result.h"
#include "ops/rds_make.h"

enum { MOST_DAYS = 35 };
#define USUAL_KEY "alias/aws/rds"

struct wish {
	const char *region, *key; /* NULL: not said */
	int days;                 /* 0: as the source */
	bool is_stop;
};

static bool
read_words(struct op *op, struct wish *w, struct error *err)
{
	*w = (struct wish){ .is_stop =
		                op->words->n > 2 && strcmp(op->words->w[2].text, "stop") == 0 };
	for (int i = w->is_stop ? 3 : 2; i < op->words->n; i++) {
		const char *word = op->words->w[i].text;
		const char *value = i + 1 < op->words->n ? op->words->w[i + 1].text : NULL;
		char *end = NULL;
		long days;

		if (strcmp(word, "--kms") == 0 && value && !w->is_stop) {
			w->key = value;
			i++;
		} else if (strcmp(word, "--days") == 0 && value && !w->is_stop) {
			days = strtol(value, &end, 10);
			if (*end || days < 1 || days > MOST_DAYS)
				return error_set(
				    err, ERR_USAGE, "--days is a number from 1 to %d", MOST_DAYS);
			w->days = (int)days;
			i++;
		} else if (!w->region && *word != '-') {
			w->region = word;
		} else {
			error_set(err, ERR_USAGE, "backup replicate does not know '%s'", word);
			return error_hint(err, "Usage: %s", op->kind->usage);
		}
	}
	if (w->region)
		return true;
	error_set(err, ERR_USAGE, "backup replicate needs a region");
	return error_hint(err, "Usage: %s", op->kind->usage);
}

/* The source's backups in that region: status "" none. */
static bool
status_there(
    struct op *op, struct aws *to, const char *resource, const char **status, struct error *err)
{
	struct aws_param params[] = { { "DbiResourceId", resource }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "DescribeDBInstanceAutomatedBackups", .params = params
	};
	struct aws_answer answer;
	bool ok;

	*status = "";
	aws_answer_init(&answer);
	ok = aws_do(to, &call, &answer, err);
	if (ok) {
		const struct xml *x =
		    xml_get(answer.xml, "DBInstanceAutomatedBackups/DBInstanceAutomatedBackup");

		*status = arena_strdup(&op->arena, xml_text(x, "Status"));
	} else if (strstr(answer.code, "DBInstanceAutomatedBackupNotFound")) {
		*err = (struct error){ 0 };
		ok = true;
	}
	aws_answer_release(&answer);
	return ok;
}

/* What was replicated once is "retained" until its days are over. */
static bool
is_replicated(const char *status)
{
	return *status && strcmp(status, "retained") != 0;
}

static bool
check_there(
    struct op *op, const char *region, const char *resource, bool is_stop, struct error *err)
{
	struct aws *to = rds_open_in(op, region, err);
	const char *status = "";
	bool ok = to && status_there(op, to, resource, &status, err);

	aws_close(to);
	if (!ok || is_replicated(status) == is_stop)
		return ok;
	if (is_stop) {
		error_set(err, ERR_REFUSED, "its backups are not replicated to %s", region);
		return error_hint(err, "There is nothing to stop.");
	}
	error_set(err, ERR_REFUSED, "its backups are in %s already (%s)", region, status);
	return error_hint(err, "What is there stays as it is.");
}

static bool
plan_stop(struct op *op, const struct rds_instance *i, const char *region)
{
	doc_pair(&op->doc, "stop", ROLE_WARN, "%s to %s: no later moment can be restored there",
	    i->id, region);
	doc_pair(&op->doc, "kept", ROLE_NORMAL, "%s",
	    "what is there, until the days of its retention are over");
	op_add_step(op, "stop", "medium", "end the replication of its automated backups",
	    "StopDBInstanceAutomatedBackupsReplication, asked of %s", region);
	op_add_step(op, "stopped", "none", "wait until it has ended", "%s",
	    "DescribeDBInstanceAutomatedBackups");
	op->question =
	    arena_printf(&op->arena, "end replicating backups of %s to %s?", i->id, region);
	return true;
}

static bool
plan_with(struct op *op, struct aws *aws, struct error *err)
{
	struct rds_instance i;
	struct wish w;
	const char *key;
	int days;

	if (!read_words(op, &w, err) || !rds_region_in_reach(aws_region(aws), w.region, err))
		return false;
	if (strcmp(w.region, aws_region(aws)) == 0)
		return error_set(err, ERR_REFUSED, "%s is its own region", w.region);
	if (*op->target->cluster) {
		error_set(err, ERR_UNSUPPORTED, "RDS does not replicate backups of a cluster");
		return error_hint(
		    err, "`snapshot copy NAME --region %s` copies a snapshot there.", w.region);
	}
	if (!rds_look(op, aws, err) || !rds_instance_get(op, aws, op_fact(op, "source"), &i, err) ||
	    !check_there(op, w.region, i.resource_id, w.is_stop, err) ||
	    !op_fact_set(op, err, "region", "%s", w.region) ||
	    !op_fact_set(op, err, "arn", "%s", i.arn))
		return false;
	if (w.is_stop)
		return plan_stop(op, &i, w.region);
	if (!i.retention_days) {
		error_set(err, ERR_REFUSED, "%s has no automated backups", i.id);
		return error_hint(err, "`backup retention daily N` turns them on.");
	}
	days = w.days ? w.days : i.retention_days;
	key = w.key ? w.key : i.is_encrypted ? USUAL_KEY : "";
	doc_pair(&op->doc, "replicate", ROLE_NORMAL, "%s to %s, %d days", i.id, w.region, days);
	if (*key)
		doc_pair(&op->doc, "key", ROLE_NORMAL, "%s of %s%s", key, w.region,
		    w.key ? "" : " (--kms KEY for another)");
	doc_pair(&op->doc, "cost", ROLE_NORMAL, "%s",
	    "transfer of all WAL between the regions, and storage there");
	op_add_step(op, "start", "low", "begin to replicate its automated backups",
	    "StartDBInstanceAutomatedBackupsReplication, asked of %s", w.region);
	op_add_step(op, "wait", "none", "wait until it replicates", "%s",
	    "the first copy takes as long as the database is large");
	op->question = arena_printf(&op->arena, "replicate backups of %s to %s?", i.id, w.region);
	return op_fact_set(op, err, "key", "%s", key) && op_fact_set(op, err, "days", "%d", days);
}

static bool
replicate_plan(struct op *op, struct error *err)
{
	return rds_with(op, plan_with, err);
}

static enum op_seen
look(struct op *op, const char **status, struct error *err)
{
	struct aws *to = rds_open_in(op, op_fact(op, "region"), err);
	bool ok = to && status_there(op, to, op_fact(op, "resource"), status, err);

	aws_close(to);
	return !ok ? OP_UNSURE : is_replicated(*status) ? OP_SEEN : OP_NOT_SEEN;
}

static enum op_seen
start_seen(struct op *op, struct error *err)
{
	const char *status;

	return look(op, &status, err);
}

static bool
start_with(struct op *op, struct aws *from, struct aws *to, struct error *err)
{
	const char *key = op_fact(op, "key"), *status;
	struct strbuf url = STRBUF_INIT(64 << 10);
	struct aws_param params[] = { { "SourceDBInstanceArn", op_fact(op, "arn") },
		{ "BackupRetentionPeriod", op_fact(op, "days") }, { "KmsKeyId", *key ? key : NULL },
		{ NULL, NULL }, { NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS,
		.op = "StartDBInstanceAutomatedBackupsReplication",
		.params = params,
		.changes = true };
	struct aws_answer answer;
	struct error lost = { 0 };
	bool ok = rds_same(op, from, err);

	if (ok && rds_wants_presigned(from, to)) {
		ok = rds_presign(op, from, &call, &url, err);
		params[ARRAY_LEN(params) - 2] = (struct aws_param){ "PreSignedUrl", url.buf };
	}
	aws_answer_init(&answer);
	if (ok && !aws_do(to, &call, &answer, &lost)) {
		ok = answer.is_uncertain && look(op, &status, err) == OP_SEEN;
		if (!ok)
			*err = lost;
	}
	aws_answer_release(&answer);
	if (url.len)
		explicit_bzero(url.buf, url.len);
	strbuf_release(&url);
	return ok;
}

/* With the target's region and the one of its copies. */
static bool
with_both(struct op *op,
    bool (*run)(struct op *op, struct aws *from, struct aws *to, struct error *err),
    struct error *err)
{
	struct aws *from = rds_open(op, err);
	struct aws *to = from ? rds_open_in(op, op_fact(op, "region"), err) : NULL;
	bool ok = to && run(op, from, to, err);

	aws_close(to);
	aws_close(from);
	return ok;
}

static bool
start_run(struct op *op, struct error *err)
{
	return with_both(op, start_with, err);
}

static bool
wait_run(struct op *op, struct error *err)
{
	struct mono start = mono_now();
	const char *status = "";

	while (look(op, &status, err) != OP_UNSURE) {
		if (strcmp(status, "replicating") == 0 || strcmp(status, "active") == 0)
			return op_fact_set(op, err, "status", "%s", status);
		if (!*status && mono_since_ms(mono_now(), start) > 60000)
			return error_set(
			    err, ERR_STATE, "%s has no backups of it", op_fact(op, "region"));
		if (mono_since_ms(mono_now(), start) > RDS_WAIT_MS)
			return error_set(err, ERR_TIMEOUT, "it is still %s", status);
		op_progress(op, -1, "%s", *status ? status : "not there yet");
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
	return error_prefix(err, "while waiting");
}

/* ------------------------------------------------------------------ stop */

static enum op_seen
stop_seen(struct op *op, struct error *err)
{
	const char *status;
	enum op_seen there = look(op, &status, err);

	return there == OP_UNSURE ? OP_UNSURE : there == OP_SEEN ? OP_NOT_SEEN : OP_SEEN;
}

static bool
stop_with(struct op *op, struct aws *from, struct aws *to, struct error *err)
{
	struct aws_param params[] = { { "SourceDBInstanceArn", op_fact(op, "arn") },
		{ NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS,
		.op = "StopDBInstanceAutomatedBackupsReplication",
		.params = params,
		.changes = true };
	struct aws_answer answer;
	struct error lost = { 0 };
	bool ok;

	if (!rds_same(op, from, err))
		return false;
	aws_answer_init(&answer);
	ok = aws_do(to, &call, &answer, &lost);
	/* Without an answer, what comes after looks whether it has ended. */
	if (!ok && !answer.is_uncertain)
		*err = lost;
	ok = ok || answer.is_uncertain;
	aws_answer_release(&answer);
	return ok;
}

static bool
stop_run(struct op *op, struct error *err)
{
	return with_both(op, stop_with, err);
}

static bool
stopped_run(struct op *op, struct error *err)
{
	struct mono start = mono_now();
	const char *status = "";
	enum op_seen there;

	while ((there = look(op, &status, err)) == OP_SEEN) {
		if (mono_since_ms(mono_now(), start) > rds_sign_ms())
			return error_set(err, ERR_TIMEOUT,
			    "nothing shows that it has ended: the backups in %s are %s",
			    op_fact(op, "region"), status);
		op_progress(op, -1, "%s", status);
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
	if (there == OP_UNSURE)
		return error_prefix(err, "while waiting");
	return op_fact_set(op, err, "status", "%s", *status ? status : "stopped");
}

static bool
replicate_result(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	op_result_text(op, &first, "instance", op_fact(op, "source"));
	op_result_text(op, &first, "region", op_fact(op, "region"));
	if (op_fact(op, "days"))
		op_result_int(op, &first, "retention_days", op_fact_int(op, "days", 0));
	op_result_text(op, &first, "status", op_fact(op, "status"));
	return true;
}

static const struct op_step_def replicate_steps[] = {
	{ "start", start_seen, start_run },
	{ "wait", NULL, wait_run },
	{ "stop", stop_seen, stop_run },
	{ "stopped", NULL, stopped_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_replicate = { replicate_plan, replicate_steps, replicate_result };
