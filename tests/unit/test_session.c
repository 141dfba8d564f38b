/* Connections held by a parent, SSH_CONNECTION. (utmp and telnetd: tests/live.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "batten/session.h"

#include "tree.h"

/* A connection to ourselves: the accepted end, its port in *PORT. */
static int connect_to_self(int *client, int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    int server = socket(AF_INET, SOCK_STREAM, 0), accepted;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(server, 1), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    *client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(*client, (struct sockaddr *)&at, len), 0);
    accepted = accept(server, NULL, NULL);
    assert_true(accepted >= 0);
    close(server);
    return accepted;
}

/* In a child, so that this process is the one above. */
static int in_child(int port, const char *how, pid_t holder)
{
    const struct session_way *w;
    struct session s;
    int result = 1;

    session_find(&s);
    w = session_over(&s, "tcp", port);
    if (w != NULL && strcmp(w->how, how) == 0 && w->pid == holder)
        result = 0;
    if (session_over(&s, "udp", port) != NULL)
        result = 2;
    session_release(&s);
    return result;
}

static int status_of(int port, const char *how, pid_t holder)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(in_child(port, how, holder));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_parents_connection_is_a_way_in(void **state)
{
    int client, port;
    int accepted = connect_to_self(&client, &port);

    (void)state;
    not_under_valgrind();
    assert_int_equal(status_of(port, "parent", getpid()), 0);
    assert_int_equal(status_of(1, "parent", getpid()), 1);
    close(accepted);
    close(client);
}

static void ssh_says_it_itself(void **state)
{
    (void)state;
    setenv("SSH_CONNECTION", "192.0.2.7 51234 192.0.2.1 2222", 1);
    assert_int_equal(status_of(2222, "SSH_CONNECTION", 0), 0);
    assert_int_equal(status_of(51234, "SSH_CONNECTION", 0), 1);
    unsetenv("SSH_CONNECTION");
}

static void nonsense_is_no_way_in(void **state)
{
    static const char *const texts[] = {"",          "a b c",       "a b c 0",  "a b c 65536",
                                        "a b c 22x", "a b c 22 23", "a b c -22"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        setenv("SSH_CONNECTION", texts[i], 1);
        assert_int_equal(status_of(22, "SSH_CONNECTION", 0), 1);
    }
    unsetenv("SSH_CONNECTION");
}

static void utmp_alone_means_any_login_service(void **state)
{
    struct session_way way = {.port = 0, .remote = "host", .how = "utmp"};
    struct session s = {.v = &way, .n = 1, .cap = 1};

    (void)state;
    assert_ptr_equal(session_over(&s, "tcp", 23), &way);
    assert_ptr_equal(session_over(&s, "tcp", 22), &way);
    assert_null(session_over(&s, "tcp", 79));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parents_connection_is_a_way_in),
        cmocka_unit_test(ssh_says_it_itself),
        cmocka_unit_test(nonsense_is_no_way_in),
        cmocka_unit_test(utmp_alone_means_any_login_service),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
