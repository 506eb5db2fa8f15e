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


class Echoes(asyncio.DatagramProtocol):
    """Answers each datagram in upper case."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data.upper(), addr)


async def datagram_server():
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echoes, ("127.0.0.1", 0))
    print(transport.get_extra_info("sockname")[1], flush=True)
    # It ends with its input.
    await loop.run_in_executor(None, sys.stdin.read)
    transport.close()


class Asks(asyncio.DatagramProtocol):
    """Keeps what comes."""

    def __init__(self):
        self.received = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.received.put_nowait(data)


async def datagram_client(port):
    loop = asyncio.get_running_loop()
    transport, asks = await loop.create_datagram_endpoint(
        Asks, remote_addr=("127.0.0.1", port)
    )
    for size in (1, 1024, 60_000):
        data = bytes(i % 251 for i in range(size))
        transport.sendto(data)
        assert await asks.received.get() == data
    transport.close()


class Pipe(asyncio.Protocol):
    """The end of a pipe: answers in upper case on another one, and says so when it is lost."""

    def __init__(self, answers=None):
        self.answers = answers
        self.lost = asyncio.get_running_loop().create_future()

    def data_received(self, data):
        self.answers.write(data.upper())

    def eof_received(self):
        self.answers.write(b"eof\n")

    def connection_lost(self, error):
        self.lost.set_result(type(error).__name__)


async def answering_child():
    """Reads its standard input and writes its standard output, both as pipes of the loop."""
    loop = asyncio.get_running_loop()
    answers, writing = await loop.connect_write_pipe(Pipe, sys.stdout)
    _, reading = await loop.connect_read_pipe(lambda: Pipe(answers), sys.stdin)
    lost = await reading.lost
    answers.write(f"{lost}\n".encode())
    answers.close()
    await writing.lost
    sys.exit(7)


async def left_child():
    """Writes until its reader leaves, and tells on the standard error how it learned of that."""
    loop = asyncio.get_running_loop()
    answers, writing = await loop.connect_write_pipe(Pipe, sys.stdout)
    answers.write(b"ready\n")
    print(await writing.lost, file=sys.stderr, flush=True)


asyncio.run(globals()[sys.argv[1]](*map(int, sys.argv[2:])))
