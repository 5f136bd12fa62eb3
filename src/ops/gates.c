#include "config.h"

#include "ops/gates.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/compat.h"
#include "base/strbuf.h"

enum { MAX_TEXT = 1024 };

/* What turns a gate green. */
static const struct {
	const char *name, *what;
} remedies[] = {
	{ "archiving", "Mend archive_command: its error is in the server's log (the logs pane)." },
	{ "backup window", "Wait until it is over." },
	{ "backups", "Wait for its end, or stop it." },
	{ "disk", "Make room, or lower max_wal_size." },
	{ "endpoint",
	    "Let conninfo of [target] lead to who takes writes: `diagnose connect` walks the way." },
	{ "lag", "Wait until the standby has caught up: the replication pane." },
	{ "last failover", "RDS may abandon one so soon: wait some minutes." },
	{ "logical slots", "Their consumers make them anew on the new primary: drop them first." },
	{ "maintenance", "patronictl resume ends it." },
	{ "Multi-AZ", "`scale` does not make one: aws rds modify-db-instance --multi-az." },
	{ "pending changes", "A restart would bring them: let them be made first." },
	{ "prepared", "COMMIT PREPARED or ROLLBACK PREPARED them: pg_prepared_xacts." },
	{ "protection", "aws rds modify-db-instance --no-deletion-protection." },
	{ "readers", "`replica add NAME` makes one." },
	{ "replay", "pg_wal_replay_resume() on the standby." },
	{ "retention", "`backup retention daily 7` turns automated backups on." },
	{ "rewind",
	    "pg_rewind needs full_page_writes = on, and wal_log_hints = on (a restart) or data checksums." },
	{ "role", "Grant it, or let another role of [target] do it." },
	{ "settings", "Set them as high on the standby, and restart it." },
	{ "streaming", "Look at primary_conninfo and the log of the standby." },
	{ "sync", "Change synchronous_standby_names of the new primary first." },
	{ "timelines", "Wait until the standby follows the primary's timeline." },
	{ "transactions", "Wait for its end, or cancel it: the activity pane." },
};

static const char *
remedy(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(remedies); i++)
		if (strcmp(remedies[i].name, name) == 0)
			return remedies[i].what;
	return "";
}

/* The first is told whole with what mends it, the others by their names. */
static void
turn_red(struct gates *g, const char *name, const char *text)
{
	size_t n = strlen(g->err->what);
	const char *how = remedy(name);

	if (g->red++ > 0) {
		snprintf(g->err->what + n, sizeof(g->err->what) - n, "%s '%s'",
		    g->red == 2 ? "; red, too:" : ",", name);
		return;
	}
	error_set(g->err, ERR_REFUSED, "gate '%s' is red: %.150s", name, text);
	error_hint(g->err, "%s%sNothing has been touched.", how, *how ? " " : "");
}

static void PRINTF_LIKE(4, 0)
    add(struct gates *g, const char *name, enum role role, const char *fmt, va_list ap)
{
	struct strbuf sb = STRBUF_INIT(MAX_TEXT);

	strbuf_addv(&sb, fmt, ap);
	doc_pair(&g->op->doc, name, role, "%s%s", role == ROLE_CRIT ? "RED: " : "", sb.buf);
	if (role == ROLE_CRIT)
		turn_red(g, name, sb.buf);
	strbuf_release(&sb);
}

void
gate(struct gates *g, const char *name, bool is_green, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(g, name, is_green ? ROLE_NORMAL : ROLE_CRIT, fmt, ap);
	va_end(ap);
}

void
gate_warn(struct gates *g, const char *name, bool is_green, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(g, name, is_green ? ROLE_NORMAL : ROLE_WARN, fmt, ap);
	va_end(ap);
}
