"""ZeroMQ sockets as the tests want them: none connects again by itself."""

import zmq

context = zmq.Context.instance()
context.set(zmq.MAX_SOCKETS, 8192)


def plain_socket(kind):
    """A socket that does not connect again by itself: a new connection is a new login.

    Not by an interval of -1, with which libzmq drops what has arrived and was not read yet.
    """
    socket = context.socket(kind)
    socket.linger = 0
    socket.ipv6 = True
    socket.reconnect_ivl = 2**31 - 1
    return socket


def curve_socket(kind, server_key, keys):
    """The same with CURVE, and without bounds."""
    socket = plain_socket(kind)
    socket.rcvhwm = socket.sndhwm = 0
    socket.curve_serverkey = server_key
    socket.curve_publickey, socket.curve_secretkey = keys.public, keys.secret
    return socket
