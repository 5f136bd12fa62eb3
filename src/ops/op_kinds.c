/* All operations, in the order users see them. */
#include "config.h"

#include "ops/dump.h"
#include "ops/local.h"
#include "ops/local_copy.h"
#include "ops/local_drill.h"
#include "ops/local_expire.h"
#include "ops/local_pair.h"
#include "ops/local_pooler.h"
#include "ops/local_replica.h"
#include "ops/op.h"
#include "ops/patroni.h"
#include "ops/rds.h"
#include "ops/rds_alarm.h"
#include "ops/rds_ha.h"
#include "ops/rds_modify.h"
#include "ops/set.h"

static const struct op_kind snapshot = {
	.verb = "snapshot",
	.usage = "snapshot [NAME] [full|diff|incr] [daily|weekly|monthly]",
	.help = "make a backup now: a snapshot of RDS, or one by pgBackRest",
	.confirm = OP_WRITES,
	.local = &local_snapshot,
	.rds = &rds_snapshot,
};

static const struct op_kind snapshots = {
	.verb = "snapshots",
	.usage = "snapshots",
	.help = "the snapshots that there are, with age, size, and when they were verified",
	.confirm = OP_LOOKS,
	.local = &local_snapshots,
	.rds = &rds_snapshots,
	.sql = &dump_snapshots,
};

static const struct op_kind snapshot_drop = {
	.verb = "snapshot",
	.sub = "drop",
	.usage = "snapshot drop NAME [--last]",
	.help = "remove a snapshot, and those that build upon it",
	.confirm = OP_DESTROYS,
	.local = &local_snapshot_drop,
	.rds = &rds_snapshot_drop,
	.sql = &dump_drop,
};

static const struct op_kind snapshot_copy = {
	.verb = "snapshot",
	.sub = "copy",
	.usage = "snapshot copy NAME [--region REGION] [--as NEW] [--kms KEY]",
	.help = "copy a snapshot of RDS, to another region too",
	.instead = "pgBackRest keeps copies in a second repository (repo2-*): it gets all WAL, and "
	           "backups of its own.",
	.confirm = OP_WRITES,
	.rds = &rds_snapshot_copy,
};

static const struct op_kind snapshot_dump = {
	.verb = "snapshot",
	.sub = "dump",
	.usage = "snapshot dump [DATABASE] [--as NAME]",
	.help = "dump a database by pg_dump, with its roles, looked through by pg_restore",
	.confirm = OP_WRITES,
	.local = &dump_impl,
	.rds = &dump_impl,
	.sql = &dump_impl,
};

static const struct op_kind backup_retention = {
	.verb = "backup",
	.sub = "retention",
	.usage = "backup retention [daily N weekly N monthly N continuous N|apply]",
	.help = "how long snapshots are kept: show it, or set it and drop what is older",
	.confirm = OP_DESTROYS,
	.looks_alone = true,
	.local = &local_retention,
	.rds = &rds_retention,
};

static const struct op_kind backup_replicate = {
	.verb = "backup",
	.sub = "replicate",
	.usage = "backup replicate REGION [--days N] [--kms KEY] | stop REGION",
	.help = "keep automated backups of RDS in another region, too; end it",
	.instead = "pgBackRest keeps copies in a second repository (repo2-*): it gets all WAL, and "
	           "backups of its own.",
	.confirm = OP_WRITES,
	.rds = &rds_replicate,
};

static const struct op_kind restore = {
	.verb = "restore",
	.usage = "restore SNAPSHOT|--at TIME [--before]|--lsn LSN|--point NAME to NAME",
	.help =
	    "a server of its own from a snapshot, as it was at any moment since; never over the source",
	.confirm = OP_WRITES,
	.local = &local_restore,
	.rds = &rds_restore,
};

static const struct op_kind restore_drop = {
	.verb = "restore",
	.sub = "drop",
	.usage = "restore drop NAME",
	.help = "stop a restored server and remove it",
	.confirm = OP_DESTROYS,
	.local = &local_restore_drop,
	.rds = &rds_restore_drop,
};

static const struct op_kind verify = {
	.verb = "verify",
	.usage = "verify [SNAPSHOT|latest]",
	.help = "restore a snapshot to scratch, start it, check it through, remove it",
	.confirm = OP_WRITES,
	.local = &local_verify,
	.rds = &rds_verify,
};

static const struct op_kind point = {
	.verb = "point",
	.usage = "point NAME",
	.help = "a restore point: `restore --point NAME` goes back to it",
	.confirm = OP_WRITES,
	.local = &local_point,
};

static const struct op_kind cloud = {
	.verb = "cloud",
	.usage = "cloud check",
	.help = "AWS: call each reading action once, and say what is allowed",
	.confirm = OP_LOOKS,
	.rds = &rds_check,
};

static const struct op_kind switchover = {
	.verb = "switchover",
	.usage = "switchover [MEMBER] [nopause]",
	.help = "let a primary and its standby change places, without loss",
	.confirm = OP_DESTROYS,
	.local = &local_switchover,
	.patroni = &patroni_switchover,
	.rds = &rds_failover,
};

static const struct op_kind failover = {
	.verb = "failover",
	.usage = "failover [MEMBER] [fenced] [rejoin] [nopause]",
	.help = "promote the standby of a dead primary; of RDS: fail over an instance or a cluster",
	.confirm = OP_DESTROYS,
	.local = &local_failover,
	.patroni = &patroni_failover,
	.rds = &rds_failover,
};

