/*
 * Load generator for JSON servers: so many clients, each on a thread of its own, send the message of the documentation and wait
 * for the answer, for so many seconds.
 *
 *     json_load PORT CLIENTS SECONDS connect|keep
 *
 * "connect" opens a connection for each message, as the template does; "keep" uses one connection per client.
 * Prints {"answers":N,"seconds":S,"errors":N}.
 *
 * On Linux each connection comes from another of the loopback addresses 127.1.0.1 to 127.N.0.250. Whoever closes a connection first
 * keeps its port for a while: the template's server does that itself, with others it is the client, and then one address has only
 * some 14,000 ports per second. That would be measured instead of the server.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char message[] =
    "{\"command_id\": \"test_command\", \"param1\": 100, \"param2\": \"this is text\", \"param3\": true, "
    "\"param4\": [1, 2, 3, 4, \"text in list\"]}\n";
static struct sockaddr_in address;
static int keep;
static atomic_int stopping;
static atomic_long answers, errors;

/* Makes a connection come from an address of its own; the port is chosen when it connects. */
static void use_other_address(int fd, int number, unsigned count) {
#ifdef IP_BIND_ADDRESS_NO_PORT
    int one = 1;
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(127u << 24 | (unsigned)(number + 1) << 16 | (1 + count % 250));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    bind(fd, (struct sockaddr *)&from, sizeof from);
#endif
}

static int open_connection(int number, unsigned count) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval limit = {5, 0};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (!keep) use_other_address(fd, number, count);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

/* Sends the message and reads one line; tells whether that reports success. */
static int exchange(int fd) {
    char answer[1024];
    size_t length = 0;
    if (send(fd, message, sizeof message - 1, MSG_NOSIGNAL) != sizeof message - 1) return 0;
    do {
        ssize_t part = recv(fd, answer + length, sizeof answer - 1 - length, 0);
        if (part <= 0) return 0;
        length += part;
    } while (answer[length - 1] != '\n' && length < sizeof answer - 1);
    answer[length] = 0;
    return strstr(answer, "\"success\"") != NULL;
}

static void *client(void *context) {
    int number = (int)(long)context, fd = -1;
    unsigned count = 0;
    long good = 0, bad = 0;
    while (!stopping) {
        if (fd < 0) fd = open_connection(number, count++);
        int success = fd >= 0 && exchange(fd);
        success ? good++ : bad++;
        if (fd >= 0 && (!keep || !success)) {
            close(fd);
            fd = -1;
        }
    }
    if (fd >= 0) close(fd);
    answers += good;
    errors += bad;
    return NULL;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int clients = atoi(argv[2]);
    pthread_t threads[clients];
    keep = strcmp(argv[4], "keep") == 0;
    address.sin_family = AF_INET;
    address.sin_port = htons(atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    double start = now();
    for (int i = 0; i < clients; i++) pthread_create(&threads[i], NULL, client, (void *)(long)i);
    usleep(atof(argv[3]) * 1e6);
    stopping = 1;
    for (int i = 0; i < clients; i++) pthread_join(threads[i], NULL);
    printf("{\"answers\":%ld,\"seconds\":%.3f,\"errors\":%ld}\n", answers, now() - start, errors);
    return 0;
}
