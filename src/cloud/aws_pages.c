/* Calls whose answer comes in pages: each is asked for with what the one before it said. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/aws_priv.h"

enum { MAX_BODY = 4 << 20, MAX_PAGES = 1000 };

bool
aws_pages(struct aws *aws, const struct aws_call *call,
    bool (*f)(const struct aws_answer *answer, void *arg, struct error *err), void *arg,
    struct error *err)
{
	struct aws_param params[24] = { { NULL, NULL } };
	struct aws_call page = *call;
	char *marker = NULL;
	int n = 0;
	bool ok = true;

	for (const struct aws_param *p = call->params; p && p->name && n < 22; p++)
		params[n++] = *p;
	page.params = params;
	for (int i = 0; ok && i < MAX_PAGES; i++) {
		struct aws_answer answer;

		params[n] = (struct aws_param){ marker ? "Marker" : NULL, marker };
		aws_answer_init(&answer);
		ok = aws_do(aws, &page, &answer, err) && f(&answer, arg, err);

		const char *text = ok ? xml_text(answer.xml, "Marker") : "";
		char *next = *text && !(marker && strcmp(marker, text) == 0) ? xstrdup(text) : NULL;

		free(marker);
		marker = next;
		aws_answer_release(&answer);
		if (!marker)
			break;
	}
	free(marker);
	return ok;
}

bool
aws_json_pages(struct aws *aws, const struct aws_call *call, int most, bool *more,
    bool (*f)(const struct aws_answer *answer, void *arg, struct error *err), void *arg,
    struct error *err)
{
	struct strbuf body = STRBUF_INIT(MAX_BODY);
	struct aws_call page = *call;
	const char *first = call->json ? call->json : "{}", *token;
	char *before = NULL;
	size_t open = strlen(first) - 1; /* before its last brace */
	bool ok = true, has_more = true;

	strbuf_adds(&body, first);
	for (int i = 0; ok && has_more && i < most; i++) {
		struct aws_answer answer;

		page.json = body.buf;
		aws_answer_init(&answer);
		ok = aws_do(aws, &page, &answer, err) && f(&answer, arg, err);
		token = ok ? json_text(json_get(answer.json, "NextToken")) : NULL;
		/* One that leads to itself has no end. */
		has_more = token && *token && !(before && strcmp(before, token) == 0);
		if (has_more) {
			free(before);
			before = xstrdup(token);
			strbuf_clear(&body);
			strbuf_add(&body, first, open);
			strbuf_adds(&body, open > 1 ? ",\"NextToken\":" : "\"NextToken\":");
			json_str(&body, token, strlen(token));
			strbuf_addc(&body, '}');
		}
		aws_answer_release(&answer);
	}
	if (more)
		*more = ok && has_more;
	free(before);
	strbuf_release(&body);
	return ok;
}
