#!/usr/bin/env python3
"""A mail server for trying things out: takes every message on 127.0.0.1, or the address given, and keeps it as a file of a maildir.

    mailbox.py [--host ADDRESS] --port 2525 --maildir ./mailbox [--port-file FILE] [--count-file FILE]

Each message is one file under MAILDIR/new, named by time and a running number, complete when it appears there. Open the
folder with any mail program that reads maildirs, or the files with a text editor. Needs aiosmtpd (see mailbox).
"""
import argparse
import asyncio
import os
import signal
import socket
import sys
import time

from aiosmtpd.smtp import SMTP


class Maildir:
    def __init__(self, path):
        self.path = path
        self.count = 0
        for folder in ("new", "cur", "tmp"):
            os.makedirs(os.path.join(path, folder), exist_ok=True)

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        name = f"{time.time_ns()}.{os.getpid()}_{self.count}.localhost"
        beginning = f"Return-Path: <{envelope.mail_from}>\r\nDelivered-To: {', '.join(envelope.rcpt_tos)}\r\n"
        draft = os.path.join(self.path, "tmp", name)
        with open(draft, "wb") as file:
            file.write(beginning.encode("utf-8", "surrogateescape") + envelope.original_content)
        os.rename(draft, os.path.join(self.path, "new", name))
        return f"250 OK {name}"


def write_whole(path, text):
    with open(path + ".tmp", "w") as file:
        file.write(text)
    os.replace(path + ".tmp", path)


async def serve(arguments):
    loop = asyncio.get_running_loop()
    maildir = Maildir(arguments.maildir)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((arguments.host, arguments.port))
    server = await loop.create_server(
        lambda: SMTP(maildir, hostname="localhost", enable_SMTPUTF8=True, timeout=600, loop=loop), sock=listener, backlog=128)
    port = listener.getsockname()[1]
    if arguments.port_file:
        write_whole(arguments.port_file, f"{port}\n")
    print(f"mail for {arguments.host}:{port} goes to {os.path.abspath(arguments.maildir)}/new", flush=True)

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    written = -1
    while not stop.is_set():
        if arguments.count_file and maildir.count != written:
            written = maildir.count
            write_whole(arguments.count_file, f"{written}\n")
        try:
            await asyncio.wait_for(stop.wait(), 0.2)
        except asyncio.TimeoutError:
            pass
    server.close()
    if arguments.count_file:
        write_whole(arguments.count_file, f"{maildir.count}\n")


def main():
    parser = argparse.ArgumentParser(description="Keeps every message it is sent as a file of a maildir.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at")
    parser.add_argument("--port", type=int, default=2525, help="0 = any free one; see --port-file")
    parser.add_argument("--maildir", required=True, help="folder; made when it is not there")
    parser.add_argument("--port-file", help="the port is written here once the server listens")
    parser.add_argument("--count-file", help="the number of messages taken is kept here, and is exact after the end")
    try:
        asyncio.run(serve(parser.parse_args()))
    except OSError as error:
        sys.exit(f"mailbox: {error}")


if __name__ == "__main__":
    main()
