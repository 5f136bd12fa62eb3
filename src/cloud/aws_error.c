/* Errors of AWS: read from bodies of all shapes, judged for repeating, said in words that help. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/fmt.h"
#include "cloud/aws_priv.h"

static void
keep(char *to, size_t size, const char *s)
{
	if (s && *s && !*to)
		snprintf(to, size, "%s", s);
}

/* "com.amazon#Code:http://…" and "Code;Sender". */
static void
keep_code(struct aws_answer *a, const char *s)
{
	const char *hash = s ? strrchr(s, '#') : NULL;
	size_t len;

	if (!s || *a->code)
		return;
	s = hash ? hash + 1 : s;
	len = strcspn(s, ":;,");
	if (len >= sizeof(a->code))
		len = sizeof(a->code) - 1;
	memcpy(a->code, s, len);
	a->code[len] = '\0';
}

static void
read_xml(struct aws_answer *a, const struct http_answer *http)
{
	struct error unread = { 0 };
	const struct xml *root = xml_parse(&a->arena, http->body.buf, http->body.len, &unread), *e;

	/* <ErrorResponse>; <Response><Errors> of EC2; <Response> around the first, of others */
	e = xml_get(root, "Error");
	if (!e)
		e = xml_get(root, "Errors/Error");
	if (!e)
		e = xml_get(root, "ErrorResponse/Error");
	keep_code(a, e ? xml_text(e, "Code") : NULL);
	keep(a->message, sizeof(a->message), xml_text(e, "Message"));
	keep(a->request_id, sizeof(a->request_id), xml_text(root, "RequestId"));
	keep(a->request_id, sizeof(a->request_id), xml_text(root, "RequestID"));
}

static void
read_json(struct aws_answer *a, const struct http_answer *http)
{
	struct error unread = { 0 };
	struct json *o = json_parse(http->body.buf, http->body.len, &unread);
	const char *message = json_text(json_get(o, "message"));

	keep_code(a, *http->query_error ? http->query_error : NULL);
	keep_code(a, json_text(json_get(o, "__type")));
	keep_code(a, *http->error_type ? http->error_type : NULL);
	keep(a->message, sizeof(a->message), message ? message : json_text(json_get(o, "Message")));
	json_free(o);
}

/* Not AWS's own form: some proxy's page, or nothing. Its title is what tells most. */
static void
describe_body(struct aws_answer *a, const char *body)
{
	const char *title = strcasestr(body, "<title>");
	size_t skip = strspn(body, " \t\r\n"), len = strcspn(body + skip, "\r\n");

	if (title && strcasestr(title, "</title>")) {
		title += strlen("<title>");
		snprintf(a->message, sizeof(a->message), "a web page, not AWS: \"%.*s\"",
		    (int)(strcasestr(title, "</title>") - title), title);
	} else if (body[skip] == '<') {
		snprintf(a->message, sizeof(a->message), "a page that is not AWS's");
	} else if (!len) {
		snprintf(a->message, sizeof(a->message), "no text");
	} else {
		snprintf(a->message, sizeof(a->message), "%.*s", len > 200 ? 200 : (int)len,
		    body + skip);
	}
	for (char *c = a->message; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = ' ';
}

void
aws_read_error(struct aws_answer *a, const struct http_answer *http, enum aws_wire wire)
{
	a->code[0] = a->message[0] = '\0';
	keep(a->request_id, sizeof(a->request_id), http->request_id);
	if (wire == AWS_WIRE_QUERY || wire == AWS_WIRE_EC2)
		read_xml(a, http);
	else
		read_json(a, http);
	if (!*a->message)
		describe_body(a, http->body.len ? http->body.buf : "");
}

static bool
is_one_of(const char *code, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(code, *names) == 0)
			return true;
	return false;
}

static const char *const throttling[] = { "Throttling", "ThrottlingException", "ThrottledException",
	"RequestThrottledException", "TooManyRequestsException",
	"ProvisionedThroughputExceededException", "TransactionInProgressException",
	"RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException",
	"RequestThrottled", "SlowDown", "EC2ThrottledException", NULL };
static const char *const transient[] = { "RequestTimeout", "RequestTimeoutException",
	"PriorRequestNotComplete", NULL };
