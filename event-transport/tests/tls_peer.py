"""The other side of the tests in `tls_peer.rs`: clients and servers with Python's `ssl` and asyncio's TLS, as their documentation writes them."""

import asyncio
import pathlib
import socket
import ssl
import sys

files = pathlib.Path(sys.argv[2])


def client_context(alpn):
    context = ssl.create_default_context(cafile=files / "ca.pem")
    context.load_cert_chain(files / "own.pem")
    context.set_alpn_protocols([alpn])
    return context


def server_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files / "own.pem")
    context.set_alpn_protocols(["shout"])
    return context


def data(size):
    return bytes(i % 251 for i in range(size))


def client(port):
    with socket.create_connection(("127.0.0.1", port)) as plain:
        tls = client_context("echo").wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)
        assert tls.selected_alpn_protocol() == "echo"
        for size in (1, 1024, 300_000):
            sent = data(size)
            tls.sendall(sent)
            got = b""
            while len(got) < size:
                got += tls.recv(65536)
            assert got == sent
        # Says that it ends TLS, and waits until the other side does.
        tls.unwrap()


def starting_client(port):
    async def run():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.readline() == b"ready\n"
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"go ahead\n"
        await writer.start_tls(client_context("echo"), server_hostname="localhost")
        sent = data(1_000_000)
        writer.write(sent)
        assert await reader.readexactly(len(sent)) == sent
        assert writer.get_extra_info("cipher") is not None
        writer.close()
        await writer.wait_closed()

    asyncio.run(run())


def listen():
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    plain, _ = listener.accept()
    listener.close()
    return plain


def server():
    tls = server_context().wrap_socket(listen(), server_side=True, suppress_ragged_eofs=False)
    while got := tls.recv(65536):
        tls.sendall(got.upper())
    # The other side has said that it ends TLS.
    tls.unwrap()


def rude_server():
    tls = server_context().wrap_socket(listen(), server_side=True)
    tls.sendall(b"half of the")
    tls.close()


def refusing_server():
    try:
        server_context().wrap_socket(listen(), server_side=True)
    except ssl.SSLError as error:
        assert "ALERT" in str(error).upper(), error
    else:
        raise AssertionError("the handshake succeeded")


globals()[sys.argv[1]](*map(int, sys.argv[3:]))
