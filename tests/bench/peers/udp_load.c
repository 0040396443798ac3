/* Loads a UDP echo with VILLASnode messages, and prints one JSON line about it.
 *
 *     udp_load PORT COUNT WINDOW [LOCAL_PORT [SECONDS [RATE]]]
 *
 * Binds 127.0.0.1:LOCAL_PORT (0: any port), waits until 127.0.0.1:PORT answers, then sends COUNT messages, or as many as it can in
 * SECONDS, of one sample with five floats, sequence numbers in order, of which WINDOW are kept on the way. What has not
 * come back after a fifth of a second without any echo is lost. With a RATE, no more than that many messages are sent per second, one
 * at a time at even intervals, between which it sleeps, as a real-time simulator does. Linux only: it sends and receives in batches, so that it is
 * not the bottleneck. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

enum { BATCH = 64, SIZE = 128, SLOTS = 65536, PROBES = 300, SILENCES = 25 };

struct slot {
  uint64_t sequence; /* one more than the number, 0 for a free slot */
  uint64_t sent_ns;
  size_t length;
  uint8_t bytes[SIZE];
};

static struct slot slots[SLOTS];
static uint8_t received[BATCH][SIZE];
static int udp;

static uint64_t now_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static size_t put_varint(uint8_t *out, uint64_t value) {
  size_t n = 0;
  for (; value > 127; value >>= 7) out[n++] = (uint8_t)(value | 128);
  out[n++] = (uint8_t)value;
  return n;
}

static uint64_t get_varint(const uint8_t *in, const uint8_t *end) {
  uint64_t value = 0;
  for (int shift = 0; in < end && shift < 64; shift += 7) {
    value |= (uint64_t)(*in & 127) << shift;
    if (!(*in++ & 128)) break;
  }
  return value;
}

/* Message { samples { type: DATA sequence ts_origin { sec nsec } values { f } × 5 } }, as short as protobuf makes it. */
static size_t put_message(uint8_t *out, uint64_t sequence) {
  uint64_t origin = now_ns(CLOCK_REALTIME);
  uint8_t stamp[16];
  size_t n = 2, m = 0;
  stamp[m++] = 0x08;
  m += put_varint(stamp + m, origin / 1000000000u);
  stamp[m++] = 0x10;
  m += put_varint(stamp + m, origin % 1000000000u);
  out[n++] = 0x08, out[n++] = 1;
  out[n++] = 0x10;
  n += put_varint(out + n, sequence);
  out[n++] = 0x1a, out[n++] = (uint8_t)m;
  memcpy(out + n, stamp, m);
  n += m;
  for (int i = 0; i < 5; i++) {
    double value = (double)sequence / (i + 3);
    memcpy(out + n, "\xa2\x06\x09\x09", 4); /* values, 9 bytes: f */
    memcpy(out + n + 4, &value, 8);         /* little endian, as x86 and ARM have it */
    n += 12;
  }
  out[0] = 0x0a, out[1] = (uint8_t)(n - 2);
  return n;
}

static void send_batch(uint64_t first, unsigned count) {
  static struct mmsghdr messages[BATCH];
  static struct iovec parts[BATCH];
  for (unsigned i = 0; i < count; i++) {
    struct slot *slot = &slots[(first + i) % SLOTS];
    slot->sequence = first + i + 1;
    slot->length = put_message(slot->bytes, first + i);
    parts[i] = (struct iovec){slot->bytes, slot->length};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    slot->sent_ns = now_ns(CLOCK_MONOTONIC);
  }
  for (unsigned done = 0; done < count;) {
    int n = sendmmsg(udp, messages + done, count - done, 0);
    if (n > 0) done += (unsigned)n;
    else if (errno != ECONNREFUSED && errno != EINTR) { perror("sendmmsg"); exit(1); }
    else if (errno == ECONNREFUSED) return; /* nobody there (any more): it counts as lost */
  }
}

/* Waits for at least one datagram; 0 after a fifth of a second without any. */
static int receive_batch(struct mmsghdr *messages) {
  for (;;) {
    int n = recvmmsg(udp, messages, BATCH, MSG_WAITFORONE, NULL);
    if (n > 0) return n;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != ECONNREFUSED && errno != EINTR) { perror("recvmmsg"); exit(1); }
  }
}

/* Sleeps until the next of the even intervals that has not passed yet. */
static void wait_for_step(uint64_t start, uint64_t interval) {
  uint64_t at = start + ((now_ns(CLOCK_MONOTONIC) - start) / interval + 1) * interval;
  struct timespec wake = {.tv_sec = (time_t)(at / 1000000000u), .tv_nsec = (long)(at % 1000000000u)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL) == EINTR) {}
}

