/* Alerts of one look (pgmedic show): what was known before, what is kept after it, and the files
 * that tell of backups, which the thread of a longer watch reads, too. */
#include "config.h"

#include <stdio.h>
#include <sys/stat.h>

#include "app/alerting.h"
#include "base/log.h"
#include "model/rules.h"
#include "store/alerts.h"

/* When a file was written; null when there is none. Waits for the disk: no thread that must not. */
static struct cell
written(const char *path)
{
	struct stat st;

	if (!path || !*path || stat(path, &st) != 0)
		return cell_null(WHY_NONE);
	return cell_time((int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000);
}

static struct cell
path_cell(struct rowset *rs, const char *path)
{
	return path && *path ? cell_text(arena_strdup(&rs->arena, path)) : cell_null(WHY_NONE);
}

struct rowset *
alerting_backups(const struct target *t)
{
	static const char *const names[] = { "last_good", "last_verified", "good_file",
		"verified_file" };
	static const uint8_t types[] = { CELL_TIME, CELL_TIME, CELL_TEXT, CELL_TEXT };
	struct rowset *rs;
	struct cell *c;

	if (!(t->backup_file && *t->backup_file) &&
	    !(t->backup_verified_file && *t->backup_verified_file))
		return NULL;
	rs = rowset_new((int)ARRAY_LEN(names), names, types);
	c = rowset_add(rs);
	c[0] = written(t->backup_file);
	c[1] = written(t->backup_verified_file);
	c[2] = path_cell(rs, t->backup_file);
	c[3] = path_cell(rs, t->backup_verified_file);
	return rs;
}

void
alerting_recall(struct sampler *s, const struct settings *settings, const struct target *t)
{
	const char *target = t->name;
	struct error err = { 0 };
	struct alerts *store = alerts_open(&err);
	struct rowset *rs;

	sampler_post(s, PROBE_ALERT_RULES, alerting_limits(settings, target));
	rs = alerting_backups(t);
	if (rs)
		sampler_post(s, PROBE_BACKUPS, rs);
	if (!store) {
		fprintf(stderr, "pgmedic: %s; durations begin anew\n", err.what);
		return;
	}
	rs = alerts_recall(store, target, rules_memory_rowset(), &err);
	if (rs)
		sampler_post(s, PROBE_ALERT_STATE, rs);
	rs = alerts_mutes(store, target, wall_now(), &err);
	if (rs)
		sampler_post(s, PROBE_ALERT_MUTES, rs);
	rs = alerts_past(store, target, ALERTS_PAST, &err);
	if (rs)
		sampler_post(s, PROBE_ALERT_HISTORY, rs);
	alerts_close(store);
}

void
alerting_keep(const struct snapshot *snap, const char *target)
{
	struct error err = { 0 };
	struct alerts *store = alerts_open(&err);
	bool ok = store != NULL, is_news;

	for (int i = 0; ok && i < snap->nfindings; i++) {
		const struct finding *f = &snap->findings[i];
		struct alert_row row = { .target = target,
			.rule = rules[f->id].id,
			.severity = severity_names[f->severity],
			.at =
			    f->state == FINDING_FIRING && f->since.us ? f->since : snap->judged_at,
			.value = f->value,
			.what = f->what,
			.evidence = f->evidence };
		if (f->state == FINDING_FIRING)
			ok = alerts_raise(store, &row, &is_news, &err);
		else if (f->state != FINDING_NO_DATA)
			ok = alerts_clear(store, &row, &is_news, &err);
	}
	if (ok && snap->alert_memory)
		ok = alerts_remember(store, target, snap->alert_memory, &err);
	if (!ok)
		log_warn("alerts", "%s", err.what);
	alerts_close(store);
}
