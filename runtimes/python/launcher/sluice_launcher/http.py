"""As much of HTTP as an invoker speaks: POST with a length or in chunks, keep-alive."""

from . import bounds, messages

REASONS = {
    200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    413: "Payload Too Large", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
}


class BadRequest(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Parser:
    """Makes requests of the bytes of one connection."""

    def __init__(self):
        self.data = bytearray()
        self.head = None
        self.body = bytearray()
        self.chunked = False
        self.missing = 0

    def feed(self, data):
        self.data += data

    def next(self):
        """(method, path, body, last) when a request is complete, else None. Raises BadRequest."""
        if self.head is None and not self.read_head():
            return None
        if self.chunked:
            if not self.read_chunks():
                return None
            body = bytes(self.body)
        else:
            if len(self.data) < self.missing:
                return None
            body = bytes(self.data[: self.missing])
            del self.data[: self.missing]
        method, path, last = self.head
        self.head, self.body, self.chunked, self.missing = None, bytearray(), False, 0
        return method, path, body, last

    @property
    def wants_go_on(self):
        """Whether the client waits for leave to send its body."""
        return self.head is not None and self.expects

    def read_head(self):
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            if len(self.data) > bounds.HEAD_BYTES_MAX:
                raise BadRequest(400, messages.READING_BODY % "malformed request")
            return False
        first, *lines = self.data[:end].decode("latin-1").split("\r\n")
        del self.data[: end + 4]
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise BadRequest(400, messages.READING_BODY % "malformed request")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        connection = headers.get("connection", "").lower()
        last = connection == "close" or (words[2] == "HTTP/1.0" and connection != "keep-alive")
        self.chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        length = headers.get("content-length", "0")
        if not length.isdigit():
            raise BadRequest(400, messages.READING_BODY % "malformed request")
        self.missing = int(length)
        self.expects = "expect" in headers
        if self.missing > bounds.BODY_BYTES_MAX:
            raise BadRequest(413, messages.BODY_TOO_LARGE % bounds.BODY_BYTES_MAX)
        self.head = words[0], words[1].partition("?")[0], last
        return True

    def read_chunks(self):
        while True:
            end = self.data.find(b"\r\n")
            if end < 0:
                return False
            try:
                size = int(bytes(self.data[:end]).partition(b";")[0], 16)
            except ValueError:
                raise BadRequest(400, messages.READING_BODY % "malformed chunk") from None
            if size < 0 or len(self.body) + size > bounds.BODY_BYTES_MAX:
                raise BadRequest(413, messages.BODY_TOO_LARGE % bounds.BODY_BYTES_MAX)
            if len(self.data) < end + 2 + size + 2:
                return False
            self.body += self.data[end + 2 : end + 2 + size]
            del self.data[: end + 2 + size + 2]
            if size == 0:
                return True


def response(status, body, last):
    close = "Connection: close\r\n" if last else ""
    head = "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n"
    return (head % (status, REASONS[status], len(body), close)).encode() + body
