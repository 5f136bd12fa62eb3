#include "config.h"

#include "ops/retention.h"

#include <string.h>

#include "base/json.h"
#include "ops/op_result.h"

enum { MAX_TEXT = 64 << 10, SHOWN = 200 };

bool
retention_only_shows(const struct op *op)
{
	return op->words->n == 2;
}

bool
retention_words(struct op *op, struct kept *k, struct error *err)
{
	bool is_apply = op->words->n == 3 && strcmp(op->words->w[2].text, "apply") == 0;
	struct strbuf text = STRBUF_INIT(4096);
	char buf[96];
	bool ok = kept_read(op, k, err);

	if (ok && !is_apply && !retention_only_shows(op)) {
		for (int i = 2; i < op->words->n; i++)
			strbuf_addf(&text, "%s ", op->words->w[i].text);
		ok = retention_parse(text.buf, &k->retention, err);
		k->has_retention = true;
	} else if (ok && is_apply && !k->has_retention) {
		ok = error_set(err, ERR_REFUSED, "no retention is set for %s", op->target->name);
		error_hint(
		    err, "As in: backup retention daily 30 weekly 90 monthly 365 continuous 7");
	}
	if (ok && k->has_retention)
		doc_pair(&op->doc, "retention", ROLE_NORMAL, "%s days",
		    retention_text(&k->retention, buf, sizeof(buf)));
	else if (ok)
		doc_pair(&op->doc, "retention", ROLE_WARN,
		    "none is set; as in: backup retention daily 30 weekly 90 monthly 365 continuous 7");
	strbuf_release(&text);
	return ok &&
	    op_fact_set(op, err, "retention", "%s",
	        k->has_retention ? retention_text(&k->retention, buf, sizeof(buf)) : "") &&
	    op_fact_set(op, err, "is_new", "%s", is_apply || retention_only_shows(op) ? "" : "yes");
}

static void
line(struct op *op, const struct retention_item *item)
{
	char at[40], until[40];

	wall_rfc3339(item->at, at, sizeof(at));
	wall_rfc3339(item->expires, until, sizeof(until));
	doc_pair(&op->doc, item->is_dropped ? "goes" : "stays",
	    item->is_dropped ? ROLE_WARN : ROLE_NORMAL, "%s  %.10s  %s%s%.10s%s%s", item->id, at,
	    item->class == RETENTION_OTHER ? "left alone" : retention_class_names[item->class],
	    item->expires.us ? ", until " : "", item->expires.us ? until : "",
	    *item->why ? ", kept: " : "", item->why);
}

bool
retention_show(struct op *op, const struct kept *k, const struct retention_item *items, int n,
    struct error *err)
{
	struct strbuf goes = STRBUF_INIT(MAX_TEXT);
	int ngoes = 0;
	bool ok;

	for (int i = 0; i < n; i++) {
		bool is_dropped = k->has_retention && items[i].is_dropped;

		if (is_dropped)
			strbuf_addf(&goes, "%s%s", ngoes++ ? " " : "", items[i].id);
		if (is_dropped || i >= n - SHOWN)
			line(op, &items[i]);
	}
	doc_pair(&op->doc, "", ROLE_NORMAL, "%d of %d go", ngoes, n);
	op_identity(op, "goes", "%s", goes.buf);
	op_identity(op, "retention", "%s", op_fact(op, "retention"));
	ok = !goes.cut || error_set(err, ERR_MEMORY, "too many snapshots go at once");
	ok = ok && op_fact_set(op, err, "goes", "%s", goes.buf) &&
	    op_fact_set(op, err, "stay", "%d", n - ngoes);
	strbuf_release(&goes);
	return ok;
}

void
retention_add_set(struct op *op)
{
	if (retention_only_shows(op))
		op_add_step(op, "show", "none", "show what is kept", "%s", "only looks");
	else if (*op_fact(op, "is_new"))
		op_add_step(op, "set", "none", "keep the days for this target", "%s",
		    op_fact(op, "retention"));
}

bool
retention_goes(struct op *op, const char *id)
{
	size_t len = strlen(id);
	const char *list = op_fact(op, "goes");

	for (const char *at = list; at && (at = strstr(at, id)); at += len)
		if ((at == list || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	return false;
}

int
retention_ngoes(struct op *op)
{
	const char *list = op_fact(op, "goes");
	int n = list && *list;

	for (; list && *list; list++)
		n += *list == ' ';
	return n;
}

bool
retention_set_run(struct op *op, struct error *err)
{
	return jobs_setting_set(
	    op->journal, op->target->name, "retention", op_fact(op, "retention"), err);
}

bool
retention_show_run(struct op *op, struct error *err)
{
	return op_fact_set(op, err, "shown", "1");
}

bool
retention_result(struct op *op, struct error *err)
{
	const char *text = op_fact(op, "retention"), *id = op_fact(op, "goes");
	struct retention r = { 0 };
	bool first = true;

	if (*text && !retention_parse(text, &r, err))
		return false;
	for (int c = RETENTION_DAILY; retention_class_names[c]; c++) {
		const int days[] = { 0, r.daily, r.weekly, r.monthly };

		op_result_num(op, &first,
		    arena_printf(&op->arena, "%s_days", retention_class_names[c]), days[c]);
	}
	op_result_int(op, &first, "continuous_days", r.continuous);
	op_result_int(op, &first, "kept", op_fact_int(op, "stay", 0));
	json_key(&op->result, &first, retention_only_shows(op) ? "would_drop" : "dropped");
	strbuf_addc(&op->result, '[');
	while (*id) {
		size_t len = strcspn(id, " ");

		json_str(&op->result, id, len);
		id += len;
		if (*id++)
			strbuf_addc(&op->result, ',');
		else
			break;
	}
	strbuf_addc(&op->result, ']');
	return true;
}