static const char *const expired[] = { "ExpiredToken", "ExpiredTokenException", NULL };
static const char *const signatures[] = { "SignatureDoesNotMatch", "InvalidSignatureException",
	"RequestExpired", "RequestTimeTooSkewed", "IncompleteSignature", NULL };
static const char *const bad_keys[] = { "InvalidClientTokenId", "UnrecognizedClientException",
	"AuthFailure", "InvalidAccessKeyId", NULL };
static const char *const denied[] = { "AccessDenied", "AccessDeniedException",
	"UnauthorizedOperation", "NotAuthorizedException", "OptInRequired", NULL };

static bool
is_clock(const struct aws_answer *a)
{
	return is_one_of(a->code, signatures) &&
	    (strstr(a->message, "expired") || strstr(a->message, "not yet current") ||
	        strcmp(a->code, "RequestTimeTooSkewed") == 0);
}

enum aws_verdict
aws_judge(const struct aws_answer *a, const struct http_answer *http)
{
	if (!http->status)
		return http->was_stopped ? AWS_REFUSED : AWS_TRANSIENT;
	if (http->status < 300)
		return AWS_DONE;
	if (http->status == 429 || is_one_of(a->code, throttling))
		return AWS_THROTTLED;
	if (is_one_of(a->code, expired))
		return AWS_EXPIRED;
	if (is_clock(a))
		return AWS_CLOCK;
	if (http->status == 500 || (http->status >= 502 && http->status <= 504) ||
	    is_one_of(a->code, transient))
		return AWS_TRANSIENT;
	return AWS_REFUSED;
}

/* ------------------------------------------------------------------ words */

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static bool
explain_login(const struct aws *aws, const struct aws_answer *a, struct error *err)
{
	const char *key = aws->has_creds ? aws->creds.key_id : "";
	const char *last = strlen(key) > 4 ? key + strlen(key) - 4 : "";
	char ago[32], at[16];

	if (is_one_of(a->code, expired) || strcmp(a->code, "RequestExpired") == 0) {
		int64_t gone = wall_now().us - aws->creds.expires.us;

		if (aws->creds.expires.us && gone > 0)
			error_set(err, ERR_AUTH,
			    "the session credentials (%s) expired at %s UTC, %s ago",
			    aws->creds.source, wall_hms(aws->creds.expires, at, sizeof(at)),
			    fmt_span(ago, sizeof(ago), (double)gone / 1e6));
		else
			error_set(err, ERR_AUTH, "the session credentials (%s) have expired",
			    aws->creds.source);
		return error_hint(err,
		    "Run `aws sso login --profile %s`, or set new keys; they are "
		    "read again.",
		    aws->ask.profile);
	}
	if (is_one_of(a->code, bad_keys)) {
		error_set(err, ERR_AUTH, "AWS does not know the key that ends in %s (%s)", last,
		    aws->creds.source);
		if (strncmp(key, "ASIA", 4) == 0 && !aws->creds.token)
			return error_hint(err,
			    "Keys that begin with ASIA need their session "
			    "token: AWS_SESSION_TOKEN is missing.");
		return error_hint(err, "Is it of this partition, active, and whole?");
	}
	if (is_clock(a)) {
		error_set(
		    err, ERR_AUTH, "this machine's clock is not that of AWS: %.120s", a->message);
		return error_hint(err, "Correct NTP.");
	}
	error_set(err, ERR_AUTH,
	    "AWS does not accept the signature of the key that ends in %s (%s)", last,
	    aws->creds.source);
	return error_hint(err,
	    "The clock is right, so the secret key is wrong: a blank or a line "
	    "end in the file?");
}

/* What follows `before` in AWS's sentence, up to a blank; of an ARN what its service calls it. */
static const char *
named(const char *message, const char *before, char *to, size_t size)
{
	const char *s = strstr(message, before);
	size_t len;

	*to = '\0';
	if (!s)
		return to;
	s += strlen(before);
	len = strcspn(s, " ");
	/* arn:partition:service:region:account:resource */
	if (strncmp(s, "arn:", 4) == 0)
		for (int colons = 0; colons < 5 && memchr(s, ':', len); colons++) {
			size_t skip = (size_t)((const char *)memchr(s, ':', len) - s) + 1;
			s += skip;
			len -= skip;
		}
	snprintf(to, size, "%.*s", (int)(len < 200 ? len : 200), s);
	return to;
}

