/* What answers at the port, and its TLS. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cloud/tls.h"
#include "ops/connect_priv.h"
#include "pg/login.h"

enum { SOON_DAYS = 30 };

/* How much of the certificate sslmode asks to be right. */
enum verify { VERIFY_NOTHING, VERIFY_AUTHORITY, VERIFY_ALL };

static enum verify
verify_of(const struct walk *w)
{
	const char *mode = w->where->sslmode;

	if (strcmp(mode, "verify-full") == 0 || strcmp(w->where->sslrootcert, "system") == 0)
		return VERIFY_ALL;
	/* With a file of authorities at hand "require" verifies, too, for libpq's sake of old. */
	if (strcmp(mode, "verify-ca") == 0 ||
	    (strcmp(mode, "require") == 0 && *w->where->sslrootcert))
		return VERIFY_AUTHORITY;
	return VERIFY_NOTHING;
}

static bool
is_postgres(struct walk *w, const struct tls_look *look)
{
	const struct reach *r = w->first;

	switch (look->answer) {
	case TLS_SILENT:
		check_add(w->checks, "server", CHECK_FAIL,
		    "%s port %s takes the connection, but says nothing", r->text, r->host->port);
		check_remedy(w->checks,
		    "The server is frozen or overloaded, or a proxy or tunnel has nothing behind it.");
		return false;
	case TLS_CLOSED:
		check_add(w->checks, "server", CHECK_FAIL,
		    "%s port %s takes the connection and hangs up", r->text, r->host->port);
		check_remedy(w->checks,
		    "A tunnel or load balancer without a server behind it, or a server that is going down.");
		return false;
	case TLS_ALIEN:
		check_add(w->checks, "server", CHECK_FAIL, "%s port %s is no PostgreSQL server",
		    r->text, r->host->port);
		check_evidence(w->checks, "it answers \"%s\"", look->alien);
		check_remedy(w->checks, "Is it the right port?");
		return false;
	case TLS_NONE:
	case TLS_FAILED:
	case TLS_DONE:
		break;
	}
	check_add(w->checks, "server", CHECK_OK, "a PostgreSQL server answers at %s port %s",
	    r->text, r->host->port);
	return true;
}

static void
say_no_tls(struct walk *w)
{
	bool is_local = reach_is_loopback(w->first);

	check_add(w->checks, "tls",
	    w->needs_tls ? CHECK_FAIL :
	        is_local ? CHECK_OK :
	                   CHECK_WARN,
	    "the server has no TLS%s", is_local ? ", on this machine" : "");
	if (w->needs_tls)
		check_remedy(w->checks,
		    "ssl = on with ssl_cert_file and ssl_key_file on the server; sslmode=%s asks for it.",
		    w->where->sslmode);
	else if (!is_local)
		check_remedy(w->checks,
		    "Passwords and data cross the network in the clear: ssl = on, hostssl in pg_hba.conf.");
}

static void
add_chain(struct walk *w, const struct tls_look *look)
{
	for (int i = 0; i < look->nchain; i++) {
		char until[32];

		wall_rfc3339(look->chain[i].until, until, sizeof(until));
		check_evidence(w->checks, "%s%s, by %s, until %.10s", i ? "then " : "certificate ",
		    look->chain[i].subject, look->chain[i].issuer, until);
	}
	if (*look->names)
		check_evidence(w->checks, "for %s", look->names);
}

static void
add_bundle_remedy(struct walk *w, const char *host)
{
	char path[512];

	if (!pg_is_rds_host(host))
		check_remedy(w->checks,
		    "Give the authority's certificate: sslrootcert=FILE in the conninfo, or "
		    "~/.postgresql/root.crt.");
	else if (pg_rds_ca(path, sizeof(path)))
		check_remedy(w->checks, "Fetch the bundle anew: %s to %s.", PG_RDS_CA_URL, path);
	else
		check_remedy(
		    w->checks, "Put %s to %s: it is verified from then on.", PG_RDS_CA_URL, path);
}

