"""A real S3 interface on this machine that counts, and can be cut off."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager

import pytest

BUCKET = "bucket-of-ours"


class S3Here:
    """moto's server behind a counter; `refuse_after` PUTs the line goes dead."""

    def __init__(self):
        self.requests = Counter()  # by method
        self.sent_bytes = 0
        self.at_once = self.most_at_once = 0
        self.refuse_after = None
        self._lock = threading.Lock()

    def reset(self):
        self.requests.clear()
        self.sent_bytes = self.most_at_once = 0
        self.refuse_after = None

    def wrap(self, app):
        def counted(environ, start_response):
            method = environ["REQUEST_METHOD"]
            with self._lock:
                left = self.refuse_after
                if method == "PUT" and left is not None:
                    if left == 0:
                        raise ConnectionError("the line is dead")
                    self.refuse_after = left - 1
                self.requests[method] += 1
                self.sent_bytes += int(environ.get("CONTENT_LENGTH") or 0)
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                return app(environ, start_response)
            finally:
                with self._lock:
                    self.at_once -= 1

        return counted


@contextmanager
def s3_here(patch: pytest.MonkeyPatch):
    """Serve; the environment says where, as it does for any S3 client."""
    pytest.importorskip("s3fs")
    moto = pytest.importorskip("moto.server")
    serving = pytest.importorskip("werkzeug.serving")

    class Quiet(serving.WSGIRequestHandler):
        def log(self, *_):
            """Keep still."""

    made = S3Here()
    app = made.wrap(moto.create_backend_app("s3"))  # any other service is not asked
    server = serving.make_server(
        "127.0.0.1", 0, app, threaded=True, request_handler=Quiet
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.setenv("AWS_MAX_ATTEMPTS", "1")
    import s3fs

    patch.setattr(s3fs.S3FileSystem, "retries", 1)
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(BUCKET)
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        s3fs.S3FileSystem.clear_instance_cache()
