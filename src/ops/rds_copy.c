/*
 * snapshot copy NAME [--region R] [--as NEW] [--kms KEY]: asked of the region that gets it, by the
 * snapshot's ARN. What is encrypted needs a key of that region.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "ops/op_result.h"
#include "ops/rds_make.h"

enum { NAME_MAX_LEN = 255 };
#define USUAL_KEY "alias/aws/rds" /* every region of every account has it */

struct wish {
	const char *name, *region, *as, *key; /* NULL: not said */
};

static bool
read_words(struct op *op, struct wish *w, struct error *err)
{
	*w = (struct wish){ NULL, NULL, NULL, NULL };
	for (int i = 2; i < op->words->n; i++) {
		const char *word = op->words->w[i].text;
		const char **value = strcmp(word, "--region") == 0 ? &w->region :
		    strcmp(word, "--as") == 0                      ? &w->as :
		    strcmp(word, "--kms") == 0                     ? &w->key :
		                                                     NULL;

		if (value && i + 1 < op->words->n && !*value) {
			*value = op->words->w[++i].text;
		} else if (!value && !w->name && *word != '-') {
			w->name = word;
		} else {
			error_set(err, ERR_USAGE, "snapshot copy does not know '%s'", word);
			return error_hint(err, "Usage: %s", op->kind->usage);
		}
	}
	if (w->name && (w->region || w->as))
		return true;
	error_set(err, ERR_USAGE, "snapshot copy needs %s",
	    w->name ? "--region, --as, or both" : "the name of a snapshot");
	return error_hint(err, "Usage: %s", op->kind->usage);
}

/* Lower-case words with hyphens, as in "us-gov-west-1". */
static bool
is_region(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 4 && n < 32 && !s[n] && strchr(s, '-') && isdigit((unsigned char)s[n - 1]);
}

bool
rds_region_in_reach(const char *from, const char *to, struct error *err)
{
	const char *a, *b;

	if (!is_region(to))
		return error_set(err, ERR_USAGE, "'%s' is no region", to);
	a = endpoint_partition(from);
	b = endpoint_partition(to);
	if (strcmp(a, b) == 0 && (strcmp(a, "aws-cn") != 0 || strcmp(from, to) == 0))
		return true;
	error_set(err, ERR_REFUSED, "%s cannot be reached from %s", to, from);
	return error_hint(err,
	    strcmp(a, b) == 0 ?
	        "Regions in China do not copy to each other." :
	        "It is of another partition of AWS, with accounts of its own (%s, not %s).",
	    b, a);
}

/* An automated one is called "rds:…", which no manual one can be. */
static const char *
usual_name(struct op *op, const char *name)
{
	char *new = arena_strdup(&op->arena, name);

	for (char *c = new; *c; c++)
		if (*c == ':')
			*c = '-';
	return new;
}

static bool
keep(struct op *op, const struct rds_snapshot *s, const char *region, const char *name,
    const char *key, struct error *err)
{
	op_identity(op, "copied", "%s %lld", s->arn, (long long)s->created.us);
	return rds_mark_set(op, err) && op_fact_set(op, err, "name", "%s", name) &&
	    op_fact_set(op, err, "region", "%s", region) &&
	    op_fact_set(op, err, "copied", "%s", s->id) &&
	    op_fact_set(op, err, "arn", "%s", s->arn) &&
	    op_fact_set(op, err, "policy", "%s", s->policy) &&
	    op_fact_set(op, err, "key", "%s", key);
}

static bool
plan_with(struct op *op, struct aws *from, const struct wish *w, struct error *err)
{
	const char *region = w->region ? w->region : aws_region(from);
	bool is_abroad = strcmp(region, aws_region(from)) != 0;
	const char *name, *key;
	struct rds_snapshot s;
	struct aws *to;
	char size[32];
	bool ok;

	if (!rds_region_in_reach(aws_region(from), region, err) || !rds_look(op, from, err) ||
	    !rds_snapshot_get(op, from, w->name, &s, err))
		return false;
	if (rds_state_of(s.status) != RDS_READY) {
		error_set(err, ERR_STATE, "the snapshot %s is %s", s.id, s.status);
		return error_hint(err, "Wait until it is available.");
	}
	name = w->as ? w->as : usual_name(op, s.id);
	key = w->key ? w->key : s.is_encrypted && is_abroad ? USUAL_KEY : "";
	to = rds_name_ok(name, NAME_MAX_LEN, err) ? rds_open_in(op, region, err) : NULL;
	ok = to && rds_must_be_new(op, to, &rds_noun_snapshot, name, err);
	aws_close(to);
	if (!ok)
		return false;
	doc_pair(&op->doc, "copy", ROLE_NORMAL, "%s (%s) to %s in %s", s.id,
	    fmt_bytes(size, sizeof(size), (double)(s.size_gb << 30)), name, region);
	if (*key)
		doc_pair(&op->doc, "key", ROLE_NORMAL, "%s of %s%s", key, region,
		    w->key ? "" : " (--kms KEY for another)");
	if (is_abroad)
		doc_pair(&op->doc, "cost", ROLE_NORMAL, "%s",
		    "transfer between regions, and storage there as long as it is kept");
	op_add_step(op, "copy", "low", "copy it", "%s, asked of %s",
	    *op->target->cluster ? "CopyDBClusterSnapshot" : "CopyDBSnapshot", region);
	op_add_step(op, "wait", "none", "wait until it is available", "%s",
	    "looks every 5 s; no longer than 6 h");
	op->question = arena_printf(&op->arena, "copy %s to %s?", s.id, region);
	return keep(op, &s, region, name, key, err);
}

