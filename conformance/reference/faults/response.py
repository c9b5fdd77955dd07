"""Faults of the answer's content: a 204 that is not empty on the wire."""

# ruff: noqa: D102 - a hook does what the step that it replaces says, except as its class says

from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest
from conformance.reference.registry import breaks

CLOSE = ("Connection", "close")  # so that content no client expects does not spoil the next answer


@breaks("response.no-content")
class JsonAfter204(Deployment):
    """A 204 comes with a JSON document and its length."""

    def removed(self, _request: ReceivedRequest) -> Answer:
        return Answer(204, {"ip_association": None}, (CLOSE,))


@breaks("response.no-content")
class NewlineAfter204(Deployment):
    """A 204 comes with a single newline and a Content-Length of 1."""

    def removed(self, _request: ReceivedRequest) -> Answer:
        return Answer(204, content=b"\n", headers=(CLOSE,))


@breaks("response.no-content")
class Chunked204(Deployment):
    """A 204 comes with Transfer-Encoding: chunked and the empty last chunk."""

    def removed(self, _request: ReceivedRequest) -> Answer:
        return Answer(204, headers=(("Transfer-Encoding", "chunked"), CLOSE), content=b"0\r\n\r\n", sized=False)


@breaks("response.no-content")
class ChunkedContentAfter204(Deployment):
    """A 204 comes with a document in chunks."""

    def removed(self, _request: ReceivedRequest) -> Answer:
        content = b"2\r\n{}\r\n0\r\n\r\n"
        return Answer(204, headers=(("Transfer-Encoding", "chunked"), CLOSE), content=content, sized=False)


@breaks("response.no-content")
class LengthWithoutContent(Deployment):
    """A 204 declares a Content-Length of 17 and sends nothing."""

    def removed(self, _request: ReceivedRequest) -> Answer:
        return Answer(204, headers=(("Content-Length", "17"), CLOSE))


@breaks("response.no-content")
class EveryThird204HasContent(Deployment):
    """Every third 204 comes with a document."""

    def removed(self, request: ReceivedRequest) -> Answer:
        if self.every(3, "removal"):
            return Answer(204, {}, (CLOSE,))
        return super().removed(request)


@breaks("response.no-content")
class ContentAfterTheLast204(Deployment):
    """The 204 that leaves a server without any association comes with the empty list."""

    def removed(self, request: ReceivedRequest) -> Answer:
        if not self.store.state.of_server(request.path.server):
            return Answer(204, {"ip_associations": []}, (CLOSE,))
        return super().removed(request)
