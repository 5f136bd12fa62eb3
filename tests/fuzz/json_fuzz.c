/* JSON of any bytes is read or refused; a string of any bytes is written as JSON that is read
 * again. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
walk(const struct json *v)
{
	double num = 0;
	int n = 0;

	json_number(v, &num);
	if (json_text(v))
		n += (int)strlen(json_text(v));
	for (const struct json *child = json_child(v); child; child = json_next(child))
		n += walk(child) + (json_name(child) ? 1 : 0);
	return n;
}

/* What is copied is clean, is JSON to others, and is the same when it is copied again; a list ends.
 */
static void
copy(const char *text, size_t size)
{
	struct strbuf once = STRBUF_INIT(1 << 24), twice = STRBUF_INIT(1 << 24);
	struct json_list list = { text, text + size, 0 };
	struct error err;
	struct json *root;

	while (json_list_next(&list, &once))
		if (list.n > (int)size)
			abort();
	strbuf_clear(&once);
	if (json_copy(&once, text, size)) {
		if (!utf8_is_clean(once.buf, once.len) || !json_copy(&twice, once.buf, once.len) ||
		    strcmp(once.buf, twice.buf) != 0)
			abort();
		root = json_parse(once.buf, once.len, &err);
		if (!root)
			abort();
		json_free(root);
	}
	strbuf_release(&once);
	strbuf_release(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf out = STRBUF_INIT(1 << 22);
	struct error err;
	struct json *root = json_parse((const char *)data, size, &err);

	if (root)
		walk(root);
	json_free(root);
	copy((const char *)data, size);
	json_str(&out, (const char *)data, size);
	if (!utf8_is_clean(out.buf, out.len) || memchr(out.buf, '\n', out.len))
		abort();
	root = json_parse(out.buf, out.len, &err);
	if (!root || !json_text(root))
		abort();
	/* cJSON ends a text at its first NUL; without one, it is what was written. */
	if (size && !memchr(data, 0, size) && utf8_is_clean((const char *)data, size) &&
	    (strlen(json_text(root)) != size || memcmp(json_text(root), data, size) != 0))
		abort();
	json_free(root);
	strbuf_release(&out);
	return 0;
}