static const struct op_kind promote = {
	.verb = "promote",
	.usage = "promote REPLICA",
	.help = "make a replica a primary of its own",
	.confirm = OP_DESTROYS,
	.local = &local_promote,
	.patroni = &patroni_promote,
	.rds = &rds_promote,
};

static const struct op_kind replica = {
	.verb = "replica",
	.usage =
	    "replica add NAME [--port N] [--region R] [--class C] [--kms KEY] | drop NAME [--standby]",
	.help = "make a read replica, or remove one",
	.confirm = OP_WRITES,
	.local = &local_replica,
	.rds = &rds_replica,
};

static const struct op_kind drill = {
	.verb = "drill",
	.usage = "drill failover [--kind planned|crash|multi-az|aurora] [--stay]",
	.help = "fail over on purpose, measure the outage and what is lost, and go back",
	.confirm = OP_DESTROYS,
	.local = &local_drill,
	.patroni = &patroni_drill,
	.rds = &rds_drill,
};

static const struct op_kind pool = {
	.verb = "pool",
	.usage = "pool pause|resume|reconnect|kill [DATABASE]",
	.help = "hold, let go, or cut the clients of PgBouncer",
	.confirm = OP_WRITES,
	.local = &local_pool,
	.rds = &local_pool,
};

static const struct op_kind set = {
	.verb = "set",
	.usage = "set PARAM VALUE|DEFAULT",
	.help = "change a parameter of the server: ALTER SYSTEM, or a parameter group",
	.confirm = OP_WRITES,
	.local = &local_set,
	.rds = &rds_set,
	.sql = &local_set,
};

static const struct op_kind scale = {
	.verb = "scale",
	.usage = "scale class CLASS [now|window] | storage SIZE [iops N] | iops N",
	.help = "give an instance of RDS another class, more storage, other IOPS",
	.instead = "A server of one's own has the machine that it has.",
	.confirm = OP_WRITES,
	.rds = &rds_scale,
};

static const struct op_kind storage = {
	.verb = "storage",
	.usage = "storage max SIZE|off",
	.help = "how far RDS may grow the storage of an instance by itself",
	.instead = "The storage of a server of one's own grows by its file system.",
	.confirm = OP_WRITES,
	.rds = &rds_storage,
};

static const struct op_kind insights = {
	.verb = "insights",
	.usage = "insights on|off [days N] [standard|advanced]",
	.help = "Performance Insights of an instance of RDS",
	.instead = "Of a server of one's own, the pane waits samples its sessions.",
	.confirm = OP_WRITES,
	.rds = &rds_insights,
};

static const struct op_kind put_alarm = {
	.verb = "alarm",
	.usage = "alarm put [sns ARN] [cpu PERCENT] [storage SIZE] [connections N]",
	.help = "CloudWatch alarms on CPU, free storage and connections",
	.instead = "Of a server of one's own, pgmedic's rules alert: show alerts.",
	.confirm = OP_WRITES,
	.rds = &rds_alarm,
};

static const struct op_kind autoscaling = {
	.verb = "autoscaling",
	.usage = "autoscaling [replicas MIN MAX [cpu PERCENT] | replicas off]",
	.help = "what RDS grows by itself: storage, and the readers of Aurora; set the latter",
	.instead = "A server of one's own does not grow by itself.",
	.confirm = OP_LOOKS,
	.rds = &rds_autoscaling,
};

static const struct op_kind proxy = {
	.verb = "proxy",
	.usage = "proxy create NAME [role ARN] [secret ARN] [subnets A,B] [tls] | drop NAME",
	.help = "RDS Proxy in front of the target: make one with its target, remove one",
	.instead = "A server of one's own has PgBouncer: pool.",
	.confirm = OP_WRITES,
	.rds = &rds_proxy,
};

/* clang-format off */
const struct op_kind *const op_kinds[] = {
	&snapshot,
	&snapshots,
	&snapshot_copy,
	&snapshot_dump,
	&snapshot_drop,
	&backup_retention,
	&backup_replicate,
	&restore,
	&restore_drop,
	&verify,
	&point,
	&switchover,
	&failover,
	&promote,
	&replica,
	&drill,
	&pool,
	&set,
	&scale,
	&storage,
	&insights,
	&put_alarm,
	&proxy,
	&autoscaling,
	&cloud,
	NULL,
};
/* clang-format on */

const struct op_leftover_def op_leftover_defs[] = {
	{ "directory", copy_undo_directory },
	{ "server", copy_undo_server },
	{ "dump", dump_undo },
	{ "expiring", expire_undo },
	{ "pooler", pooler_undo },
	{ "replica_slot", replica_undo_slot },
	{ "replica_down", replica_undo_down },
	{ "rds_instance", rds_instance_undo },
	{ "rds_cluster", rds_cluster_undo },
	{ "rds_snapshot", rds_snapshot_undo },
	{ "rds_writer", rds_writer_undo },
	{ "server_down", pair_undo_down },
	{ "slot", pair_undo_slot },
	{ "stale_slot", pair_undo_stale_slot },
	{ "table", drill_undo_table },
	{ "configuration", pair_undo_configuration },
	{ "parameter", set_undo },
	{ "rds_modify", rds_modify_undo },
	{ "rds_parameter", rds_set_undo },
	{ "rds_proxy", rds_proxy_undo },
	{ "rds_alarm", rds_alarm_undo },
	{ NULL, NULL },
};
