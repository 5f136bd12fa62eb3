#include "config.h"

#include "labcloud/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#include "labcloud/call.h"

enum { MAX_ANSWER = 64 << 20 };

void
answer_release(struct answer *a)
{
	strbuf_release(&a->body);
}

/* ---- errors */

/* The same refusal has another name where the wire is JSON. */
static const struct {
	const char *query, *json;
} json_codes[] = {
	{ "InvalidClientTokenId", "UnrecognizedClientException" },
	{ "SignatureDoesNotMatch", "InvalidSignatureException" },
	{ "IncompleteSignature", "IncompleteSignatureException" },
	{ "MissingAuthenticationToken", "MissingAuthenticationTokenException" },
	{ "ExpiredToken", "ExpiredTokenException" },
	{ "Throttling", "ThrottlingException" },
	{ "AccessDenied", "AccessDeniedException" },
	{ "InvalidAction", "UnknownOperationException" },
	{ "MissingParameter", "ValidationException" },
	{ "InvalidParameterValue", "ValidationException" },
};

static void
write_json_error(struct call *c, struct answer *a)
{
	const char *code = c->code;
	bool first = true;

	for (size_t i = 0; i < ARRAY_LEN(json_codes); i++)
		if (strcmp(code, json_codes[i].query) == 0)
			code = json_codes[i].json;
	strbuf_addc(&a->body, '{');
	json_key(&a->body, &first, "__type");
	json_str(&a->body, code, strlen(code));
	json_key(&a->body, &first, "message");
	json_str(&a->body, c->message, strlen(c->message));
	strbuf_addc(&a->body, '}');
	a->error_type = code;
	if (strcmp(c->service, "monitoring") == 0)
		a->query_error = arena_printf(&c->request->arena, "%s;Sender", c->code);
	a->status = c->status < 500 ? 400 : c->status;
}

static bool
is_ec2(const struct call *c)
{
	return strcmp(c->service, "ec2") == 0;
}

/* And another once more, in another frame, where the service is EC2. */
static const struct {
	const char *query, *ec2;
	int status;
} ec2_codes[] = {
	{ "InvalidClientTokenId", "AuthFailure", 401 },
	{ "SignatureDoesNotMatch", "AuthFailure", 401 },
	{ "ExpiredToken", "RequestExpired", 400 },
	{ "Throttling", "RequestLimitExceeded", 503 },
	{ "AccessDenied", "UnauthorizedOperation", 403 },
};

static void
write_ec2_error(struct call *c, struct answer *a)
{
	const char *code = c->code;
	struct writer w;

	for (size_t i = 0; i < ARRAY_LEN(ec2_codes); i++)
		if (strcmp(code, ec2_codes[i].query) == 0) {
			code = ec2_codes[i].ec2;
			a->status = ec2_codes[i].status;
		}
	strbuf_adds(&a->body, "<Response>");
	writer_begin(&w, &a->body, false);
	w_open(&w, "Errors");
	w_open(&w, "Error");
	w_text(&w, "Code", code);
	w_text(&w, "Message", c->message);
	w_close(&w);
	w_close(&w);
	w_text(&w, "RequestID", a->request_id);
	writer_end(&w);
	strbuf_adds(&a->body, "</Response>");
}

static void
write_error(struct call *c, struct answer *a)
{
	struct writer w;

	a->status = c->status;
	strbuf_clear(&a->body);
	if (c->wire == WIRE_JSON) {
		write_json_error(c, a);
		return;
	}
	if (is_ec2(c)) {
		write_ec2_error(c, a);
		return;
	}
	strbuf_adds(&a->body, "<ErrorResponse>");
	writer_begin(&w, &a->body, false);
	w_open(&w, "Error");
	w_text(&w, "Type", c->status < 500 ? "Sender" : "Receiver");
	w_text(&w, "Code", c->code);
	w_text(&w, "Message", c->message);
	w_close(&w);
	w_text(&w, "RequestId", a->request_id);
	writer_end(&w);
	strbuf_adds(&a->body, "</ErrorResponse>");
}

/* ---- the envelope */

/* Something after the first `after` of the body. */
static void
insert_after(struct strbuf *body, const char *after, const char *what)
{
	char *at = strstr(body->buf, after), *rest;

	if (!at)
		return;
	size_t head = (size_t)(at - body->buf) + strlen(after);

	rest = xstrdup(body->buf + head);
	body->len = head;
	body->buf[head] = 0;
	strbuf_adds(body, what);
	strbuf_adds(body, rest);
	free(rest);
}

