#include "config.h"

#include "panes/logs_detail.h"

#include <stdio.h>

#include "base/fmt.h"

static struct log_text
text_of(const struct cell *c)
{
	return c->type == CELL_TEXT ? (struct log_text){ c->s, c->len } :
	                              (struct log_text){ "", 0 };
}

/* What the process does now: a pid is given out again, so it must be older than the entry. */
static const char *
fate_of(const struct log_story *s, int64_t pid, int64_t at_us)
{
	const struct rowset *rs = snapshot_rows(s->ctx->snap, PROBE_ACTIVITY);
	int col = rs ? rowset_col(rs, "pid") : -1;

	for (int i = 0; col >= 0 && i < rs->nrows; i++) {
		const struct cell *state = rowset_get(rs, i, "state");
		const struct cell *start = rowset_get(rs, i, "backend_start");

		if (cell_i64(rowset_cell(rs, i, col), 0) != pid)
			continue;
		/* Entries have whole seconds with %t. */
		if (start->type == CELL_TIME && at_us && start->i > at_us + 1000000)
			return "has ended; another session has that pid now";
		return state->type == CELL_TEXT && state->len ?
		    arena_printf(&s->doc->arena, "is there: %.*s", (int)state->len, state->s) :
		    "is there";
	}
	return rs ? "has ended" : "";
}

void
logs_story(struct log_story *s, const struct cell *time, const struct cell *pid,
    const struct cell *message)
{
	struct log_text text = text_of(message);
	char at[40];

	doc_add(s->doc, logs_role(s->severity, s->kind), "%s%s%s", log_severity_names[s->severity],
	    s->severity == LOGSEV_NONE ? "" : ", ", log_kinds[s->kind].text);
	doc_text(s->doc, ROLE_STRONG, text.s, text.len);
	doc_add(s->doc, ROLE_NORMAL, "%s", "");
	if (time->type == CELL_TIME)
		doc_pair(s->doc, "time", ROLE_NORMAL, "%s",
		    wall_rfc3339((struct wall){ time->i }, at, sizeof(at)));
	if (!cell_is_null(pid))
		doc_pair(s->doc, "pid", ROLE_NORMAL, "%lld  (the process %s%s)", (long long)pid->i,
		    fate_of(s, pid->i, cell_i64(time, 0)), "; L goes to it");
}

void
logs_story_text(struct log_story *s, const char *label, const struct cell *c)
{
	struct log_text text = text_of(c);

	if (text.len == 0)
		return;
	doc_add(s->doc, ROLE_NORMAL, "%s", "");
	doc_add(s->doc, ROLE_DIM, "%s", label);
	doc_text(s->doc, ROLE_NORMAL, text.s, text.len);
}

void
logs_story_pair(struct log_story *s, int column)
{
	const struct cell *c = &s->cells[column];
	struct strbuf out = STRBUF_INIT(4000);

	if (!cell_is_null(c)) {
		grid_cell_text(&out, s->columns[column].kind, c);
		doc_pair(s->doc, s->columns[column].name, ROLE_NORMAL, "%s", out.buf);
	}
	strbuf_release(&out);
}

void
logs_story_parties(struct log_story *s, const struct cell *parties)
{
	if (parties->type != CELL_INTS)
		return;
	for (uint32_t i = 0; i < parties->len; i++)
		doc_pair(s->doc, i ? "" : "parties", ROLE_NORMAL, "%lld  (%s)",
		    (long long)parties->ints[i], fate_of(s, parties->ints[i], 0));
}
