/* Sends every datagram back to its sender: what the fastest simple echo can do. Prints its port, then echoes. */

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

int main(void) {
  static char buffer[65536];
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  int udp = socket(AF_INET, SOCK_DGRAM, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (udp < 0 || bind(udp, (struct sockaddr *)&address, sizeof address)) { perror("bind"); return 1; }
  getsockname(udp, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    length = sizeof address;
    ssize_t n = recvfrom(udp, buffer, sizeof buffer, 0, (struct sockaddr *)&address, &length);
    if (n >= 0) sendto(udp, buffer, (size_t)n, 0, (struct sockaddr *)&address, length);
  }
}