static void
spoil(struct call *c, struct answer *a)
{
	struct faults *f = &c->world->faults;

	if (fault_take(f, FAULT_BAD_XML, c->action, NULL) && c->wire == WIRE_QUERY)
		insert_after(&a->body, "<LogFileData>",
		    "a\x01"
		    "b&#x1;c\n"),
		    insert_after(&a->body, "<Message>", "\x01&#x1;");
	if (!fault_take(f, FAULT_UNKNOWN, c->action, NULL))
		return;
	if (c->wire == WIRE_JSON) {
		insert_after(&a->body, "{", "\"LabUnknown\":{\"a\":[1,null,{}]},");
	} else {
		insert_after(&a->body, "<DBInstance>",
		    "<LabUnknown><member><Deep>1</Deep></member></LabUnknown>");
		insert_after(&a->body, "<DBInstanceStatus>", "lab-unknown-state-");
		insert_after(&a->body, "<Status>", "lab-unknown-state-");
	}
}

static void
write_result(struct call *c, const struct action *action, struct answer *a)
{
	a->status = 200;
	if (c->is_raw) {
		a->type = "text/plain";
		strbuf_add(&a->body, c->out.buf, c->out.len);
		return;
	}
	if (c->wire == WIRE_JSON)
		strbuf_adds(&a->body, c->out.buf);
	else if (is_ec2(c))
		strbuf_addf(&a->body,
		    "<%sResponse xmlns=\"%s\"><requestId>%s</requestId>%s</%sResponse>\n",
		    c->action, action->namespace, a->request_id, c->out.buf, c->action);
	else
		strbuf_addf(&a->body,
		    "<%sResponse xmlns=\"%s\"><%sResult>%s</%sResult><ResponseMetadata><RequestId>%s</RequestId>"
		    "</ResponseMetadata></%sResponse>\n",
		    c->action, action->namespace, c->action, c->out.buf, c->action, a->request_id,
		    c->action);
	spoil(c, a);
}

/* ---- faults that come before the call */

static bool
denied(struct call *c)
{
	struct faults *f = &c->world->faults;
	bool is_explicit = fault_take(f, FAULT_DENIED_EXPLICIT, c->action, NULL);
	const char *prefix = strcmp(c->service, "monitoring") == 0 ? "cloudwatch" : c->service;
	const char *name = form_get(&c->form, "DBInstanceIdentifier");

	if (!is_explicit && !fault_take(f, FAULT_DENIED, c->action, NULL))
		return false;
	const char *resource =
	    strcmp(c->service, "rds") == 0 ? call_arn(c, "db", name ? arn_name(name) : "*") : "*";

	if (is_explicit)
		call_fail(c, 403, "AccessDenied",
		    "User: %s is not authorized to perform: %s:%s on resource: %s with an explicit deny in an "
		    "identity-based policy",
		    c->who->arn, prefix, c->action, resource);
	else
		call_fail(c, 403, "AccessDenied",
		    "User: %s is not authorized to perform: %s:%s on resource: %s because no identity-based policy allows "
		    "the %s:%s action",
		    c->who->arn, prefix, c->action, resource, prefix, c->action);
	return true;
}

/* True: the fault is the answer. */
static bool
meets_fault(struct call *c, struct answer *a)
{
	struct faults *f = &c->world->faults;
	int64_t value = 0;

	if (c->wire == WIRE_JSON && strcmp(c->service, "monitoring") == 0 &&
	    fault_take(f, FAULT_QUERY_ONLY, c->action, NULL)) {
		c->wire = WIRE_QUERY;
		a->type = "text/xml";
		call_fail(
		    c, 400, "MissingAction", "The request must contain the parameter Action.");
		write_error(c, a);
		return true;
	}
	if (fault_take(f, FAULT_SLOW, c->action, &value))
		a->slow_ms = (int)value;
	if (fault_take(f, FAULT_DELAY, c->action, &value))
		a->delay_ms = (int)value;
	if (fault_take(f, FAULT_RESET_BEFORE, c->action, NULL)) {
		a->is_cut = true;
	} else if (fault_take(f, FAULT_UNAVAILABLE, c->action, NULL)) {
		a->status = 503;
		a->type = NULL;
	} else if (fault_take(f, FAULT_HTML, c->action, NULL)) {
		a->status = 502;
		a->type = "text/html";
		strbuf_adds(&a->body,
		    "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n");
	} else {
		if (fault_take(f, FAULT_THROTTLE, c->action, NULL))
			call_fail(c, 400, "Throttling", "Rate exceeded");
		else if (fault_take(f, FAULT_EXPIRED, c->action, NULL))
			call_fail(c, 403, "ExpiredToken",
			    "The security token included in the request is expired");
		else if (!denied(c))
			return false;
		write_error(c, a);
	}
	return true;
}

/* ---- what is asked */

static bool
read_rest_path(struct call *c, const char *path)
{
	static const char begin[] = "/v13/downloadCompleteLogFile/";
	const char *id = path + sizeof(begin) - 1, *slash;
	char *form;

	if (strncmp(path, begin, sizeof(begin) - 1) != 0 || !(slash = strchr(id, '/')))
		return false;
	form = arena_printf(&c->request->arena, "DBInstanceIdentifier=%.*s&LogFileName=%s",
	    (int)(slash - id), id, slash + 1);
	form_read(&c->form, form, strlen(form));
	snprintf(c->action, sizeof(c->action), "DownloadCompleteDBLogFile");
	return true;
}

