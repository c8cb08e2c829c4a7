"""smallest.py HOST:PORT USER PASSWORD prints what USER is sent, and sends each line "NAME TEXT"."""
import secrets, sys, time, zmq
from zmq.utils import z85
from zchat.v1.batch_pb2 import Command, CommandBatch, ServerBatch
from zchat.v1.common_pb2 import REASON_NOT_LOGGED_IN
from zchat.v1.greeter_pb2 import Greeting, GreetingRequest
def new_id():  # a UUIDv7
    ms, rest = time.time_ns() // 10**6, secrets.randbits(74)
    return (ms << 80 | 7 << 76 | rest >> 62 << 64 | 2 << 62 | rest % 2**62).to_bytes(16, "big")
def send(number, **body):  # 0: no reply is wanted; 1: the login; 2: a probe; from 3 on: messages
    broker.send(CommandBatch(commands=[Command(request=number, **body)]).SerializeToString())

address, user, password = sys.argv[1:]
login = dict(protocol=1, user=user, password=password, no_trust=True, online=True, inbox=True)
greeter, broker = (zmq.Context.instance().socket(kind) for kind in (zmq.REQ, zmq.DEALER))
greeter.connect(f"tcp://{address}")
greeter.send(GreetingRequest(protocol=1).SerializeToString())
greeting = Greeting.FromString(greeter.recv())
broker.curve_serverkey = z85.encode(greeting.server_key)
broker.curve_publickey, broker.curve_secretkey = zmq.curve_keypair()
broker.connect(greeting.commands.replace("*", address.rsplit(":", 1)[0]))
send(1, login=login)
waiting, last, live, lines = {}, 2, False, open(0, "rb", buffering=0)
while True:
    ready, _, ended = zmq.select([broker, 0] if live else [broker], [], [0] if live else [], 60)
    if not ready + ended: send(2, ack={})  # Is the session still there?
    if 0 in ready + ended:
        last, (to, _, text) = last + 1, (lines.readline() or sys.exit()).decode().strip().partition(" ")
        send(last, send_message=waiting.setdefault(last, dict(id=new_id(), to=to, text=text)))
    batch = ServerBatch.FromString(broker.recv() if broker in ready else b"")
    for reply in batch.replies:
        lost = reply.error.reason == REASON_NOT_LOGGED_IN
        if reply.request == 1 and not reply.HasField("login"): sys.exit(reply.error.message)
        for number in waiting if reply.request == 1 else (): send(number, send_message=waiting[number])
        if lost and (live or reply.request == 2): send(1, login=login)
        live = not lost and (live or reply.request == 1)
        if not lost and waiting.pop(reply.request, None): print(reply.error.message or "sent", flush=True)
    for event in (event for event in batch.events if event.HasField("message")):
        send(0, ack=dict(received=event.seq))
        if event.message.sender != user: print(event.message.sender, event.message.text, flush=True)
