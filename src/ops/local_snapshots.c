/* snapshots: the backups of the stanza, and what can be recovered from them. */
#include "config.h"

#include <string.h>

#include "base/fmt.h"
#include "base/json.h"
#include "ops/local.h"
#include "ops/local_source.h"
#include "ops/local_window.h"
#include "ops/op_result.h"

static void
add_line(struct op *op, const struct pgbackrest_backup *b)
{
	char age[32], size[32], repo[32];

	doc_pair(&op->doc, b->label, b->has_error ? ROLE_CRIT : ROLE_NORMAL,
	    "%s, %s old, %s (%s in the repository)%s%s%s%s%s%s%s", b->type,
	    fmt_span(age, sizeof(age), (double)(wall_now().us - b->stop.us) / 1e6),
	    fmt_bytes(size, sizeof(size), (double)b->size),
	    fmt_bytes(repo, sizeof(repo), (double)b->repo_size), *b->name ? ", " : "", b->name,
	    *b->policy ? ", " : "", b->policy, *b->verified ? ", verified " : "", b->verified,
	    b->has_error ? ", CORRUPT PAGES" : "");
}

static bool
snapshots_plan(struct op *op, struct error *err)
{
	struct pgbackrest_info info = { 0 };
	struct local_source source;
	struct wal_archive wal;
	bool ok = local_source_look(op, &source, err) && pgbackrest_info(op, &info, err) &&
	    wal_archive_read(op, &info, source.segment_size, &wal, err);

	for (int i = 0; ok && i < info.n; i++)
		add_line(op, &info.backups[i]);
	if (ok) {
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

static struct wall
verified_at(const struct job_verified *items, int n, const struct pgbackrest_backup *b)
{
	struct wall at = { 0 };

	for (int i = n - 1; i >= 0; i--)
		if (strcmp(items[i].snapshot, b->label) == 0)
			return items[i].passed ? items[i].at : at;
	return wall_parse(b->verified, &at) ? at : (struct wall){ 0 };
}

static void
add_member(struct op *op, const struct pgbackrest_backup *b, struct wall verified)
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
	strbuf_addc(&op->result, '}');
}

static bool
snapshots_result(struct op *op, struct error *err)
{
	struct pgbackrest_info info;
	struct job_verified *verified = NULL;
	int n = 0;
	bool first = true;
	bool ok = pgbackrest_info(op, &info, err) &&
	    jobs_verified(op->journal, op->target->name, &op->arena, &verified, &n, err);

	json_key(&op->result, &first, "snapshots");
	strbuf_addc(&op->result, '[');
	for (int i = 0; ok && i < info.n; i++) {
		strbuf_adds(&op->result, i ? "," : "");
		add_member(op, &info.backups[i], verified_at(verified, n, &info.backups[i]));
	}
	strbuf_addc(&op->result, ']');
	pgbackrest_info_release(&info);
	return ok;
}

static const struct op_step_def snapshots_steps[] = {
	{ "list", NULL, list_run },
	{ NULL, NULL, NULL },
};

const struct op_impl local_snapshots = { snapshots_plan, snapshots_steps, snapshots_result };
