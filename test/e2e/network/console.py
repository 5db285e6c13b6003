"""A console for the network tests: discovery over UDP, and nothing else.

It shares no code with ps4kit. Like a real console it answers each SRCH from a
fresh port. With "rule" set it answers only questions from UDP port 1987, as if
the replies to any other port were dropped by a firewall.

stdin takes one JSON command per line, {"id": N, "do": "set", ...}; stdout has
the answers, {"id": N, "result": ...}, and one line per datagram received.
"""

import json
import os
import select
import socket
import sys
import time

IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)  # missing before Python 3.12
SHOUT_EVERY = 0.2

console = {
    "type": "PS4",
    "host_id": "A0B1C2D3E4F5",
    "name": "Den",
    "state": "awake",
    "title": "",
    "silent": False,
    "rule": True,
    "shout": "",  # an address that gets a reply every 200 ms without having asked
}


def say(line):
    print(json.dumps(line), flush=True)


def reply():
    ps5 = console["type"] == "PS5"
    lines = [
        "HTTP/1.1 200 Ok" if console["state"] == "awake" else "HTTP/1.1 620 Server Standby",
        "host-id:" + console["host_id"],
        "host-type:" + console["type"],
        "host-name:" + console["name"],
        "host-request-port:997",
        "device-discovery-protocol-version:" + ("00030010" if ps5 else "00020020"),
        "system-version:09508011",
    ]
    if console["title"] and console["state"] == "awake":
        lines += ["running-app-titleid:" + console["title"], "running-app-name:" + console["title"]]
    return ("\n".join(lines) + "\n").encode()


def send(to):
    """Sends a reply from a fresh port."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(reply(), to)
    except OSError as e:  # the test has taken the address or the link away
        print("no reply:", e, file=sys.stderr)


def receive(server):
    data, control, _, source = server.recvmsg(2048, 64)
    to = next((socket.inet_ntoa(d[8:12]) for level, kind, d in control if kind == IP_PKTINFO), "")
    kind = data.split(b" ", 1)[0].decode("ascii", "replace")
    answer = kind == "SRCH" and not console["silent"] and (source[1] == 1987 or not console["rule"])
    if answer:
        send(source)
    say({"at": time.time(), "kind": kind, "from": source[0], "port": source[1], "to": to, "answered": answer})


def obey(line):
    command = json.loads(line)
    number, verb = command.pop("id"), command.pop("do")
    if verb != "set" or not command.keys() <= console.keys():
        say({"id": number, "error": "unknown command: " + line})
        return
    console.update(command)
    say({"id": number, "result": time.time()})


def main():
    console.update(json.loads(sys.argv[1]))
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    server.bind(("0.0.0.0", 9302 if console["type"] == "PS5" else 987))
    pending = b""
    while True:
        ready, _, _ = select.select([server, sys.stdin], [], [], SHOUT_EVERY if console["shout"] else None)
        if console["shout"]:
            send((console["shout"], 1987))
        if server in ready:
            receive(server)
        if sys.stdin in ready:
            got = os.read(sys.stdin.fileno(), 65536)
            if not got:
                return
            *lines, pending = (pending + got).split(b"\n")
            for line in lines:
                obey(line.decode())


main()