static bool
read_call(struct call *c)
{
	const struct request *r = c->request;
	const char *target = request_header(r, "x-amz-target"), *dot, *action;

	if (strcmp(r->method, "GET") == 0 && read_rest_path(c, r->path))
		return true;
	if (target) {
		dot = strrchr(target, '.');
		snprintf(c->action, sizeof(c->action), "%s", dot ? dot + 1 : target);
		return form_read_json(&c->form, r->body.buf, r->body.len) ||
		    call_fail(c, 400, "SerializationException", "The body is no JSON.");
	}
	form_read(&c->form, r->query, strlen(r->query));
	form_read(&c->form, r->body.buf, r->body.len);
	action = form_get(&c->form, "Action");
	snprintf(c->action, sizeof(c->action), "%s", action ? action : "");
	return action ||
	    call_fail(c, 400, "MissingAction", "The request must contain the parameter Action.");
}

static void
run_call(struct call *c, struct answer *a)
{
	const struct action *action = action_find(c->service, c->action);

	if (!action || (c->wire == WIRE_QUERY && !action->namespace)) {
		call_fail(c, 400, "InvalidAction", "Could not find operation %s for service %s",
		    c->action, c->service);
		write_error(c, a);
		return;
	}
	writer_begin(&c->w, &c->out, c->wire == WIRE_JSON);
	action->run(c);
	writer_end(&c->w);
	if (c->code)
		write_error(c, a);
	else
		write_result(c, action, a);
}

static void
answer_call(struct world *w, struct request *r, struct answer *a)
{
	struct signature s;
	struct call c = { .world = w,
		.request = r,
		.form = { .arena = &r->arena },
		.out = STRBUF_INIT(MAX_ANSWER),
		.wire = request_header(r, "x-amz-target") ? WIRE_JSON : WIRE_QUERY };
	bool is_signed = sigv4_verify(r, w->credentials, w->ncredentials, a->now, &s);

	c.service = s.service ? s.service : "";
	c.who = s.who;
	a->type = c.wire == WIRE_JSON ? strcmp(c.service, "monitoring") == 0 ?
	                                "application/x-amz-json-1.0" :
	                                "application/x-amz-json-1.1" :
	                                "text/xml";
	if (!is_signed)
		call_fail(&c, strcmp(s.refusal, "IncompleteSignature") == 0 ? 400 : 403, s.refusal,
		    "%s", s.text);
	if (!is_signed || !read_call(&c)) {
		write_error(&c, a);
	} else if (!meets_fault(&c, a)) {
		run_call(&c, a);
		a->is_cut = fault_take(&w->faults, FAULT_RESET_AFTER, c.action, NULL);
	}
	form_release(&c.form);
	strbuf_release(&c.out);
}

/* ---- the control path */

/* GET lists the faults, POST sets one, DELETE clears them; of the events it forgets all, so that
 * one drill may follow another. */
static void
answer_control(struct world *w, struct request *r, struct answer *a)
{
	const char *key = request_header(r, "x-lab-key");
	struct form form = { .arena = &r->arena };
	struct error err;

	a->type = "application/json";
	a->status = 200;
	form_read(&form, r->body.buf, r->body.len);
	if (!key || strcmp(key, w->options.control_key) != 0) {
		a->status = 403;
		strbuf_adds(&a->body, "{\"error\":\"the header X-Lab-Key is missing or wrong\"}");
	} else if (strcmp(r->method, "POST") == 0 && !fault_set(&w->faults, &form, &err)) {
		bool first = true;

		a->status = 400;
		strbuf_addc(&a->body, '{');
		json_key(&a->body, &first, "error");
		json_str(&a->body, err.what, strlen(err.what));
		strbuf_addc(&a->body, '}');
	} else {
		if (strcmp(r->method, "DELETE") == 0 && strcmp(r->path, "/lab/events") == 0)
			w->nevents = 0;
		else if (strcmp(r->method, "DELETE") == 0)
			w->faults.n = 0;
		fault_write(&w->faults, &a->body);
	}
	strbuf_addc(&a->body, '\n');
	form_release(&form);
}

void
answer_make(struct world *w, struct request *r, struct answer *a)
{
	strbuf_init(&a->body, MAX_ANSWER);
	pthread_mutex_lock(&w->lock);
	world_tick(w);
	w->requests++;
	a->now = world_now(w);
	snprintf(a->request_id, sizeof(a->request_id), "00000000-1ab0-4000-8000-%012llx",
	    (unsigned long long)w->requests);
	if (strcmp(r->path, "/lab/faults") == 0 || strcmp(r->path, "/lab/events") == 0)
		answer_control(w, r, a);
	else
		answer_call(w, r, a);
	pthread_mutex_unlock(&w->lock);
}
