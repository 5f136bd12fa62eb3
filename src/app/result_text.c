#include "config.h"

#include "app/result_text.h"

#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

static void
print_value(struct strbuf *out, const struct json *v)
{
	double number;

	if (json_text(v))
		utf8_clean(out, json_text(v), strlen(json_text(v)), false);
	else if (json_number(v, &number))
		strbuf_addf(out, "%.15g", number);
	else
		strbuf_adds(out, json_true(v) ? "yes" : json_false(v) ? "no" : "-");
}

/* A list of objects: each in a line, its values in the order of the result. */
static void
print_list(struct strbuf *out, const struct json *list)
{
	for (const struct json *item = json_child(list); item; item = json_next(item)) {
		strbuf_adds(out, " ");
		for (const struct json *v = json_child(item); v; v = json_next(v)) {
			strbuf_adds(out, " ");
			print_value(out, v);
		}
		strbuf_addc(out, '\n');
	}
}

void
result_text(struct strbuf *out, const char *result, int width, bool texts_only)
{
	struct error ignored = { 0 };
	struct json *root = json_parse(result, strlen(result), &ignored);

	for (const struct json *v = json_child(root); v; v = json_next(v)) {
		if (texts_only && !json_text(v))
			continue;
		if (json_child(v)) {
			strbuf_addf(out, "%s\n", json_name(v));
			print_list(out, v);
			continue;
		}
		strbuf_addf(out, "%-*s ", width, json_name(v));
		print_value(out, v);
		strbuf_addc(out, '\n');
	}
	json_free(root);
}
