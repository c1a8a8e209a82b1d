"""An SMTP server that misbehaves as told, for tests.

    scripted_smtp.py --log FILE FAULT...

Prints its address, 127.0.0.1:PORT, once it listens.
Each connection takes the next FAULT, the last one for all that follow. A fault is PHASE=ACTION: phase one of greeting,
ehlo, auth, mail, rcpt, data, body (after the first bytes of the text), end (after the final dot); action is `drop`
(close without a word), `hang` (say nothing, until the client leaves), or a reply such as `550 5.1.1 no such user`.
`ok` takes everything; `ok1` takes one message and closes the connection as soon as the next begins. `late` takes the
message and closes before it answers. --log gets a line for every message whose final dot came: its X-Reprise-Action,
or else its subject. --tls-cert, --tls-key: STARTTLS is offered; with --implicit TLS from the first byte. --auth asks for
user `user` and password `secret` (PLAIN).
"""
import argparse
import base64
import socket
import ssl
import threading


def line(file):
    text = file.readline()
    if not text:
        raise ConnectionError
    return text.decode("utf-8", "replace").rstrip("\r\n")


class Connection:
    def __init__(self, connection, fault, options):
        self.connection, self.options = connection, options
        phase, _, action = fault.partition("=")
        self.phase, self.action = phase, action
        self.messages = 0

    def say(self, text):
        self.connection.sendall((text + "\r\n").encode())

    def at(self, phase, reply):
        """Does what the script wants at this phase; without a word on it, replies."""
        if self.phase != phase:
            return self.say(reply)
        if self.action == "drop":
            raise ConnectionError
        if self.action == "hang":
            while self.connection.recv(65536):
                pass
            raise ConnectionError
        self.say(self.action)

    def run(self):
        if self.options.implicit:
            self.connection = self.options.context.wrap_socket(self.connection, server_side=True)
        self.file = self.connection.makefile("rb")
        self.at("greeting", "220 scripted ESMTP")
        while True:
            words = line(self.file)
            verb = words.split(" ")[0].split(":")[0].upper()
            if verb == "EHLO":
                extensions = ["scripted", "SIZE 33554432"]
                if self.options.context and not isinstance(self.connection, ssl.SSLSocket):
                    extensions.append("STARTTLS")
                if self.options.auth:
                    extensions.append("AUTH PLAIN")
                if self.phase == "ehlo":
                    self.at("ehlo", "")
                else:
                    for text in extensions[:-1]:
                        self.say("250-" + text)
                    self.say("250 " + extensions[-1])
            elif verb == "STARTTLS":
                self.say("220 go ahead")
                self.connection = self.options.context.wrap_socket(self.connection, server_side=True)
                self.file = self.connection.makefile("rb")
            elif verb == "AUTH":
                token = words.split(" ")[2] if words.count(" ") >= 2 else None
                if token is None:
                    self.say("334 ")
                    token = line(self.file)
                good = base64.b64decode(token).split(b"\0")[1:] == [b"user", b"secret"]
                self.at("auth", "235 welcome" if good else "535 5.7.8 wrong password")
            elif verb == "MAIL":
                if self.phase == "ok1" and self.messages == 1:
                    raise ConnectionError
                self.at("mail", "250 ok")
            elif verb == "RCPT":
                self.at("rcpt", "250 ok")
            elif verb == "DATA":
                self.at("data", "354 go ahead")
                if self.phase != "data":
                    self.text()
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def text(self):
        lines = []
        while True:
            text = line(self.file)
            if self.phase == "body":
                self.at("body", "")
            if text == ".":
                break
            lines.append(text)
        self.messages += 1
        headers = dict(text.partition(": ")[::2] for text in lines if ": " in text)
        with open(self.options.log, "a") as log:
            log.write(headers.get("X-Reprise-Action", headers.get("Subject", "?")) + "\n")
        if self.phase == "late":
            raise ConnectionError
        self.at("end", "250 2.0.0 taken as scripted")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", required=True)
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    parser.add_argument("--implicit", action="store_true")
    parser.add_argument("--auth", action="store_true")
    parser.add_argument("faults", nargs="+")
    options = parser.parse_args()
    options.context = None
    if options.tls_cert:
        options.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        options.context.load_cert_chain(options.tls_cert, options.tls_key)
    open(options.log, "a").close()
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"127.0.0.1:{listener.getsockname()[1]}", flush=True)
    count = 0
    while True:
        connection, _ = listener.accept()
        fault = options.faults[min(count, len(options.faults) - 1)]
        count += 1

        def work(connection=connection, fault=fault):
            served = Connection(connection, fault, options)
            try:
                served.run()
            except (ConnectionError, OSError):
                pass
            finally:
                try:
                    served.connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                served.connection.close()

        threading.Thread(target=work, daemon=True).start()


if __name__ == "__main__":
    main()
