/* snapshots: the backups of the stanza, and what can be recovered from them. */
#include "config.h"

#include <string.h>

#include "base/fmt.h"
#include "base/json.h"
#include "ops/dump.h"
#include "ops/kept.h"
#include "ops/local.h"
#include "ops/local_source.h"
#include "ops/local_window.h"
#include "ops/op_result.h"

static void
add_line(struct op *op, const struct pgbackrest_backup *b, const struct kept *k,
    const struct retention_item *item)
{
	struct wall verified = kept_verified(k, b->label, b->verified);
	char age[32], size[32], repo[32], at[40];

	doc_pair(&op->doc, b->label, b->has_error ? ROLE_CRIT : ROLE_NORMAL,
	    "%s, %s old, %s (%s in the repository)%s%s%s%s%s%s%s%s", b->type,
	    fmt_span(age, sizeof(age), (double)(wall_now().us - b->stop.us) / 1e6),
	    fmt_bytes(size, sizeof(size), (double)b->size),
	    fmt_bytes(repo, sizeof(repo), (double)b->repo_size), *b->name ? ", " : "", b->name,
	    *b->policy ? ", " : "", b->policy, verified.us ? ", verified " : "",
	    verified.us ? wall_rfc3339(verified, at, sizeof(at)) : "", kept_expires(op, item),
	    b->has_error ? ", CORRUPT PAGES" : "");
}

static bool
snapshots_plan(struct op *op, struct error *err)
{
	struct pgbackrest_info info = { 0 };
	struct local_source source;
	struct wal_archive wal;
	struct retention_item *items;
	struct kept k;
	bool ok = local_source_look(op, &source, err) && pgbackrest_info(op, &info, err) &&
	    wal_archive_read(op, &info, source.segment_size, &wal, err) && kept_read(op, &k, err);

	items = ok ? kept_local(op, &k, &info) : NULL;
	for (int i = 0; ok && i < info.n; i++)
		add_line(op, &info.backups[i], &k, &items[i]);
	if (ok) {
		dump_list_doc(op);
		wal_window_doc(op, &op->doc, &wal, &info);
		local_source_doc(op, &source);
		op_add_step(op, "list", "none", "list the snapshots", "%d of stanza %s", info.n,
		    info.stanza);
	}
	pgbackrest_info_release(&info);
	return ok;
}

/* All is read for the result. */
static bool
list_run(struct op *op, struct error *err)
{
	return op_fact_set(op, err, "listed", "1");
}

static void
add_member(struct op *op, const struct pgbackrest_backup *b, struct wall verified,
    const struct retention_item *item)
{
	bool first = true;

	strbuf_addc(&op->result, '{');
	op_result_text(op, &first, "snapshot", b->label);
	op_result_text(op, &first, "kind", b->type);
	op_result_text(op, &first, "state", b->has_error ? "corrupt pages" : "available");
	op_result_text(op, &first, "name", *b->name ? b->name : NULL);
	op_result_text(op, &first, "policy", *b->policy ? b->policy : NULL);
	op_result_int(op, &first, "size_bytes", b->size);
	op_result_int(op, &first, "repository_bytes", b->repo_size);
	op_result_time(op, &first, "started_at", b->start);
	op_result_time(op, &first, "finished_at", b->stop);
	op_result_time(op, &first, "verified_at", verified);
	op_result_time(op, &first, "expires_at", item->expires);
	strbuf_addc(&op->result, '}');
}

static bool
snapshots_result(struct op *op, struct error *err)
{
	struct pgbackrest_info info;
	struct retention_item *items;
	struct kept k;
	bool first = true;
	bool ok = pgbackrest_info(op, &info, err) && kept_read(op, &k, err);

	items = ok ? kept_local(op, &k, &info) : NULL;

	json_key(&op->result, &first, "snapshots");
	strbuf_addc(&op->result, '[');
	for (int i = 0; ok && i < info.n; i++) {
		const struct pgbackrest_backup *b = &info.backups[i];

		strbuf_adds(&op->result, i ? "," : "");
		add_member(op, b, kept_verified(&k, b->label, b->verified), &items[i]);
	}
	if (ok)
		dump_list_result(op, info.n == 0);
	strbuf_addc(&op->result, ']');
	pgbackrest_info_release(&info);
	return ok;
}

static const struct op_step_def snapshots_steps[] = {
	{ "list", NULL, list_run },
	{ NULL, NULL, NULL },
};

const struct op_impl local_snapshots = { snapshots_plan, snapshots_steps, snapshots_result };
