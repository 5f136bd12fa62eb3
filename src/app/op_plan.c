#include "config.h"

#include "app/op_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/child.h"
#include "app/op_again.h"
#include "app/op_target.h"
#include "app/options.h"

enum { MAX_PLAN = 1 << 20 };

void
op_plan_request(struct strbuf *request, const struct op_target *target, const char *line)
{
	bool first = true;

	strbuf_addc(request, '{');
	child_member(request, &first, "plan", line);
	json_key(request, &first, "target");
	op_target_write(request, target);
	strbuf_addc(request, '}');
}

/* ------------------------------------------------------------------ the child */

static void
write_plan(struct strbuf *out, struct op *op)
{
	struct strbuf text = STRBUF_INIT(MAX_PLAN), steps = STRBUF_INIT(MAX_PLAN);
	char number[32];
	bool first = true;

	for (int i = 0; i < op->doc.n; i++)
		strbuf_addf(&text, "%s\n", op->doc.lines[i].text);
	op_steps_json(op, &steps);
	snprintf(number, sizeof(number), "%lld", (long long)op->system_identifier);
	strbuf_addc(out, '{');
	child_member(out, &first, "line", op->line);
	child_member(out, &first, "hash", op->hash);
	child_member(out, &first, "kind", op_kind_name(op->kind, &op->arena));
	child_member(out, &first, "risk", op_worst_risk(op));
	child_member(out, &first, "text", text.buf);
	child_doc(out, &first, &op->doc);
	child_member(out, &first, "steps", steps.buf);
	child_member(out, &first, "host", op->peer.host);
	child_member(out, &first, "port", op->peer.port);
	child_member(out, &first, "database", op->peer.database);
	child_member(out, &first, "role", op->peer.user);
	child_member(out, &first, "system", number);
	child_member(out, &first, "question", op->question ? op->question : op->line);
	child_member(out, &first, "expects", op_expects(op));
	strbuf_addc(out, '}');
	strbuf_release(&text);
	strbuf_release(&steps);
}

int
op_plan_child(const struct json *request)
{
	struct arena arena = { 0 };
	struct strbuf out = STRBUF_INIT(4 * MAX_PLAN);
	const char *line = json_text(json_get(request, "plan"));
	struct error err = { 0 };
	struct words words = { 0 };
	struct op op;
	const struct op_target *target = op_target_read(&arena, json_get(request, "target"));
	bool ok = lex_line(&arena, line ? line : "", false, &words, &err), first = true;
	struct op_again again = { 0 };

	op_init(&op, target, &words, line);
	if (ok && op_again_words(&words, &again.id, &again.mode)) {
		ok = op_again_plan(&again, &arena, target, again.id, again.mode, &err);
		if (ok)
			op_again_write(&out, &again);
	} else {
		ok = ok && op_plan(&op, &err);
		if (ok)
			write_plan(&out, &op);
	}
	if (!ok) {
		strbuf_addc(&out, '{');
		child_member(&out, &first, "code", error_name(err.code));
		child_member(&out, &first, "what", err.what);
		child_member(&out, &first, "hint", err.hint);
		child_doc(&out, &first, &op.doc);
		strbuf_addc(&out, '}');
	}
	fwrite(out.buf, 1, out.len, stdout);
	fflush(stdout);
	doc_release(&again.doc);
	op_release(&op);
	strbuf_release(&out);
	arena_release(&arena);
	return EXIT_DONE;
}

/* ------------------------------------------------------------------ the console */

static const char *
copy(struct op_planned *p, const struct json *root, const char *key)
{
	const char *s = json_text(json_get(root, key));

	return arena_strdup(&p->arena, s ? s : "");
}

static bool
no_plan(const struct json *root, const char *output, struct error *err)
{
	const char *what = json_text(json_get(root, "what"));
	const char *hint = json_text(json_get(root, "hint"));

	if (!what)
		return error_set(err, ERR_PROGRAM, "the plan could not be made: %.*s",
		    (int)strcspn(output, "\n"), *output ? output : "its process ended");
	error_set(err, ERR_REFUSED, "%s", what);
	return hint && *hint ? error_hint(err, "%s", hint) : false;
}

bool
op_planned_read(struct op_planned *p, const struct op_target *target, const char *output,
    size_t len, struct doc *doc, struct error *err)
{
	struct error ignored = { 0 };
	struct json *root = json_parse(output, len, &ignored);
	bool ok = json_get(root, "hash") != NULL;
	const char *packed = json_text(json_get(root, "doc"));

	if (!ok && !no_plan(root, output, err) && packed && *packed) {
		doc_add(doc, ROLE_CRIT, "%s", err->what);
		doc_add(doc, ROLE_HINT, "%s", err->hint);
		doc_add(doc, ROLE_NORMAL, "%s", "");
	}
	p->target = target;
	if (ok) {
		p->plan = (struct op_job_plan){
			.line = copy(p, root, "line"),
			.hash = copy(p, root, "hash"),
			.kind = copy(p, root, "kind"),
			.risk = copy(p, root, "risk"),
			.text = copy(p, root, "text"),
			.steps = copy(p, root, "steps"),
			.host = copy(p, root, "host"),
			.port = copy(p, root, "port"),
			.database = copy(p, root, "database"),
			.role = copy(p, root, "role"),
			.system_identifier = strtoll(copy(p, root, "system"), NULL, 10),
		};
		p->again = strtoll(copy(p, root, "again"), NULL, 10);
		p->mode = json_get(root, "undo") ? OP_JOB_UNDO : OP_JOB_RESUME;
		p->expects = copy(p, root, "expects");
		p->question = arena_printf(&p->arena,
		    strcmp(p->expects, "y") == 0 ? "%s (y/n)" : "%s Type %s to confirm:",
		    copy(p, root, "question"), p->expects);
		p->plan.only_looks = !*p->expects;
	}
	if (packed)
		doc_unpack(doc, packed);
	else if (ok)
		doc_text(doc, ROLE_NORMAL, p->plan.text, strlen(p->plan.text));
	json_free(root);
	return ok;
}
