#include "config.h"

#include "cloud/aws.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/proc.h"
#include "cloud/aws_priv.h"
#include "cloud/wipe.h"

enum {
	TIMEOUT_MS = 30000,
	ATTEMPTS = 4,
	ATTEMPTS_TIMEOUT = 2, /* of which no one was answered in time */
	BUDGET = 500,         /* all calls of a session together */
	COST = 5,             /* of repeating one */
	COST_TIMEOUT = 10,    /* ... after it took all its time */
	MAX_WAIT_MS = 20000,
	MAX_BODY = 4 << 20,
	PRESIGNED_S = 3600,
	RENEW_MS = 30000,
};

struct aws *
aws_open(const struct aws_config *config, struct error *err)
{
	struct aws *aws = xcalloc(1, sizeof(*aws));
	const char *profile = config->profile && *config->profile ? config->profile : NULL;
	const char *set = getenv("AWS_PROFILE"), *bundle = getenv("AWS_CA_BUNDLE");

	strbuf_init(&aws->looked, 8192);
	strbuf_init(&aws->warnings, 16384);
	strbuf_init(&aws->custom, 2048);
	aws->budget = BUDGET;
	aws->pace = config->pace;
	aws->pace_arg = config->arg;
	aws->http = http_new();
	aws->credentials_file =
	    arena_strdup(&aws->arena, config->credentials_file ? config->credentials_file : "");
	if (*aws->credentials_file && !profile)
		profile = "default";
	if (!profiles_read(&aws->profiles, aws->credentials_file, err)) {
		aws_close(aws);
		return NULL;
	}
	strbuf_adds(&aws->warnings, aws->profiles.warnings.buf);
	aws->ask = (struct creds_ask){
		.profiles = &aws->profiles,
		.profile = arena_strdup(&aws->arena,
		    profile         ? profile :
		        set && *set ? set :
		                      "default"),
		.is_explicit = profile != NULL,
		.endpoint_url =
		    arena_strdup(&aws->arena, config->endpoint_url ? config->endpoint_url : ""),
		.http = aws->http,
		.stop = config->stop,
		.ask_code = config->ask_code,
		.arg = config->arg,
	};
	aws->region =
	    creds_region(&aws->arena, &aws->ask, config->region, config->host, &aws->warnings);
	aws->ask.region = aws->region;
	if (!bundle || !*bundle)
		bundle = profile_get(&aws->profiles, aws->ask.profile, "ca_bundle");
	aws->ca_bundle = bundle ? profile_path(&aws->arena, bundle) : "";
	return aws;
}

void
aws_close(struct aws *aws)
{
	if (!aws)
		return;
	creds_release(&aws->creds);
	profiles_release(&aws->profiles);
	http_free(aws->http);
	strbuf_release(&aws->looked);
	strbuf_release(&aws->warnings);
	strbuf_release(&aws->custom);
	arena_release(&aws->arena);
	free(aws);
}

const char *
aws_region(const struct aws *aws)
{
	return aws->region;
}

const char *
aws_source(const struct aws *aws)
{
	return aws->creds.source;
}

const char *
aws_looked(const struct aws *aws)
{
	return aws->looked.buf;
}

const char *
aws_warnings(const struct aws *aws)
{
	return aws->warnings.buf;
}

int64_t
aws_clock_behind_s(const struct aws *aws)
{
	return aws->skew_us / 1000000;
}

static struct endpoint_ask
endpoint_ask(const struct aws *aws)
{
	return (struct endpoint_ask){ &aws->profiles, aws->ask.profile, aws->ask.endpoint_url,
		aws->region };
}

const char *
aws_custom_endpoint(struct aws *aws, enum aws_service service)
{
	struct endpoint_ask ask = endpoint_ask(aws);
	struct error unread = { 0 };
	bool is_custom;

	if (!endpoint_of(&ask, service, &aws->custom, &is_custom, &unread) || !is_custom)
		strbuf_clear(&aws->custom);
	return aws->custom.buf;
}

void
aws_answer_init(struct aws_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
}

void
aws_answer_release(struct aws_answer *answer)
{
	json_free(answer->json);
	arena_release(&answer->arena);
	memset(answer, 0, sizeof(*answer));
}

