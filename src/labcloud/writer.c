#include "config.h"

#include "labcloud/writer.h"

#include <assert.h>
#include <string.h>

#include "base/compat.h"
#include "base/json.h"

static void
xml_text(struct strbuf *out, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '&':
			strbuf_adds(out, "&amp;");
			break;
		case '<':
			strbuf_adds(out, "&lt;");
			break;
		case '>':
			strbuf_adds(out, "&gt;");
			break;
		case '"':
			strbuf_adds(out, "&quot;");
			break;
		case '\n':
		case '\t':
			strbuf_addc(out, *s);
			break;
		default:
			if ((unsigned char)*s < 0x20)
				strbuf_addf(out, "&#x%x;", (unsigned)*s);
			else
				strbuf_addc(out, *s);
		}
}

/* What comes before a value; returns the element's name in XML. */
static const char *
begin_value(struct writer *w, const char *name)
{
	bool in_list = w->depth && w->stack[w->depth - 1].member;

	if (in_list)
		name = w->stack[w->depth - 1].member;
	if (!w->is_json) {
		strbuf_addf(w->out, "<%s>", name);
	} else if (in_list) {
		if (!w->stack[w->depth - 1].is_first)
			strbuf_addc(w->out, ',');
		w->stack[w->depth - 1].is_first = false;
	} else {
		json_key(w->out, &w->stack[w->depth - 1].is_first, name);
	}
	return name;
}

static void
end_value(struct writer *w, const char *name)
{
	if (!w->is_json)
		strbuf_addf(w->out, "</%s>", name);
}

static void
push(struct writer *w, const char *name, const char *member)
{
	assert(w->depth < (int)ARRAY_LEN(w->stack));
	w->stack[w->depth].name = name;
	w->stack[w->depth].member = member;
	w->stack[w->depth++].is_first = true;
}

void
writer_begin(struct writer *w, struct strbuf *out, bool is_json)
{
	*w = (struct writer){ .out = out, .is_json = is_json };
	if (is_json)
		strbuf_addc(out, '{');
	push(w, NULL, NULL);
}

void
writer_end(struct writer *w)
{
	if (w->is_json)
		strbuf_addc(w->out, '}');
}

void
w_open(struct writer *w, const char *name)
{
	name = begin_value(w, name);
	if (w->is_json)
		strbuf_addc(w->out, '{');
	push(w, name, NULL);
}

void
w_list(struct writer *w, const char *name, const char *member)
{
	name = begin_value(w, name);
	if (w->is_json)
		strbuf_addc(w->out, '[');
	push(w, name, member);
}

void
w_close(struct writer *w)
{
	assert(w->depth > 1);
	w->depth--;
	if (w->is_json)
		strbuf_addc(w->out, w->stack[w->depth].member ? ']' : '}');
	else
		end_value(w, w->stack[w->depth].name);
}

void
w_text(struct writer *w, const char *name, const char *value)
{
	if (!value)
		return;
	name = begin_value(w, name);
	if (w->is_json)
		json_str(w->out, value, strlen(value));
	else
		xml_text(w->out, value);
	end_value(w, name);
}

void
w_int(struct writer *w, const char *name, int64_t value)
{
	name = begin_value(w, name);
	strbuf_addf(w->out, "%lld", (long long)value);
	end_value(w, name);
}

void
w_num(struct writer *w, const char *name, double value)
{
	name = begin_value(w, name);
	json_num(w->out, value);
	end_value(w, name);
}

void
w_bool(struct writer *w, const char *name, bool value)
{
	name = begin_value(w, name);
	strbuf_adds(w->out, value ? "true" : "false");
	end_value(w, name);
}

void
w_time(struct writer *w, const char *name, struct wall value)
{
	char text[32];

	if (!value.us)
		return;
	name = begin_value(w, name);
	if (w->is_json)
		strbuf_addf(w->out, "%lld.%03d", (long long)(value.us / 1000000),
		    (int)(value.us % 1000000 / 1000));
	else
		strbuf_adds(w->out, wall_rfc3339(value, text, sizeof(text)));
	end_value(w, name);
}
