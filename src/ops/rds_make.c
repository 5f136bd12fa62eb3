#include "config.h"

#include "ops/rds_make.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { LOOKS = 6 }; /* for what was sent without an answer */

bool
rds_with_in(struct op *op, const char *region,
    bool (*f)(struct op *op, struct aws *aws, struct error *err), struct error *err)
{
	struct aws *aws = rds_open_in(op, region, err);
	bool ok = aws && f(op, aws, err);

	aws_close(aws);
	return ok;
}

bool
rds_with(
    struct op *op, bool (*f)(struct op *op, struct aws *aws, struct error *err), struct error *err)
{
	return rds_with_in(op, NULL, f, err);
}

enum op_seen
rds_seen_with_in(struct op *op, const char *region,
    enum op_seen (*f)(struct op *op, struct aws *aws, struct error *err), struct error *err)
{
	struct aws *aws = rds_open_in(op, region, err);
	enum op_seen seen = aws ? f(op, aws, err) : OP_UNSURE;

	aws_close(aws);
	return seen;
}

enum op_seen
rds_seen_with(struct op *op, enum op_seen (*f)(struct op *op, struct aws *aws, struct error *err),
    struct error *err)
{
	return rds_seen_with_in(op, NULL, f, err);
}

/* ------------------------------------------------------------------ parameters */

void
rds_param(struct rds_params *ps, const char *name, const char *value)
{
	if (value && *value && ps->n + 1 < (int)ARRAY_LEN(ps->p))
		ps->p[ps->n++] = (struct aws_param){ name, value };
	ps->p[ps->n] = (struct aws_param){ NULL, NULL };
}

void
rds_param_groups(struct rds_params *ps, const char *groups)
{
	struct arena *arena = &ps->op->arena;

	for (int i = 1; groups && *groups && i <= RDS_GROUPS; i++) {
		size_t len = strcspn(groups, " ");

		rds_param(ps, arena_printf(arena, "VpcSecurityGroupIds.VpcSecurityGroupId.%d", i),
		    arena_strndup(arena, groups, len));
		groups += len + (groups[len] == ' ');
	}
}

void
rds_param_mark(struct rds_params *ps)
{
	rds_param(ps, "Tags.Tag.1.Key", RDS_MARK);
	rds_param(ps, "Tags.Tag.1.Value", op_fact(ps->op, "mark"));
}

