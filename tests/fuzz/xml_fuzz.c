/* XML of any bytes is read or refused; inside an element, any text without markup is read. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/utf8.h"
#include "cloud/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
walk(const struct xml *node, int depth)
{
	int n = 0;

	if (depth > XML_MAX_DEPTH)
		abort();
	for (; node; node = node->next)
		n += (int)strlen(node->name) + (int)strlen(node->text) +
		    walk(node->child, depth + 1);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct strbuf text = STRBUF_INIT(1 << 20);
	struct error err;
	const struct xml *root = xml_parse(&arena, (const char *)data, size, &err);

	walk(root, 1);
	strbuf_adds(&text, "<a>");
	for (size_t i = 0; i < size; i++)
		strbuf_addc(&text,
		    data[i] == '<' || data[i] == '&' || data[i] == ']' ? '.' : (char)data[i]);
	strbuf_adds(&text, "</a>");
	root = xml_parse(&arena, text.buf, text.len, &err);
	if (!root || root->child)
		abort();
	arena_release(&arena);
	strbuf_release(&text);
	return 0;
}
