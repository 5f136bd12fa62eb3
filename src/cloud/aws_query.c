/*
 * CloudWatch speaks JSON and, from older times, the Query protocol with XML; endpoints that are not
 * AWS's own may know only the latter. Calls are made in JSON, and turned here when they must be:
 * objects become "A.B", lists "A.member.1", both ways. Which members are times must be known, since
 * in JSON they are numbers.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/aws_priv.h"
#include "cloud/sigv4.h"

enum { MAX_DEPTH = 16, MAX_NAME = 512 };

static const char *const times[] = { "StartTime", "EndTime", "StartDate", "EndDate", NULL };

static bool
is_time(const char *name)
{
	for (int i = 0; times[i]; i++)
		if (strcmp(times[i], name) == 0)
			return true;
	return false;
}

static void
put(struct strbuf *out, const char *name, const char *value)
{
	strbuf_addf(out, "&%s=", name);
	sigv4_escape(out, value, strlen(value));
}

static void
put_value(struct strbuf *out, const char *path, const struct json *v, const char *name)
{
	const char *text = json_text(v);
	char buf[48];
	double number;

	if (text) {
		put(out, path, text);
	} else if (!json_number(v, &number)) {
		put(out, path, json_true(v) ? "true" : "false");
	} else if (is_time(name)) {
		put(out, path,
		    wall_rfc3339((struct wall){ (int64_t)number * 1000000 }, buf, sizeof(buf)));
	} else {
		snprintf(buf, sizeof(buf), "%.15g", number);
		put(out, path, buf);
	}
}

static bool
put_members(
    struct strbuf *out, char *path, size_t len, const struct json *v, int depth, struct error *err)
{
	int n = 0;

	if (depth > MAX_DEPTH)
		return error_set(err, ERR_PROGRAM, "a call is nested too deep");
	for (const struct json *m = json_child(v); m; m = json_next(m)) {
		const char *name = json_name(m);
		int add = name ?
		    snprintf(path + len, MAX_NAME - len, "%s%s", len ? "." : "", name) :
		    snprintf(path + len, MAX_NAME - len, ".member.%d", ++n);

		if (add < 0 || (size_t)add >= MAX_NAME - len)
			return error_set(err, ERR_PROGRAM, "a call has a name that is too long");
		if (!json_is_tree(m))
			put_value(out, path, m, name ? name : "");
		else if (!put_members(out, path, len + (size_t)add, m, depth + 1, err))
			return false;
		path[len] = '\0';
	}
	return true;
}

bool
aws_query_body(struct strbuf *out, const char *json, struct error *err)
{
	struct json *root = json_parse(json, strlen(json), err);
	char path[MAX_NAME] = "";
	bool ok = root && put_members(out, path, 0, root, 0, err);

	json_free(root);
	return ok;
}

/* ------------------------------------------------------------------ answers */

static void
write_node(struct strbuf *out, const struct xml *x)
{
	bool is_list = x->child && strcmp(x->child->name, "member") == 0, first = true;

	if (!x->child) {
		json_str(out, x->text, strlen(x->text));
		return;
	}
	strbuf_addc(out, is_list ? '[' : '{');
	for (const struct xml *c = x->child; c; c = c->next) {
		if (is_list && !first)
			strbuf_addc(out, ',');
		if (is_list)
			first = false;
		else
			json_key(out, &first, c->name);
		write_node(out, c);
	}
	strbuf_addc(out, is_list ? ']' : '}');
}

struct json *
aws_query_answer(const struct xml *result, struct error *err)
{
	struct strbuf text = STRBUF_INIT(XML_MAX_BYTES);
	struct json *root;

	if (result && result->child)
		write_node(&text, result);
	else
		strbuf_adds(&text, "{}");
	root = json_parse(text.buf, text.len, err);
	strbuf_release(&text);
	return root;
}

bool
aws_number(const struct json *value, double *number)
{
	const char *text = json_text(value);
	char *end;

	if (!text)
		return json_number(value, number);
	*number = strtod(text, &end);
	return end != text && !*end;
}

bool
aws_time(const struct json *value, struct wall *t)
{
	const char *text = json_text(value);
	double seconds;

	if (text && wall_parse(text, t))
		return t->us > 0;
	if (!aws_number(value, &seconds) || !(seconds > 0 && seconds < 2.5e11))
		return false;
	t->us = (int64_t)(seconds * 1e6);
	return true;
}