/* Credentials that last a while. Those that AWS still accepts are kept when no new ones come. */
bool
aws_have_creds(struct aws *aws, bool again, struct error *err)
{
	enum creds_age age = aws->has_creds ? creds_age(&aws->creds, wall_now()) : CREDS_STALE;
	struct strbuf looked = STRBUF_INIT(8192);
	struct creds fresh;
	struct error why = { 0 };
	bool ok;

	if (aws->has_creds && age == CREDS_FRESH && !again)
		return true;
	/* What is about to expire is asked for again now and then, not with each call: the source
	 * may have nothing newer yet. */
	if (aws->has_creds && !again && mono_since_ms(mono_now(), aws->loaded_at) < RENEW_MS)
		return true;
	aws->loaded_at = mono_now();
	if (again) { /* the files may have new ones */
		struct profiles now;

		if (profiles_read(&now, aws->credentials_file, &why)) {
			profiles_release(&aws->profiles);
			aws->profiles = now;
		} else {
			profiles_release(&now);
		}
	}
	ok = creds_load(&aws->ask, &fresh, &looked, &why);
	if (ok) {
		creds_release(&aws->creds);
		aws->creds = fresh;
		aws->has_creds = true;
	} else {
		creds_release(&fresh);
		if (!aws->has_creds || again)
			*err = why;
	}
	strbuf_clear(&aws->looked);
	strbuf_adds(&aws->looked, looked.buf);
	strbuf_release(&looked);
	return ok || (aws->has_creds && !again);
}

static bool
encode(const struct aws_call *call, enum aws_wire wire, struct strbuf *body, struct error *err)
{
	const struct aws_service_def *def = &aws_services[call->service];

	if (wire != AWS_WIRE_QUERY && wire != AWS_WIRE_EC2) {
		strbuf_adds(body, call->json ? call->json : "{}");
		return true;
	}
	strbuf_addf(body, "Action=%s&Version=%s", call->op,
	    wire == def->wire ? def->version : def->query_version);
	if (wire != def->wire)
		return aws_query_body(body, call->json ? call->json : "{}", err);
	for (const struct aws_param *p = call->params; p && p->name; p++) {
		if (!p->value)
			continue;
		strbuf_addf(body, "&%s=", p->name);
		sigv4_escape(body, p->value, strlen(p->value));
	}
	return true;
}

static void
invocation(char *out, size_t size)
{
	unsigned char b[16] = { 0 };

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		memset(b, 0, sizeof(b));
	snprintf(out, size,
	    "%02x%02x%02x%02x-%02x%02x-4%01x%02x-a%01x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
	    b[2], b[3], b[4], b[5], b[6] & 15, b[7], b[8] & 15, b[9], b[10], b[11], b[12], b[13],
	    b[14], b[15]);
}

struct attempt {
	enum aws_wire wire;
	struct strbuf url, host, body, target;
	struct sigv4_header headers[12];
	int n;
	char id[48], number[48];
};

static void
put(struct attempt *a, const char *name, const char *value)
{
	a->headers[a->n++] = (struct sigv4_header){ name, value };
}

/* Sign and send once. */
static bool
send_once(struct aws *aws, const struct aws_call *call, struct attempt *a, int number,
    struct http_answer *http, struct error *err)
{
	const struct aws_service_def *def = &aws_services[call->service];
	const char *start = strstr(a->url.buf, "://") + 3, *path = start + strcspn(start, "/");
	struct wall now = { wall_now().us + aws->skew_us };
	struct sigv4_scope scope = { aws->creds.key_id, aws->creds.secret, aws->creds.token,
		*aws->region ? aws->region : "us-east-1", def->name, now };
	struct sigv4_request q = { "POST", path, NULL, a->headers, 0, a->body.buf, a->body.len };
	struct http_request r = { .method = "POST",
		.url = a->url.buf,
		.headers = a->headers,
		.body = a->body.buf,
		.body_len = a->body.len,
		.timeout_ms = call->timeout_ms ? call->timeout_ms : TIMEOUT_MS,
		.ca_bundle = aws->ca_bundle,
		.is_once = call->changes,
		.stop = aws->ask.stop };
	struct sigv4 sig;
	bool ok;

