/* Shared by cloud/aws*.c. */
#ifndef PGMEDIC_CLOUD_AWS_PRIV_H
#define PGMEDIC_CLOUD_AWS_PRIV_H

#include "cloud/aws.h"
#include "cloud/http.h"

struct aws {
	struct arena arena;
	struct profiles profiles;
	struct http *http;
	struct creds_ask ask;
	const char *credentials_file; /* "": the usual one */
	void (*pace)(void *arg, enum aws_service service);
	void *pace_arg;
	const char *region, *ca_bundle;
	struct creds creds;
	bool has_creds;
	struct strbuf looked, warnings, custom;
	int64_t skew_us;                  /* AWS's clock less ours */
	int budget;                       /* for repeating, shared by all calls */
	struct mono loaded_at;            /* when credentials were last looked for */
	bool is_query_only[AWS_SERVICES]; /* the endpoint does not know JSON */
};

/* Credentials that last a while, in aws->creds; again: whatever is there, looked for anew. Those
 * that AWS may still accept are kept when no new ones come. */
bool aws_have_creds(struct aws *aws, bool again, struct error *err) MUST_CHECK;

enum aws_verdict {
	AWS_DONE,      /* 2xx */
	AWS_REFUSED,   /* repeating does not help */
	AWS_TRANSIENT, /* repeat, soon */
	AWS_THROTTLED, /* repeat, slowly */
	AWS_EXPIRED,   /* repeat with new credentials, once */
	AWS_CLOCK,     /* repeat with the right time, once */
};

/* Fills code, message and request_id from a body of any kind. */
void aws_read_error(struct aws_answer *a, const struct http_answer *http, enum aws_wire wire);
/* Also for an attempt without an answer: http->status is 0 then. */
enum aws_verdict aws_judge(const struct aws_answer *a, const struct http_answer *http);
/* What a user is told. */
bool aws_explain(const struct aws *aws, const struct aws_call *call, const struct aws_answer *a,
    struct error *err);

/*
 * The JSON body of a call as parameters of the Query protocol ("A.member.1.B=…"), each with a
 * leading '&'; times, which are seconds in JSON, become ISO 8601.
 */
bool aws_query_body(struct strbuf *out, const char *json, struct error *err) MUST_CHECK;
/* The other way: what is in <OpResult> as JSON. Numbers and times stay texts. */
struct json *aws_query_answer(const struct xml *result, struct error *err);

#endif
