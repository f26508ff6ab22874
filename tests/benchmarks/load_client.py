"""A program with clients that send a request, wait for the answer, and send the next one; prints JSON.

    python load_client.py '{"port": 8501, "path": "/v1/models/mine:predict", "clients": 8, "seconds": 5, "bodies": []}'

`bodies` are sent in turn. With `expected`, a number for each body, the numbers of the answers at `key` are compared
with them. `count` instead of `seconds` is the number of requests in all. Imports nothing but Python's own modules.
"""

import asyncio
import json
import statistics
import sys
import time


class Client(asyncio.Protocol):
    """A connection that is kept open; one that the server closes is opened again."""

    def __init__(self, load: "Load"):
        self.load, self.received = load, b""

    def connection_made(self, transport):
        self.transport = transport
        self.send()

    def send(self):
        if self.load.is_over:
            self.transport.close()
            return
        self.number, self.began = self.load.next(), time.perf_counter()
        self.transport.write(self.load.requests[self.number])

    def data_received(self, data):
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        head = head.lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self.load.note(self.number, time.perf_counter() - self.began, head, body)
        self.received, self.number = b"", None
        if b"connection: close" in head:
            self.transport.close()
        else:
            self.send()

    def connection_lost(self, error):
        if self.number is not None and not self.load.is_over:
            self.load.failures.append(f"a connection was lost before the answer: {error}")
        self.load.closed()


class Load:
    """What is sent, and what was measured."""

    def __init__(self, options: dict):
        self.options, self.seconds, self.failures, self.deviation = options, [], [], 0.0
        self.sent, self.open, self.done = 0, 0, asyncio.Event()
        head = f"POST {options['path']} HTTP/1.1\r\nhost: localhost\r\ncontent-length: "
        bodies = [json.dumps(body, ensure_ascii=False).encode() for body in options["bodies"]]
        self.requests = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]
        self.expected, self.key = options.get("expected"), options.get("key")
        self.began = time.perf_counter()

    @property
    def is_over(self) -> bool:
        if "count" in self.options:
            return self.sent >= self.options["count"]
        return time.perf_counter() >= self.began + self.options["seconds"]

    def next(self) -> int:
        self.sent += 1
        return self.sent % len(self.requests)

    def note(self, number: int, seconds: float, head: bytes, body: bytes) -> None:
        self.seconds.append(seconds)
        if b" 200 " not in head.partition(b"\r\n")[0]:
            self.failures.append(body.decode()[:200])
        elif self.expected is not None:
            [row] = json.loads(body)["predictions"]
            self.deviation = max(self.deviation, abs(row[self.key] - self.expected[number]))

    def closed(self) -> None:
        if self.is_over:
            self.open -= 1
            if self.open == 0:
                self.done.set()
        else:
            asyncio.get_running_loop().create_task(self.connect())

    async def connect(self) -> None:
        await asyncio.get_running_loop().create_connection(lambda: Client(self), "127.0.0.1", self.options["port"])

    async def run(self) -> dict:
        self.open = self.options["clients"]
        await asyncio.gather(*(self.connect() for _ in range(self.open)))
        await self.done.wait()
        seconds = time.perf_counter() - self.began
        times = sorted(self.seconds)
        return {
            "requests": len(times),
            "per_second": len(times) / seconds,
            "median": statistics.median(times),
            "p95": times[int(0.95 * len(times))],
            "failed": len(self.failures),
            "failures": self.failures[:3],
            "deviation": self.deviation,
        }


async def main() -> None:
    print(json.dumps(await Load(json.loads(sys.argv[1])).run()))


if __name__ == "__main__":
    asyncio.run(main())
