"""VILLASnode's protobuf messages for Python, from a descriptor that is built here: no protoc needed.

    from villas_message import Message
    message = Message.FromString(datagram)
"""

import struct

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FIELD = descriptor_pb2.FieldDescriptorProto


def _add_fields(message, *fields, oneof=None):
    if oneof is not None:
        message.oneof_decl.add(name=oneof)
    for label, kind, name, number in fields:
        field = message.field.add(name=name, number=number, label=getattr(FIELD, "LABEL_" + label))
        if kind.startswith("."):
            enum = kind == ".villas.node.Sample.Type"
            field.type = FIELD.TYPE_ENUM if enum else FIELD.TYPE_MESSAGE
            field.type_name = kind
        else:
            field.type = getattr(FIELD, "TYPE_" + kind)
        if oneof is not None:
            field.oneof_index = 0


def _file():
    file = descriptor_pb2.FileDescriptorProto(
        name="villas.proto", package="villas.node", syntax="proto2"
    )
    _add_fields(
        file.message_type.add(name="Message"),
        ("REPEATED", ".villas.node.Sample", "samples", 1),
    )
    sample = file.message_type.add(name="Sample")
    kinds = sample.enum_type.add(name="Type")
    for name, number in (("DATA", 1), ("START", 2), ("STOP", 3)):
        kinds.value.add(name=name, number=number)
    _add_fields(
        sample,
        ("REQUIRED", ".villas.node.Sample.Type", "type", 1),
        ("OPTIONAL", "UINT64", "sequence", 2),
        ("OPTIONAL", ".villas.node.Timestamp", "ts_origin", 3),
        ("OPTIONAL", ".villas.node.Timestamp", "ts_received", 4),
        ("OPTIONAL", "BOOL", "new_frame", 5),
        ("REPEATED", ".villas.node.Value", "values", 100),
    )
    sample.field[0].default_value = "DATA"
    _add_fields(
        file.message_type.add(name="Timestamp"),
        ("REQUIRED", "UINT32", "sec", 1),
        ("REQUIRED", "UINT32", "nsec", 2),
    )
    _add_fields(
        file.message_type.add(name="Value"),
        ("OPTIONAL", "DOUBLE", "f", 1),
        ("OPTIONAL", "INT64", "i", 2),
        ("OPTIONAL", "BOOL", "b", 3),
        ("OPTIONAL", ".villas.node.Complex", "z", 4),
        oneof="value",
    )
    _add_fields(
        file.message_type.add(name="Complex"),
        ("REQUIRED", "FLOAT", "real", 1),
        ("REQUIRED", "FLOAT", "imag", 2),
    )
    return file


def _message_class():
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file())
    descriptor = pool.FindMessageTypeByName("villas.node.Message")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


Message = _message_class()


def double(bits):
    """A double from its 16 hexadecimal digits, the most significant first."""
    return struct.unpack(">d", bytes.fromhex(bits))[0]


def build(samples):
    """Makes a message from what JSON can say.

    Each sample is {"type": n, "sequence": "n", "origin": [sec, nsec], "received": [sec, nsec], "newFrame": b,
    "values": [["f", HEX], ["i", "n"], ["b", true], ["z", HEX, HEX], []]}, HEX being what double() takes. All but
    the values may be left out; the type is DATA then.
    """
    message = Message()
    for wanted in samples:
        _fill(message.samples.add(), wanted)
    return message


def _fill(sample, wanted):
    sample.type = wanted.get("type", 1)
    if "sequence" in wanted:
        sample.sequence = int(wanted["sequence"])
    for name in ("origin", "received"):
        if name in wanted:
            stamp = getattr(sample, "ts_" + name)
            stamp.sec, stamp.nsec = wanted[name]
    if "newFrame" in wanted:
        sample.new_frame = wanted["newFrame"]
    for parts in wanted["values"]:
        value = sample.values.add()
        if not parts:
            continue
        if parts[0] == "f":
            value.f = double(parts[1])
        elif parts[0] == "i":
            value.i = int(parts[1])
        elif parts[0] == "b":
            value.b = parts[1]
        elif parts[0] == "z":
            value.z.real, value.z.imag = double(parts[1]), double(parts[2])