static int open_socket(uint16_t local_port, uint16_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(local_port)};
  struct timeval patience = {.tv_usec = 200000};
  int room = 4 << 20, s = socket(AF_INET, SOCK_DGRAM, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (s < 0 || bind(s, (struct sockaddr *)&address, sizeof address)) { perror("bind"); exit(1); }
  setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  address.sin_port = htons(port);
  if (connect(s, (struct sockaddr *)&address, sizeof address)) { perror("connect"); exit(1); }
  return s;
}

static struct mmsghdr *receive_buffers(void) {
  static struct mmsghdr messages[BATCH];
  static struct iovec parts[BATCH];
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){received[i], SIZE};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
  }
  return messages;
}

/* Sends one message after another until one comes back. */
static uint64_t wait_for_peer(struct mmsghdr *messages) {
  for (uint64_t sequence = 0; sequence < PROBES; sequence++) {
    send_batch(sequence, 1);
    if (receive_batch(messages)) return sequence + 1;
  }
  fprintf(stderr, "No answer in a minute\n");
  exit(4);
}

static int by_size(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc < 4) { fprintf(stderr, "Usage: udp_load PORT COUNT WINDOW [LOCAL_PORT [SECONDS [RATE]]]\n"); return 2; }
  uint64_t count = strtoull(argv[2], NULL, 10), window = strtoull(argv[3], NULL, 10);
  if (count < 1 || window < 1 || window > SLOTS / 2) {
    fprintf(stderr, "Cannot send: COUNT from 1, WINDOW from 1 to %d\n", SLOTS / 2);
    return 2;
  }
  uint32_t *rtt_ns = malloc(count * sizeof *rtt_ns);
  udp = open_socket((uint16_t)(argc > 4 ? atoi(argv[4]) : 0), (uint16_t)atoi(argv[1]));
  struct mmsghdr *messages = receive_buffers();
  uint64_t first = wait_for_peer(messages), next = first, end = first + count;
  uint64_t pending = 0, echoed = 0, lost = 0, changed = 0, late = 0, silent = 0;
  uint64_t start = now_ns(CLOCK_MONOTONIC), last = start;
  double rate = argc > 6 ? atof(argv[6]) : 0;
  uint64_t interval = rate > 0 ? (uint64_t)(1e9 / rate) : 0;
  uint64_t limit = argc > 5 ? start + (uint64_t)(atof(argv[5]) * 1e9) : UINT64_MAX;

  while (next < end || pending > 0) {
    uint64_t room = window - pending, left = end - next;
    unsigned batch = (unsigned)(room < left ? room : left);
    if (batch > BATCH) batch = BATCH;
    if (batch > 1 && interval > 0) batch = 1;
    if (batch > 0 && interval > 0) wait_for_step(start, interval);
    if (batch > 0) send_batch(next, batch);
    next += batch, pending += batch;
    if (pending < window && next < end) continue;
    int n = receive_batch(messages);
    uint64_t now = now_ns(CLOCK_MONOTONIC);
    if (n == 0) {
      if (++silent == SILENCES) { fprintf(stderr, "No answer any more\n"); return 4; }
      lost += pending, pending = 0;
      for (int i = 0; i < SLOTS; i++) slots[i].sequence = 0;
      continue;
    }
    last = now, silent = 0;
    if (now >= limit && next < end) count = next - first, end = next;
    for (int i = 0; i < n; i++) {
      /* The sequence number follows the tag and length of the sample, its type, and the sequence's own tag. */
      uint64_t sequence = get_varint(received[i] + 5, received[i] + messages[i].msg_len);
      struct slot *slot = &slots[sequence % SLOTS];
      if (sequence < first || slot->sequence != sequence + 1) { late++; continue; }
      if (messages[i].msg_len != slot->length || memcmp(received[i], slot->bytes, slot->length)) changed++;
      rtt_ns[echoed++] = (uint32_t)(now - slot->sent_ns);
      slot->sequence = 0, pending--;
    }
  }
  qsort(rtt_ns, echoed, sizeof *rtt_ns, by_size);
  double seconds = (double)(last - start) / 1e9;
#define RTT(part) (echoed ? rtt_ns[(uint64_t)((part) * (double)(echoed - 1))] / 1e3 : 0.0)
  printf("{\"sent\": %llu, \"echoed\": %llu, \"lost\": %llu, \"changed\": %llu, \"late\": %llu, \"seconds\": %.6f, "
         "\"rate\": %.0f, \"rtt\": {\"min\": %.1f, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}}\n",
         (unsigned long long)count, (unsigned long long)echoed, (unsigned long long)lost,
         (unsigned long long)changed, (unsigned long long)late, seconds,
         seconds > 0 ? (double)echoed / seconds : 0.0, RTT(0), RTT(0.5), RTT(0.99), RTT(0.999), RTT(1));
  return 0;
}
