/*
 * Reasons for people. The server's message is kept, since it names the object; what we add is a
 * stable code and the one thing to try next. Messages may be in any language, so decisions rest on
 * the SQLSTATE. While connecting libpq gives no SQLSTATE but prints it in its verbose messages,
 * from where it is read.
 */
#include "config.h"

#include "pg/fault.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg/conninfo.h"

struct state_info {
	const char *sqlstate; /* of 2 bytes: the whole class */
	enum err_code code;
	const char *hint;
};

/* First match wins. */
static const struct state_info states[] = {
	{ "28P01", ERR_AUTH,
	    "Check the password: ~/.pgpass, PGPASSWORD, or the prompt of pgmedic." },
	{ "28", ERR_AUTH,
	    "The server's pg_hba.conf decides who may log in from here; check user, database, address and sslmode." },
	{ "3D000", ERR_AUTH, "Name a database that exists with -d, or connect to postgres." },
	{ "53300", ERR_CONNECT,
	    "All connection slots are taken; end idle sessions, or log in as a role that may use the reserved slots." },
	{ "57P01", ERR_LOST, "The session was ended by an administrator or a shutdown." },
	{ "57P02", ERR_LOST,
	    "A server process crashed; the server recovers by itself, its log says why." },
	{ "57P03", ERR_CONNECT,
	    "The server starts up, shuts down or recovers; pgmedic goes on trying." },
	{ "57P04", ERR_LOST, "The database was dropped." },
	{ "57P05", ERR_LOST, "The server ended the session as idle (idle_session_timeout)." },
	{ "57014", ERR_TIMEOUT, "" },
	{ "55P03", ERR_TIMEOUT, "A lock was not free in time; the question is asked again." },
	{ "25P04", ERR_TIMEOUT, "" },
	{ "42501", ERR_DENIED, "" },
	{ "42704", ERR_UNSUPPORTED, "" },
	{ "42883", ERR_UNSUPPORTED, "" },
	{ "42P01", ERR_UNSUPPORTED, "" },
	{ "42703", ERR_UNSUPPORTED, "" },
	{ "0A000", ERR_UNSUPPORTED, "" },
	{ "55000", ERR_UNSUPPORTED, "" },
	{ "25006", ERR_REFUSED, "The session is read-only, or the server is a standby." },
	{ "08P01", ERR_CONNECT, "Is this a PostgreSQL server, and the right port?" },
	{ "08", ERR_LOST, "" },
	{ "53", ERR_QUERY, "The server is short of memory, disk space or slots." },
};

static const struct state_info *
find_state(const char *sqlstate)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (strncmp(states[i].sqlstate, sqlstate, strlen(states[i].sqlstate)) == 0)
			return &states[i];
	return NULL;
}

static void
set_sqlstate(struct error *err, const char *sqlstate)
{
	snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate ? sqlstate : "");
}

/* Members of a predefined role are what a GRANT makes; other privileges are named as they are. */
static void
hint_privilege(struct error *err, const struct pg_query *q)
{
	if (!q || !*q->privilege)
		return;
	if (strncmp(q->privilege, "pg_", 3) == 0 && !strchr(q->privilege, ' '))
		error_hint(err, "GRANT %s TO this role.", q->privilege);
	else
		error_hint(err, "Needed: %s", q->privilege);
}

/* The extension's, mostly; a server that speaks another language does without this hint. */
static const char denied_schema[] = "permission denied for schema ";

bool
fault_result(struct error *err, const PGresult *result, const struct pg_query *q)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	if (!sqlstate || !message)
		return fault_message(err, PQresultErrorMessage(result), ERR_LOST);
	const struct state_info *info = find_state(sqlstate);
	error_set(err, info ? info->code : ERR_QUERY, "%s%s%.100s", message, detail ? ": " : "",
	    detail ? detail : "");
	set_sqlstate(err, sqlstate);
	if (hint)
		error_hint(err, "%s", hint);
	else if (info && *info->hint)
		error_hint(err, "%s", info->hint);
	if (err->code == ERR_DENIED && strncmp(message, denied_schema, strlen(denied_schema)) == 0)
		error_hint(
		    err, "GRANT USAGE ON SCHEMA %s TO this role.", message + strlen(denied_schema));
	else if (err->code == ERR_DENIED)
		hint_privilege(err, q);
	return false;
}

struct sql_complaint
fault_complaint(const PGresult *result)
{
	const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	return (struct sql_complaint){
		.sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE),
		.message = message ? message : "",
		.detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL),
		.position = position ? strtol(position, NULL, 10) : 0,
	};
}