static bool
copy_plan(struct op *op, struct error *err)
{
	struct wish w;
	struct aws *aws = read_words(op, &w, err) ? rds_open(op, err) : NULL;
	bool ok = aws && plan_with(op, aws, &w, err);

	aws_close(aws);
	return ok;
}

static enum op_seen
copy_seen(struct op *op, struct error *err)
{
	struct aws *to = rds_open_in(op, op_fact(op, "region"), err);
	enum op_seen seen =
	    to ? rds_look_for(op, to, &rds_noun_snapshot, op_fact(op, "name"), err) : OP_UNSURE;

	aws_close(to);
	return seen;
}

bool
rds_wants_presigned(const struct aws *from, const struct aws *to)
{
	return strncmp(endpoint_partition(aws_region(from)), "aws-us-gov", 10) == 0 &&
	    strcmp(aws_region(from), aws_region(to)) != 0;
}

bool
rds_presign(struct op *op, struct aws *from, const struct aws_call *copy, struct strbuf *url,
    struct error *err)
{
	struct aws_param params[12];
	struct aws_call call = *copy;
	int n = 0;

	for (const struct aws_param *p = copy->params; p->name && n < 10; p++)
		params[n++] = *p;
	params[n++] = (struct aws_param){ "DestinationRegion", op_fact(op, "region") };
	params[n] = (struct aws_param){ NULL, NULL };
	call.params = params;
	return aws_presign(from, &call, url, err);
}

static bool
copy_with(struct op *op, struct aws *from, struct aws *to, struct error *err)
{
	bool is_cluster = *op->target->cluster;
	const char *key = op_fact(op, "key"), *policy = op_fact(op, "policy");
	struct strbuf url = STRBUF_INIT(64 << 10);
	struct aws_param params[] = { { is_cluster ? "SourceDBClusterSnapshotIdentifier" :
		                                     "SourceDBSnapshotIdentifier",
		                          op_fact(op, "arn") },
		{ is_cluster ? "TargetDBClusterSnapshotIdentifier" : "TargetDBSnapshotIdentifier",
		    op_fact(op, "name") },
		{ "KmsKeyId", *key ? key : NULL }, { "Tags.Tag.1.Key", RDS_MARK },
		{ "Tags.Tag.1.Value", op_fact(op, "mark") },
		{ "Tags.Tag.2.Key", *policy ? RDS_POLICY : NULL },
		{ "Tags.Tag.2.Value", *policy ? policy : NULL }, { NULL, NULL }, { NULL, NULL } };
	struct aws_call call = { .service = AWS_RDS,
		.op = is_cluster ? "CopyDBClusterSnapshot" : "CopyDBSnapshot",
		.params = params,
		.changes = true };
	bool ok = rds_same(op, from, err) &&
	    op_fact_set(op, err, "started_at", "%lld", (long long)wall_now().us);
	int64_t id;

	if (ok && rds_wants_presigned(from, to)) {
		ok = rds_presign(op, from, &call, &url, err);
		params[ARRAY_LEN(params) - 2] = (struct aws_param){ "PreSignedUrl", url.buf };
	}
	ok = ok && rds_snapshot_leave(op, op_fact(op, "name"), op_fact(op, "region"), &id, err) &&
	    rds_make(op, to, &rds_noun_snapshot, op_fact(op, "name"), &call, id, err);
	if (url.len)
		explicit_bzero(url.buf, url.len);
	strbuf_release(&url);
	return ok;
}

static bool
copy_run(struct op *op, struct error *err)
{
	struct aws *from = rds_open(op, err);
	struct aws *to = from ? rds_open_in(op, op_fact(op, "region"), err) : NULL;
	bool ok = to && copy_with(op, from, to, err);

	aws_close(to);
	aws_close(from);
	return ok;
}

static bool
wait_run(struct op *op, struct error *err)
{
	struct aws *to = rds_open_in(op, op_fact(op, "region"), err);
	bool ok = to && rds_snapshot_wait(op, to, err);

	aws_close(to);
	return ok;
}

static bool
copy_result(struct op *op, struct error *err)
{
	bool first = true;

	op_result_text(op, &first, "region", op_fact(op, "region"));
	op_result_text(op, &first, "copy_of", op_fact(op, "copied"));
	strbuf_addc(&op->result, ',');
	return op_result_snapshot(op, err);
}

static const struct op_step_def copy_steps[] = {
	{ "copy", copy_seen, copy_run },
	{ "wait", NULL, wait_run },
	{ NULL, NULL, NULL },
};

const struct op_impl rds_snapshot_copy = { copy_plan, copy_steps, copy_result };
