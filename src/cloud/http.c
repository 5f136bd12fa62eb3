#include "config.h"

#include "cloud/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"
#include "cloud/wipe.h"

enum {
	TIMEOUT_MS = 60000,
	CONNECT_MS = 10000,
	SLICE_MS = 25, /* how soon a stop is seen */
	MAX_ANSWER = 32 << 20,
};

struct http {
	CURLM *multi;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
begin(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fatal("libcurl cannot start");
}

struct http *
http_new(void)
{
	struct http *http = xcalloc(1, sizeof(*http));

	pthread_once(&once, begin);
	http->multi = curl_multi_init();
	if (!http->multi)
		fatal("libcurl has no handle");
	return http;
}

void
http_free(struct http *http)
{
	if (!http)
		return;
	curl_multi_cleanup(http->multi);
	free(http);
}

void
http_answer_init(struct http_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	strbuf_init(&answer->body, MAX_ANSWER);
	answer->retry_after_ms = -1;
}

void
http_answer_release(struct http_answer *answer)
{
	wipe_strbuf(&answer->body);
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_answer *answer = arg;

	strbuf_add(&answer->body, data, size * n);
	return answer->body.cut ? 0 : size * n;
}

/* The value of a header line when it has that name; else NULL. */
static bool
take(const char *line, size_t len, const char *name, char *buf, size_t size)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return false;
	line += n + 1;
	len -= n + 1;
	while (len && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len && (unsigned char)line[len - 1] <= ' ')
		len--;
	if (len >= size)
		len = size - 1;
	memcpy(buf, line, len);
	buf[len] = '\0';
	return true;
}

static size_t
on_header(char *data, size_t size, size_t n, void *arg)
{
	struct http_answer *a = arg;
	size_t len = size * n;
	char number[24];

	if (!take(data, len, "date", a->date, sizeof(a->date)) &&
	    !take(data, len, "x-amzn-requestid", a->request_id, sizeof(a->request_id)) &&
	    !take(data, len, "x-amz-request-id", a->request_id, sizeof(a->request_id)) &&
	    !take(data, len, "x-amzn-errortype", a->error_type, sizeof(a->error_type)) &&
	    !take(data, len, "x-amzn-query-error", a->query_error, sizeof(a->query_error)) &&
	    take(data, len, "x-amz-retry-after", number, sizeof(number)))
		a->retry_after_ms = (int)strtol(number, NULL, 10);
	return len;
}

static bool
add_headers(struct curl_slist **list, const struct http_request *r, struct error *err)
{
	*list = curl_slist_append(NULL, "Expect:");
	for (int i = 0; i < r->nheaders; i++) {
		struct strbuf line = STRBUF_INIT(1 << 20);

		if (strpbrk(r->headers[i].value, "\r\n"))
			return error_set(err, ERR_CONFIG,
			    "the value of the header %s holds a line end", r->headers[i].name);
		wipe_reserve(&line, strlen(r->headers[i].name) + strlen(r->headers[i].value) + 4);
		strbuf_addf(&line, "%s: %s", r->headers[i].name, r->headers[i].value);
		*list = curl_slist_append(*list, line.buf);
		wipe_strbuf(&line);
	}
	return true;
}

static void
free_headers(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

static void
prepare(CURL *easy, const struct http_request *r, struct http_answer *a, char *why)
{
	curl_easy_setopt(easy, CURLOPT_URL, r->url);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(
	    easy, CURLOPT_TIMEOUT_MS, (long)(r->timeout_ms ? r->timeout_ms : TIMEOUT_MS));
	curl_easy_setopt(
	    easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(r->connect_ms ? r->connect_ms : CONNECT_MS));
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, a);
	if (r->is_once)
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	if (r->is_direct)
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	if (r->ca_bundle && *r->ca_bundle)
		curl_easy_setopt(easy, CURLOPT_CAINFO, r->ca_bundle);
	if (strcmp(r->method, "GET") != 0) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body ? r->body : "");
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
	}
}

/* Until it has ended or is to stop. */
static CURLcode
run(struct http *http, const struct http_request *r, struct http_answer *a)
{
	int running = 1, left;
	CURLMsg *msg;

	while (running) {
		if (stop_asked(r->stop)) {
			a->was_stopped = true;
			return CURLE_ABORTED_BY_CALLBACK;
		}
		if (curl_multi_perform(http->multi, &running) != CURLM_OK)
			return CURLE_FAILED_INIT;
		if (running)
			(void)curl_multi_poll(http->multi, NULL, 0, SLICE_MS, NULL);
	}
	msg = curl_multi_info_read(http->multi, &left);
	return msg && msg->msg == CURLMSG_DONE ? msg->data.result : CURLE_FAILED_INIT;
}

static bool
explain(CURL *easy, CURLcode code, const char *why, const struct http_request *r,
    const struct http_answer *a, struct error *err)
{
	const char *proxy = getenv("HTTPS_PROXY");
	char *address = NULL;
	const char *host = strstr(r->url, "://");
	int len;

	host = host ? host + 3 : r->url;
	len = (int)strcspn(host, "/?");
	(void)curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
	if (a->was_stopped)
		return error_set(err, ERR_STATE, "stopped");
	error_set(err,
	    a->timed_out    ? ERR_TIMEOUT :
	        a->was_sent ? ERR_LOST :
	                      ERR_CONNECT,
	    "%.*s%s%s%s: %s", len, host, address && *address ? " (" : "", address ? address : "",
	    address && *address ? ")" : "", *why ? why : curl_easy_strerror(code));
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		return error_hint(err,
		    "Is the region right? In a VPC without internet, is there "
		    "a VPC endpoint for this service?");
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
		return error_hint(err, "CA bundle in use: %s. AWS_CA_BUNDLE names another.",
		    r->ca_bundle && *r->ca_bundle ? r->ca_bundle : "the system's");
	if (a->timed_out && a->was_sent)
		return error_hint(err,
		    "It took the connection and said nothing for %d s: is it AWS, or a proxy or "
		    "firewall before it?",
		    (r->timeout_ms ? r->timeout_ms : TIMEOUT_MS) / 1000);
	if (proxy && *proxy && !r->is_direct)
		return error_hint(err, "HTTPS_PROXY is set; NO_PROXY excepts hosts from it.");
	if (!a->was_sent)
		return error_hint(err, "Check the way to it: security group, route, VPC endpoint.");
	return false;
}

bool
http_do(struct http *http, const struct http_request *request, struct http_answer *answer,
    struct error *err)
{
	CURL *easy = curl_easy_init();
	struct curl_slist *headers = NULL;
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code;
	long size = 0, status = 0;
	bool ok = false;

	if (!easy)
		fatal("libcurl has no handle");
	strbuf_clear(&answer->body);
	answer->status = 0;
	if (add_headers(&headers, request, err)) {
		prepare(easy, request, answer, why);
		curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
		curl_multi_add_handle(http->multi, easy);
		code = run(http, request, answer);
		(void)curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &size);
		(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		answer->was_sent = size > 0;
		answer->timed_out = code == CURLE_OPERATION_TIMEDOUT;
		ok = code == CURLE_OK;
		if (ok)
			answer->status = (int)status;
		else
			explain(easy, code, why, request, answer, err);
		curl_multi_remove_handle(http->multi, easy);
	}
	free_headers(headers);
	curl_easy_cleanup(easy);
	return ok;
}

bool
http_date(const struct http_answer *answer, struct wall *t)
{
	time_t seconds = *answer->date ? curl_getdate(answer->date, NULL) : -1;

	t->us = (int64_t)seconds * 1000000;
	return seconds > 0;
}
