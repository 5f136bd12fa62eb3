/* Periods of the probes. What no shown pane needs is not asked, but for what ticks and link states
 * are made of. */
#include "config.h"

#include "collect/schedule.h"

/* The set-up of every session gives pg_stat_statements' scan room in memory: 5,000 entries spill
 * beyond 4 MB. */
static const char pgss_work_mem[] = "32MB";

const struct probe_plan probe_plans[PROBE_COUNT] = {
	[PROBE_SERVER] = { SCOPE_FAST, EACH, EACH, NULL, NULL },
	[PROBE_ACTIVITY] = { SCOPE_FAST, EACH, EACH, NULL, NULL },
	[PROBE_DBSUM] = { SCOPE_FAST, EACH, EACH, NULL, NULL },
	[PROBE_REPLICATION] = { SCOPE_FAST, 5000, EACH, NULL, NULL },
	[PROBE_LOCKS] = { SCOPE_FAST, NEVER, EACH, NULL, NULL },
	[PROBE_PROGRESS] = { SCOPE_FAST, NEVER, EACH, NULL, NULL },
	[PROBE_OS] = { SCOPE_LOCAL, NEVER, EACH, NULL, NULL },
	[PROBE_DATABASES] = { SCOPE_SINGLE, NEVER, 5000, NULL, NULL },
	[PROBE_STATEMENTS] = { SCOPE_SINGLE, NEVER, 5000, pgss_work_mem, NULL },
	[PROBE_STATEMENTS_INFO] = { SCOPE_SINGLE, NEVER, 5000, NULL, NULL },
	[PROBE_SLOTS] = { SCOPE_SINGLE, NEVER, 5000, NULL, NULL },
	[PROBE_RECEIVER] = { SCOPE_SINGLE, NEVER, 2000, NULL, NULL },
	[PROBE_CONFLICTS] = { SCOPE_SINGLE, NEVER, 10000, NULL, NULL },
	[PROBE_CHECKPOINTS] = { SCOPE_SINGLE, NEVER, 5000, NULL, NULL },
	[PROBE_WAL] = { SCOPE_SINGLE, NEVER, 5000, NULL, NULL },
	[PROBE_ARCHIVER] = { SCOPE_SINGLE, NEVER, 5000, NULL, NULL },
	[PROBE_POOL_POOLS] = { SCOPE_CONSOLE, 10000, 2000, NULL, "SHOW POOLS" },
	[PROBE_POOL_STATS] = { SCOPE_CONSOLE, NEVER, 5000, NULL, "SHOW STATS" },
	[PROBE_POOL_DATABASES] = { SCOPE_CONSOLE, NEVER, 10000, NULL, "SHOW DATABASES" },
	[PROBE_POOL_CLIENTS] = { SCOPE_CONSOLE, NEVER, 5000, NULL, "SHOW CLIENTS" },
	[PROBE_LOG_SOURCE] = { SCOPE_SINGLE, NEVER, 5000, NULL, NULL },
	[PROBE_LOGS] = { SCOPE_SINGLE, NEVER, EACH, NULL, NULL },
	[PROBE_NAMES] = { SCOPE_FAST, 300000, 300000, NULL, NULL },
	[PROBE_LOCK_NAMES] = { SCOPE_FAST, NEVER, NEVER, NULL, NULL },
	[PROBE_STATEMENT_TEXTS] = { SCOPE_SINGLE, NEVER, NEVER, pgss_work_mem, NULL },
	[PROBE_TABLES] = { SCOPE_SINGLE, NEVER, 10000, NULL, NULL },
	[PROBE_LARGEST] = { SCOPE_SINGLE, NEVER, 60000, NULL, NULL },
	[PROBE_INDEXES] = { SCOPE_SINGLE, NEVER, 10000, NULL, NULL },
	[PROBE_SETTINGS] = { SCOPE_SINGLE, NEVER, 60000, NULL, NULL },
	[PROBE_SIZES] = { SCOPE_SINGLE, NEVER, 300000, NULL, NULL },
	[PROBE_WRAPAROUND] = { SCOPE_SINGLE, NEVER, 60000, NULL, NULL },
	[PROBE_VACUUM_TABLES] = { SCOPE_SINGLE, NEVER, 60000, NULL, NULL },
	[PROBE_XMIN_HOLDERS] = { SCOPE_SINGLE, NEVER, 10000, NULL, NULL },
	[PROBE_SUBSCRIPTIONS] = { SCOPE_SINGLE, NEVER, 10000, NULL, NULL },
	[PROBE_STORAGE_WAL] = { SCOPE_SINGLE, NEVER, 60000, NULL, NULL },
	[PROBE_STORAGE_TEMP] = { SCOPE_SINGLE, NEVER, 60000, NULL, NULL },
	[PROBE_STORAGE_LOG] = { SCOPE_SINGLE, NEVER, 60000, NULL, NULL },
	[PROBE_STORAGE_KINDS] = { SCOPE_SINGLE, NEVER, 60000, NULL, NULL },
	[PROBE_STORAGE_TABLES] = { SCOPE_SINGLE, NEVER, 60000, NULL, NULL },
	[PROBE_STORAGE_PARTITIONS] = { SCOPE_SINGLE, NEVER, 300000, NULL, NULL },
	[PROBE_STORAGE_ARRIVALS] = { SCOPE_SINGLE, NEVER, 600000, NULL, NULL },
	[PROBE_TABLESPACES] = { SCOPE_SINGLE, NEVER, 300000, NULL, NULL },
	[PROBE_CAPACITY] = { SCOPE_LOCAL, NEVER, 60000, NULL, NULL },
	[PROBE_ADVICE] = { SCOPE_POSTED, NEVER, NEVER, NULL, NULL },
	[PROBE_ADVICE_STATEMENTS] = { SCOPE_POSTED, NEVER, NEVER, NULL, NULL },
	[PROBE_ADVICE_SUMMARY] = { SCOPE_POSTED, NEVER, NEVER, NULL, NULL },
	[PROBE_ADVICE_EFFECT] = { SCOPE_POSTED, NEVER, NEVER, NULL, NULL },
	[PROBE_HISTORY] = { SCOPE_POSTED, NEVER, NEVER, NULL, NULL },
	[PROBE_SIZE_HISTORY] = { SCOPE_POSTED, NEVER, NEVER, NULL, NULL },
	[PROBE_HOST] = { SCOPE_LOCAL, NEVER, 2000, NULL, NULL },
	[PROBE_INT4_KEYS] = { SCOPE_SINGLE, NEVER, 10000, NULL, NULL },
	[PROBE_FLAWS] = { SCOPE_SINGLE, NEVER, 10000, NULL, NULL },
	[PROBE_BACKUP_HISTORY] = { SCOPE_SINGLE, NEVER, 60000, NULL, NULL },
	[PROBE_ALERT_RULES] = { SCOPE_POSTED, NEVER, NEVER, NULL, NULL },
	[PROBE_ALERT_MUTES] = { SCOPE_POSTED, NEVER, NEVER, NULL, NULL },
	[PROBE_ALERT_STATE] = { SCOPE_POSTED, NEVER, NEVER, NULL, NULL },
	[PROBE_ALERT_HISTORY] = { SCOPE_POSTED, NEVER, NEVER, NULL, NULL },
	[PROBE_BACKUPS] = { SCOPE_POSTED, NEVER, NEVER, NULL, NULL },
	[PROBE_CLOUD] = { SCOPE_CLOUD, NEVER, NEVER, NULL, NULL },
	[PROBE_CLOUD_METRICS] = { SCOPE_CLOUD, NEVER, NEVER, NULL, NULL },
	[PROBE_CLOUD_PAST] = { SCOPE_CLOUD, NEVER, NEVER, NULL, NULL },
	[PROBE_CLOUD_UNTOLD] = { SCOPE_CLOUD, NEVER, NEVER, NULL, NULL },
	[PROBE_CLOUD_EVENTS] = { SCOPE_CLOUD, NEVER, NEVER, NULL, NULL },
	[PROBE_CLOUD_ALARMS] = { SCOPE_CLOUD, NEVER, NEVER, NULL, NULL },
	[PROBE_CLOUD_LOAD] = { SCOPE_CLOUD, NEVER, NEVER, NULL, NULL },
	[PROBE_CLOUD_LOAD_PAST] = { SCOPE_CLOUD, NEVER, NEVER, NULL, NULL },
	[PROBE_CLOUD_OS] = { SCOPE_CLOUD, NEVER, NEVER, NULL, NULL },
	[PROBE_CLOUD_COST] = { SCOPE_CLOUD, NEVER, NEVER, NULL, NULL },
};

