/* Sends every datagram back to its sender: what the fastest simple echo can do. Prints its port, then echoes; at SIGTERM it prints how
 * many it has sent. With the ports of a peer and of its own, it answers that peer only.
 *
 *     udp_echo [OWN_PORT PEER_PORT]
 */

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static volatile sig_atomic_t ending;

static void end(int number) { ending = number; }

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = end}; /* no SA_RESTART: recvfrom is to be interrupted */
  unsigned long echoed = 0;
  static char buffer[65536];
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  int udp = socket(AF_INET, SOCK_DGRAM, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (argc > 1) address.sin_port = htons((unsigned short)atoi(argv[1]));
  sigaction(SIGTERM, &action, NULL);
  if (udp < 0 || bind(udp, (struct sockaddr *)&address, sizeof address)) { perror("bind"); return 1; }
  getsockname(udp, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  if (argc > 2) {
    address.sin_port = htons((unsigned short)atoi(argv[2]));
    if (connect(udp, (struct sockaddr *)&address, sizeof address)) { perror("connect"); return 1; }
  }
  while (!ending) {
    length = sizeof address;
    ssize_t n = recvfrom(udp, buffer, sizeof buffer, 0, (struct sockaddr *)&address, &length);
    if (n >= 0 && sendto(udp, buffer, (size_t)n, 0, (struct sockaddr *)&address, length) == n) echoed++;
  }
  printf("%lu\n", echoed);
  return 0;
}
