/* A server of one's own: what corresponds to the checklist of RDS. */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "ops/pgbackrest.h"
#include "ops/production_priv.h"

enum { BACKUP_DAYS = 7 };

static void
check_standby(struct production *p)
{
	int64_t n = production_int(p, "standbys", 0), sync = production_int(p, "sync_standbys", 0);

	if (production_int(p, "is_standby", 0)) {
		check_add(p->checks, "standby", CHECK_OK, "this is a standby");
	} else if (n) {
		check_add(p->checks, "standby", CHECK_OK,
		    "%lld receive its WAL, %lld synchronously", (long long)n, (long long)sync);
	} else {
		check_add(p->checks, "standby", CHECK_FAIL,
		    "nobody receives its WAL: when this machine is lost, so is the service");
		check_remedy(p->checks,
		    "pg_basebackup -R -C -S NAME on another machine, then `standby` of the target.");
	}
	check_add(p->checks, "replicas",
	    n || production_int(p, "is_standby", 0) ? CHECK_OK : CHECK_WARN,
	    "%lld replicas could take reads", (long long)n);
}

static void
check_checksums(struct production *p)
{
	bool on = strcmp(production_text(p, "data_checksums"), "on") == 0;

	check_add(p->checks, "checksums", on ? CHECK_OK : CHECK_WARN, "data checksums are %s",
	    on ? "on" : "off: corrupt pages are not noticed");
	if (!on)
		check_remedy(p->checks, "pg_checksums --enable, with the server stopped.");
}

static void
check_archiving(struct production *p)
{
	const char *mode = production_text(p, "archive_mode");
	double age = cell_num(rowset_get(p->facts, 0, "archived_age_s"), -1);

	if (strcmp(mode, "off") == 0) {
		check_add(p->checks, "archiving", CHECK_FAIL,
		    "WAL is not archived: no point in time "
		    "but that of a backup can be restored");
		check_remedy(p->checks,
		    "archive_mode = on with archive_command = 'pgbackrest … archive-push %%p'");
	} else if (production_int(p, "archiver_fails", 0)) {
		check_add(
		    p->checks, "archiving", CHECK_FAIL, "the archiver fails, and WAL piles up");
		check_remedy(p->checks, "The server's log has the command's words.");
	} else if (age < 0) {
		check_add(p->checks, "archiving", CHECK_UNKNOWN, "nothing was archived yet");
	} else {
		check_add(p->checks, "archiving", CHECK_OK,
		    "the last segment was archived %.0f s ago", age);
	}
}

static void
check_backups(struct production *p)
{
	struct pgbackrest_info info = { 0 };
	struct error err = { 0 };
	double days;

	if (!*p->target->pgbackrest_stanza) {
		check_add(p->checks, "retention", CHECK_UNKNOWN, "no backups are known");
		check_remedy(p->checks,
		    "Set pgbackrest_stanza (and pgbackrest_config) of the target; then `snapshot`.");
		return;
	}
	if (!pgbackrest_info(&p->op, &info, &err)) {
		check_add(p->checks, "retention", CHECK_UNKNOWN, "%s", err.what);
		check_remedy(p->checks, "%s", err.hint);
	} else if (!info.n) {
		check_add(
		    p->checks, "retention", CHECK_FAIL, "stanza %s has no backup", info.stanza);
		check_remedy(p->checks, "`snapshot`");
	} else {
		days = (double)(wall_now().us - info.backups[info.n - 1].stop.us) / 86400e6;
		check_add(p->checks, "retention", days > BACKUP_DAYS ? CHECK_WARN : CHECK_OK,
		    "%d backups, the newest %.1f days old", info.n, days);
		check_evidence(p->checks, "the oldest is %s", info.backups[0].label);
		if (days > BACKUP_DAYS)
			check_remedy(p->checks, "`snapshot`, from cron with --yes --wait.");
	}
	pgbackrest_info_release(&info);
}

static void
check_insights(struct production *p)
{
	bool timing = strcmp(production_text(p, "track_io_timing"), "on") == 0;
	bool statements = production_int(p, "has_statements", 0) != 0;

	check_add(p->checks, "insights", timing && statements ? CHECK_OK : CHECK_WARN,
	    "pg_stat_statements is %s, track_io_timing %s", statements ? "here" : "not here",
	    timing ? "on" : "off");
	if (!statements)
		check_remedy(p->checks, "CREATE EXTENSION pg_stat_statements");
	else if (!timing)
		check_remedy(p->checks, "ALTER SYSTEM SET track_io_timing = on");
}