	a->n = 0;
	put(a, "Host", a->host.buf);
	if (a->wire == AWS_WIRE_QUERY || a->wire == AWS_WIRE_EC2) {
		put(a, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
	} else {
		put(a, "Content-Type",
		    a->wire == AWS_WIRE_JSON10 ? "application/x-amz-json-1.0" :
		                                 "application/x-amz-json-1.1");
		put(a, "X-Amz-Target", a->target.buf);
		if (call->service == AWS_CLOUDWATCH)
			put(a, "x-amzn-query-mode", "true");
	}
	snprintf(a->number, sizeof(a->number), "attempt=%d; max=%d", number, ATTEMPTS);
	put(a, "amz-sdk-invocation-id", a->id);
	put(a, "amz-sdk-request", a->number);
	q.nheaders = a->n;
	sigv4_init(&sig);
	sigv4_sign(&sig, &q, &scope);
	put(a, "X-Amz-Date", sig.date);
	if (scope.token)
		put(a, "X-Amz-Security-Token", scope.token);
	put(a, "Authorization", sig.authorization.buf);
	r.nheaders = a->n;
	ok = http_do(aws->http, &r, http, err);
	sigv4_release(&sig);
	return ok;
}

/* It came, and is none of AWS. */
static bool
no_answer(const struct aws_call *call, struct error *err)
{
	error_prefix(err, "the answer to %s is not AWS's", call->op);
	return error_hint(
	    err, "Something between answers in its place (a proxy, a portal), or cuts it off.");
}

/* <OpResponse><OpResult>…: what is in it; of EC2 the root. */
static bool
read_answer(const struct aws_call *call, enum aws_wire wire, const struct http_answer *http,
    struct aws_answer *a, struct error *err)
{
	const struct xml *root, *c;
	size_t n = strlen(call->op);

