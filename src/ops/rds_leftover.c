/* What jobs make in RDS: written down before, and removed again when it is not to stay. */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "ops/rds_make.h"

bool
rds_instance_leave(
    struct op *op, const char *name, const char *region, int64_t *id, struct error *err)
{
	return op_leave(op, "rds_instance",
	    arena_printf(&op->arena, "{\"name\":\"%s\",\"region\":\"%s\"}", name, region), id, err,
	    "the instance %s, which is billed", name);
}

bool
rds_instance_delete(
    struct op *op, struct aws *aws, const char *name, bool is_member, struct error *err)
{
	struct aws_param params[] = { { "DBInstanceIdentifier", name },
		{ "SkipFinalSnapshot", "true" },
		{ "DeleteAutomatedBackups", is_member ? NULL : "true" }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "DeleteDBInstance", .params = params, .changes = true
	};
	struct aws_answer answer;
	struct error lost = { 0 };
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, &lost);
	if (!ok && answer.is_uncertain)
		ok = rds_is_gone(op, aws, name, err) == OP_SEEN;
	else if (!ok && strstr(answer.code, "DBInstanceNotFound"))
		ok = true;
	if (!ok && !*err->what)
		*err = lost;
	aws_answer_release(&answer);
	return ok;
}

enum op_seen
rds_is_gone(struct op *op, struct aws *aws, const char *name, struct error *err)
{
	struct rds_instance i;
	struct error why = { 0 };

	if (rds_instance_get(op, aws, name, &i, &why))
		return strcmp(i.status, "deleting") == 0 ? OP_SEEN : OP_NOT_SEEN;
	if (why.code == ERR_NOT_FOUND)
		return OP_SEEN;
	*err = why;
	return OP_UNSURE;
}

/* What is being made, restarted or changed cannot be deleted until that is over. */
static bool
delete_when_ready(
    struct op *op, struct aws *aws, const char *name, struct rds_instance *i, struct error *err)
{
	struct mono start = mono_now();

	for (;;) {
		if (!rds_instance_get(op, aws, name, i, err)) {
			if (err->code != ERR_NOT_FOUND)
				return false;
			*err = (struct error){ 0 };
			return true;
		}
		if (strcmp(i->status, "deleting") == 0 ||
		    rds_instance_delete(op, aws, name, *i->cluster, err))
			return true;
		if (err->code != ERR_STATE || rds_state_of(i->status) != RDS_BUSY ||
		    mono_since_ms(mono_now(), start) > RDS_WAIT_MS)
			return false;
		op_progress(op, -1, "%s is %s: it is deleted when that is over", name, i->status);
		*err = (struct error){ 0 };
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
}

bool
rds_instance_undo(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct json *o = json_parse(left->args, strlen(left->args), err);
	const char *name = json_text(json_get(o, "name"));
	struct aws *aws = name ? rds_open_in(op, json_text(json_get(o, "region")), err) : NULL;
	struct rds_instance i;
	enum op_seen seen;
	bool ok = false;

	if (aws) {
		seen = rds_look_for(op, aws, &rds_noun_instance, name, err);
		ok = seen == OP_NOT_SEEN ||
		    (seen == OP_SEEN && delete_when_ready(op, aws, name, &i, err));
	}
	aws_close(aws);
	json_free(o);
	return ok;
}

bool
rds_snapshot_leave(
    struct op *op, const char *name, const char *region, int64_t *id, struct error *err)
{
	return op_leave(op, "rds_snapshot",
	    arena_printf(&op->arena, "{\"name\":\"%s\",\"region\":\"%s\"}", name, region), id, err,
	    "the snapshot %s, which is billed", name);
}

/* One that is being made cannot be deleted: it is waited for. */
static bool
delete_snapshot(struct op *op, struct aws *aws, const char *name, struct error *err)
{
	struct aws_param params[] = { { rds_noun_of(op)->id, name }, { NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS,
		.op = rds_snapshot_delete_call(op),
		.params = params,
		.changes = true };
	struct aws_answer answer;
	struct rds_snapshot s;
	bool ok;

	for (;;) {
		if (!rds_snapshot_get(op, aws, name, &s, err))
			return err->code == ERR_NOT_FOUND;
		if (strcmp(s.status, "deleting") == 0)
			return true;
		if (rds_state_of(s.status) != RDS_BUSY)
			break;
		op_progress(op, -1, "%s is %s", name, s.status);
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	if (!ok && strstr(answer.code, "NotFound"))
		ok = true;
	aws_answer_release(&answer);
	return ok;
}

bool
rds_snapshot_undo(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct json *o = json_parse(left->args, strlen(left->args), err);
	const char *name = json_text(json_get(o, "name"));
	struct aws *aws = name ? rds_open_in(op, json_text(json_get(o, "region")), err) : NULL;
	enum op_seen seen = aws ? rds_look_for(op, aws, &rds_noun_snapshot, name, err) : OP_UNSURE;
	bool ok = seen == OP_NOT_SEEN || (seen == OP_SEEN && delete_snapshot(op, aws, name, err));

	aws_close(aws);
	json_free(o);
	return ok;
}

bool
rds_cluster_delete(struct op *op, struct aws *aws, const char *name, struct error *err)
{
	struct aws_param params[] = { { "DBClusterIdentifier", name },
		{ "SkipFinalSnapshot", "true" }, { NULL, NULL } };
	struct aws_call call = {
		.service = AWS_RDS, .op = "DeleteDBCluster", .params = params, .changes = true
	};
	struct aws_answer answer;
	struct rds_cluster c;
	bool ok;

	if (!rds_cluster_get(op, aws, name, &c, err))
		return false;
	/* Its instances go first; the job's own has been told to already. */
	for (int i = 0; i < c.nmembers; i++)
		if (rds_is_gone(op, aws, c.members[i].id, err) != OP_SEEN)
			return error_set(err, ERR_STATE, "the cluster %s still has the instance %s",
			    name, c.members[i].id);
	aws_answer_init(&answer);
	ok = strcmp(c.status, "deleting") == 0 || aws_do(aws, &call, &answer, err);
	aws_answer_release(&answer);
	return ok;
}

/* One that is being made cannot be deleted: it is waited for. */
static bool
delete_cluster_when_ready(struct op *op, struct aws *aws, const char *name, struct error *err)
{
	struct mono start = mono_now();

	for (;;) {
		struct rds_found f;

		if (rds_cluster_delete(op, aws, name, err))
			return true;
		if (err->code == ERR_NOT_FOUND) {
			*err = (struct error){ 0 };
			return true;
		}
		if (err->code != ERR_STATE ||
		    !rds_noun_cluster.get(op, aws, name, &f, &(struct error){ 0 }) ||
		    f.state != RDS_BUSY || mono_since_ms(mono_now(), start) > RDS_WAIT_MS)
			return false;
		op_progress(op, -1, "%s is %s: it is deleted when that is over", name, f.status);
		*err = (struct error){ 0 };
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
}

bool
rds_cluster_undo(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct json *o = json_parse(left->args, strlen(left->args), err);
	const char *name = json_text(json_get(o, "name"));
	struct aws *aws = name ? rds_open(op, err) : NULL;
	enum op_seen seen = aws ? rds_look_for(op, aws, &rds_noun_cluster, name, err) : OP_UNSURE;
	bool ok = seen == OP_NOT_SEEN ||
	    (seen == OP_SEEN && delete_cluster_when_ready(op, aws, name, err));

	aws_close(aws);
	json_free(o);
	return ok;
}
