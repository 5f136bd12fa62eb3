/* Sources of credentials; shared by cloud/creds*.c. */
#ifndef PGMEDIC_CLOUD_CREDS_PRIV_H
#define PGMEDIC_CLOUD_CREDS_PRIV_H

#include "base/json.h"
#include "cloud/creds.h"

/* NONE: *why says what is not there. */
enum creds_found { CREDS_NONE, CREDS_FOUND, CREDS_BROKEN };

struct creds_search {
	const struct creds_ask *ask;
	const char *profile; /* the one looked at: another than asked for in a chain of roles */
	struct creds *out;
	char why[160];
	struct error *err;
	const char *path[8]; /* profiles of a chain, against loops */
	int depth;
};

void creds_set(struct creds *c, const char *key_id, const char *secret, const char *token,
    struct wall expires, const char *fmt, ...) PRINTF_LIKE(6, 7);
enum creds_found creds_none(struct creds_search *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* {"AccessKeyId", "SecretAccessKey", "Token" or "SessionToken", "Expiration"} */
enum creds_found creds_json(
    struct creds_search *s, const struct json *o, const char *token, const char *source);
const char *creds_key(const struct creds_search *s, const char *key); /* of the profile; NULL */

enum creds_found creds_environment(struct creds_search *s);
enum creds_found creds_role(struct creds_search *s);
enum creds_found creds_web_identity(struct creds_search *s);
enum creds_found creds_sso(struct creds_search *s);
enum creds_found creds_process(struct creds_search *s);
enum creds_found creds_container(struct creds_search *s);
enum creds_found creds_imds(struct creds_search *s);
/* Text of a metadata path of this machine; false: none. */
bool creds_imds_get(
    const struct creds_ask *ask, const char *path, struct strbuf *out, char *why, size_t size);
/* All sources that one profile's source_profile may have: roles, keys, process, SSO … */
enum creds_found creds_of_profile(struct creds_search *s);
/* Read a small file whole; false: it cannot be. The buffer is the caller's to wipe. */
bool creds_read_file(const char *path, struct strbuf *out);

#endif
