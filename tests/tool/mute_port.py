#!/usr/bin/env python3
"""Ports that are no server: mute_port.py PORT silent|closes|http|refuses FILE. Writes FILE when it listens. "refuses"
speaks the protocol of PostgreSQL and says what a pooler would: FATAL 08P01 TEXT (the fourth argument)."""
import socket
import struct
import sys
import threading

port, kind, ready = int(sys.argv[1]), sys.argv[2], sys.argv[3]
text = sys.argv[4] if len(sys.argv) > 4 else ""
kept = []


def serve(sock):
    if kind == "silent":
        kept.append(sock)
        return
    if kind == "closes":
        sock.recv(8)
        sock.close()
        return
    if kind == "http":
        sock.recv(64)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        sock.close()
        return
    while True:
        head = sock.recv(8)
        if len(head) < 8:
            return
        n, code = struct.unpack("!II", head)
        if code not in (80877103, 80877104):
            break
        sock.sendall(b"N")
    sock.recv(n)
    body = b"SFATAL\0VFATAL\0C08P01\0M" + text.encode() + b"\0\0"
    sock.sendall(b"E" + struct.pack("!I", len(body) + 4) + body)
    sock.close()


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen(16)
open(ready, "w").close()
while True:
    s, _ = listener.accept()
    threading.Thread(target=serve, args=(s,), daemon=True).start()
