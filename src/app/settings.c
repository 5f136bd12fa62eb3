#include "config.h"

#include "app/settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lexer.h"
#include "guide/lab.h"
#include "model/rules.h"
#include "panes/pane.h"

const struct setting_info setting_infos[] = {
	{ "console", "theme", SETTING_NAME, "theme", "default", "colours: name of a theme file" },
	{ "console", "keymap", SETTING_NAME, "keymap", "default", "keys: name of a keymap file" },
	{ "console", "pane", SETTING_NAME, "pane", "overview", "the pane shown first" },
	{ "console", "refresh", SETTING_SECONDS, NULL, "1",
	    "seconds between refreshes, 0.25 to 3600" },
	{ "console", "cloud_refresh", SETTING_SECONDS, NULL, "60",
	    "seconds between questions to CloudWatch, 0.25 to 3600; instances are looked at twice as often, the "
	    "load of the target on the screen four times" },
	{ "console", "columns.PANE", SETTING_COLUMNS, NULL, "",
	    "columns of a pane, comma separated, in this order (columns.activity = pid,user,query)" },
	{ "console", "rewind", SETTING_SIZE, NULL, "16MB",
	    "memory for going back in time (seek, step), as 16MB; 0: off" },
	{ "console", "history", SETTING_BOOL, NULL, "yes",
	    "keep figures and sizes of the targets on this machine, for charts and forecasts" },
	{ "console", "history_size", SETTING_SIZE, NULL, "256MB",
	    "size that the history stays under; then it is kept for a shorter time" },
	{ "console", "bell", SETTING_BOOL, NULL, "no",
	    "ring the terminal's bell once when an alert becomes critical" },
	{ "console", "mouse", SETTING_BOOL, NULL, "yes", "take mouse clicks and the wheel" },
	{ "console", "hints", SETTING_BOOL, NULL, "yes", "a line of keys at the bottom" },
	{ "console", "ascii", SETTING_BOOL, NULL, "no", "draw with ASCII only" },
	{ "console", "approvals", SETTING_TEXT, NULL, "",
	    "folder in which users of this machine approve each other's plans (chmod 1777); see approve" },
	{ "target", "conninfo", SETTING_TEXT, NULL, "",
	    "libpq conninfo string or URI; empty: libpq's environment" },
	{ "target", "proxy_role", SETTING_TEXT, NULL, "",
	    "ARN of the role by which RDS Proxy reads the secret (`proxy create`)" },
	{ "target", "proxy_secret", SETTING_TEXT, NULL, "",
	    "ARN of the secret that RDS Proxy logs in by; else the instance's own" },
	{ "target", "pgbouncer", SETTING_TEXT, NULL, "", "conninfo of PgBouncer's admin console" },
	{ "target", "protected", SETTING_BOOL, NULL, "no",
	    "commands that change the server ask for the target's name" },
	{ "target", "read_only", SETTING_BOOL, NULL, "no",
	    "commands that change the server are refused" },
	{ "target", "approve", SETTING_TEXT, "one|two", "one",
	    "two: operations, terminate, drop index and reset are run when another user of this machine has approved the plan" },
	{ "target", "hypopg", SETTING_TEXT, "auto|never", "auto",
	    "index advice asks the planner with HypoPG where the extension is created; never: it is modelled" },
	{ "target", "advice_unused_days", SETTING_DAYS, NULL, "7",
	    "days that scans must have been counted before an index is called unused" },
	{ "target", "color", SETTING_TEXT, "red|yellow|green|blue|magenta", "",
	    "colour of the environment in the title line" },
	{ "target", "refresh", SETTING_SECONDS, NULL, "",
	    "seconds between refreshes of this target" },
	{ "target", "storage_capacity", SETTING_SIZE, NULL, "",
	    "size of its storage, as 500GB, where the server's disk is not on this machine" },
	{ "target", "storage_max", SETTING_SIZE, NULL, "",
	    "what storage autoscaling may grow to (MaxAllocatedStorage of RDS)" },
	{ "target", "storage_autoscaling", SETTING_BOOL, NULL, "no",
	    "the storage grows by itself, as RDS does it: the forecast goes on to storage_max" },
	{ "target", "log_file", SETTING_TEXT, NULL, "",
	    "its server log, a file on this machine, where the server does not say (logging_collector = off); .csv and .json are csvlog and jsonlog" },
	{ "target", "backup_file", SETTING_TEXT, NULL, "",
	    "a file that is written whenever a backup of this target has succeeded: its time is that of the backup" },
	{ "target", "backup_verified_file", SETTING_TEXT, NULL, "",
	    "the same of a backup that was restored and checked" },
	{ "target", "provider", SETTING_TEXT, "rds|local|none", "",
	    "who makes snapshots, restores and failovers: RDS or Aurora, or this machine; empty: by the keys below" },
	{ "target", "auth", SETTING_TEXT, "password|iam", "",
	    "iam: log in with an IAM token, made at each connection; password: never; empty: with provider = rds where no password is found" },
	{ "target", "password_secret", SETTING_TEXT, NULL, "",
	    "name or ARN of the secret of AWS Secrets Manager with the password; master: that which RDS keeps for the master user" },
	{ "target", "instance", SETTING_TEXT, NULL, "", "RDS: DB instance identifier" },
	{ "target", "cluster", SETTING_TEXT, NULL, "", "Aurora: DB cluster identifier" },
	{ "target", "region", SETTING_TEXT, NULL, "",
	    "AWS region; empty: of the endpoint's name, the profile, the environment" },
	{ "target", "profile", SETTING_TEXT, NULL, "", "profile of the AWS configuration files" },
	{ "target", "credentials_file", SETTING_TEXT, NULL, "",
	    "AWS credentials of this target, in the place of ~/.aws/credentials and of the environment's" },
	{ "target", "endpoint_url", SETTING_TEXT, NULL, "",
	    "another endpoint for all AWS services; AWS_ENDPOINT_URL_STS and _SSO keep theirs for the keys" },
	{ "target", "data_directory", SETTING_TEXT, NULL, "",
	    "data directory of the server, when it is on this machine" },
	{ "target", "pgbackrest_config", SETTING_TEXT, NULL, "",
	    "configuration file of pgBackRest; empty: its own default" },
	{ "target", "pgbackrest_stanza", SETTING_TEXT, NULL, "", "stanza of pgBackRest" },
	{ "target", "standby", SETTING_TEXT, NULL, "",
	    "name of the target that is its standby, for failover and drills" },
	{ "target", "patroni_url", SETTING_TEXT, NULL, "",
	    "Patroni's REST API, as http://127.0.0.1:8008" },
	{ "target", "restore_root", SETTING_TEXT, NULL, "",
	    "folder below which restored servers are made; empty: restores in the state folder" },
	{ "target", "dump_root", SETTING_TEXT, NULL, "",
	    "folder for `snapshot dump`; empty: dumps in the state folder" },
	{ "target", "critical_queries", SETTING_TEXT, NULL, "",
	    "file of queries that a verified backup must answer, one per line or each ended by ;" },
	{ "target", "alert.RULE", SETTING_ALERT, NULL, "",
	    "thresholds of an alert rule here: WARNING[,CRITICAL[,FOR]] or off (alert.deadlocks = 20)" },
	{ "alerts", "alert.RULE", SETTING_ALERT, NULL, "",
	    "the same for all targets that do not set it themselves" },
	{ NULL, NULL, SETTING_TEXT, NULL, NULL, NULL },
};

