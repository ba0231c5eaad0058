#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A small web server for the demo and the network tests.

usage: web.py ADDRESS PORT

GET /bytes/N answers with N bytes, PUT / with the number of bytes received, GET / with a page.
"""

import http.server
import socket
import sys

CHUNK = b"tcpguard" * 8192


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    wbufsize = -1

    def do_GET(self):
        if self.path.startswith("/bytes/"):
            self.send_bytes(int(self.path[len("/bytes/"):]))
        else:
            self.answer(b"<p>The web server behind tcpguard.</p>\n")

    def do_PUT(self):
        left = length = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, len(CHUNK))))
        self.answer(b"%d\n" % length)

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_bytes(self, length):
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        while length:
            part = CHUNK[:length]
            self.wfile.write(part)
            length -= len(part)

    def log_message(self, format, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        print(f"web.py: {client_address[0]}: {error}", file=sys.stderr, flush=True)


def main():
    address, port = sys.argv[1], int(sys.argv[2])
    if ":" in address:
        Server.address_family = socket.AF_INET6
    Server((address, port), Handler).serve_forever()


if __name__ == "__main__":
    main()
