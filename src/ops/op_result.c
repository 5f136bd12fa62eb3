/* Members of an operation's result. */
#include "config.h"

#include <string.h>

#include "base/json.h"
#include "ops/local.h"

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