static const char columns_prefix[] = "columns.";
static const char alert_prefix[] = "alert.";

const struct setting_info *
setting_by_name(const char *section, const char *name)
{
	size_t n = sizeof(columns_prefix) - 1;

	for (const struct setting_info *s = setting_infos; s->section; s++) {
		if (strcmp(s->section, section) != 0)
			continue;
		if (strcmp(s->name, name) == 0)
			return s;
		if (s->type == SETTING_COLUMNS && strncmp(name, columns_prefix, n) == 0 && name[n])
			return s;
		if (s->type == SETTING_ALERT &&
		    strncmp(name, alert_prefix, sizeof(alert_prefix) - 1) == 0)
			return s;
	}
	return NULL;
}

bool
settings_parse_seconds(const char *text, int *ms)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text)
		return false;
	if (strcmp(end, "ms") == 0)
		v /= 1000.0;
	else if (*end && strcmp(end, "s") != 0)
		return false;
	if (!isfinite(v) || v < 0.25 || v > 3600)
		return false;
	*ms = (int)lround(v * 1000);
	return true;
}

bool
settings_parse_bytes(const char *text, int64_t *bytes)
{
	static const struct {
		const char *unit;
		int64_t factor;
	} units[] = { { "", 1 }, { "B", 1 }, { "kB", 1 << 10 }, { "MB", 1 << 20 },
		{ "GB", 1 << 30 }, { "TB", INT64_C(1) << 40 }, { "PB", INT64_C(1) << 50 } };
	char *end;
	double v = strtod(text, &end);

	if (end == text || !isfinite(v) || v < 0)
		return false;
	end += strspn(end, " ");
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strcasecmp(units[i].unit, end) == 0) {
			*bytes = (int64_t)fmin(v * (double)units[i].factor, 0x1p60);
			return v * (double)units[i].factor <= 0x1p60;
		}
	}
	return false;
}