/* The shorter of what the screen and what the alert rules want. */
static int
period_ms(enum probe_id probe, const struct probe_slot *slot)
{
	int ms = slot->is_shown ? probe_plans[probe].shown_ms : probe_plans[probe].hidden_ms;

	return slot->rule_ms > 0 && (ms == NEVER || slot->rule_ms < ms) ? slot->rule_ms : ms;
}

bool
schedule_is_due(enum probe_id probe, const struct probe_slot *slot, struct mono now)
{
	/* Refreshes come a little early or late; a period is not to be missed by that. */
	const int64_t slack_us = 20000;
	if (slot->is_flying)
		return false;
	if (slot->is_wanted || slot->is_next)
		return true;
	int period = period_ms(probe, slot);
	if (period == NEVER)
		return false;
	return (period == EACH && slot->backoff <= 1) || now.us + slack_us >= slot->due.us;
}

int
schedule_backoff(int backoff, int64_t cost_us, int64_t period_us)
{
	if (backoff < 1)
		backoff = 1;
	if (cost_us * 4 > period_us * backoff)
		return backoff < BACKOFF_MAX ? backoff * 2 : BACKOFF_MAX;
	if (backoff > 1 && cost_us * 8 < period_us * backoff / 2)
		return backoff / 2;
	return backoff;
}

void
schedule_answered(enum probe_id probe, struct probe_slot *slot, struct mono now,
    int64_t interval_us, int64_t cost_us, bool ok)
{
	int64_t period_us = (int64_t)period_ms(probe, slot) * 1000;
	if (period_us < interval_us)
		period_us = interval_us;
	slot->is_flying = slot->is_wanted = slot->is_next = false;
	if (ok) {
		slot->backoff = schedule_backoff(slot->backoff, cost_us, period_us);
		slot->answers++;
	} else {
		slot->backoff = slot->backoff < 1 ? 2 :
		    slot->backoff < BACKOFF_MAX   ? slot->backoff * 2 :
		                                    BACKOFF_MAX;
	}
	bool is_pair_missing =
	    ok && slot->is_shown && slot->answers == 1 && cost_us * 4 < interval_us;
	int64_t wait_us = is_pair_missing ? interval_us : period_us * slot->backoff;
	slot->due.us = now.us + wait_us;
}