/* The worst first. */
static void
judge(struct walk *w, const struct tls_look *look)
{
	enum verify verify = verify_of(w);
	const struct tls_cert *own = &look->chain[0];
	const char *host = w->first->host->host;
	double days = (double)(own->until.us - wall_now().us) / 86400e6;
	const char *how = arena_printf(w->arena, "%s, %s", look->version, look->cipher);

	if (days < 0) {
		check_add(w->checks, "tls", verify > VERIFY_NOTHING ? CHECK_FAIL : CHECK_WARN,
		    "the server's certificate ended %.0f days ago", -days);
		check_remedy(w->checks, "Renew it on the server, then SELECT pg_reload_conf().");
	} else if (!look->is_trusted && verify > VERIFY_NOTHING) {
		check_add(w->checks, "tls", CHECK_FAIL, "nobody known vouches for the server: %s",
		    look->distrust);
		add_bundle_remedy(w, host);
	} else if (!look->is_named && verify == VERIFY_ALL) {
		check_add(w->checks, "tls", CHECK_FAIL, "the certificate is not for %s", host);
		check_remedy(w->checks,
		    "Connect by a name that it is for (hostaddr keeps the address), or sslmode=verify-ca.");
	} else if (days < SOON_DAYS) {
		check_add(w->checks, "tls", CHECK_WARN,
		    "the server's certificate ends in %.0f days", days);
		check_remedy(w->checks, "%s",
		    pg_is_rds_host(host) ?
		        "RDS: choose a newer CA for the instance before (ca-certificate-identifier)." :
		        "Renew it on the server, then SELECT pg_reload_conf().");
	} else if (verify == VERIFY_NOTHING && reach_is_loopback(w->first) &&
	    !pg_is_rds_host(host)) {
		check_add(w->checks, "tls", CHECK_OK, "%s, on this machine", how);
	} else if (verify == VERIFY_NOTHING) {
		check_add(
		    w->checks, "tls", CHECK_WARN, "%s; whose server it is was not verified", how);
		add_bundle_remedy(w, host);
	} else {
		check_add(
		    w->checks, "tls", CHECK_OK, "%s, verified by %s", how, w->where->sslrootcert);
	}
	add_chain(w, look);
}

/* Authorities end, too; then nothing verifies any more. */
static void
judge_file(struct walk *w)
{
	const char *file = w->where->sslrootcert;
	struct wall until = { 0 };
	char subject[160] = "";
	int n;
	double days;

	if (!*file || strcmp(file, "system") == 0 || verify_of(w) == VERIFY_NOTHING)
		return;
	if (!tls_file_end(file, &until, subject, sizeof(subject), &n)) {
		check_add(w->checks, "authorities", CHECK_FAIL, "%s holds no certificate", file);
		add_bundle_remedy(w, w->where->hosts[0].host);
		return;
	}
	days = (double)(until.us - wall_now().us) / 86400e6;
	if (n == 1 && days < SOON_DAYS) {
		check_add(w->checks, "authorities", CHECK_WARN, "%s %s in %s", subject,
		    days < 0 ? "has ended" : "ends soon", file);
		add_bundle_remedy(w, w->where->hosts[0].host);
	}
}

void
walk_tls(struct walk *w)
{
	struct tls_look look;
	struct tls_ask ask;

	w->needs_tls |= verify_of(w) > VERIFY_NOTHING || strcmp(w->where->sslmode, "require") == 0;
	judge_file(w);
	if (!w->first)
		return;
	ask = (struct tls_ask){ .fd = w->first->fd,
		.host = w->first->host->host,
		.ca_file = w->where->sslrootcert,
		.timeout_ms = WALK_NET_MS };
	tls_look(&ask, &look);
	if (!is_postgres(w, &look))
		return;
	w->has_tls = look.answer == TLS_DONE;
	if (look.answer == TLS_NONE) {
		say_no_tls(w);
	} else if (look.answer == TLS_FAILED) {
		check_add(w->checks, "tls", w->needs_tls ? CHECK_FAIL : CHECK_WARN,
		    "the TLS handshake fails: %s", look.failure);
		check_remedy(w->checks,
		    "Do both sides know a version in common (ssl_min_protocol_version), and does the "
		    "server ask for a certificate of ours?");
	} else {
		judge(w, &look);
	}
}