bool
settings_parse_days(const char *text, double *days)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || (*end && strcmp(end, "d") != 0) || !(v >= 0 && v <= 3650))
		return false;
	*days = v;
	return true;
}

bool
settings_parse_bool(const char *text, bool *value)
{
	static const char *const yes[] = { "yes", "on", "true", "1", "y" };
	static const char *const no[] = { "no", "off", "false", "0", "n" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcasecmp(text, yes[i]) == 0)
			return *value = true;
		if (strcasecmp(text, no[i]) == 0) {
			*value = false;
			return true;
		}
	}
	return false;
}

/* Is `value` one of "a|b|c"? Empty is always fine. */
static bool
check_choice(const struct setting_info *info, const char *value, struct error *err)
{
	size_t len = strlen(value);

	if (!info->what || !len)
		return true;
	for (const char *s = info->what; s; s = strchr(s, '|') ? strchr(s, '|') + 1 : NULL)
		if (strncmp(s, value, len) == 0 && (s[len] == '|' || !s[len]))
			return true;
	error_set(err, ERR_CONFIG, "%s cannot be '%s'", info->name, value);
	return error_hint(err, "It is one of %s.", info->what);
}

static bool
check_pane(const char *value, struct error *err)
{
	const char *names[64];
	int n = 0;
	const char *near;

	for (int i = 0; panes[i] && n < 63; i++) {
		if (strcmp(panes[i]->name, value) == 0)
			return true;
		names[n++] = panes[i]->name;
	}
	names[n] = NULL;
	near = nearest_name(value, names);
	error_set(err, ERR_CONFIG, "there is no pane '%s'", value);
	return near ? error_hint(err, "The nearest is %s.", near) :
	              error_hint(err, "See pgmedic help panes.");
}

bool
setting_check(const struct setting_info *info, const char *value, struct error *err)
{
	bool b;
	int ms;
	int64_t bytes;
	double days;

	switch (info->type) {
	case SETTING_TEXT:
		return check_choice(info, value, err);
	case SETTING_NAME:
		return strcmp(info->what, "pane") != 0 || check_pane(value, err);
	case SETTING_BOOL:
		if (settings_parse_bool(value, &b))
			return true;
		error_set(err, ERR_CONFIG, "%s cannot be '%s'", info->name, value);
		return error_hint(err, "It is yes or no.");
	case SETTING_SECONDS:
		if (settings_parse_seconds(value, &ms))
			return true;
		error_set(err, ERR_CONFIG, "%s cannot be '%s'", info->name, value);
		return error_hint(err, "It is a time in seconds, 0.25 to 3600.");
	case SETTING_SIZE:
		/* What is kept in memory has another limit than a disk. */
		if (settings_parse_bytes(value, &bytes) &&
		    (strcmp(info->section, "console") != 0 || bytes <= INT64_C(1) << 40))
			return true;
		error_set(err, ERR_CONFIG, "%s cannot be '%s'", info->name, value);
		return error_hint(err, "It is a size such as 16MB, or 0.");
	case SETTING_DAYS:
		if (settings_parse_days(value, &days))
			return true;
		error_set(err, ERR_CONFIG, "%s cannot be '%s'", info->name, value);
		return error_hint(err, "It is a number of days, 0 to 3650.");
	case SETTING_COLUMNS:
	case SETTING_ALERT:
		return true;
	}
	return true;
}