	snprintf(a->request_id, sizeof(a->request_id), "%s", http->request_id);
	if (wire != AWS_WIRE_QUERY && wire != AWS_WIRE_EC2) {
		if (!http->body.len) /* an operation without output */
			return true;
		a->json = json_parse(http->body.buf, http->body.len, err);
		return a->json || no_answer(call, err);
	}
	root = xml_parse(&a->arena, http->body.buf, http->body.len, err);
	if (!root)
		return no_answer(call, err);
	/* A page of some proxy may be well-formed, too: empty, it would say that nothing is there.
	 */
	if (strncmp(root->name, call->op, n) != 0 || strcmp(root->name + n, "Response") != 0) {
		error_set(err, ERR_FORMAT, "it is <%.40s>", root->name);
		return no_answer(call, err);
	}
	a->xml = wire == AWS_WIRE_EC2 ? root : NULL;
	for (c = root->child; c; c = c->next)
		if (strncmp(c->name, call->op, n) == 0 && strcmp(c->name + n, "Result") == 0)
			a->xml = c;
	c = xml_get(root, wire == AWS_WIRE_EC2 ? "requestId" : "ResponseMetadata/RequestId");
	if (c)
		snprintf(a->request_id, sizeof(a->request_id), "%s", c->text);
	return true;
}

/* Wait before the next attempt; false: stopped. */
static bool
pause_ms(const struct aws *aws, int ms)
{
	struct mono start = mono_now();

	while (mono_since_ms(mono_now(), start) < ms) {
		if (stop_asked(aws->ask.stop))
			return false;
		(void)poll(NULL, 0, 50);
	}
	return true;
}

static int
delay_ms(const struct http_answer *http, enum aws_verdict verdict, int attempt)
{
	unsigned int dice = 0;
	int base = verdict == AWS_THROTTLED ? 1000 : 100, ms;

	if (getrandom(&dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
		dice = 1U << 31;
	ms = base << (attempt - 1);
	ms = ms > MAX_WAIT_MS ? MAX_WAIT_MS : ms;
	ms = (int)((double)ms * ((double)dice / 4294967296.0));
	if (http->retry_after_ms > ms)
		ms = http->retry_after_ms < ms + 5000 ? http->retry_after_ms : ms + 5000;
	return ms;
}

/* May what changes something be sent again? Only where it surely has not been taken up. */
static bool
may_repeat(const struct aws_call *call, const struct http_answer *http, enum aws_verdict verdict)
{
	if (!call->changes || verdict != AWS_TRANSIENT)
		return true;
	return http->status ? http->status == 503 : !http->was_sent;
}

/* After an attempt that did not do: true, another one, after a while; false, it ends. */
static bool
go_on(struct aws *aws, const struct aws_call *call, struct aws_answer *a,
    const struct http_answer *http, enum aws_verdict verdict, bool *renewed, bool *timed,
    struct error *err)
{
	int cost = http->timed_out ? COST_TIMEOUT : COST;
	struct wall theirs;

	if (verdict == AWS_REFUSED) { /* also: stopped while it was under way */
		a->is_uncertain = call->changes && !http->status && http->was_sent;
		return false;
	}
	if (verdict == AWS_EXPIRED) {
		if (*renewed)
			return false;
		*renewed = true;
		return aws_have_creds(aws, true, err);
	}
	if (verdict == AWS_CLOCK) {
		/* A date before 2020 is nobody's clock. */
		if (*timed || !http_date(http, &theirs) || theirs.us < INT64_C(1577836800000000))
			return false;
		*timed = true;
		aws->skew_us = theirs.us - wall_now().us;
		strbuf_addf(&aws->warnings,
		    "this machine's clock is %lld s behind AWS: corrected "
		    "for this session; mend NTP\n",
		    (long long)(aws->skew_us / 1000000));
		return true;
	}
	if (!may_repeat(call, http, verdict)) {
		a->is_uncertain = true;
		return false;
	}
	/* Who says nothing twice says nothing: four times would be two minutes. */
	if (a->attempts >= (http->timed_out ? ATTEMPTS_TIMEOUT : ATTEMPTS) || aws->budget < cost)
		return false;
	aws->budget -= cost;
	return pause_ms(aws, delay_ms(http, verdict, a->attempts));
}

static bool
attempts(struct aws *aws, const struct aws_call *call, struct attempt *try,
    struct http_answer *http, struct aws_answer *a, struct error *err)
{
	bool renewed = false, timed = false;
	enum aws_verdict verdict;

	for (;;) {
		struct error transport = { 0 }, renewal = { 0 };

		if (aws->pace)
			aws->pace(aws->pace_arg, call->service);
		bool came = send_once(aws, call, try, ++a->attempts, http, &transport);

		a->http_status = http->status;
		if (came && http->status >= 300)
			aws_read_error(a, http, try->wire);
		verdict = aws_judge(a, http);
		if (verdict == AWS_DONE) {
			if (aws->budget < BUDGET)
				aws->budget += a->attempts > 1 ? COST : 1;
			a->code[0] = '\0';
			if (read_answer(call, try->wire, http, a, err))
				return true;
			a->is_uncertain = call->changes; /* done, and nobody can read what */
			if (call->changes || a->attempts >= ATTEMPTS || aws->budget < COST)
				return false;
			aws->budget -= COST;
			*err = (struct error){ 0 };
			if (!pause_ms(aws, delay_ms(http, AWS_TRANSIENT, a->attempts)))
				return error_set(err, ERR_STATE, "%s: stopped", call->op);
			continue;
		}
		if (go_on(aws, call, a, http, verdict, &renewed, &timed, &renewal))
			continue;
		if (*renewal.what) {
			*err = renewal;
			return false;
		}
		if (came)
			return aws_explain(aws, call, a, err);
		*err = transport;
		if (a->is_uncertain) {
			err->code = ERR_LOST;
			error_prefix(err, "%s was sent, and no answer came", call->op);
			return error_hint(
			    err, "Look at what became of it before it is tried again.");
		}
		return error_prefix(err, "%s", call->op);
	}
}

/* All attempts of a call in one form. */
static bool
do_in(struct aws *aws, const struct aws_call *call, enum aws_wire wire, struct http_answer *http,
    struct aws_answer *answer, struct error *err)
{
	struct endpoint_ask where = endpoint_ask(aws);
	struct attempt try = { .wire = wire,
		.url = STRBUF_INIT(2048),
		.host = STRBUF_INIT(1024),
		.body = STRBUF_INIT(MAX_BODY),
		.target = STRBUF_INIT(256) };
	const char *start;
	bool is_custom, ok = false;

	if (endpoint_of(&where, call->service, &try.url, &is_custom, err) &&
	    encode(call, wire, &try.body, err) && aws_have_creds(aws, false, err)) {
		start = strstr(try.url.buf, "://") + 3;
		strbuf_add(&try.host, start, strcspn(start, "/"));
		if (!start[strcspn(start, "/")])
			strbuf_addc(&try.url, '/');
		strbuf_addf(&try.target, "%s.%s", aws_services[call->service].version, call->op);
		invocation(try.id, sizeof(try.id));
		ok = attempts(aws, call, &try, http, answer, err);
	}
	strbuf_release(&try.url);
	strbuf_release(&try.host);
	strbuf_release(&try.body);
	strbuf_release(&try.target);
	return ok;
}

/*
 * CloudWatch in the older form, for endpoints that know only that; the answer becomes the JSON that
 * the newer one would have given.
 */
static bool
do_as_query(struct aws *aws, const struct aws_call *call, struct http_answer *http,
    struct aws_answer *answer, struct error *err)
{
	if (!do_in(aws, call, AWS_WIRE_QUERY, http, answer, err))
		return false;
	answer->json = aws_query_answer(answer->xml, err);
	answer->xml = NULL;
	return answer->json || error_prefix(err, "the answer to %s", call->op);
}

/* An endpoint that speaks JSON says so also where it fails. */
static bool
is_json(const struct http_answer *http)
{
	const char *s = http->body.len ? http->body.buf : "";

	return s[strspn(s, " \t\r\n")] == '{';
}

bool
aws_do(struct aws *aws, const struct aws_call *call, struct aws_answer *answer, struct error *err)
{
	const struct aws_service_def *def = &aws_services[call->service];
	struct http_answer http;
	bool ok;

	http_answer_init(&http);
	json_free(answer->json);
	answer->json = NULL;
	answer->xml = NULL;
	answer->attempts = 0;
	answer->is_uncertain = false;
	answer->code[0] = answer->message[0] = answer->request_id[0] = '\0';
	if (def->query_version && aws->is_query_only[call->service]) {
		ok = do_as_query(aws, call, &http, answer, err);
	} else {
		ok = do_in(aws, call, def->wire, &http, answer, err);
		if (!ok && def->query_version && http.status && http.body.len && !is_json(&http) &&
		    !answer->is_uncertain) {
			struct error other = { 0 };

			ok = do_as_query(aws, call, &http, answer, &other);
			aws->is_query_only[call->service] = ok;
		}
	}
	http_answer_release(&http);
	return ok;
}

bool
aws_presign(struct aws *aws, const struct aws_call *call, struct strbuf *url, struct error *err)
{
	struct endpoint_ask where = endpoint_ask(aws);
	struct strbuf query = STRBUF_INIT(MAX_BODY), host = STRBUF_INIT(1024);
	bool is_custom;
	bool ok = endpoint_of(&where, call->service, url, &is_custom, err) &&
	    aws_have_creds(aws, false, err);

	if (ok) {
		const char *start = strstr(url->buf, "://") + 3,
		           *path = start + strcspn(start, "/");
		struct sigv4_scope scope = { aws->creds.key_id, aws->creds.secret, aws->creds.token,
			aws->region, aws_services[call->service].name,
			{ wall_now().us + aws->skew_us } };
		struct sigv4_header header = { "Host", NULL };
		struct sigv4_request q = {
			.method = "GET", .path = path, .headers = &header, .nheaders = 1
		};
		struct sigv4 sig;

		strbuf_add(&host, start, (size_t)(path - start));
		ok = encode(call, aws_services[call->service].wire, &query, err);
		header.value = host.buf;
		q.query = query.buf;
		sigv4_init(&sig);
		sigv4_presign(&sig, &q, &scope, PRESIGNED_S);
		strbuf_addf(url, "%s?%s", *path ? "" : "/", sig.query.buf);
		sigv4_release(&sig);
	}
	strbuf_release(&query);
	strbuf_release(&host);
	return ok;
}

bool
aws_identity(
    struct aws *aws, struct arena *arena, const char **arn, const char **account, struct error *err)
{
	struct aws_call call = { .service = AWS_STS, .op = "GetCallerIdentity" };
	struct aws_answer answer;
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	*arn = arena_strdup(arena, xml_text(answer.xml, "Arn"));
	*account = arena_strdup(arena, xml_text(answer.xml, "Account"));
	aws_answer_release(&answer);
	return ok;
}
