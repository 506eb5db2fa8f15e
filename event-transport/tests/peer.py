"""The other side of the tests in `asyncio_peer.rs`: a client or a server of asyncio's, as its documentation writes them."""

import asyncio
import sys


async def echo_client(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for size in (1, 1024, 300_000):
        data = bytes(i % 251 for i in range(size))
        writer.write(data)
        await writer.drain()
        assert await reader.readexactly(size) == data
    writer.close()
    await writer.wait_closed()


async def half_closing_client(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"question")
    writer.write_eof()
    assert await reader.read() == b"answer"
    writer.close()
    await writer.wait_closed()


async def slow_client(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    total = 0
    while data := await reader.read(100_000):
        total += len(data)
    assert total == 4 * 1024 * 1024, total
    writer.close()
    await writer.wait_closed()


async def aborting_client(port):
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"never mind")
    writer.transport.abort()


class Shout(asyncio.Protocol):
    """Answers each byte in upper case, ends its side at the end of the other, and tells how it was lost."""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data.upper())

    def eof_received(self):
        self.transport.write(b"!")
        self.transport.write_eof()
        return True

    def connection_lost(self, error):
        print("lost", type(error).__name__, flush=True)


async def shouting_server():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Shout, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # It ends with its input.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(globals()[sys.argv[1]](*map(int, sys.argv[2:])))
