#!/usr/bin/env python3
"""A PostgreSQL server that takes IAM tokens for passwords, as RDS does: TLS only, a token in the clear inside it,
judged by botocore's signer; what is let in goes on to a real server that trusts.

iam_gate.py PORT SERVER_PORT CERT KEY HOST REGION LOG [KEYS]. Keys are those of the environment, or of the file KEYS: JSON
as a credential_process gives it. The log gets a line for each login: "ok SIGNATURE" or "refused WHY"."""
import datetime
import json
import os
import socket
import ssl
import struct
import sys
import threading
import urllib.parse

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

port, server_port, cert, key, host, region, log = sys.argv[1:8]
if len(sys.argv) > 8:
    given = json.load(open(sys.argv[8]))
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given.get("SessionToken"))
else:
    keys = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"],
                       os.environ.get("AWS_SESSION_TOKEN"))
lock = threading.Lock()


def say(line):
    with lock, open(log, "a") as out:
        out.write(line + "\n")


def take(sock, n):
    data = b""
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def expected(user, when):
    request = AWSRequest("GET", f"https://{host}:{port}/", params={"Action": "connect", "DBUser": user})
    signer = SigV4QueryAuth(keys, "rds-db", region, 900)
    request.context["timestamp"] = when
    signer._modify_request_before_signing(request)
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    signer._inject_signature_to_request(request, signature)
    return request.url[len("https://"):]


def judge(user, token):
    given = urllib.parse.urlsplit("https://" + token)
    query = dict(urllib.parse.parse_qsl(given.query))
    when = query.get("X-Amz-Date", "")
    wanted = urllib.parse.urlsplit("https://" + expected(user, when))
    if given.netloc != wanted.netloc:
        return f"refused host {given.netloc}"
    if query != dict(urllib.parse.parse_qsl(wanted.query)):
        return "refused signature"
    signed = datetime.datetime.strptime(when, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    age = (datetime.datetime.now(datetime.timezone.utc) - signed).total_seconds()
    return f"ok {query['X-Amz-Signature']}" if -5 < age < 900 else f"refused age {age}"


def pump(a, b):
    try:
        while True:
            data = a.recv(65536)
            if not data:
                break
            b.sendall(data)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def error(state, text):
    body = b"SFATAL\0VFATAL\0C" + state.encode() + b"\0M" + text.encode() + b"\0\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body


def serve(sock, context):
    while True:
        n, code = struct.unpack("!II", take(sock, 8))
        if code == 80877104:  # GSSENCRequest
            sock.sendall(b"N")
        elif code == 80877103:  # SSLRequest
            sock.sendall(b"S")
            sock = context.wrap_socket(sock, server_side=True)
        else:
            break
    if code == 80877102:  # CancelRequest
        onward = socket.create_connection(("127.0.0.1", int(server_port)))
        onward.sendall(struct.pack("!II", n, code) + take(sock, n - 8))
        onward.close()
        return
    startup = struct.pack("!II", n, code) + take(sock, n - 8)
    words = startup[8:].split(b"\0")
    user = dict(zip(words[::2], words[1::2]))[b"user"].decode()
    if not isinstance(sock, ssl.SSLSocket):
        say("refused plain")
        sock.sendall(error("28000", f'no pg_hba.conf entry for user "{user}", no encryption'))
        return
    sock.sendall(b"R" + struct.pack("!II", 8, 3))
    n, = struct.unpack("!I", take(sock, 5)[1:])
    token = take(sock, n - 4).rstrip(b"\0").decode()
    verdict = judge(user, token)
    say(verdict)
    if not verdict.startswith("ok"):
        sock.sendall(error("28000", f'PAM authentication failed for user "{user}"'))
        return
    onward = socket.create_connection(("127.0.0.1", int(server_port)))
    onward.sendall(startup)
    threading.Thread(target=pump, args=(onward, sock), daemon=True).start()
    pump(sock, onward)


def one(sock, context):
    try:
        serve(sock, context)
    except (EOFError, OSError, KeyError):
        pass
    finally:
        sock.close()


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(port)))
    listener.listen(64)
    say("listening")
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=one, args=(sock, context), daemon=True).start()


main()
