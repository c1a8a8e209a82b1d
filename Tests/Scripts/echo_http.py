"""An HTTP server that says what it was asked; prints its address once it listens. /status/N answers N, /large a million
bytes, /hang nothing."""
import http.server
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        status = 200
        text = f"{self.command} {self.path} {self.headers.get('X-One', '-')} {body}".encode()
        if self.path.startswith("/status/"):
            status = int(self.path.removeprefix("/status/"))
        if self.path == "/large":
            text = b"x" * 1_000_000
        if self.path == "/hang":
            threading.Event().wait()
        self.send_response(status)
        self.send_header("X-Echo", "yes")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        try:
            self.wfile.write(text)
        except ConnectionError:
            pass

    do_GET = do_POST = answer

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
