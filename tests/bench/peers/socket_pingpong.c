/* Ping-pong over TCP. Without arguments: an echo server for one connection after another, that prints its port. With a port and a
   count: sends "Hello, world" so often, waits for each echo, and prints the median round-trip time in microseconds. */

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int open_socket(void) {
  int on = 1, s = socket(AF_INET, SOCK_STREAM, 0);
  if (s < 0) { perror("socket"); exit(1); }
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return s;
}

static void serve(void) {
  static char buffer[65536];
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  int listener = open_socket();
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16)) { perror("bind"); exit(1); }
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    int on = 1, s = accept(listener, NULL, NULL);
    ssize_t n;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while ((n = read(s, buffer, sizeof buffer)) > 0) {
      for (ssize_t at = 0; at < n;) {
        ssize_t written = write(s, buffer + at, (size_t)(n - at));
        if (written < 0) break;
        at += written;
      }
    }
    close(s);
  }
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  static const char message[] = "Hello, world";
  const size_t size = sizeof message - 1;
  char answer[64];
  if (argc < 3) serve();
  int count = atoi(argv[2]), s = open_socket();
  double *times = malloc(sizeof *times * (size_t)count);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(s, (struct sockaddr *)&address, sizeof address)) { perror("connect"); return 1; }
  for (int i = 0; i < count; i++) {
    double start = now();
    if (write(s, message, size) != (ssize_t)size) return 1;
    for (size_t got = 0; got < size;) {
      ssize_t n = read(s, answer + got, sizeof answer - got);
      if (n <= 0) return 1;
      got += (size_t)n;
    }
    times[i] = now() - start;
  }
  qsort(times, (size_t)count, sizeof *times, compare);
  printf("%.1f\n", times[count / 2]);
  return 0;
}
