"""Serve plain functions as the methods of a gRPC service on a Unix socket."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import grpc
from google.protobuf.message_factory import (  # type: ignore[import-untyped]  # ships no types
    GetMessageClass,
)

from lab.cluster.errors import LabError

Methods = Mapping[str, Callable[[Any], Any]]
_THREADS: Final = 8


def serve(socket: Path, services: Mapping[str, tuple[ModuleType, Methods]]) -> Any:
    """Start a server on the socket; the services are named as in their proto, package first."""
    socket.parent.mkdir(parents=True, exist_ok=True)
    # Left over if we were killed. New, it also tells the kubelet to register us again.
    socket.unlink(missing_ok=True)
    server = grpc.server(ThreadPoolExecutor(_THREADS))
    for name, (messages, methods) in services.items():
        described = messages.DESCRIPTOR.services_by_name[name.rpartition(".")[2]]
        handlers = {
            method: _handler(described.methods_by_name[method], act)
            for method, act in methods.items()
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    server.add_insecure_port(f"unix://{socket}")
    server.start()
    return server


def _handler(described: Any, act: Callable[[Any], Any]) -> Any:
    def answer(request: Any, context: Any) -> Any:
        begun = time.monotonic()
        try:
            reply = act(request)
        except LabError as error:
            print(f"{described.name}: {error}", flush=True)
            return context.abort(grpc.StatusCode.INTERNAL, str(error))
        print(f"{described.name}: {time.monotonic() - begun:.3f} s", flush=True)
        return reply

    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=GetMessageClass(described.input_type).FromString,
        response_serializer=GetMessageClass(described.output_type).SerializeToString,
    )