/* "no identity-based policy allows it", "an explicit deny in a service control policy"; "": AWS
 * does not say which kind of policy it was. */
static const char *
which_policy(const char *message, char *to, size_t size)
{
	const char *s = strstr(message, "because no "), *end = s ? strstr(s, " allows") : NULL;

	*to = '\0';
	if (end)
		snprintf(to, size, "%.*s allows it", (int)(end - s - 8), s + 8);
	else if ((s = strstr(message, "explicit deny")))
		snprintf(to, size, "an %.*s", (int)strcspn(s, ".;"), s);
	return to;
}

/*
 * User: PRINCIPAL is not authorized to perform: ACTION on resource: ARN because no KIND policy
 * allows the ACTION action (or: with an explicit deny in a KIND policy). Which of it is there
 * depends on the service.
 */
static bool
explain_denied(const struct aws *aws, const struct aws_call *call, const struct aws_answer *a,
    struct error *err)
{
	char who[96], where[96], why[96];

	named(a->message, "User: ", who, sizeof(who));
	named(a->message, "on resource: ", where, sizeof(where));
	which_policy(a->message, why, sizeof(why));
	if (*who)
		error_set(err, ERR_DENIED, "%s:%s is not allowed to %s%s%s%s%s",
		    aws_services[call->service].name, call->op, who, *where ? " on " : "", where,
		    *why ? ": " : "", why);
	else
		error_set(err, ERR_DENIED, "%s:%s is not allowed: %.160s",
		    aws_services[call->service].name, call->op, *why ? why : a->message);
	return error_hint(err,
	    "Identity: %s. `pgmedic help policy` prints what is needed; `cloud "
	    "check` what is allowed.",
	    aws->creds.source);
}

bool
aws_explain(const struct aws *aws, const struct aws_call *call, const struct aws_answer *a,
    struct error *err)
{
	const char *service = aws_services[call->service].name;

	if (is_one_of(a->code, expired) || is_one_of(a->code, signatures) ||
	    is_one_of(a->code, bad_keys))
		return explain_login(aws, a, err);
	if (is_one_of(a->code, denied))
		return explain_denied(aws, call, a, err);
	if (a->http_status == 429 || is_one_of(a->code, throttling)) {
		error_set(err, ERR_TIMEOUT, "%s is throttled for this account (%s, %d attempts)",
		    service, call->op, a->attempts);
		return error_hint(
		    err, "The limit is the account's: others ask, too. Again in a minute.");
	}
	if (strstr(a->code, "NotFound")) {
		error_set(err, ERR_NOT_FOUND, "%s: %.150s", call->op, a->message);
		return error_hint(err,
		    "Looked in region %s, credentials %s: is it in another region "
		    "or account?",
		    aws->region, aws->creds.source);
	}
	if (strstr(a->code, "AlreadyExists")) {
		error_set(err, ERR_REFUSED, "%s: %.150s", call->op, a->message);
		return error_hint(err, "Choose another name.");
	}
	if (strstr(a->code, "Quota") || strstr(a->code, "Capacity") ||
	    strcmp(a->code, "LimitExceeded") == 0) {
		error_set(err, ERR_REFUSED, "%s: %s: %.150s", call->op, a->code, a->message);
		return error_hint(err, "%s",
		    strstr(a->code, "Capacity") ?
		        "Another class or availability zone may have room." :
		        "Remove what is not needed, or ask AWS for a higher quota.");
	}
	if (strncmp(a->code, "Invalid", 7) == 0 &&
	    (ends_with(a->code, "State") || ends_with(a->code, "StateFault"))) {
		error_set(err, ERR_STATE, "%s: %.180s", call->op, a->message);
		return error_hint(err, "Wait until it is available, then again.");
	}
	if (a->is_uncertain) {
		error_set(err, ERR_LOST,
		    "%s was sent, and AWS answered with status %d and no verdict", call->op,
		    a->http_status);
		return error_hint(err, "Look at what became of it before it is tried again.");
	}
	error_set(err, a->http_status >= 500 ? ERR_LOST : ERR_QUERY, "%s: %s%s%.180s", call->op,
	    *a->code ? a->code : "", *a->code ? ": " : "", a->message);
	return error_hint(err, "HTTP status %d of %s in %s, request id %s.", a->http_status,
	    service, aws->region, *a->request_id ? a->request_id : "none");
}
