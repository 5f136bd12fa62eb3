#include "config.h"

#include "ops/rds_make.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { LOOKS = 6 }; /* for what was sent without an answer */

bool
rds_with(
    struct op *op, bool (*f)(struct op *op, struct aws *aws, struct error *err), struct error *err)
{
	struct aws *aws = rds_open(op, err);
	bool ok = aws && f(op, aws, err);

	aws_close(aws);
	return ok;
}

enum op_seen
rds_seen_with(struct op *op, enum op_seen (*f)(struct op *op, struct aws *aws, struct error *err),
    struct error *err)
{
	struct aws *aws = rds_open(op, err);
	enum op_seen seen = aws ? f(op, aws, err) : OP_UNSURE;

	aws_close(aws);
	return seen;
}

int
rds_poll_ms(void)
{
	const char *text = getenv("PGMEDIC_RDS_POLL_MS");
	long ms = text ? strtol(text, NULL, 10) : 0;

	return ms >= 50 && ms <= 60000 ? (int)ms : RDS_POLL_MS;
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
	} else if (!ok && answer.attempts > 1 && strstr(answer.code, "AlreadyExists")) {
		ok = rds_look_for(op, aws, noun, name, err) == OP_SEEN;
	} else if (!ok) {
		*err = lost;
		/* Refused: nothing is there. */
		if (leftover && !op_settle(op, leftover, &lost))
			error_prefix(err, "%s", lost.what);
	}
	aws_answer_release(&answer);
	return ok;
}

bool
rds_wait_ready(struct op *op, struct aws *aws, const struct rds_noun_def *noun, const char *name,
    const char *bad_hint, struct error *err)
{
	struct mono start = mono_now();
	struct rds_found f;

	for (;;) {
		if (!noun->get(op, aws, name, &f, err))
			return error_prefix(err, "while waiting");
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
	struct mono start = mono_now();
	struct rds_found f;
	struct error why = { 0 };

	while (noun->get(op, aws, name, &f, &why)) {
		if (mono_since_ms(mono_now(), start) > RDS_WAIT_MS)
			return error_set(
			    err, ERR_TIMEOUT, "the %s %s is still %s", noun->noun, name, f.status);
		op_progress(op, -1, "%s", f.status);
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
	if (why.code == ERR_NOT_FOUND)
		return true;
	*err = why;
	return error_prefix(err, "while waiting");
}
