/* Members of an operation's result. */
#include "config.h"

#include "ops/op_result.h"

#include <string.h>

#include "base/json.h"

void
op_result_text(struct op *op, bool *first, const char *key, const char *value)
{
	json_key(&op->result, first, key);
	if (value)
		json_str(&op->result, value, strlen(value));
	else
		strbuf_adds(&op->result, "null");
}

void
op_result_int(struct op *op, bool *first, const char *key, int64_t value)
{
	json_key(&op->result, first, key);
	json_int(&op->result, value);
}

void
op_result_num(struct op *op, bool *first, const char *key, double value)
{
	json_key(&op->result, first, key);
	json_num(&op->result, value);
}

void
op_result_bool(struct op *op, bool *first, const char *key, bool value)
{
	json_key(&op->result, first, key);
	strbuf_adds(&op->result, value ? "true" : "false");
}

void
op_result_time(struct op *op, bool *first, const char *key, struct wall value)
{
	char buf[40];

	op_result_text(op, first, key, value.us ? wall_rfc3339(value, buf, sizeof(buf)) : NULL);
}

bool
op_result_snapshot(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	op_result_text(op, &first, "snapshot", op_fact(op, "label"));
	op_result_text(op, &first, "kind", op_fact(op, "kind"));
	op_result_int(op, &first, "size_bytes", op_fact_int(op, "size_bytes", 0));
	op_result_time(op, &first, "started_at", (struct wall){ op_fact_int(op, "started_at", 0) });
	op_result_time(
	    op, &first, "finished_at", (struct wall){ op_fact_int(op, "finished_at", 0) });
	return true;
}
