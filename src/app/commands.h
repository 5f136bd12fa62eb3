/* The entries of the command table, by file. */
#ifndef PGMEDIC_APP_COMMANDS_H
#define PGMEDIC_APP_COMMANDS_H

#include "app/command.h"

/* cmd_act.c */
extern const struct command cmd_cancel, cmd_terminate, cmd_vacuum, cmd_analyze, cmd_reindex,
    cmd_checkpoint, cmd_reset, cmd_create, cmd_drop;
/* cmd_look.c */
extern const struct command cmd_explain, cmd_jobs, cmd_journal, cmd_help, cmd_psql;
/* cmd_advise.c */
extern const struct command cmd_advise, cmd_apply;
/* cmd_diagnose.c */
extern const struct command cmd_diagnose;
/* cmd_alert.c */
extern const struct command cmd_mute, cmd_unmute, cmd_look;
/* cmd_op.c */
extern const struct command cmd_job, cmd_snapshot, cmd_snapshots, cmd_backup, cmd_approve,
    cmd_restore, cmd_verify, cmd_point, cmd_pool, cmd_cloud, cmd_switchover, cmd_failover,
    cmd_promote;
extern const struct command cmd_replica;
/* cmd_file.c */
extern const struct command cmd_save, cmd_export, cmd_report;
/* cmd_op.c: what changes a server */
extern const struct command cmd_scale, cmd_storage, cmd_insights, cmd_alarm, cmd_proxy,
    cmd_autoscaling;

#endif
