/* approve [HASH [yes]]: what somebody else wants to run on a target with approve = two. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "app/act_sync.h"
#include "app/commands.h"
#include "app/run.h"
#include "base/digest.h"
#include "ops/approval.h"

enum { MAX_TEXT = 1 << 20 };

/* Shown, and asked about on a terminal. */
static bool
is_confirmed(
    struct run_ctx *ctx, const char *folder, const char *hash, char *seen, struct error *err)
{
	struct strbuf text = STRBUF_INIT(MAX_TEXT);
	char answer[64] = "";
	bool ok = approval_show(folder, hash, &text, seen, err);

	if (ok && ctx->opt->yes && !ctx->screen) {
		strbuf_release(&text);
		return true;
	}
	if (ok && ctx->screen) {
		strbuf_add(ctx->out, text.buf, text.len);
		strbuf_addf(ctx->out, "\nTo approve it: approve %s yes\n", hash);
	} else if (ok) {
		fputs(text.buf, stdout);
		fflush(stdout);
		if (act_sync_ask("Approve it? Type y to confirm: ", answer, sizeof(answer)) &&
		    strcmp(answer, "y") == 0) {
			strbuf_release(&text);
			return true;
		}
		ok = error_set(err, ERR_NOT_CONFIRMED, "it was not approved");
		error_hint(err, "Add --yes to approve it without being asked.");
	}
	strbuf_release(&text);
	return false;
}

static bool
run_approve(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	static char seen[DIGEST_HEX]; /* UI thread */
	const char *folder = settings_get(ctx->settings, "approvals");
	const char *hash = words->n > 1 ? words->w[1].text : NULL;
	bool is_said = words->n > 2 && strcmp(words->w[2].text, "yes") == 0;

	if (!hash)
		return approval_list(folder, ctx->out, err);
	if (words->n > 2 && !is_said)
		return error_set(err, ERR_USAGE, "'%s' is too much", words->w[2].text);
	/* `approve HASH yes` at the console is about what it has shown last. */
	if (!is_said && !is_confirmed(ctx, folder, hash, seen, err))
		return !*err->what;
	return approval_give(folder, hash, seen, ctx->out, err);
}

const struct command cmd_approve = {
	.name = "approve",
	.usage = "approve [HASH [yes]]",
	.help = "approve somebody else's plan (approve = two); without one, those that wait",
	.args = { ARG_WORD, ARG_WORD, ARG_NONE, ARG_NONE },
	.max_args = 2,
	.run = run_approve,
};