/* The nearest key of a section, or NULL. */
static const char *
nearest_key(const char *section, const char *key)
{
	const char *names[ARRAY_LEN(setting_infos)];
	int n = 0;

	for (const struct setting_info *s = setting_infos; s->section; s++)
		if (strcmp(s->section, section) == 0)
			names[n++] = s->name;
	names[n] = NULL;
	return nearest_name(key, names);
}

static void
problem(struct settings *s, int line, const char *what, const char *hint)
{
	GROW(s->problems, s->nproblems, s->cap_problems);
	s->problems[s->nproblems++] =
	    arena_printf(&s->arena, "%s:%d: %s%s%s", s->path, line, what, *hint ? ". " : "", hint);
}

/* columns.PANE: the pane and each column must exist. */
static bool
check_columns(const char *key, const char *value, struct error *err)
{
	const char *name = key + sizeof(columns_prefix) - 1;
	const struct pane *p = NULL;
	struct arena arena = { 0 };
	bool ok = true;

	if (!check_pane(name, err))
		return false;
	p = pane_by_name(name);
	while (*value && ok) {
		size_t n = strcspn(value, ", ");
		const char *col = arena_strndup(&arena, value, n);
		const char *names[64];
		int i;

		if (n && pane_column(p, col) < 0) {
			for (i = 0; i < p->ncolumns && i < 63; i++)
				names[i] = p->columns[i].name;
			names[i] = NULL;
			error_set(err, ERR_CONFIG, "pane %s has no column '%s'", name, col);
			if (nearest_name(col, names))
				error_hint(err, "The nearest is %s.", nearest_name(col, names));
			ok = false;
		}
		value += n;
		value += strspn(value, ", ");
	}
	arena_release(&arena);
	return ok;
}

/* alert.RULE: the rule must exist, and its thresholds be readable. */
static bool
check_alert(const char *key, const char *value, struct error *err)
{
	const char *id = key + sizeof(alert_prefix) - 1;
	struct rule_limits limits;
	const char *names[RULE_COUNT + 1];

	if (rule_by_id(id) != RULE_COUNT)
		return rule_limits_read(rule_by_id(id), value, &limits, err);
	for (int i = 0; i < RULE_COUNT; i++)
		names[i] = rules[i].id;
	names[RULE_COUNT] = NULL;
	error_set(err, ERR_CONFIG, "there is no alert rule '%s'", id);
	if (nearest_name(id, names))
		return error_hint(err, "The nearest is %s.", nearest_name(id, names));
	return error_hint(err, "See pgmedic help rules.");
}

static bool
check_entry(const char *section, const char *key, const char *value, struct error *err)
{
	const struct setting_info *info = setting_by_name(section, key);
	const char *near;

	memset(err, 0, sizeof(*err));
	if (!info) {
		error_set(err, ERR_CONFIG, "[%s] has no key '%s'", section, key);
		near = nearest_key(section, key);
		return near ? error_hint(err, "The nearest is %s.", near) : false;
	}
	if (info->type == SETTING_COLUMNS)
		return check_columns(key, value, err);
	if (info->type == SETTING_ALERT)
		return check_alert(key, value, err);
	return setting_check(info, value, err);
}

static void
put(struct settings *s, const char *name, const char *value)
{
	for (int i = 0; i < s->n; i++) {
		if (strcmp(s->values[i].name, name) == 0) {
			s->values[i].value = arena_strdup(&s->arena, value);
			return;
		}
	}
	GROW(s->values, s->n, s->cap);
	s->values[s->n].name = arena_strdup(&s->arena, name);
	s->values[s->n++].value = arena_strdup(&s->arena, value);
}

