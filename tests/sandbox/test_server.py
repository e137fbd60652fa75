import socket
from urllib.parse import urlsplit

import pytest

from esml_stop.sandbox import serve
from tests.support.raw_cluster import RawCluster


@pytest.mark.parametrize("sent", ["", '{"adaptive_allocations": {'])
def test_an_incomplete_request_changes_nothing(sent: str) -> None:
    """An incomplete request, such as that of a killed client, gets no response and changes nothing."""
    with serve(empty=True) as server:
        cluster = RawCluster(server.url)
        cluster.model("m")
        where = urlsplit(server.url)
        with socket.create_connection((where.hostname, where.port)) as connection:
            head = (
                f"POST /_ml/trained_models/m/deployment/_start HTTP/1.1\r\nhost: x\r\ncontent-length: 60\r\n\r\n{sent}"
            )
            connection.sendall(head.encode())
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(100) == b""
        assert cluster.running() == []
