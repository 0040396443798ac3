/**
 * The tags of `proto/villas.proto` on the wire: `field number << 3 | wire type`, as a byte each. What the comments in the modules that
 * use them call by a title in quotation marks is a section of <https://protobuf.dev/programming-guides/encoding/>.
 *
 * @module
 */

/** `Message.samples`, field 1, wire type LEN. */
export const SAMPLE = 0x0a;

/** `Sample.type`, field 1, VARINT. */
export const TYPE = 0x08;
/** `Sample.sequence`, field 2, VARINT. */
export const SEQUENCE = 0x10;
/** `Sample.ts_origin`, field 3, LEN. */
export const TS_ORIGIN = 0x1a;
/** `Sample.ts_received`, field 4, LEN. */
export const TS_RECEIVED = 0x22;
/** `Sample.new_frame`, field 5, VARINT. */
export const NEW_FRAME = 0x28;
/** `Sample.values`, field 100, LEN: its tag is 802, a varint of two bytes. */
export const VALUES = 0xa2;
/** The second byte of the tag of `Sample.values`. */
export const VALUES_2 = 0x06;

/** `Timestamp.sec`, field 1, VARINT. */
export const SEC = 0x08;
/** `Timestamp.nsec`, field 2, VARINT. */
export const NSEC = 0x10;

/** `Value.f`, field 1, I64. */
export const FLOAT = 0x09;
/** `Value.i`, field 2, VARINT. */
export const INTEGER = 0x10;
/** `Value.b`, field 3, VARINT. */
export const BOOLEAN = 0x18;
/** `Value.z`, field 4, LEN. */
export const COMPLEX = 0x22;

/** `Complex.real`, field 1, I32. */
export const REAL = 0x0d;
/** `Complex.imag`, field 2, I32. */
export const IMAG = 0x15;
/** Bytes of a complex number: two tags and two floats. */
export const COMPLEX_LENGTH = 10;

/** The types of a sample by their numbers; 0 is none. */
export const TYPES = [undefined, "data", "start", "stop"] as const;
/** The number of the type `data`. */
export const DATA = 1;

/** Bytes of the longest varint: 64 bits, 7 in each. */
export const LONGEST_VARINT = 10;
/** Bytes of a varint whose value a number holds exactly: 7 × 7 = 49 bits. */
export const EXACT_VARINT = 7;
/** Bytes in which the length of anything within a datagram is written, unless it is padded. */
export const LENGTH_VARINT = 3;