const char *
rds_groups_text(struct op *op, const char *const *groups, int n)
{
	struct strbuf sb = STRBUF_INIT(2048);
	const char *text;

	for (int i = 0; i < n; i++)
		strbuf_addf(&sb, "%s%s", i ? " " : "", groups[i]);
	text = arena_strndup(&op->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return text;
}

/* ------------------------------------------------------------------ time */

static int
from_environment(const char *name, int least, int other)
{
	const char *text = getenv(name);
	long ms = text ? strtol(text, NULL, 10) : 0;

	return ms >= least && ms <= 3600000 ? (int)ms : other;
}

int
rds_poll_ms(void)
{
	return from_environment("PGMEDIC_RDS_POLL_MS", 50, RDS_POLL_MS);
}

int
rds_sign_ms(void)
{
	return from_environment("PGMEDIC_RDS_SIGN_MS", 100, RDS_SIGN_MS);
}

/* ------------------------------------------------------------------ nouns */

static bool
get_instance(
    struct op *op, struct aws *aws, const char *name, struct rds_found *out, struct error *err)
{
	struct rds_instance i;

	if (!rds_instance_get(op, aws, name, &i, err))
		return false;
	*out = (struct rds_found){ i.status, i.mark, rds_state_of(i.status), -1 };
	/* It is of use when it can be reached. */
	if (out->state == RDS_READY && !*i.host)
		out->state = RDS_BUSY;
	return true;
}

static bool
get_snapshot(
    struct op *op, struct aws *aws, const char *name, struct rds_found *out, struct error *err)
{
	struct rds_snapshot s;

	if (!rds_snapshot_get(op, aws, name, &s, err))
		return false;
	*out = (struct rds_found){ s.status, s.mark, rds_state_of(s.status), s.percent };
	return true;
}

static bool
get_cluster(
    struct op *op, struct aws *aws, const char *name, struct rds_found *out, struct error *err)
{
	struct rds_cluster c;

	if (!rds_cluster_get(op, aws, name, &c, err))
		return false;
	*out = (struct rds_found){ c.status, c.mark, rds_state_of(c.status), -1 };
	return true;
}

const struct rds_noun_def rds_noun_instance = { "instance", get_instance };
const struct rds_noun_def rds_noun_snapshot = { "snapshot", get_snapshot };
const struct rds_noun_def rds_noun_cluster = { "cluster", get_cluster };

/* ------------------------------------------------------------------ making */

bool
rds_must_be_new(struct op *op, struct aws *aws, const struct rds_noun_def *noun, const char *name,
    struct error *err)
{
	struct rds_found there;
	struct error why = { 0 };

	if (noun->get(op, aws, name, &there, &why)) {
		error_set(err, ERR_REFUSED, "there is %s %s '%s' already (%s)",
		    noun->noun[0] == 'i' ? "an" : "a", noun->noun, name, there.status);
		return error_hint(err, "Nothing is made over what is there: choose another name.");
	}
	if (why.code == ERR_NOT_FOUND)
		return true;
	*err = why;
	return false;
}

enum op_seen
rds_look_for(struct op *op, struct aws *aws, const struct rds_noun_def *noun, const char *name,
    struct error *err)
{
	const char *mark = op_fact(op, "mark");
	struct rds_found found;
	struct error why = { 0 };

	if (!noun->get(op, aws, name, &found, &why)) {
		if (why.code == ERR_NOT_FOUND)
			return OP_NOT_SEEN;
		*err = why;
		return OP_UNSURE;
	}
	if (mark && strcmp(found.mark, mark) == 0)
		return OP_SEEN;
	error_set(
	    err, ERR_REFUSED, "the %s %s is there, but this job did not make it", noun->noun, name);
	error_hint(err, "It does not carry the job's tag %s.", RDS_MARK);
	return OP_UNSURE;
}

/* Sent, and no answer: it may appear after a moment. */
static bool
appears(struct op *op, struct aws *aws, const struct rds_noun_def *noun, const char *name,
    const struct error *lost, struct error *err)
{
	for (int i = 0; i < LOOKS; i++) {
		op_progress(op, -1, "sent, no answer; looking for %s", name);
		if (rds_look_for(op, aws, noun, name, err) == OP_SEEN)
			return true;
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
	*err = *lost;
	return false;
}

/* Nothing of ours is there. */
static bool
settle_refused(struct op *op, int64_t leftover, struct error *why)
{
	struct error err = { 0 };

	return op_settle(op, leftover, &err) || error_prefix(why, "%s", err.what);
}

bool
rds_make(struct op *op, struct aws *aws, const struct rds_noun_def *noun, const char *name,
    const struct aws_call *call, int64_t leftover, struct error *err)
{
	struct aws_answer answer;
	struct error lost = { 0 };
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, call, &answer, &lost);
	if (!ok && answer.is_uncertain) {
		ok = appears(op, aws, noun, name, &lost, err);
	} else if (!ok) {
		/* Taken, by an attempt of ours before, which may not be shown yet, or by another.
		 */
		bool is_taken = strstr(answer.code, "AlreadyExists") != NULL;
		enum op_seen seen = is_taken ? rds_look_for(op, aws, noun, name, err) : OP_NOT_SEEN;

		ok = seen == OP_SEEN;
		if (!ok && leftover &&
		    (!is_taken || (seen == OP_UNSURE && err->code == ERR_REFUSED)))
			(void)settle_refused(op, leftover, &lost);
		if (!ok)
			*err = lost;
	}
	aws_answer_release(&answer);
	return ok;
}

bool
rds_is_passing(const struct error *why)
{
	return why->code == ERR_CONNECT || why->code == ERR_LOST || why->code == ERR_TIMEOUT;
}

/* One look of a wait that may take hours. False with *err set: it has ended; false without: what
 * passes, and has not lasted too long since the last answer. */
static bool
look_again(struct op *op, struct aws *aws, const struct rds_noun_def *noun, const char *name,
    struct rds_found *f, struct mono *answered, struct error *err)
{
	struct error why = { 0 };

	if (noun->get(op, aws, name, f, &why)) {
		*answered = mono_now();
		return true;
	}
	if (!rds_is_passing(&why) ||
	    mono_since_ms(mono_now(), *answered) > 5 * (int64_t)rds_sign_ms()) {
		*err = why;
		return error_prefix(err, "while waiting");
	}
	op_progress(op, -1, "RDS does not answer: %s", why.what);
	return !op_wait_ms(op, rds_poll_ms(), err) && false;
}

bool
rds_wait_ready(struct op *op, struct aws *aws, const struct rds_noun_def *noun, const char *name,
    const char *bad_hint, struct error *err)
{
	struct mono start = mono_now(), answered = start;
	struct rds_found f;

	*err = (struct error){ 0 };
	for (;;) {
		if (!look_again(op, aws, noun, name, &f, &answered, err)) {
			if (err->code)
				return false;
			continue;
		}
		if (f.state == RDS_READY)
			return true;
		if (f.state == RDS_BAD) {
			error_set(err, ERR_STATE, "the %s %s is %s", noun->noun, name, f.status);
			return error_hint(err, "%s", bad_hint);
		}
		if (mono_since_ms(mono_now(), start) > RDS_WAIT_MS)
			return error_set(
			    err, ERR_TIMEOUT, "the %s %s is still %s", noun->noun, name, f.status);
		op_progress(op, f.percent, "%s", f.status);
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
}

bool
rds_wait_gone(struct op *op, struct aws *aws, const struct rds_noun_def *noun, const char *name,
    struct error *err)
{
	struct mono start = mono_now(), answered = start;
	struct rds_found f;

	*err = (struct error){ 0 };
	for (;;) {
		if (!look_again(op, aws, noun, name, &f, &answered, err)) {
			if (err->code == ERR_NOT_FOUND)
				return true;
			if (err->code)
				return false;
			continue;
		}
		if (mono_since_ms(mono_now(), start) > RDS_WAIT_MS)
			return error_set(
			    err, ERR_TIMEOUT, "the %s %s is still %s", noun->noun, name, f.status);
		op_progress(op, -1, "%s", f.status);
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
}
