#include "config.h"

#include "labcloud/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const char *const names[] = {
#define X(name, text, help) text,
	FAULT_LIST(X)
#undef X
};

static struct fault *
find(const struct faults *f, enum fault_kind kind, const char *action)
{
	for (int i = 0; i < f->n; i++)
		if (f->items[i].kind == kind && f->items[i].times != 0 &&
		    (strcmp(f->items[i].action, "*") == 0 ||
		        strcmp(f->items[i].action, action) == 0))
			return (struct fault *)&f->items[i];
	return NULL;
}

bool
fault_peek(const struct faults *f, enum fault_kind kind, const char *action, int64_t *value)
{
	const struct fault *found = find(f, kind, action);

	if (found && value)
		*value = found->value;
	return found != NULL;
}

bool
fault_take(struct faults *f, enum fault_kind kind, const char *action, int64_t *value)
{
	struct fault *found = find(f, kind, action);

	if (!found)
		return false;
	if (value)
		*value = found->value;
	if (found->times > 0 && --found->times == 0)
		*found = f->items[--f->n];
	return true;
}

static int64_t
number(const struct form *form, const char *name, int64_t other)
{
	const char *text = form_get(form, name);

	return text && *text ? strtoll(text, NULL, 10) : other;
}

bool
fault_set(struct faults *f, const struct form *form, struct error *err)
{
	const char *kind = form_get(form, "kind"), *action = form_get(form, "action");
	struct fault fault = { .kind = FAULT_KINDS,
		.times = number(form, "times", -1),
		.value = number(form, "value", 0) };

	for (int k = 0; kind && k < FAULT_KINDS; k++)
		if (strcmp(kind, names[k]) == 0)
			fault.kind = (enum fault_kind)k;
	if (fault.kind == FAULT_KINDS)
		return error_set(err, ERR_USAGE, "there is no fault '%s'", kind ? kind : "");
	if (f->n == (int)ARRAY_LEN(f->items))
		return error_set(err, ERR_MEMORY, "there are too many faults already");
	snprintf(fault.action, sizeof(fault.action), "%s", action && *action ? action : "*");
	f->items[f->n++] = fault;
	return true;
}

void
fault_write(const struct faults *f, struct strbuf *out)
{
	strbuf_addc(out, '[');
	for (int i = 0; i < f->n; i++) {
		const struct fault *fault = &f->items[i];
		bool first = true;

		strbuf_adds(out, i ? ",{" : "{");
		json_key(out, &first, "kind");
		json_str(out, names[fault->kind], strlen(names[fault->kind]));
		json_key(out, &first, "action");
		json_str(out, fault->action, strlen(fault->action));
		json_key(out, &first, "times");
		json_int(out, fault->times);
		json_key(out, &first, "value");
		json_int(out, fault->value);
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}
