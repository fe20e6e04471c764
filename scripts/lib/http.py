# SPDX-License-Identifier: Apache-2.0
"""A plain HTTP client for the test scripts: one request, one answer, nothing followed, nothing retried.

Standard library only, so that the scripts that use it run on any Python 3.9."""
import http.client
import json
import urllib.parse


class Answer:
    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data
        try:
            self.json = json.loads(data) if data else None
        except ValueError:
            self.json = None


class Client:
    """Requests to one endpoint; a connection is kept while the server keeps it."""

    def __init__(self, endpoint, timeout=60):
        self.endpoint = endpoint.rstrip("/")
        parts = urllib.parse.urlsplit(self.endpoint)
        self.host, self.port, self.timeout = parts.hostname, parts.port or 80, timeout
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        """Send `body` (a str or bytes as it is, anything else as JSON) and read the whole answer."""
        send = {"Accept": "application/json"}
        data = None
        if body is not None:
            data = body if isinstance(body, (str, bytes)) else json.dumps(body)
            data = data.encode() if isinstance(data, str) else data
            send["Content-Type"] = "application/json"
        send.update(headers or {})
        send = {k: v for k, v in send.items() if v is not None}
        for last_try in (False, True):
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
            try:
                self.connection.request(method, path, data, send)
                response = self.connection.getresponse()
                answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
                if response.will_close:
                    self.close()
                return answer
            except (http.client.HTTPException, ConnectionError, OSError):
                self.close()
                # a kept connection may have been closed between two requests; a fresh one may not
                if fresh or last_try or method == "POST":
                    raise
        raise AssertionError("not reached")

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def get(self, path):
        return self.request("GET", path)
