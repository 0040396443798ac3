// Made from proto/villas.proto by "deno task proto". Change that file, not this one.

/** The schema of VILLASnode's messages in protobufjs's JSON form. */
export const villasSchema: Readonly<Record<string, unknown>> = {
  "nested": {
    "villas": {
      "nested": {
        "node": {
          "nested": {
            "Message": {
              "edition": "proto2",
              "fields": {
                "samples": {
                  "rule": "repeated",
                  "type": "Sample",
                  "id": 1,
                },
              },
            },
            "Sample": {
              "edition": "proto2",
              "fields": {
                "type": {
                  "rule": "required",
                  "type": "Type",
                  "id": 1,
                  "options": {
                    "default": "DATA",
                  },
                },
                "sequence": {
                  "type": "uint64",
                  "id": 2,
                },
                "tsOrigin": {
                  "type": "Timestamp",
                  "id": 3,
                  "protoName": "ts_origin",
                },
                "tsReceived": {
                  "type": "Timestamp",
                  "id": 4,
                  "protoName": "ts_received",
                },
                "newFrame": {
                  "type": "bool",
                  "id": 5,
                  "protoName": "new_frame",
                },
                "values": {
                  "rule": "repeated",
                  "type": "Value",
                  "id": 100,
                },
              },
              "nested": {
                "Type": {
                  "values": {
                    "DATA": 1,
                    "START": 2,
                    "STOP": 3,
                  },
                },
              },
            },
            "Timestamp": {
              "edition": "proto2",
              "fields": {
                "sec": {
                  "rule": "required",
                  "type": "uint32",
                  "id": 1,
                },
                "nsec": {
                  "rule": "required",
                  "type": "uint32",
                  "id": 2,
                },
              },
            },
            "Value": {
              "edition": "proto2",
              "oneofs": {
                "value": {
                  "oneof": [
                    "f",
                    "i",
                    "b",
                    "z",
                  ],
                },
              },
              "fields": {
                "f": {
                  "type": "double",
                  "id": 1,
                },
                "i": {
                  "type": "int64",
                  "id": 2,
                },
                "b": {
                  "type": "bool",
                  "id": 3,
                },
                "z": {
                  "type": "Complex",
                  "id": 4,
                },
              },
            },
            "Complex": {
              "edition": "proto2",
              "fields": {
                "real": {
                  "rule": "required",
                  "type": "float",
                  "id": 1,
                },
                "imag": {
                  "rule": "required",
                  "type": "float",
                  "id": 2,
                },
              },
            },
          },
        },
      },
    },
  },
};