static bool
listens_outside(const struct production *p)
{
	const char *s = production_text(p, "listen_addresses");

	return *s && strcmp(s, "localhost") != 0 && strcmp(s, "127.0.0.1") != 0 &&
	    strcmp(s, "127.0.0.1,::1") != 0 && strcmp(s, "::1") != 0;
}

static const char *
line_of(struct production *p, const struct rowset *rows, const char *column)
{
	const struct cell *c = rowset_get(rows, 0, column);

	return c->type == CELL_TEXT ? arena_strndup(p->arena, c->s, c->len) : "";
}

static void
check_hba(struct production *p, const struct rowset *hba, bool outside)
{
	int64_t plain = hba ? cell_i64(rowset_get(hba, 0, "plain"), 0) : 0;
	int64_t trusting = hba ? cell_i64(rowset_get(hba, 0, "trusting"), 0) : 0;
	int64_t anywhere = hba ? cell_i64(rowset_get(hba, 0, "anywhere"), 0) : 0;
	bool has_tls = strcmp(production_text(p, "ssl"), "on") == 0;

	if (!outside)
		check_add(p->checks, "public_access", CHECK_OK, "it listens on this machine only");
	else if (!hba)
		check_add(p->checks, "public_access", CHECK_UNKNOWN,
		    "it listens to others; pg_hba.conf cannot be read by this role");
	else if (trusting) {
		check_add(p->checks, "public_access", CHECK_FAIL,
		    "others are let in without a password: %s", line_of(p, hba, "first_trusting"));
		check_remedy(p->checks, "scram-sha-256 instead of trust in pg_hba.conf.");
	} else {
		check_add(p->checks, "public_access", anywhere ? CHECK_WARN : CHECK_OK,
		    anywhere ?
		        "%lld lines of pg_hba.conf let in from anywhere" :
		        "%lld lines of pg_hba.conf let in from anywhere, others from networks",
		    (long long)anywhere);
		if (anywhere)
			check_remedy(
			    p->checks, "Name the networks of the applications in pg_hba.conf.");
	}
	if (!outside)
		check_add(p->checks, "force_ssl", CHECK_OK, "nothing crosses a network");
	else if (!has_tls)
		check_add(p->checks, "force_ssl", CHECK_FAIL,
		    "ssl is off: all crosses the network in the "
		    "clear");
	else if (!hba)
		check_add(p->checks, "force_ssl", CHECK_UNKNOWN,
		    "ssl is on; whether it is forced, "
		    "pg_hba.conf would tell");
	else
		check_add(p->checks, "force_ssl", plain ? CHECK_WARN : CHECK_OK,
		    plain ? "ssl is on, but %lld lines let in without it" :
		            "all %lld lines without it are "
		            "gone: TLS is forced",
		    (long long)plain);
	if (outside && plain && has_tls) {
		check_evidence(p->checks, "%s", line_of(p, hba, "first_plain"));
		check_remedy(p->checks, "hostssl instead of host in pg_hba.conf, then reload.");
	} else if (outside && !has_tls) {
		check_remedy(p->checks, "ssl = on with a certificate, hostssl in pg_hba.conf.");
	}
}

void
production_local(struct production *p)
{
	struct rowset *hba = NULL;
	struct error unread = { 0 };
	bool outside;

	if (!p->facts) {
		check_add(p->checks, "server", CHECK_UNKNOWN,
		    "without a session the server tells nothing");
		check_remedy(p->checks, "`diagnose connect` says why there is none.");
		check_backups(p);
		return;
	}
	outside = listens_outside(p);
	if (outside && production_int(p, "may_read_hba", 0))
		hba = pg_sync_run(p->pg, "look_hba", NULL, 0, 5000, &unread);
	if (hba && hba->nrows != 1) {
		rowset_unref(hba);
		hba = NULL;
	}
	check_standby(p);
	check_checksums(p);
	check_backups(p);
	check_archiving(p);
	check_insights(p);
	check_hba(p, hba, outside);
	production_pooling(p, "");
	rowset_unref(hba);
}