/* "FATAL:  28P01: password …": five of 0-9A-Z between ":  " and ": ". */
static const char *
sqlstate_in(const char *line, char sqlstate[6])
{
	for (const char *s = line; (s = strstr(s, ":  ")); s++) {
		const char *code = s + 3;
		int n = 0;
		while (n < 5 &&
		    (isdigit((unsigned char)code[n]) || (code[n] >= 'A' && code[n] <= 'Z')))
			n++;
		if (n == 5 && code[5] == ':' && code[6] == ' ') {
			memcpy(sqlstate, code, 5);
			sqlstate[5] = '\0';
			return code + 7;
		}
	}
	return NULL;
}

/* What to try when no server has spoken. */
static const char *
connect_hint(const char *message)
{
	static const struct {
		const char *part, *hint;
	} hints[] = {
		{ "closed the connection unexpectedly",
		    "The server or the network went away; pgmedic goes on trying." },
		{ "onnection reset",
		    "The server or the network went away; pgmedic goes on trying." },
		{ "onnection refused",
		    "No server listens there: check host and port, and that the server runs." },
		{ "o such file or directory",
		    "No server listens on that socket: check the port, or give a host with -h." },
		{ "ould not translate host name",
		    "The host name is not known: check its spelling and DNS." },
		{ "timeout expired",
		    "No answer: the host is down, a firewall drops packets, or the server is frozen." },
		{ "imed out",
		    "No answer: the host is down, a firewall drops packets, or the server is frozen." },
		{ "o route to host", "The network has no way to that address." },
		{ "certificate",
		    "Check sslmode, sslrootcert and the validity of the server's certificate." },
		{ "SSL", "Check sslmode and the certificates." },
		{ "no password supplied",
		    "Give the password: ~/.pgpass, PGPASSWORD, or the prompt of pgmedic." },
		{ "not currently accepting connections",
		    "ALTER DATABASE allows them (ALLOW_CONNECTIONS); or name another database with -d." },
		{ "permission denied for database",
		    "GRANT CONNECT ON DATABASE … TO this role, or name another database with -d." },
		{ "definition of service",
		    "The service is not in ~/.pg_service.conf or PGSERVICEFILE." },
		{ "invalid connection option",
		    "See the list of parameters in the manual of libpq." },
		{ "invalid integer value", "See the list of parameters in the manual of libpq." },
	};
	for (size_t i = 0; i < ARRAY_LEN(hints); i++)
		if (strstr(message, hints[i].part))
			return hints[i].hint;
	return "";
}

bool
fault_message(struct error *err, const char *message, enum err_code code)
{
	/* With several addresses the last line that says something is the one that counts: verbose
	 * additions (LOCATION and the like) are indented by a name in capitals and dropped here. */
	char text[512] = "", sqlstate[6] = "";
	const char *said = NULL;
	if (message && strstr(message, CONNINFO_NONE_KEY)) {
		error_set(err, ERR_CONFIG, "this target has no SQL connection");
		return error_hint(err, "Set conninfo in its [target] section.");
	}
	for (const char *line = message ? message : ""; *line;) {
		size_t len = strcspn(line, "\n");
		bool is_addition = strncmp(line, "LOCATION:", 9) == 0 ||
		    strncmp(line, "HINT:", 5) == 0 || strncmp(line, "DETAIL:", 7) == 0 ||
		    isspace((unsigned char)*line);
		/* What libpq says about a socket that is gone already is no reason. */
		is_addition |= strncmp(line, "invalid socket", 14) == 0;
		/* What could be done about a missing root certificate; the reason is before it. */
		is_addition |= strncmp(line, "Either provide the file", 23) == 0;
		if (len && (!is_addition || !*text))
			snprintf(text, sizeof(text), "%.*s", (int)(len < 500 ? len : 500), line);
		line += len + (line[len] == '\n');
	}
	said = sqlstate_in(text, sqlstate);
	const struct state_info *info = said ? find_state(sqlstate) : NULL;
	if (info && (code == ERR_CONNECT || info->code == ERR_LOST))
		code = info->code;
	const char *what = said ? said : text;
	/* "connection to server at …, port … failed: reason": the reason first. */
	static const char server[] = "connection to server ", failed[] = " failed: ";
	const char *reason = said ? NULL : strstr(text, failed);
	if (reason && strncmp(text, server, strlen(server)) == 0) {
		const char *where = text + strlen(server);
		error_set(
		    err, code, "%s (%.*s)", reason + strlen(failed), (int)(reason - where), where);
	} else {
		error_set(err, code, "%s", *what ? what : "the connection was closed");
	}
	set_sqlstate(err, said ? sqlstate : "");
	const char *hint = info && *info->hint ? info->hint : connect_hint(text);
	if (*hint)
		error_hint(err, "%s", hint);
	return false;
}

bool
fault_connection(struct error *err, const PGconn *pq, enum err_code code)
{
	fault_message(err, PQerrorMessage(pq), code);
	if (PQconnectionNeedsPassword(pq)) {
		err->code = ERR_AUTH;
		error_hint(
		    err, "Give the password: ~/.pgpass, PGPASSWORD, or the prompt of pgmedic.");
	}
	return false;
}
