/* Operations: each verb of ops/op_kinds.c is a command; cmd_job.c has what becomes of their jobs.
 */
#include "config.h"

#include "app/cmd_op.h"

#include "app/commands.h"
#include "app/op_sync.h"
#include "app/run.h"

bool
cmd_op_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct acting *acting;

	if (!ctx->screen)
		return op_sync(ctx, words, err);
	acting = ctx->screen->acting(ctx->console);
	if (!acting) {
		error_set(err, ERR_STATE, "nothing can be done in the past");
		return error_hint(err, "`seek live` goes back to the present.");
	}
	return acting_op(
	    acting, ctx->screen->target(ctx->console), ctx->target, ctx->settings, ctx->line, err);
}

#define OP(id, word, use, text)                                     \
	const struct command cmd_##id = {                           \
		.name = word,                                       \
		.usage = use,                                       \
		.help = text,                                       \
		.risk = RISK_ACTS,                                  \
		.args = { ARG_WORD, ARG_WORD, ARG_WORD, ARG_WORD }, \
		.min_args = 0,                                      \
		.max_args = -1,                                     \
		.run = cmd_op_run,                                  \
	}

OP(snapshot, "snapshot",
    "snapshot [NAME] [full|diff|incr] [daily|weekly|monthly] | dump [DATABASE] | copy NAME [--region R] [--as NEW] | drop NAME [--last]",
    "make a backup now: a snapshot of RDS, or one by pgBackRest; copy or remove one");
OP(backup, "backup",
    "backup retention [daily N weekly N monthly N continuous N|apply] | replicate [stop] REGION",
    "how long snapshots are kept: show it, or set it and drop what is older; backups in another region");
OP(snapshots, "snapshots", "snapshots",
    "the snapshots that there are, with age, size, and when they were verified");
OP(restore, "restore",
    "restore SNAPSHOT|--at TIME [--before]|--lsn LSN|--point NAME to NAME | drop NAME",
    "a server of its own from a snapshot, as it was at any moment since; never over the source");
OP(verify, "verify", "verify [SNAPSHOT|latest]",
    "restore a snapshot to scratch, start it, check it through, remove it");
OP(point, "point", "point NAME", "a restore point: `restore --point NAME` goes back to it");

OP(switchover, "switchover", "switchover [MEMBER] [nopause]",
    "let a primary and its standby change places, without loss");
OP(failover, "failover", "failover [MEMBER] [fenced] [rejoin] [nopause]",
    "promote the standby of a dead primary; of RDS: fail over an instance or a cluster");
OP(promote, "promote", "promote REPLICA", "make a replica a primary of its own");
OP(replica, "replica",
    "replica add NAME [--port N] [--region R] [--class C] [--kms KEY] | drop NAME [--standby]",
    "make a read replica, or remove one");
OP(pool, "pool", "pool pause|resume|reconnect|kill [DATABASE]",
    "hold, let go, or cut the clients of PgBouncer");
OP(scale, "scale", "scale class CLASS [now|window] | storage SIZE [iops N] | iops N",
    "give an instance of RDS another class, more storage, other IOPS");
OP(storage, "storage", "storage max SIZE|off",
    "how far RDS may grow the storage of an instance by itself");
OP(insights, "insights", "insights on|off [days N] [standard|advanced]",
    "Performance Insights of an instance of RDS");
OP(alarm, "alarm", "alarm put [sns ARN] [cpu PERCENT] [storage SIZE] [connections N]",
    "CloudWatch alarms on CPU, free storage and connections");
OP(proxy, "proxy", "proxy create NAME [role ARN] [secret ARN] [subnets A,B] [tls] | drop NAME",
    "RDS Proxy in front of the target: make one with its target, remove one");
OP(autoscaling, "autoscaling", "autoscaling [replicas MIN MAX [cpu PERCENT] | replicas off]",
    "what RDS grows by itself: storage, and the readers of Aurora; set the latter");
OP(cloud, "cloud", "cloud check", "AWS: call each reading action once, and say what is allowed");