static void
read_entry(struct settings *s, struct conf_entry *e)
{
	struct error err = { 0 };
	static const char *const sections[] = { "console", "alerts", "target", NULL };

	if (strcmp(e->section, "console") == 0) {
		if (check_entry("console", e->key, e->value, &err))
			put(s, e->key, e->value);
		else
			problem(s, e->line, err.what, err.hint);
		return;
	}
	if (strcmp(e->section, "alerts") == 0) {
		if (check_entry("alerts", e->key, e->value, &err))
			return;
		problem(s, e->line, err.what, err.hint);
		e->key = "";
		return;
	}
	if (strncmp(e->section, "target ", 7) == 0 && e->section[7 + strspn(e->section + 7, " ")]) {
		if (!check_entry("target", e->key, e->value, &err)) {
			/* What is to keep acts away does so; the rest targets.c skips. */
			bool guards =
			    strcmp(e->key, "protected") == 0 || strcmp(e->key, "read_only") == 0;

			problem(s, e->line, err.what,
			    guards ? "It is yes or no; until then it is yes." : err.hint);
			e->key = guards ? e->key : "";
			e->value = guards ? "yes" : e->value;
		}
		return;
	}
	error_set(&err, ERR_CONFIG, "there is no section [%s]", e->section);
	if (strncmp(e->section, "target", 6) == 0)
		error_hint(&err, "A target needs a name: [target NAME].");
	else if (nearest_name(e->section, sections))
		error_hint(&err, "The nearest is [%s].", nearest_name(e->section, sections));
	problem(s, e->line, err.what, err.hint);
}

/* A lab that is up; without it nothing is missed. */
static void
read_lab(struct settings *s)
{
	struct error ignored = { 0 };
	const char *path = lab_targets_file(&s->arena);

	if (path && !conf_read(&s->lab, path, &ignored))
		s->lab = (struct conf){ 0 };
}

void
settings_read(struct settings *s, const char *path)
{
	struct error err = { 0 };

	*s = (struct settings){ 0 };
	read_lab(s);
	s->path = path ? arena_strdup(&s->arena, path) : path_config(&s->arena, "pgmedic.conf");
	if (!conf_read(&s->conf, s->path, &err)) {
		GROW(s->problems, s->nproblems, s->cap_problems);
		s->problems[s->nproblems++] = arena_strdup(&s->arena, err.what);
		return;
	}
	for (int i = 0; i < s->conf.nbad; i++)
		problem(
		    s, s->conf.bad_lines[i], "the line is neither [section] nor key = value", "");
	for (int i = 0; i < s->conf.n; i++)
		read_entry(s, &s->conf.entries[i]);
}

void
settings_release(struct settings *s)
{
	conf_release(&s->conf);
	conf_release(&s->lab);
	free(s->values);
	free(s->problems);
	arena_release(&s->arena);
	*s = (struct settings){ 0 };
}

const struct conf *
settings_conf(const struct settings *s, const char *section)
{
	for (int i = 0; i < s->conf.n; i++)
		if (strcmp(s->conf.entries[i].section, section) == 0)
			return &s->conf;
	return &s->lab;
}

const char *
settings_get(const struct settings *s, const char *name)
{
	const struct setting_info *info = setting_by_name("console", name);

	for (int i = 0; i < s->n; i++)
		if (strcmp(s->values[i].name, name) == 0)
			return s->values[i].value;
	return info ? info->value : "";
}

bool
settings_bool(const struct settings *s, const char *name)
{
	bool b = false;

	return settings_parse_bool(settings_get(s, name), &b) && b;
}

int
settings_ms(const struct settings *s, const char *name)
{
	int ms = 1000;

	return settings_parse_seconds(settings_get(s, name), &ms) ? ms : 1000;
}

int64_t
settings_bytes(const struct settings *s, const char *name)
{
	int64_t bytes = 0;

	return settings_parse_bytes(settings_get(s, name), &bytes) ? bytes : 0;
}

bool
settings_set(struct settings *s, const char *name, const char *value, struct error *err)
{
	if (!check_entry("console", name, value, err)) {
		err->code = ERR_USAGE;
		return false;
	}
	put(s, name, value);
	return true;
}
