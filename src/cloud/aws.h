/*
 * AWS: one call is a service, an operation and its parameters, and gives a parsed answer. Behind
 * it: credentials (renewed, read again once when they have expired), endpoint, signature, the
 * clock's offset, retries with a common budget. Calls wait, so they are for jobs and children, not
 * for the screen's thread. One thread per session.
 *
 * What changes something is never sent twice blindly: once bytes have left and no answer came, the
 * call ends with `is_uncertain`, and the caller looks at the world.
 */
#ifndef PGMEDIC_CLOUD_AWS_H
#define PGMEDIC_CLOUD_AWS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "cloud/creds.h"
#include "cloud/endpoint.h"
#include "cloud/xml.h"

struct aws_config {
	const char *profile; /* "" or NULL: AWS_PROFILE, else default */
	/* In the place of ~/.aws/credentials; its profile, else default, counts more than what the
	 * environment holds. "" or NULL: none. */
	const char *credentials_file;
	const char *region;       /* "" or NULL: by the environment, the profile, `host` */
	const char *host;         /* of the database, whose name may tell the region; may be NULL */
	const char *endpoint_url; /* for all services; "" or NULL none */
	const volatile sig_atomic_t *stop;
	/* Called before each attempt of a call: may wait for its turn, and counts. NULL: nothing.
	 */
	void (*pace)(void *arg, enum aws_service service);
	bool (*ask_code)(void *arg, const char *serial, char *code, size_t size);
	void *arg;
};

struct aws;
/* Reads the configuration; asks nobody for credentials yet. NULL with *err. */
struct aws *aws_open(const struct aws_config *config, struct error *err);
void aws_close(struct aws *aws);
const char *aws_region(const struct aws *aws); /* "" unknown */
/* Where credentials come from ("environment"); "" before the first call. */
const char *aws_source(const struct aws *aws);
/* Sources that were passed over, a line each. */
const char *aws_looked(const struct aws *aws);
/* What is odd in the configuration, a line each; "" nothing. */
const char *aws_warnings(const struct aws *aws);
/* The endpoint of a service when it is not AWS's own; "" else. */
const char *aws_custom_endpoint(struct aws *aws, enum aws_service service);
/* How far the machine's clock is behind AWS, once that has been seen to matter; 0 else. */
int64_t aws_clock_behind_s(const struct aws *aws);

struct aws_param {
	const char *name, *value; /* "Filters.Filter.1.Name"; a NULL value leaves it out */
};

struct aws_call {
	enum aws_service service;
	const char *op;
	const struct aws_param *params; /* Query and EC2; ends with a NULL name; may be NULL */
	const char *json;               /* JSON services: the body; NULL is {}. To an endpoint that
	                                   knows CloudWatch's Query protocol only it goes as that,
	                                   and the answer comes as JSON all the same */
	bool changes;                   /* something: not repeated blindly */
	int timeout_ms;                 /* of one attempt; 0: 30 s */
};

struct aws_answer {
	struct arena arena;
	const struct xml *xml; /* Query: what is in <OpResult>; EC2: the root; NULL: nothing */
	struct json *json;
	int http_status, attempts;
	bool is_uncertain; /* it was sent, and nobody knows what became of it */
	char code[96];     /* of an error: "Throttling"; "" none */
	char message[512];
	char request_id[96];
};

void aws_answer_init(struct aws_answer *answer);
void aws_answer_release(struct aws_answer *answer);
/* False: the error says what a user can do; answer->code is AWS's own. */
bool aws_do(struct aws *aws, const struct aws_call *call, struct aws_answer *answer,
    struct error *err) MUST_CHECK;
/*
 * A reading call of the Query services over all its pages (Marker); f gets each answer, and ends it
 * by false with *err.
 */
bool aws_pages(struct aws *aws, const struct aws_call *call,
    bool (*f)(const struct aws_answer *answer, void *arg, struct error *err), void *arg,
    struct error *err) MUST_CHECK;
/*
 * The URL of a Query call of this session's region, signed for an hour: AWS's partitions for
 * governments ask for it where one region is to read from another. Not to be logged.
 */
bool aws_presign(
    struct aws *aws, const struct aws_call *call, struct strbuf *url, struct error *err) MUST_CHECK;
/*
 * The same for the JSON services (NextToken). call->json is an object without NextToken; at most
 * `most` pages. *more (may be NULL): there would have been more.
 */
bool aws_json_pages(struct aws *aws, const struct aws_call *call, int most, bool *more,
    bool (*f)(const struct aws_answer *answer, void *arg, struct error *err), void *arg,
    struct error *err) MUST_CHECK;
/* A number, and a time, of a JSON answer: as JSON has them, or as texts (of the Query protocol).
 * False: it is neither, or value NULL. */
bool aws_number(const struct json *value, double *number);
bool aws_time(const struct json *value, struct wall *t);
/* Who we are: ARN and account, in the arena. */
bool aws_identity(struct aws *aws, struct arena *arena, const char **arn, const char **account,
    struct error *err) MUST_CHECK;

/*
 * Security groups of this machine, when it is an instance of EC2 (asked of its metadata service);
 * ids in the arena. 0: none, or it is not one.
 */
int aws_machine_groups(struct aws *aws, struct arena *arena, const char **ids, int most);

#endif
