#!/usr/bin/env python3
"""The aws command-line client, loaded once: most of a call of it is its start.

aws_cli.py serve SOCKET     load it, then fork for each call; ends with its parent
aws_cli.py SOCKET WORD...   a call: with the caller's environment, standard output and error
"""
import array
import json
import os
import select
import signal
import socket
import sys


def call(path, words):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        request = json.dumps([words, dict(os.environ)]).encode()
        fds = array.array("i", [1, 2])
        sock.sendmsg([b"%08d" % len(request)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        sock.sendall(request)
        status = sock.recv(4)
    return int(status or 255)


def answer(conn, driver):
    head, ancillary, _, _ = conn.recvmsg(8, socket.CMSG_SPACE(2 * 4))
    fds = array.array("i")
    fds.frombytes(ancillary[0][2])
    request = b""
    while len(request) < int(head):
        request += conn.recv(65536)
    words, environ = json.loads(request)
    os.dup2(fds[0], 1)
    os.dup2(fds[1], 2)
    # The client says there where its models are, when it is loaded.
    environ["AWS_DATA_PATH"] = os.environ["AWS_DATA_PATH"]
    os.environ.clear()
    os.environ.update(environ)
    status = 255
    try:
        status = driver.create_clidriver().main(words)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 255
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        conn.send(b"%d" % (status or 0))
        os._exit(0)


def serve(path):
    import awscli.clidriver

    parent = os.getppid()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen(16)
        while os.getppid() == parent:
            if not select.select([sock], [], [], 0.5)[0]:
                continue
            conn, _ = sock.accept()
            if os.fork() == 0:
                answer(conn, awscli.clidriver)
            conn.close()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(call(sys.argv[1], sys.argv[2:]))
