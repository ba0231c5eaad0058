#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A small web server for the demo and the network tests.

usage: web.py ADDRESS PORT

GET /bytes/N answers with N bytes, /slow/SECONDS/N with N bytes spread over that time, anything else with a
page; PUT / with the number of bytes received.
"""

import http.server
import socket
import socketserver
import sys
import time

CHUNK = b"tcpguard" * 8192


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    wbufsize = -1

    def do_GET(self):
        if self.path.startswith("/bytes/"):
            self.send_bytes(int(self.path[len("/bytes/"):]))
        elif self.path.startswith("/slow/"):
            seconds, length = self.path.split("/")[2:]
            self.send_slowly(float(seconds), int(length))
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
        self.write_body(length)

    def write_body(self, length):
        while length:
            part = CHUNK[:length]
            self.wfile.write(part)
            length -= len(part)

    def send_slowly(self, seconds, length):
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        pieces = max(int(seconds * 50), 1)
        for piece in range(pieces):
            self.write_body(length * (piece + 1) // pieces - length * piece // pieces)
            self.wfile.flush()
            time.sleep(seconds / pieces)

    def log_message(self, format, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def server_bind(self):
        """Without HTTPServer's search for a name, which asks a DNS that is not there."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

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
